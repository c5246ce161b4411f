// SPDX-License-Identifier: GPL-2.0
/*
 * Many flows of the congestion control "liteflow" over loopback, while its models
 * are switched, replaced and removed below them. No flow may fail or stand still.
 *
 *	lfcc_flows FLOWS SWITCHES
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "lfcc.h"

#define ROUND		10	/* switches between two looks at every flow */
#define PATIENCE	60	/* seconds in which each has to move */
#define TOTAL_RATE	3000000	/* bytes per second, all of them, on a plain machine */

/**
 * struct pair - a flow
 * @out: its sending end
 * @in: its receiving end
 * @got: bytes that arrived
 * @seen: when it was looked at last
 * @failed: an end of it reported an error, or was closed
 */
struct pair {
	int out;
	int in;
	atomic_ullong got;
	unsigned long long seen;
	atomic_bool failed;
};

static struct pair *pairs;
static unsigned int n_pairs;
static atomic_bool stopping;

static void die(const char *what)
{
	fprintf(stderr, "lfcc_flows: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void add(int epoll, int fd, unsigned int events, unsigned int number)
{
	struct epoll_event e = { .events = events, .data.u32 = number };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

static void *send_all(void *arg)
{
	int epoll = *(int *)arg, n, i;
	static const char chunk[4096];
	struct epoll_event e[64];
	ssize_t ret;

	while (!stopping) {
		n = epoll_wait(epoll, e, 64, 100);
		for (i = 0; i < n; i++) {
			struct pair *p = &pairs[e[i].data.u32];

			ret = send(p->out, chunk, sizeof(chunk), MSG_NOSIGNAL | MSG_DONTWAIT);
			if (ret < 0 && errno != EAGAIN)
				p->failed = true;
		}
	}
	return NULL;
}

static void *receive_all(void *arg)
{
	int epoll = *(int *)arg, n, i;
	struct epoll_event e[64];
	static char chunk[65536];
	ssize_t ret;

	while (!stopping) {
		n = epoll_wait(epoll, e, 64, 100);
		for (i = 0; i < n; i++) {
			struct pair *p = &pairs[e[i].data.u32];

			ret = recv(p->in, chunk, sizeof(chunk), MSG_DONTWAIT);
			if (ret > 0)
				p->got += ret;
			else if (!ret || errno != EAGAIN)
				p->failed = true;
		}
	}
	return NULL;
}

/*
 * In a namespace of their own, whose loopback does not send 64 kB at a time: then
 * flows as slow as these had nothing more to send, and nobody is asked.
 */
static void own_netns(void)
{
	if (unshare(CLONE_NEWNET))
		die("unshare");
	if (system("ip link set lo up gso_max_segs 1")) {
		fprintf(stderr, "lfcc_flows: cannot set up loopback: is there a tool ip?\n");
		exit(1);
	}
}

static void open_all(int senders, int receivers)
{
	struct sockaddr_in addr;
	int fd = lfcc_listen(&addr, 1024), room = 16384;
	unsigned int i;

	if (fd < 0)
		die("listen");
	for (i = 0; i < n_pairs; i++) {
		struct pair *p = &pairs[i];

		p->out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (p->out < 0 || lfcc_choose(p->out, LFCC))
			die(LFCC);
		lfcc_tame(p->out, TOTAL_RATE / lfcc_slow() / n_pairs);
		setsockopt(p->out, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		if (connect(p->out, (void *)&addr, sizeof(addr)))
			die("connect");
		p->in = accept(fd, NULL, NULL);
		if (p->in < 0)
			die("accept");
		add(senders, p->out, EPOLLOUT, i);
		add(receivers, p->in, EPOLLIN, i);
	}
	close(fd);
}

static unsigned int count_failed(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < n_pairs; i++)
		n += pairs[i].failed;
	return n;
}

/* Every flow gets something through; how many do not. */
static unsigned int count_frozen(void)
{
	double end = lfcc_now() + PATIENCE * lfcc_slow();
	unsigned int i, n;

	for (i = 0; i < n_pairs; i++)
		pairs[i].seen = pairs[i].got;
	do {
		usleep(10000);
		for (i = 0, n = 0; i < n_pairs; i++)
			n += !pairs[i].failed && pairs[i].got == pairs[i].seen;
	} while (n && lfcc_now() < end);
	return n;
}

/* Every flow is served by the newest model, so none was left behind in classic mode. */
static unsigned int count_behind(unsigned int version)
{
	double end = lfcc_now() + PATIENCE * lfcc_slow();
	struct tcp_liteflow_info info;
	unsigned int i, n;

	do {
		usleep(10000);
		for (i = 0, n = 0; i < n_pairs; i++)
			n += lfcc_info(pairs[i].out, &info) != sizeof(info) ||
			     info.flags & TCP_LITEFLOW_CLASSIC || info.version != version;
	} while (n && lfcc_now() < end);
	for (i = 0; n && i < n_pairs; i++) {
		lfcc_info(pairs[i].out, &info);
		if (info.version == version && !(info.flags & TCP_LITEFLOW_CLASSIC))
			continue;
		fprintf(stderr, "flow %u: version %u, not %u, flags %#x, mode %u, %u intervals\n",
			i, info.version, version, info.flags, info.mode, info.intervals);
		break;
	}
	return n;
}

/* One of the things that an administrator may do to models in use. */
static void change(struct lf_sock *s, unsigned int i)
{
	const unsigned int all = LITEFLOW_REMOVE_FLAGS_FORCE | LITEFLOW_REMOVE_FLAGS_EVICT;
	int slot = i % 2;

	switch (i % 10) {
	case 3:
		lfcc_expect(s, "replace", lfcc_install(s, LFCC_APP, slot,
						       i % 20 < 10 ? &lfcc_steady : &lfcc_short));
		break;
	case 5:
		lfcc_expect(s, "pin", lfcc_policy(s, LFCC_APP, LITEFLOW_POLICY_PIN));
		lfcc_expect(s, "activate",
			    lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, LFCC_APP, slot));
		break;
	case 7:
		/* for a while there is none */
		lfcc_expect(s, "remove", lf_model_remove(s, LFCC_APP, 1 - slot, all));
		lfcc_expect(s, "remove", lf_model_remove(s, LFCC_APP, slot, all));
		usleep(100000);
		lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 1 - slot, &lfcc_short));
		lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, slot, &lfcc_steady));
		break;
	case 9:
		lfcc_expect(s, "follow", lfcc_policy(s, LFCC_APP, LITEFLOW_POLICY_FOLLOW));
		break;
	default:
		lfcc_expect(s, "activate",
			    lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, LFCC_APP, slot));
	}
}

