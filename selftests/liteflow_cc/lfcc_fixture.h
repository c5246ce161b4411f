/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the congestion control "liteflow": a connection over loopback that uses
 * it, no models, and the policy that apps begin with.
 */
#ifndef _LFCC_FIXTURE_H
#define _LFCC_FIXTURE_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "../kselftest_harness.h"
#include "lfcc.h"

/* an emulated and instrumented machine takes its time */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#define CHUNK		16384
#define RATE		4000000	/* bytes per second */
#define SOME		(256 << 10)

static inline int set_params(int fd, const void *params, socklen_t len)
{
	return setsockopt(fd, SOL_TCP, TCP_CC_PARAMS, params, len) ? -errno : 0;
}

static inline int set_preferences(int fd)
{
	struct tcp_liteflow_params params = { .throughput = 100, .latency = 900 };

	return set_params(fd, &params, sizeof(params));
}

/* -- sock_diag -------------------------------------------------------------- */

/* What is told of a connection to one who wants these extensions; 0 or a negative errno. */
static inline int ask_diag(int fd, __u8 ext, struct lf_msg *m)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} from, to;
	struct {
		struct nlmsghdr n;
		struct inet_diag_req_v2 r;
	} ask = {
		.n = { .nlmsg_len = sizeof(ask), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST },
		.r = { .sdiag_protocol = IPPROTO_TCP, .idiag_ext = ext, .idiag_states = -1 },
	};
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	ssize_t got;
	int diag;

	if (getsockname(fd, (void *)&from, &from_len) || getpeername(fd, (void *)&to, &to_len))
		return -errno;
	ask.r.sdiag_family = from.in.sin_family;
	ask.r.id.idiag_sport = from.in.sin_port;
	ask.r.id.idiag_dport = to.in.sin_port;
	if (from.in.sin_family == AF_INET) {
		ask.r.id.idiag_src[0] = from.in.sin_addr.s_addr;
		ask.r.id.idiag_dst[0] = to.in.sin_addr.s_addr;
	} else {
		memcpy(ask.r.id.idiag_src, &from.in6.sin6_addr, sizeof(from.in6.sin6_addr));
		memcpy(ask.r.id.idiag_dst, &to.in6.sin6_addr, sizeof(to.in6.sin6_addr));
	}
	ask.r.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	ask.r.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	diag = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (diag < 0 || send(diag, &ask, sizeof(ask), 0) != sizeof(ask)) {
		close(diag);
		return -EIO;
	}
	got = recv(diag, m->buf, sizeof(m->buf), 0);
	close(diag);
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EIO;
	if (m->n.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&m->n))->error;
	return m->n.nlmsg_type == SOCK_DIAG_BY_FAMILY ? 0 : -EBADMSG;
}

static inline const struct nlattr *diag_attr(const struct lf_msg *m, int type)
{
	return lf_attr(m->buf + NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct inet_diag_msg))),
		       m->buf + m->n.nlmsg_len, type);
}

/* -- a connection ----------------------------------------------------------- */

FIXTURE(cc) {
	struct lf_sock *s;
	int out;
	int in;
	pthread_t writer;
	pthread_t reader;
	bool writing;
	atomic_bool stop;
	atomic_bool pause;
	atomic_ullong got;
};

static inline void *write_all(void *arg)
{
	struct _test_data_cc *self = arg;
	static const char chunk[CHUNK];

	while (!self->stop && send(self->out, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static inline void *read_all(void *arg)
{
	struct _test_data_cc *self = arg;
	char chunk[CHUNK];
	ssize_t got;

	while ((got = recv(self->in, chunk, sizeof(chunk), 0)) > 0) {
		self->got += got;
		while (self->pause)
			usleep(10000);
	}
	return NULL;
}

static inline int start(struct _test_data_cc *self)
{
	self->writing = true;
	return pthread_create(&self->reader, NULL, read_all, self) ||
	       pthread_create(&self->writer, NULL, write_all, self);
}

static inline void stop(struct _test_data_cc *self)
{
	if (!self->writing)
		return;
	self->stop = true;
	self->pause = false;
	pthread_join(self->writer, NULL);
	shutdown(self->out, SHUT_WR);
	pthread_join(self->reader, NULL);
	self->writing = false;
	self->stop = false;
}

/* Until so much more has arrived; false: it stalls. */
static inline bool moves(struct _test_data_cc *self, unsigned long long bytes)
{
	double end = lfcc_now() + 15 * lfcc_slow();
	unsigned long long from = self->got;

	while (self->got - from < bytes) {
		if (lfcc_now() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* Until its flags, of these, are those; and its model is @version, if not 0. */
static inline bool becomes(struct _test_data_cc *self, unsigned int mask, unsigned int flags,
			   unsigned int version)
{
	double end = lfcc_now() + 15 * lfcc_slow();
	struct tcp_liteflow_info info;

	do {
		if (lfcc_info(self->out, &info) != sizeof(info))
			return false;
		if ((info.flags & mask) == flags && (!version || info.version == version))
			return true;
		usleep(1000);
	} while (lfcc_now() < end);
	fprintf(stderr, "# flags %#x, version %u, mode %u, %u intervals\n", info.flags,
		info.version, info.mode, info.intervals);
	return false;
}

/* The version that a flow is served by which just began. */
static inline unsigned int version(int fd)
{
	struct tcp_liteflow_info info;

	return lfcc_info(fd, &info) == sizeof(info) ? info.version : 0;
}

static inline void connect_pair(struct __test_metadata *_metadata, struct _test_data_cc *self,
				const char *name)
{
	struct sockaddr_in addr;
	int fd;

	fd = lfcc_listen(&addr, 1);
	ASSERT_GE(fd, 0);
	self->out = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(lfcc_choose(self->out, name), 0);
	lfcc_tame(self->out, RATE);
	ASSERT_EQ(connect(self->out, (void *)&addr, sizeof(addr)), 0);
	self->in = accept(fd, NULL, NULL);
	ASSERT_GE(self->in, 0);
	close(fd);
}

FIXTURE_SETUP(cc)
{
	self->out = -1;
	self->in = -1;
	if (geteuid())
		SKIP(return, "not root");
	if (!lfcc_load())
		SKIP(return, "no control liteflow: CONFIG_TCP_CONG_LITEFLOW, or set LF_MODULES");
	self->s = lf_open();
	if (!self->s)
		SKIP(return, "kernel without CONFIG_LITEFLOW_NETLINK");
	lfcc_clear(self->s, LFCC_APP);
	lfcc_clear(self->s, LFCC_APP_PREF);
	ASSERT_EQ(lfcc_policy(self->s, LFCC_APP, LITEFLOW_POLICY_PIN), 0);
	connect_pair(_metadata, self, LFCC);
}

FIXTURE_TEARDOWN(cc)
{
	if (!self->s)
		return;
	stop(self);
	close(self->out);
	close(self->in);
	lfcc_clear(self->s, LFCC_APP);
	lfcc_clear(self->s, LFCC_APP_PREF);
	lfcc_policy(self->s, LFCC_APP, LITEFLOW_POLICY_PIN);
	lf_close(self->s);
}

#endif /* _LFCC_FIXTURE_H */
