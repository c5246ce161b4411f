// SPDX-License-Identifier: GPL-2.0
/*
 * The congestion control "liteflow" in whatever a socket may be or become: accepted,
 * routed, disconnected, orphaned, of IPv6 or MPTCP; and what it tells to those who
 * expect something else.
 */
#include <sched.h>
#include <stddef.h>

#include "lfcc_fixture.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define NAME_LEN	16
#define FILL		0xa5
#define ORPHANS		32

static const unsigned int all = LITEFLOW_REMOVE_FLAGS_FORCE | LITEFLOW_REMOVE_FLAGS_EVICT;

/* -- helpers ---------------------------------------------------------------- */

/* The control of a socket, "" if it does not tell; until the next call. */
static const char *control(int fd)
{
	static char name[NAME_LEN];
	socklen_t len = sizeof(name);

	memset(name, 0, sizeof(name));
	getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len);
	return name;
}

/* Routes of the test's own; loopback does not send 64 kB at a time. */
static bool own_netns(void)
{
	return !unshare(CLONE_NEWNET) &&
	       !system("ip link set lo up mtu 1500 gso_max_segs 1 >&2");
}

static struct sockaddr_in at(const char *address)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	inet_pton(AF_INET, address, &addr.sin_addr);
	return addr;
}

/**
 * struct ends - a connection
 * @listener: who accepted it; may accept more
 * @addr: where
 * @out: the end that connected
 * @in: the end that was accepted
 */
struct ends {
	int listener;
	struct sockaddr_in addr;
	int out;
	int in;
};

/* One more from this listener; the control of the connecting end if not NULL */
static bool connect_ends(struct ends *e, const char *from, const char *name)
{
	struct sockaddr_in addr = at(from);

	e->in = -1;
	e->out = socket(AF_INET, SOCK_STREAM, 0);
	if (e->out < 0 || bind(e->out, (void *)&addr, sizeof(addr)) ||
	    (name && lfcc_choose(e->out, name)) ||
	    connect(e->out, (void *)&e->addr, sizeof(e->addr)))
		return false;
	e->in = accept(e->listener, NULL, NULL);
	return e->in >= 0;
}

/* The same with a new listener, whose control this is if not NULL. */
static bool open_ends(struct ends *e, const char *to, const char *listener_name,
		      const char *from, const char *name)
{
	socklen_t len = sizeof(e->addr);

	e->out = -1;
	e->in = -1;
	e->addr = at(to);
	e->listener = socket(AF_INET, SOCK_STREAM, 0);
	return e->listener >= 0 && !(listener_name && lfcc_choose(e->listener, listener_name)) &&
	       !bind(e->listener, (void *)&e->addr, sizeof(e->addr)) &&
	       !listen(e->listener, 8) &&
	       !getsockname(e->listener, (void *)&e->addr, &len) && connect_ends(e, from, name);
}

static void close_ends(struct ends *e)
{
	close(e->out);
	close(e->in);
	close(e->listener);
}

/* This connection becomes the fixture's. */
static void take(struct _test_data_cc *self, int out, int in)
{
	close(self->out);
	close(self->in);
	self->out = out;
	self->in = in;
	lfcc_tame(out, RATE);
}

/* How many hold the module; -1: it is built in. */
static long module_users(void)
{
	FILE *f = fopen("/proc/modules", "r");
	char line[512], name[64];
	long users = -1, n;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %*s %ld", name, &n) == 2 && !strcmp(name, "tcp_liteflow"))
			users = n;
	}
	if (f)
		fclose(f);
	return users;
}

static bool users_become(long users)
{
	double end = lfcc_now() + 15 * lfcc_slow();

	while (module_users() != users) {
		if (lfcc_now() > end)
			return false;
		usleep(10000);
	}
	return true;
}

static bool read_to_the_end(int fd, unsigned long long *bytes)
{
	char chunk[CHUNK];
	ssize_t got;

	while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		*bytes += got;
	return !got;
}

/* -- TCP_CC_INFO ------------------------------------------------------------ */

