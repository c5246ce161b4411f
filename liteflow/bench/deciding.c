// SPDX-License-Identifier: GPL-2.0
/*
 * What a decision costs in the kernel and in user space, in CPU time
 *
 * In the kernel: what the flow's history gives as inputs, the engine, the new rate, with
 * the kernel's sources and flags.  In user space, as an agent has to do it: a record comes by
 * netlink, the same engine answers, setsockopt() sets the flow's rate.  The kernel that this
 * runs on may not have LiteFlow, so the way is made anew: records of the same size
 * through NETLINK_USERSOCK, SO_MAX_PACING_RATE on connected TCP sockets.  What the sender of
 * the records takes is measured by itself: in a kernel its system call is not there.
 *
 * woken: the agent sleeps until each message comes, as it does while decisions are rare.
 * Else messages wait for it when it comes back, and it never sleeps: the best case.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/liteflow_engine.h>
#include <linux/liteflow_record.h>

#include "testmodel.h"
#include "tcp_liteflow_law.h"

#define INPUTS		30
#define OUTPUTS		1
#define RECORD		LITEFLOW_RECORD_SIZE(INPUTS, OUTPUTS)
#define MOST		100		/* records in a message, as the collector's */
#define MSS		1448
#define RATE		6250000		/* bytes per second */
#define RTT_US		1000		/* of the flows that the figures are put to */
#define PER_RTT		2		/* decisions in a round trip */
#define SECONDS		0.5
#define ROUNDS		5

#define NR_COUNTS	3
#define NR_FLOWS	4

static const unsigned int counts[NR_COUNTS] = { 1, 10, 100 };
static const unsigned int flows[NR_FLOWS] = { 1, 16, 128, 1024 };

static struct lf_model *model;
static int to_agent, at_agent, *sockets;
static unsigned int n_sockets;
static volatile s32 sink;

