// SPDX-License-Identifier: GPL-2.0
/*
 * Cycles of a compiled model: load its module, install and activate it, find that
 * the module cannot be unloaded, remove the model, unload the module.
 *
 *	lf_modules FILE.ko APP CYCLES
 *
 * APP is asked by lf_torture all the time; each model has to answer some of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <sys/syscall.h>

#include "lf_nl.h"

#define MODULE	"lf_torture_model"

static struct lf_sock *s;
static const char *app;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int load(int fd, const char *params)
{
	return syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

static int expect(int cycle, const char *what, int got, int want)
{
	if (got == want)
		return 0;
	fprintf(stderr, "cycle %d: %s: %s, expected %s%s%s\n", cycle, what, strerror(-got),
		strerror(-want), s->why[0] ? ": " : "", s->why);
	return -1;
}

/* The model is freed, and its module let go, when no flow holds it any more. */
static int unload_soon(int cycle)
{
	double end = now() + 60;
	int ret;

	while ((ret = unload()) == -EWOULDBLOCK && now() < end)
		usleep(2000);
	return expect(cycle, "unload", ret, 0);
}

/* Until somebody was answered by it, and flows hold it. */
static int wait_for_queries(void)
{
	__u64 before, queries;
	double end = now() + 60;
	int ret;

	ret = lf_stat(s, app, LITEFLOW_A_STATS_QUERIES, &before);
	while (!ret) {
		usleep(1000);
		ret = lf_stat(s, app, LITEFLOW_A_STATS_QUERIES, &queries);
		if (queries >= before + 16)
			return ret;
		if (now() > end)
			return -ETIMEDOUT;
	}
	return ret;
}

static int cycle(int fd, int n)
{
	char params[64], name[32];
	__u32 flags = LITEFLOW_REMOVE_FLAGS_FORCE;
	int slot = n % 2;

	/* Every other time flows may keep it as long as they like. */
	if (n % 4 < 2)
		flags |= LITEFLOW_REMOVE_FLAGS_EVICT;
	snprintf(name, sizeof(name), "compiled-%d", n);
	snprintf(params, sizeof(params), "app=%s number=%d name=%s", app, n % 1000, name);
	if (expect(n, "load", load(fd, params), 0) ||
	    expect(n, "install", lf_install_compiled(s, app, slot, name), 0) ||
	    expect(n, "unload while it stands by", unload(), -EWOULDBLOCK) ||
	    expect(n, "activate", lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, app, slot), 0) ||
	    expect(n, "queries", wait_for_queries(), 0) ||
	    expect(n, "unload while it is active", unload(), -EWOULDBLOCK) ||
	    expect(n, "remove without force", lf_model_remove(s, app, slot, 0), -EBUSY) ||
	    expect(n, "remove", lf_model_remove(s, app, slot, flags), 0) ||
	    unload_soon(n))
		return -1;
	s->why[0] = '\0';
	/* Its name is gone with it. */
	return expect(n, "install what is gone", lf_install_compiled(s, app, slot, name), -ENOENT);
}

int main(int argc, char **argv)
{
	double begin = now();
	int fd, n, cycles;

	if (argc != 4) {
		fprintf(stderr, "usage: lf_modules FILE.ko APP CYCLES\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	app = argv[2];
	cycles = atoi(argv[3]);
	s = lf_open();
	if (!s) {
		perror("netlink");
		return 1;
	}
	for (n = 0; n < cycles; n++) {
		if (cycle(fd, n))
			return 1;
	}
	printf("%d module cycles in %.1f s\n", cycles, now() - begin);
	lf_close(s);
	return 0;
}