/* Whatever room there is: so much is told, and nothing behind it is touched. */
static void check_lengths(struct __test_metadata *_metadata, int fd)
{
	static const socklen_t lens[] = {
		0, 1, 7, 8, sizeof(struct tcpvegas_info), sizeof(struct tcp_dctcp_info),
		sizeof(struct tcp_bbr_info), sizeof(struct tcp_liteflow_info) - 1,
		sizeof(struct tcp_liteflow_info), sizeof(struct tcp_liteflow_info) + 1, 200,
	};
	struct tcp_liteflow_info info;
	unsigned char buf[256];
	socklen_t len, expected;
	unsigned int i, j;

	ASSERT_EQ(lfcc_info(fd, &info), sizeof(info));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		memset(buf, FILL, sizeof(buf));
		len = lens[i];
		expected = len < sizeof(info) ? len : sizeof(info);
		ASSERT_EQ(getsockopt(fd, SOL_TCP, TCP_CC_INFO, buf, &len), 0);
		EXPECT_EQ(len, expected);
		EXPECT_EQ(memcmp(buf, &info, expected), 0) {
			TH_LOG("%u bytes", lens[i]);
		}
		for (j = expected; j < sizeof(buf) && buf[j] == FILL; j++)
			;
		EXPECT_EQ(j, sizeof(buf));
	}
	len = sizeof(info);
	EXPECT_EQ(getsockopt(fd, SOL_TCP, TCP_CC_INFO, NULL, &len), -1);
	EXPECT_EQ(errno, EFAULT);
}

TEST_F(cc, info_lengths)
{
	struct tcp_liteflow_info info;
	char buf[64];
	socklen_t len = sizeof(buf);
	int fd;

	check_lengths(_metadata, self->out);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.flags, TCP_LITEFLOW_CLASSIC);

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	stop(self);
	while (read(self->in, buf, sizeof(buf)) > 0)
		;
	check_lengths(_metadata, self->out);

	/* before it is connected there is little to tell, after a change nothing */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(lfcc_choose(fd, LFCC), 0);
	check_lengths(_metadata, fd);
	ASSERT_EQ(lfcc_info(fd, &info), sizeof(info));
	EXPECT_EQ(info.flow, 0);
	EXPECT_EQ(info.version, 0);
	EXPECT_EQ(info.flags, TCP_LITEFLOW_CLASSIC);
	ASSERT_EQ(lfcc_choose(fd, "reno"), 0);
	ASSERT_EQ(getsockopt(fd, SOL_TCP, TCP_CC_INFO, buf, &len), 0);
	EXPECT_EQ(len, 0);
	close(fd);
}

/* A dump's reader who knows other controls finds nothing that looks like theirs. */
TEST_F(cc, diag_of_others)
{
	static const int others[] = {
		INET_DIAG_VEGASINFO, INET_DIAG_DCTCPINFO, INET_DIAG_BBRINFO,
	};
	static struct lf_msg m;
	unsigned int i;
	int ret;

	ret = ask_diag(self->out, 0xff, &m);
	if (ret == -ENOENT)
		SKIP(return, "kernel without CONFIG_INET_DIAG");
	ASSERT_EQ(ret, 0);
	EXPECT_NE(diag_attr(&m, INET_DIAG_LITEFLOWINFO), NULL);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(diag_attr(&m, others[i]), NULL);
	/* unasked, it says nothing */
	ASSERT_EQ(ask_diag(self->out, 1 << (INET_DIAG_INFO - 1), &m), 0);
	EXPECT_NE(diag_attr(&m, INET_DIAG_INFO), NULL);
	EXPECT_EQ(diag_attr(&m, INET_DIAG_LITEFLOWINFO), NULL);
	/* and nothing of what it has left */
	ASSERT_EQ(lfcc_choose(self->out, "reno"), 0);
	ASSERT_EQ(ask_diag(self->out, 0xff, &m), 0);
	EXPECT_EQ(diag_attr(&m, INET_DIAG_LITEFLOWINFO), NULL);
}

/* Whoever had no model shows up in the app's statistics. */
TEST_F(cc, refusals_counted)
{
	struct tcp_liteflow_info info;
	__u64 before, after;

	ASSERT_EQ(lf_stat(self->s, LFCC_APP, LITEFLOW_A_STATS_NO_MODEL, &before), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, 4 * SOME));
	stop(self);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_GT(info.refused, 0);
	ASSERT_EQ(lf_stat(self->s, LFCC_APP, LITEFLOW_A_STATS_NO_MODEL, &after), 0);
	EXPECT_GE(after - before, info.refused);
}