int main(int argc, char **argv)
{
	unsigned int i, failed, frozen, behind, switches, version;
	struct rlimit limit = { .rlim_cur = 65536, .rlim_max = 65536 };
	unsigned long long bytes = 0;
	int senders, receivers;
	pthread_t thread[2];
	struct lf_sock *s;

	if (argc != 3 || atoi(argv[1]) < 1 || atoi(argv[2]) < ROUND) {
		fprintf(stderr, "usage: lfcc_flows FLOWS SWITCHES, at least %u\n", ROUND);
		return 2;
	}
	n_pairs = atoi(argv[1]);
	switches = atoi(argv[2]) / ROUND * ROUND;
	pairs = calloc(n_pairs, sizeof(*pairs));
	s = lf_open();
	if (!pairs || !s || setrlimit(RLIMIT_NOFILE, &limit))
		die("begin");
	lfcc_clear(s, LFCC_APP);
	lfcc_expect(s, "follow", lfcc_policy(s, LFCC_APP, LITEFLOW_POLICY_FOLLOW));
	lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 1, &lfcc_short));
	lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 0, &lfcc_steady));

	own_netns();
	senders = epoll_create1(0);
	receivers = epoll_create1(0);
	open_all(senders, receivers);
	if (pthread_create(&thread[0], NULL, send_all, &senders) ||
	    pthread_create(&thread[1], NULL, receive_all, &receivers))
		die("threads");
	frozen = count_frozen();
	for (i = 1; i <= switches && !frozen; i++) {
		change(s, i);
		usleep(30000);
		if (i % ROUND == 0)
			frozen = count_frozen();
	}
	lfcc_expect(s, "install", lfcc_install(s, LFCC_APP, 2, &lfcc_short));
	version = lf_get_uint(&s->reply, LITEFLOW_A_MODEL_VERSION);
	frozen += count_frozen();
	behind = count_behind(version);
	failed = count_failed();
	stopping = true;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	for (i = 0; i < n_pairs; i++)
		bytes += pairs[i].got;
	lfcc_clear(s, LFCC_APP);
	lfcc_policy(s, LFCC_APP, LITEFLOW_POLICY_PIN);
	printf("%u flows, %u switches: %u failed, %u frozen, %u left behind, %llu kB\n", n_pairs,
	       switches, failed, frozen, behind, bytes >> 10);
	return failed || frozen || behind;
}