static void die(const char *what)
{
	fprintf(stderr, "deciding: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* -- in the kernel --------------------------------------------------------------- */

static double in_kernel(void)
{
	const struct tlf_ack ack = { .mss = MSS };
	s16 scratch[2 * LF_STACK_WIDTH];
	struct tlf_flow flow;
	struct tlf_hot hot;
	s32 in[INPUTS], action;
	double start, took;
	u64 n = 0;

	tlf_init(&hot, &flow, &ack, RTT_US, 10);
	start = seconds(CLOCK_THREAD_CPUTIME_ID);
	do {
		for (int i = 0; i < 1000; i++, n++) {
			/* other inputs each time, as a branch predictor would learn one row */
			flow.history[n % TLF_HISTORY][n % TLF_FEATURES] = (n * 2654435761u) >> 21;
			hot.rate = RATE;
			tlf_inputs(&flow, in);
			lf_model_run(model, in, &action, scratch);
			tlf_act(&hot, &flow, action, MSS, TLF_RULE_PULL);
			sink = hot.rate;
		}
		took = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	} while (took < SECONDS);
	return took / n * 1e9;
}

/* -- in user space --------------------------------------------------------------- */

struct agent {
	pthread_t thread;
	unsigned int per_message;
	u64 messages;
	double took;
	volatile bool failed;
};

/* A message's records: answered, and done. */
static void answer(struct agent *a, const char *buffer, unsigned int *flow)
{
	s16 scratch[2 * LF_STACK_WIDTH];
	s32 values[INPUTS], action;
	unsigned int rate;

	for (unsigned int i = 0; i < a->per_message; i++) {
		memcpy(values, buffer + NLMSG_HDRLEN + i * RECORD +
		       offsetof(struct liteflow_record, values), sizeof(values));
		lf_model_run(model, values, &action, scratch);
		rate = RATE + (action >> 8);
		if (setsockopt(sockets[(*flow)++ % n_sockets], SOL_SOCKET, SO_MAX_PACING_RATE,
			       &rate, sizeof(rate)))
			a->failed = true;
	}
}

static void *act(void *arg)
{
	static char buffer[NLMSG_HDRLEN + MOST * RECORD];
	struct agent *a = arg;
	double start = seconds(CLOCK_THREAD_CPUTIME_ID);
	unsigned int flow = 0;
	u64 n = 0;

	for (; n < a->messages; n++) {
		if (recv(at_agent, buffer, sizeof(buffer), 0) < NLMSG_HDRLEN) {
			a->failed = true;
			break;
		}
		answer(a, buffer, &flow);
	}
	a->took = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	return NULL;
}

/* Netlink refuses what the receiver has no room for. */
static void send_message(const struct sockaddr_nl *to, char *buffer, size_t len)
{
	while (sendto(to_agent, buffer, len, 0, (const void *)to, sizeof(*to)) < 0) {
		if (errno != EAGAIN && errno != ENOBUFS)
			die("netlink");
		sched_yield();
	}
}

/* ns for a decision of the agent; @sender: of who sends the records */
static double in_user_space(unsigned int per_message, bool woken, const struct sockaddr_nl *to,
			    double *sender)
{
	static char buffer[NLMSG_HDRLEN + MOST * RECORD];
	size_t len = NLMSG_HDRLEN + per_message * RECORD;
	struct agent a = { .per_message = per_message, .messages = 20000 / per_message };
	double start;
	u64 i;

	((struct nlmsghdr *)buffer)->nlmsg_len = len;
	for (i = 0; i < sizeof(buffer) - NLMSG_HDRLEN; i++)
		buffer[NLMSG_HDRLEN + i] = (i * 2654435761u) >> 27;
	start = seconds(CLOCK_THREAD_CPUTIME_ID);
	if (woken && pthread_create(&a.thread, NULL, act, &a))
		die("thread");
	for (i = 0; i < a.messages; i++) {
		if (woken)
			usleep(200);		/* it sleeps again by then */
		send_message(to, buffer, len);
		/* as much as its socket holds is there when it comes */
		if (!woken && i % 20 == 19) {
			struct agent some = a;

			some.messages = 20;
			act(&some);
			a.took += some.took;
			a.failed |= some.failed;
		}
	}
	*sender = seconds(CLOCK_THREAD_CPUTIME_ID) - start - (woken ? 0 : a.took);
	if (woken)
		pthread_join(a.thread, NULL);
	if (a.failed)
		die("an agent");
	*sender *= 1e9 / (a.messages * per_message);
	return a.took * 1e9 / (a.messages * per_message);
}

static void open_netlink(struct sockaddr_nl *to)
{
	socklen_t len = sizeof(*to);
	int room = 8 << 20;

	to_agent = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	at_agent = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	memset(to, 0, sizeof(*to));
	to->nl_family = AF_NETLINK;
	if (to_agent < 0 || at_agent < 0 || bind(at_agent, (void *)to, sizeof(*to)) ||
	    getsockname(at_agent, (void *)to, &len))
		die("netlink");
	/* without the privilege the system's limit holds, which is enough for a few */
	if (setsockopt(at_agent, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(at_agent, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

/* Connections through loopback, as many as decisions go to in turn. */
static void open_flows(unsigned int n)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (void *)&at, sizeof(at)) || listen(listener, 128) ||
	    getsockname(listener, (void *)&at, &len))
		die("listen");
	sockets = calloc(n, sizeof(*sockets));
	for (n_sockets = 0; sockets && n_sockets < n; n_sockets++) {
		sockets[n_sockets] = socket(AF_INET, SOCK_STREAM, 0);
		if (sockets[n_sockets] < 0 ||
		    connect(sockets[n_sockets], (void *)&at, sizeof(at)) ||
		    accept(listener, NULL, NULL) < 0)
			die("connect");
	}
}

/* -- figures --------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

static double middle(const char *what, double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	fprintf(stderr, "# %s: %.0f to %.0f ns\n", what, values[0], values[ROUNDS - 1]);
	return values[ROUNDS / 2];
}

/* What flows of 1 ms need, percent of a core; the agent's sender is not counted. */
static void shares(const char *where, double ns)
{
	fprintf(stderr, "# %s: %.0f decisions per second and core; of a core for", where, 1e9 / ns);
	for (int i = 0; i < NR_FLOWS; i++)
		fprintf(stderr, "%s %u", i ? "," : "", flows[i]);
	fprintf(stderr, " flows of %d ms:", RTT_US / 1000);
	for (int i = 0; i < NR_FLOWS; i++)
		fprintf(stderr, "%s %.2f", i ? "," : "",
			100 * flows[i] * PER_RTT * 1e6 / RTT_US * ns / 1e9);
	fprintf(stderr, " %%\n");
}

static void load_model(void)
{
	static const u16 widths[] = { 32, 16, 1 };
	static const struct lf_testmodel_spec spec = {
		.n_in = INPUTS, .n_out = OUTPUTS, .act = LITEFLOW_ACT_TANH,
		.last = LITEFLOW_ACT_NONE, .n_layers = 3, .widths = widths, .weight_bits = 10,
	};
	static unsigned char blob[16384];
	struct lf_error err;
	size_t len = lf_testmodel_constant(1, &spec, blob, sizeof(blob));

	if (lf_model_parse(blob, len, NULL, &model, &err)) {
		fprintf(stderr, "deciding: %s\n", err.msg);
		exit(1);
	}
}

int main(void)
{
	double user[NR_COUNTS + 1][ROUNDS], sender[NR_COUNTS + 1][ROUNDS], kernel[ROUNDS];
	struct sockaddr_nl to;
	int c;

	load_model();
	open_netlink(&to);
	open_flows(64);
	for (int i = 0; i < ROUNDS; i++) {
		kernel[i] = in_kernel();
		user[0][i] = in_user_space(1, true, &to, &sender[0][i]);
		for (c = 0; c < NR_COUNTS; c++)
			user[c + 1][i] = in_user_space(counts[c], false, &to, &sender[c + 1][i]);
	}
	for (c = 0; c <= NR_COUNTS; c++) {
		double ns = c ? 0 : middle("kernel", kernel);
		char what[64];

		if (!c) {
			printf("lf_decide_kernel %.0f ns\n", ns);
			shares("kernel", ns);
			snprintf(what, sizeof(what), "user_woken");
		} else {
			snprintf(what, sizeof(what), "user_%u", counts[c - 1]);
		}
		middle("who sends to the next", sender[c]);
		ns = middle(what, user[c]);
		printf("lf_decide_%s %.0f ns\n", what, ns);
		shares(what, ns);
	}
	return 0;
}
