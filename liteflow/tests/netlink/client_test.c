// SPDX-License-Identifier: GPL-2.0
/*
 * What lfctl does when answers are lost, late or not of one moment: each request
 * ends within 5 s, with an error or with the right answer.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../../lfctl/netlink/netlink.h"
#include "tap.h"

#define APP		"client-test"
#define N_APPS		300
#define N_DUMPS		100

/* A little more than the limit: a loaded machine takes its time to wake up. */
#define LIMIT_MS	(NL_TIMEOUT_MS + 1000)

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int add(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_APP_ADD, 0);

	nl_put_string(nlh, LITEFLOW_A_APP_NAME, name);
	mnl_attr_put_u32(nlh, LITEFLOW_A_APP_N_IN, 1);
	mnl_attr_put_u32(nlh, LITEFLOW_A_APP_N_OUT, 1);
	return nl_ask(nl, name, NULL, NULL);
}

static int by_name(struct nl *nl, uint8_t cmd, const char *name)
{
	nl_put_string(nl_begin(nl, cmd, 0), LITEFLOW_A_APP_NAME, name);
	return nl_ask(nl, name, NULL, NULL);
}

/* Notices until the socket of @nl is full. */
static void flood(struct nl *nl, struct nl *other)
{
	int size = 1, i;

	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->notice, sizeof(nl->notice));
	for (i = 0; i < 30; i++) {
		add(other, "client-flood");
		by_name(other, LITEFLOW_CMD_APP_DEL, "client-flood");
	}
}

/* -- a lost answer ------------------------------------------------------- */

static void test_lost(struct nl *other)
{
	struct nl nl, next;
	int64_t t0;
	int ret;

	if (!ok(!nl_open(&nl) && !nl_open(&next), "two sockets"))
		return;
	flood(&nl, other);
	t0 = now_ms();
	ret = by_name(&nl, LITEFLOW_CMD_APP_GET, APP);
	ok(ret && nl.error == ENOBUFS && now_ms() - t0 < LIMIT_MS,
	   "a lost answer is an error: %s", strerror(nl.error));
	ok(!by_name(&nl, LITEFLOW_CMD_APP_GET, APP), "the next request is answered");

	/* the collection begins, the answer to its end is lost */
	ret = by_name(&nl, LITEFLOW_CMD_COLLECT_START, APP);
	flood(&nl, other);
	nl_begin(&nl, LITEFLOW_CMD_COLLECT_STOP, 0);
	t0 = now_ms();
	ok(!ret && nl_ask(&nl, "collect-stop", NULL, NULL) && nl.error == ENOBUFS &&
	   now_ms() - t0 < LIMIT_MS, "the end of a collection, its answer lost");
	nl_close(&nl);
	ok(!by_name(&next, LITEFLOW_CMD_COLLECT_START, APP), "closing it ended the collection");
	nl_close(&next);
}

/* -- no answer ----------------------------------------------------------- */

static void test_silence(struct nl *nl)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_APP_SET, 0);
	int64_t t0 = now_ms();

	/* done, but nothing comes back: as if it had got lost without a trace */
	nlh->nlmsg_flags &= ~NLM_F_ACK;
	nl_put_string(nlh, LITEFLOW_A_APP_NAME, APP);
	ok(nl_ask(nl, "silence", NULL, NULL) && nl->error == ETIMEDOUT &&
	   now_ms() - t0 < LIMIT_MS, "no answer is an error within 5 s");
	ok(!by_name(nl, LITEFLOW_CMD_APP_GET, APP), "and the next request is answered");
}

/* -- dumps --------------------------------------------------------------- */

static volatile bool stop;

/* Apps with numbers between the others come and go. */
static void *disturb(void *arg)
{
	struct nl *nl = arg;
	unsigned int i;
	char name[32];

	for (i = 0; !stop; i++) {
		snprintf(name, sizeof(name), "client-noise-%u", i % 3);
		add(nl, name);
		usleep(i % 7 * 100);
		by_name(nl, LITEFLOW_CMD_APP_DEL, name);
		usleep(i % 5 * 300);
	}
	return NULL;
}

struct seen {
	unsigned int stable;
	unsigned int twice;
	bool there[N_APPS];
};

static int on_app(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct seen *seen = data;
	unsigned int n;

	(void)nlh;
	if (sscanf(nl_string(tb[LITEFLOW_A_APP_NAME]), "client-stable-%u", &n) != 1 || n >= N_APPS)
		return 0;
	seen->twice += seen->there[n];
	seen->stable += !seen->there[n];
	seen->there[n] = true;
	return 0;
}

static void test_dumps(struct nl *nl, struct nl *other)
{
	unsigned int i, complete = 0, refused = 0, wrong = 0, late = 0;
	struct seen seen;
	pthread_t thread;
	char name[32];
	int64_t t0;

	for (i = 0; i < N_APPS; i++) {
		snprintf(name, sizeof(name), "client-stable-%u", i);
		add(nl, name);
	}
	pthread_create(&thread, NULL, disturb, other);
	for (i = 0; i < N_DUMPS; i++) {
		memset(&seen, 0, sizeof(seen));
		nl_begin(nl, LITEFLOW_CMD_APP_GET, NLM_F_DUMP);
		t0 = now_ms();
		if (nl_ask(nl, "dump", on_app, &seen))
			refused += nl->error == EBUSY;
		else if (seen.stable == N_APPS && !seen.twice)
			complete++;
		else
			wrong++;
		late += now_ms() - t0 > LIMIT_MS;
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("# %u dumps complete, %u refused, %u wrong; asked for again %lu times\n", complete,
	       refused, wrong, nl->interrupted);
	ok(!wrong && complete + refused == N_DUMPS && complete, "dumps are right or refused");
	ok(!late, "within 5 s each");
	ok(nl->interrupted, "interrupted dumps are asked for again");
	for (i = 0; i < N_APPS; i++) {
		snprintf(name, sizeof(name), "client-stable-%u", i);
		by_name(nl, LITEFLOW_CMD_APP_DEL, name);
	}
}

int main(void)
{
	struct nl nl, other;

	complain_as = "# client";
	if (nl_open(&nl) || nl_open(&other)) {
		printf("1..0 # SKIP no netlink family\n");
		return 4;
	}
	printf("TAP version 13\n");
	ok(!add(&nl, APP), "an app");
	test_lost(&other);
	test_silence(&nl);
	test_dumps(&nl, &other);
	ok(!by_name(&nl, LITEFLOW_CMD_APP_DEL, APP), "the app is gone");
	nl_close(&other);
	nl_close(&nl);
	return tap_end();
}
