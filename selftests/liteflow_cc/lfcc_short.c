// SPDX-License-Identifier: GPL-2.0
/*
 * Many short connections of the congestion control "liteflow" over loopback, one after
 * the other, every second one reset, while models come and go:
 *
 *	lfcc_short CONNECTIONS
 *
 * Each way of ending has its turn: closed by either side, reset by either side, before
 * or after it was accepted, with data under way or none.
 */
#include <sched.h>
#include <sys/resource.h>

#include "lfcc.h"

#define CHANGE	50	/* connections between two changes of models */

static void die(const char *what)
{
	fprintf(stderr, "lfcc_short: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A model appears, is replaced, is the active one no more, goes. */
static void change(struct lf_sock *s, unsigned int i)
{
	const unsigned int all = LITEFLOW_REMOVE_FLAGS_FORCE | LITEFLOW_REMOVE_FLAGS_EVICT;

	switch (i % 5) {
	case 0:
		lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 0, &lfcc_steady));
		break;
	case 1:
		lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 1, &lfcc_short));
		break;
	case 2:
		lfcc_expect(s, "replace", lfcc_install(s, LFCC_APP, 0, &lfcc_short));
		break;
	case 3:
		lfcc_expect(s, "remove", lf_model_remove(s, LFCC_APP, 1, all));
		break;
	case 4:
		lfcc_expect(s, "remove", lf_model_remove(s, LFCC_APP, 0, all));
	}
}

/* A reset instead of an end */
static void reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* 1 if it was one of this control's, with or without a model */
static unsigned int one(int listener, const struct sockaddr_in *addr, unsigned int i)
{
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), in = -1;
	struct tcp_liteflow_info info;
	static char chunk[8192];
	unsigned int ours;

	if (out < 0 || lfcc_choose(out, LFCC))
		die(LFCC);
	if (connect(out, (const void *)addr, sizeof(*addr)))
		die("connect");
	ours = lfcc_info(out, &info) == sizeof(info) && info.flow;
	if (i & 2 && send(out, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		die("send");
	/* reset in the queue of those that nobody has accepted yet */
	if (i % 8 == 7) {
		reset(out);
		out = -1;
	}
	in = accept(listener, NULL, NULL);
	if (in < 0)
		die("accept");
	if (i & 4 && out >= 0) {
		send(in, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (i & 2)
			recv(in, chunk, sizeof(chunk), MSG_DONTWAIT);
	}
	if (i % 2) {
		reset(i & 4 ? in : out);
		close(i & 4 ? out : in);
	} else {
		close(i & 4 ? in : out);
		close(i & 4 ? out : in);
	}
	return ours;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
	unsigned int i, n, ours = 0;
	struct sockaddr_in addr;
	struct lf_sock *s;
	double begin;
	int fd;

	if (argc != 2 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: lfcc_short CONNECTIONS\n");
		return 2;
	}
	n = atoi(argv[1]);
	s = lf_open();
	if (!s || setrlimit(RLIMIT_NOFILE, &limit))
		die("begin");
	lfcc_clear(s, LFCC_APP);
	/* ports in TIME_WAIT are this namespace's alone, and go with it */
	if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
		die("own network namespace");
	/* and are fewer than there are ports */
	if (system("echo 1000 > /proc/sys/net/ipv4/tcp_max_tw_buckets"))
		die("tcp_max_tw_buckets");
	fd = lfcc_listen(&addr, 16);
	if (fd < 0 || lfcc_choose(fd, LFCC))
		die("listen");
	begin = lfcc_now();
	for (i = 0; i < n; i++) {
		if (i % CHANGE == 0)
			change(s, i / CHANGE);
		ours += one(fd, &addr, i);
	}
	begin = lfcc_now() - begin;
	close(fd);
	lfcc_clear(s, LFCC_APP);
	printf("%u connections in %.1f s, %u were flows\n", n, begin, ours);
	return ours != n;
}