/* -- accepted sockets, and routes ------------------------------------------- */

TEST_F(cc, inherited)
{
	struct tcp_liteflow_info info, second;
	int first_in, first_out;
	char usual[NAME_LEN];
	struct ends e;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_TRUE(open_ends(&e, "127.0.0.1", LFCC, "127.0.0.1", NULL));
	first_in = e.in;
	first_out = e.out;
	snprintf(usual, sizeof(usual), "%s", control(first_out));
	EXPECT_STREQ(control(e.listener), LFCC);
	EXPECT_STREQ(control(first_in), LFCC);
	ASSERT_EQ(lfcc_info(first_in, &info), sizeof(info));
	EXPECT_GT(info.flow, 0);
	EXPECT_EQ(info.flags, 0);
	/* the listener is no flow, and its children do not share one */
	ASSERT_EQ(lfcc_info(e.listener, &info), sizeof(info));
	EXPECT_EQ(info.flow, 0);
	EXPECT_EQ(set_preferences(e.listener), -ENOTCONN);
	ASSERT_EQ(lfcc_info(first_in, &info), sizeof(info));
	ASSERT_TRUE(connect_ends(&e, "127.0.0.1", NULL));
	ASSERT_EQ(lfcc_info(e.in, &second), sizeof(second));
	EXPECT_NE(info.flow, second.flow);
	close(e.in);
	close(e.out);
	/* it changes its mind: those before keep theirs */
	ASSERT_EQ(lfcc_choose(e.listener, "reno"), 0);
	ASSERT_TRUE(connect_ends(&e, "127.0.0.1", NULL));
	EXPECT_STREQ(control(e.in), "reno");
	EXPECT_STREQ(control(first_in), LFCC);
	EXPECT_STREQ(control(e.out), usual);
	close_ends(&e);
	/* and live without it */
	take(self, first_in, first_out);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
}

#define ROUTE	"ip route replace local 127.1.0.1 dev lo table local congctl "

TEST_F(cc, routed)
{
	struct tcp_liteflow_info info;
	char usual[NAME_LEN];
	struct ends e;
	int fd;

	if (!own_netns() || system(ROUTE LFCC " >&2"))
		SKIP(return, "no network namespaces, or no tool ip that knows congctl");
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(usual, sizeof(usual), "%s", control(fd));
	close(fd);
	if (!strcmp(usual, LFCC))
		SKIP(return, LFCC " is the default");

	/* who connects there */
	ASSERT_TRUE(open_ends(&e, "127.1.0.1", NULL, "127.0.0.1", NULL));
	EXPECT_STREQ(control(e.out), LFCC);
	EXPECT_STREQ(control(e.in), usual);
	ASSERT_EQ(lfcc_info(e.out, &info), sizeof(info));
	EXPECT_EQ(info.flags, 0);
	EXPECT_GT(info.flow, 0);
	/* it is a suggestion */
	EXPECT_EQ(lfcc_choose(e.out, "reno"), 0);
	EXPECT_STREQ(control(e.out), "reno");
	close_ends(&e);

	/* who is connected to from there, whatever the listener has */
	ASSERT_TRUE(open_ends(&e, "127.0.0.1", "reno", "127.1.0.1", NULL));
	EXPECT_STREQ(control(e.in), LFCC);
	EXPECT_STREQ(control(e.out), usual);
	ASSERT_EQ(lfcc_info(e.in, &info), sizeof(info));
	EXPECT_EQ(info.flags, 0);
	take(self, e.in, e.out);
	close(e.listener);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	stop(self);

	/* locked, it is a command */
	ASSERT_EQ(system(ROUTE "lock " LFCC " >&2"), 0);
	ASSERT_TRUE(open_ends(&e, "127.1.0.1", NULL, "127.0.0.1", "reno"));
	EXPECT_STREQ(control(e.out), LFCC);
	EXPECT_EQ(lfcc_choose(e.out, "reno"), -EPERM);
	EXPECT_STREQ(control(e.out), LFCC);
	take(self, e.out, e.in);
	close(e.listener);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	/* also for a flow that has lost its model, whose operations are others */
	ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, TCP_LITEFLOW_CLASSIC, 0));
	EXPECT_EQ(lfcc_choose(self->out, "reno"), -EPERM);
	EXPECT_STREQ(control(self->out), LFCC);
	EXPECT_TRUE(moves(self, SOME));

	/* and another control's route takes it away */
	ASSERT_EQ(system(ROUTE "reno >&2"), 0);
	ASSERT_TRUE(open_ends(&e, "127.0.0.1", LFCC, "127.1.0.1", NULL));
	EXPECT_STREQ(control(e.in), "reno");
	close_ends(&e);
}

