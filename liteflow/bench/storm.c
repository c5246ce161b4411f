// SPDX-License-Identifier: GPL-2.0
/*
 * How long an activation takes on a quiet machine; while unprivileged clients dump
 * what has nothing to do with LiteFlow, and another process keeps a CPU busy; and
 * while they dump LiteFlow's statistics, models and apps instead, and the other one
 * queries. Where the clients have to share CPUs, as in an emulated guest, only the
 * last two can be compared. Run it as root in a kernel with LiteFlow. Prints NAME
 * VALUE UNIT.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include "../../selftests/liteflow/lf_nl.h"

#define APP		"storm"
#define N_IN		4
#define CAP_NET_ADMIN	12
#define NOBODY		65534
#define MAX_CLIENTS	256

static pid_t clients[MAX_CLIENTS];
static unsigned int n_clients;

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void must(int ret, const char *what, const struct lf_sock *s)
{
	if (ret)
		errx(1, "%s: %s (%s)", what, strerror(-ret), s->why);
}

static struct lf_sock *must_open(void)
{
	struct lf_sock *s = lf_open();

	if (!s)
		err(1, "LiteFlow's netlink family");
	return s;
}

/* Never returns. An answer that was interrupted is an answer as well. */
static void dump_for_ever(bool liteflow)
{
	static const int dumps[] = {
		LITEFLOW_CMD_STATS_GET, LITEFLOW_CMD_SLOT_GET, LITEFLOW_CMD_APP_GET,
	};
	struct lf_sock *s;
	struct lf_msg *m = malloc(sizeof(*m));
	unsigned int i;

	if (!m || setgid(NOBODY) || setuid(NOBODY))
		err(1, "a client");
	s = must_open();
	for (i = 0; ; i++) {
		if (liteflow)
			lf_begin(m, s->family, dumps[i % 3], NLM_F_DUMP);
		else
			lf_begin(m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_DUMP);
		must(lf_call(s, m), "a dump", s);
	}
}

static void dump_liteflow(void)
{
	dump_for_ever(true);
}

static void dump_families(void)
{
	dump_for_ever(false);
}

static void spin_for_ever(void)
{
	for (;;)
		asm volatile("" ::: "memory");
}

static void query_for_ever(void)
{
	static const __s32 in[N_IN] = { 1, 2, 3, 4 };
	struct lf_sock *s = must_open();
	__s32 out;
	int ret;

	for (;;) {
		ret = lf_eval(s, APP, 0, in, N_IN, &out);
		must(ret, "eval", s);
	}
}

static void start(void (*work)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
		_exit(1);
	}
	clients[n_clients++] = pid;
}

/* All of them must still be at it: a storm that died down proves nothing. */
static void stop_all(void)
{
	unsigned int i;
	int status;

	for (i = 0; i < n_clients; i++)
		if (waitpid(clients[i], &status, WNOHANG))
			errx(1, "a client ended early");
	for (i = 0; i < n_clients; i++) {
		kill(clients[i], SIGKILL);
		waitpid(clients[i], &status, 0);
	}
	n_clients = 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* p99 of activations, microseconds; both as the kernel tells and as seen here. */
static double measure(struct lf_sock *s, const char *when, unsigned int n)
{
	double *seen = calloc(n, sizeof(*seen)), *kernel = calloc(n, sizeof(*kernel));
	double start, p99;
	unsigned int i;

	if (!seen || !kernel)
		err(1, "times");
	for (i = 0; i < n; i++) {
		start = now_us();
		must(lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, APP, i % 2), "activate", s);
		seen[i] = now_us() - start;
		kernel[i] = lf_get_uint(&s->reply, LITEFLOW_A_MODEL_OP_NS) / 1e3;
		usleep(2000);
	}
	qsort(seen, n, sizeof(*seen), compare);
	qsort(kernel, n, sizeof(*kernel), compare);
	p99 = kernel[n * 99 / 100];
	printf("lf_activate_%s_p50 %.1f us\n", when, kernel[n / 2]);
	printf("lf_activate_%s_p99 %.1f us\n", when, p99);
	printf("lf_activate_%s_seen_p50 %.1f us\n", when, seen[n / 2]);
	printf("lf_activate_%s_seen_p99 %.1f us\n", when, seen[n * 99 / 100]);
	fflush(stdout);
	free(seen);
	free(kernel);
	return p99;
}

static double measure_beside(struct lf_sock *s, const char *when, unsigned int n, long dumpers,
			     void (*dump)(void), void (*other)(void))
{
	double p99;
	long i;

	for (i = 0; i < dumpers; i++)
		start(dump);
	start(other);
	usleep(200000);
	p99 = measure(s, when, n);
	stop_all();
	return p99;
}

static void set_up(struct lf_sock *s)
{
	static char blob[LF_BLOB_ROOM];
	unsigned int slot;
	size_t len;

	must(lf_app_add(s, APP, N_IN, CAP_NET_ADMIN), "app-add", s);
	for (slot = 0; slot < 2; slot++) {
		len = lf_blob_make(blob, slot, N_IN, "");
		must(lf_model_send(s, APP, slot, blob, len), "install", s);
	}
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 2 ? atoi(argv[2]) : 1000;
	long dumpers = argc > 1 ? atol(argv[1]) : sysconf(_SC_NPROCESSORS_ONLN);
	double idle, busy, storm;
	struct lf_sock *s;

	if (argc > 3 || n < 100 || dumpers < 1 || dumpers >= MAX_CLIENTS) {
		fprintf(stderr, "usage: storm [CLIENTS [ACTIVATIONS]]   as many clients as CPUs, 1000\n");
		return 2;
	}
	s = must_open();
	lf_app_op(s, LITEFLOW_CMD_APP_DEL, APP, -1);
	set_up(s);
	idle = measure(s, "idle", n);
	busy = measure_beside(s, "busy", n, dumpers, dump_families, spin_for_ever);
	storm = measure_beside(s, "storm", n, dumpers, dump_liteflow, query_for_ever);
	printf("lf_activate_storm_clients %ld count\n", dumpers);
	printf("lf_activate_storm_to_idle %.2f ratio\n", storm / idle);
	printf("lf_activate_storm_to_busy %.2f ratio\n", storm / busy);
	must(lf_app_op(s, LITEFLOW_CMD_APP_DEL, APP, -1), "app-del", s);
	lf_close(s);
	return 0;
}
