/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the congestion control "liteflow": models for it, its module, and
 * connections over loopback.
 */
#ifndef _LFCC_H
#define _LFCC_H

#include <fcntl.h>
#include <time.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <linux/tcp_liteflow.h>

#include "lf_nl.h"

#ifndef SOL_TCP
#define SOL_TCP		6
#endif

#define LFCC		"liteflow"
#define LFCC_APP	"cc"
#define LFCC_APP_PREF	"cc_pref"
#define LFCC_HISTORY	10
#define LFCC_N_IN	(3 * LFCC_HISTORY)
#define LFCC_PREFS	3
#define LFCC_ONE	65536		/* an action of 1 */

static inline double lfcc_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Durations are written for a plain machine; a slow one says "yes" or a factor. */
static inline int lfcc_slow(void)
{
	const char *slow = getenv("KSFT_MACHINE_SLOW");
	int factor = slow ? atoi(slow) : 0;

	if (!slow || !*slow || !strcmp(slow, "no") || !strcmp(slow, "0"))
		return 1;
	return factor >= 1 && factor <= 16 ? factor : 2;
}

/* -- models ----------------------------------------------------------------- */

/**
 * struct lfcc_model - action = constant + a sum of inputs, clamped to +-32
 * @name: of the model
 * @constant: in 1/65536
 * @inflation: weight of the newest interval's inflation, in 1/256
 * @ratio: of its ratio
 * @prefs: of the preferences; with any the model is one for cc_pref
 */
struct lfcc_model {
	const char *name;
	int constant;
	int inflation;
	int ratio;
	const int *prefs;
};

/* Inputs get 10 fractional bits, weights have 8: the sum has 18, the output 16. */
static inline size_t lfcc_blob(void *buf, const struct lfcc_model *model)
{
	static const char *const prefs[LFCC_PREFS] = { "throughput", "latency", "loss" };
	static const char *const kinds[] = { "inflation", "ratio", "send" };
	unsigned int n_prefs = model->prefs ? LFCC_PREFS : 0, n_in = n_prefs + LFCC_N_IN, i;
	struct liteflow_blob_header *h = buf;
	struct liteflow_blob_feature *in = lf_blob_begin(buf, n_in, 1,
							 n_prefs ? "cc-pref-1" : "cc-1");
	struct liteflow_blob_output *out = (void *)(in + n_in);
	void *bias = lf_blob_layer(out + 1, n_in, 1, LITEFLOW_ACT_NONE);
	__u64 bias_le = htole64((__s64)model->constant * 4);
	__s16 weights[LFCC_PREFS + LFCC_N_IN] = {};

	snprintf(h->name, sizeof(h->name), "%s", model->name);
	for (i = 0; i < n_in; i++) {
		if (i < n_prefs)
			snprintf(in[i].name, sizeof(in[i].name), "%s", prefs[i]);
		else
			snprintf(in[i].name, sizeof(in[i].name), "%s%u", kinds[(i - n_prefs) % 3],
				 LFCC_HISTORY - 1 - (i - n_prefs) / 3);
		in[i].lo = htole32(-32 * LFCC_ONE);
		in[i].hi = htole32(32 * LFCC_ONE - 64);
		in[i].mult = htole32(1);
		in[i].shift = 6;
	}
	snprintf(out->name, sizeof(out->name), "action");
	out->lo = htole32(-32 * LFCC_ONE);
	out->hi = htole32(32 * LFCC_ONE);
	out->mult = htole32(1);
	out->shift = 2;
	for (i = 0; i < n_prefs; i++)
		weights[i] = htole16(model->prefs[i]);
	weights[n_in - 3] = htole16(model->inflation);
	weights[n_in - 2] = htole16(model->ratio);
	memcpy(bias, &bias_le, sizeof(bias_le));
	memcpy(bias + 8, weights, n_in * sizeof(*weights));
	return lf_blob_end(buf, bias + lf_blob_params(n_in, 1));
}

/* a = 3/2 (11/10 - ratio) - inflation: a queue of a tenth of the path's RTT */
static const struct lfcc_model lfcc_steady = {
	.name = "steady", .constant = LFCC_ONE * 165 / 100, .inflation = -256, .ratio = -384,
};

/* the same, a little less patient */
static const struct lfcc_model lfcc_short = {
	.name = "short", .constant = LFCC_ONE * 21 / 10, .inflation = -256, .ratio = -512,
};

/* Into a slot, and active; 0 or a negative errno. */
static inline int lfcc_install(struct lf_sock *s, const char *app, int slot,
			       const struct lfcc_model *model)
{
	static char blob[LF_BLOB_ROOM];
	int ret;

	ret = lf_model_send(s, app, slot, blob, lfcc_blob(blob, model));
	return ret ? ret : lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, app, slot);
}

/* All slots empty, whatever is there; flows lose what served them. */
static inline void lfcc_clear(struct lf_sock *s, const char *app)
{
	int slot;

	for (slot = 0; slot < 4; slot++)
		lf_model_remove(s, app, slot, LITEFLOW_REMOVE_FLAGS_FORCE |
				LITEFLOW_REMOVE_FLAGS_EVICT);
}

/* What a helper program cannot go on without. */
static inline void lfcc_expect(struct lf_sock *s, const char *what, int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "%s: %s: %s %s\n", program_invocation_short_name, what, strerror(-ret),
		s->why);
	exit(1);
}

static inline int lfcc_policy(struct lf_sock *s, const char *app, int policy)
{
	struct lf_msg m;

	lf_begin_app(s, &m, LITEFLOW_CMD_APP_SET, app, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_POLICY, policy);
	return lf_call(s, &m);
}

/* -- the module ------------------------------------------------------------- */

/* Is the control there? Loads its module if need be. */
static inline bool lfcc_load(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	ret = setsockopt(fd, SOL_TCP, TCP_CONGESTION, LFCC, strlen(LFCC));
	if (ret && lf_insmod("tcp_liteflow"))
		ret = setsockopt(fd, SOL_TCP, TCP_CONGESTION, LFCC, strlen(LFCC));
	close(fd);
	return !ret;
}

/* -- connections ------------------------------------------------------------ */

static inline int lfcc_listen(struct sockaddr_in *addr, int backlog)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in) {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (void *)addr, sizeof(*addr)) || listen(fd, backlog) ||
	    getsockname(fd, (void *)addr, &len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int lfcc_choose(int fd, const char *name)
{
	return setsockopt(fd, SOL_TCP, TCP_CONGESTION, name, strlen(name)) ? -errno : 0;
}

/*
 * Loopback is so fast that the application limits the flow, and such a flow's
 * model is not asked. So it is paced, in packets of the size of Ethernet's.
 */
static inline void lfcc_tame(int fd, unsigned int bytes_per_second)
{
	int mss = 1448;

	setsockopt(fd, SOL_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second,
		   sizeof(bytes_per_second));
}

/* Length of what the control tells, or a negative errno. */
static inline int lfcc_info(int fd, struct tcp_liteflow_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (getsockopt(fd, SOL_TCP, TCP_CC_INFO, info, &len))
		return -errno;
	return len;
}

#endif /* _LFCC_H */