/* -- what a socket goes through --------------------------------------------- */

/* Other controls in between, while data are under way: it begins anew each time. */
TEST_F(cc, switched_under_traffic)
{
	static const char *const names[] = { LFCC, "reno", LFCC, "cubic", LFCC, "bbr" };
	struct tcp_liteflow_info info;
	long users = module_users();
	unsigned long long last = 0;
	unsigned int i;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_EQ(set_preferences(self->out), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	last = info.flow;
	for (i = 1; i < 60; i++) {
		int ret = lfcc_choose(self->out, names[i % ARRAY_SIZE(names)]);

		/* a kernel need not have all of them */
		ASSERT_TRUE(!ret || (ret == -ENOENT && i % 2));
		EXPECT_TRUE(moves(self, SOME / 8));
		if (i % 2)
			continue;
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		EXPECT_GE(info.flow, last);
		last = info.flow;
	}
	ASSERT_EQ(lfcc_choose(self->out, "reno"), 0);
	ASSERT_EQ(lfcc_choose(self->out, LFCC), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_GT(info.flow, last);
	EXPECT_EQ(info.throughput + info.latency + info.loss, 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	EXPECT_TRUE(moves(self, SOME));
	/* chosen again, it stays what it is */
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	last = info.flow;
	ASSERT_EQ(lfcc_choose(self->out, LFCC), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.flow, last);
	EXPECT_EQ(module_users(), users);
}

TEST_F(cc, disconnected)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in addr = at("127.0.0.1");
	struct tcp_liteflow_info info;
	unsigned long long flow;
	socklen_t len = sizeof(addr);
	long users = module_users();
	struct ends e;
	unsigned int i;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_TRUE(open_ends(&e, "127.0.0.1", NULL, "127.0.0.1", NULL));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(start(self), 0);
		EXPECT_TRUE(moves(self, SOME / 4));
		if (i == 10)
			ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
		EXPECT_TRUE(moves(self, SOME / 4));
		stop(self);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		flow = info.flow;
		EXPECT_GT(flow, 0);

		ASSERT_EQ(connect(self->out, &none, sizeof(none)), 0);
		EXPECT_STREQ(control(self->out), LFCC);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		EXPECT_EQ(info.flow, 0);
		EXPECT_EQ(info.intervals, 0);
		EXPECT_EQ(set_preferences(self->out), -ENOTCONN);

		ASSERT_EQ(connect(self->out, (void *)&e.addr, sizeof(e.addr)), 0);
		close(self->in);
		self->in = accept(e.listener, NULL, NULL);
		ASSERT_GE(self->in, 0);
		EXPECT_STREQ(control(self->out), LFCC);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		EXPECT_GT(info.flow, flow);
		EXPECT_EQ(info.flags, i < 10 ? 0 : TCP_LITEFLOW_CLASSIC);
		EXPECT_EQ(info.intervals, 0);
	}
	close_ends(&e);
	EXPECT_EQ(module_users(), users);

	/* what has been a flow may listen, and its children begin as any */
	ASSERT_EQ(connect(self->out, &none, sizeof(none)), 0);
	e.listener = self->out;
	self->out = -1;
	ASSERT_EQ(bind(e.listener, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(listen(e.listener, 1), 0);
	ASSERT_EQ(getsockname(e.listener, (void *)&e.addr, &len), 0);
	ASSERT_TRUE(connect_ends(&e, "127.0.0.1", NULL));
	EXPECT_STREQ(control(e.in), LFCC);
	ASSERT_EQ(lfcc_info(e.in, &info), sizeof(info));
	EXPECT_GT(info.flow, flow);
	take(self, e.in, e.out);
	close(e.listener);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
}

/*
 * Nobody holds these any more, and their data are still under way when the model goes:
 * all of it arrives. Then they linger as TIME_WAIT, which needs no control.
 */
TEST_F(cc, orphaned)
{
	unsigned long long sent[ORPHANS] = {}, got;
	static const char chunk[CHUNK];
	struct ends e[ORPHANS];
	long users;
	unsigned int i;
	ssize_t n;

	stop(self);
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	users = module_users();
	for (i = 0; i < ORPHANS; i++) {
		ASSERT_TRUE(open_ends(&e[i], "127.0.0.1", NULL, "127.0.0.1", LFCC));
		lfcc_tame(e[i].out, RATE / ORPHANS);
		while ((n = send(e[i].out, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0 &&
		       sent[i] < 8 * CHUNK)
			sent[i] += n;
		sent[i] += n > 0 ? n : 0;
		close(e[i].out);
	}
	if (users >= 0)
		EXPECT_GT(module_users(), users);
	ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
	for (i = 0; i < ORPHANS; i++) {
		if (i == ORPHANS / 4)
			ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_short), 0);
		if (i == ORPHANS / 2)
			ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
		got = 0;
		EXPECT_TRUE(read_to_the_end(e[i].in, &got));
		EXPECT_GT(sent[i], 0);
		EXPECT_EQ(got, sent[i]);
		close(e[i].in);
		close(e[i].listener);
	}
	EXPECT_TRUE(users_become(users)) {
		TH_LOG("%ld users, not %ld", module_users(), users);
	}
}

/* -- other families --------------------------------------------------------- */

TEST_F(cc, v6)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_in mapped = at("127.0.0.1");
	int fd = socket(AF_INET6, SOCK_STREAM, 0), out, in, zero = 0;
	socklen_t len = sizeof(addr);
	struct tcp_liteflow_info told;
	const struct nlattr *a;
	static struct lf_msg m;
	int ret;

	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)))
		SKIP(return, "kernel without CONFIG_IPV6, or no ::1");
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(listen(fd, 1), 0);
	ASSERT_EQ(getsockname(fd, (void *)&addr, &len), 0);
	out = socket(AF_INET6, SOCK_STREAM, 0);
	ASSERT_EQ(lfcc_choose(out, LFCC), 0);
	ASSERT_EQ(connect(out, (void *)&addr, sizeof(addr)), 0);
	in = accept(fd, NULL, NULL);
	ASSERT_GE(in, 0);
	close(fd);
	take(self, out, in);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	ret = ask_diag(self->out, 0xff, &m);
	if (ret != -ENOENT) {
		ASSERT_EQ(ret, 0);
		a = diag_attr(&m, INET_DIAG_LITEFLOWINFO);
		ASSERT_NE(a, NULL);
		memcpy(&told, lf_data(a), sizeof(told));
		EXPECT_GT(told.flow, 0);
	}
	stop(self);

	/* a child whose peer is of IPv4 changes its operations when it is made */
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	addr = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	ASSERT_EQ(lfcc_choose(fd, LFCC), 0);
	ASSERT_EQ(bind(fd, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(listen(fd, 1), 0);
	ASSERT_EQ(getsockname(fd, (void *)&addr, &len), 0);
	mapped.sin_port = addr.sin6_port;
	out = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(connect(out, (void *)&mapped, sizeof(mapped)), 0);
	in = accept(fd, NULL, NULL);
	ASSERT_GE(in, 0);
	close(fd);
	EXPECT_STREQ(control(in), LFCC);
	take(self, in, out);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
}

/*
 * Each subflow is a flow of its own. What is asked of the connection is answered by the
 * first one; what it is told is not passed on, unless it has fallen back to TCP.
 */
TEST_F(cc, mptcp)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), out, in, plain;
	struct sockaddr_in addr = at("127.0.0.1");
	socklen_t len = sizeof(addr);
	struct tcp_liteflow_info info;

	if (fd < 0)
		SKIP(return, "kernel without CONFIG_MPTCP, or net.mptcp.enabled is 0");
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(lfcc_choose(fd, LFCC), 0);
	ASSERT_EQ(bind(fd, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(listen(fd, 2), 0);
	ASSERT_EQ(getsockname(fd, (void *)&addr, &len), 0);
	out = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	ASSERT_GE(out, 0);
	ASSERT_EQ(lfcc_choose(out, LFCC), 0);
	ASSERT_EQ(connect(out, (void *)&addr, sizeof(addr)), 0);
	in = accept(fd, NULL, NULL);
	ASSERT_GE(in, 0);
	EXPECT_STREQ(control(in), LFCC);
	take(self, out, in);
	EXPECT_STREQ(control(self->out), LFCC);
	EXPECT_EQ(set_preferences(self->out), -ENOPROTOOPT);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_GT(info.flow, 0);
	/* the model goes and comes, as below any flow */
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, TCP_LITEFLOW_CLASSIC, 0));
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_EQ(lfcc_choose(self->out, "reno"), 0);
	EXPECT_STREQ(control(self->out), "reno");
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_EQ(lfcc_choose(self->out, LFCC), 0);
	EXPECT_STREQ(control(self->out), LFCC);
	EXPECT_TRUE(moves(self, SOME));
	stop(self);

	/* its peer knows only TCP */
	plain = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(connect(plain, (void *)&addr, sizeof(addr)), 0);
	in = accept(fd, NULL, NULL);
	ASSERT_GE(in, 0);
	close(fd);
	EXPECT_STREQ(control(in), LFCC);
	take(self, in, plain);
	EXPECT_EQ(set_preferences(self->out), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
}

/* -- a receiver that stops -------------------------------------------------- */

/* A window that is closed for so many seconds; how long some takes when it is open again. */
static double closed_window(struct __test_metadata *_metadata, struct _test_data_cc *self,
			    double closed)
{
	struct tcp_info tcp = {};
	double begin, end;
	socklen_t len;

	self->pause = true;
	end = lfcc_now() + 15 * lfcc_slow();
	do {
		usleep(10000);
		len = sizeof(tcp);
		ASSERT_EQ(getsockopt(self->out, SOL_TCP, TCP_INFO, &tcp, &len), 0);
		/* probes are answered at once, so that their number says nothing */
	} while ((!tcp.tcpi_notsent_bytes || tcp.tcpi_snd_wnd >= tcp.tcpi_snd_mss) &&
		 lfcc_now() < end);
	EXPECT_GT(tcp.tcpi_notsent_bytes, 0);
	EXPECT_LT(tcp.tcpi_snd_wnd, tcp.tcpi_snd_mss);
	usleep(closed * 1e6);
	self->pause = false;

	begin = lfcc_now();
	EXPECT_TRUE(moves(self, 4 * SOME));
	return lfcc_now() - begin;
}

/*
 * The receiver does not read for long, with data queued, then does: the flow goes on as
 * fast as before, or nearly. LFCC_CLOSED: for so many seconds; in virtual time (UML's
 * time-travel=inf-cpu, and a loopback with a delay) an hour takes some seconds.
 */
TEST_F_TIMEOUT(cc, zero_window, 100000)
{
	const char *wanted = getenv("LFCC_CLOSED");
	double closed = wanted ? atof(wanted) : 12, before, after;
	struct tcp_liteflow_info info;
	unsigned int tries = 0;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	ASSERT_TRUE(moves(self, 8 * SOME));
	before = lfcc_now();
	ASSERT_TRUE(moves(self, 4 * SOME));
	before = lfcc_now() - before;
	/* a host that is busy elsewhere delays it now and then, the control would each time */
	do {
		after = closed_window(_metadata, self, closed);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		TH_LOG("%.3f s before, %.3f s after %.0f s, rate %llu, mode %u", before, after,
		       closed, info.rate, info.mode);
	} while (after > 4 * before + 0.5 && ++tries < 3);
	EXPECT_LE(after, 4 * before + 0.5);
	EXPECT_EQ(info.flags & TCP_LITEFLOW_CLASSIC, 0);
}

TEST_HARNESS_MAIN
