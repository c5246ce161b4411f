// SPDX-License-Identifier: GPL-2.0
/*
 * What liblf does when answers are lost, late or not of one moment: each request
 * ends within 5 s, with an error or with the right answer.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../../liblf/netlink.h"
#include "tap.h"

#define APP		"client-test"
#define N_APPS		300
#define N_DUMPS		100

/* Not twice the limit; a loaded machine takes its time to wake up. */
#define LIMIT_MS	(LF_TIMEOUT_MS + 4000)

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Says why, unless it is expected. */
static int told(struct lf *lf, const char *what, int ret)
{
	if (ret)
		printf("# client: %s: %s\n", what, lf_reason(lf));
	return ret;
}

static int add(struct lf *lf, const char *name)
{
	struct lf_app_desc desc = LF_APP_DESC_NONE;

	desc.name = name;
	desc.n_in = 1;
	desc.n_out = 1;
	return told(lf, name, lf_app_add(lf, &desc, NULL));
}

static int del(struct lf *lf, const char *name)
{
	return told(lf, name, lf_app_del(lf, name));
}

static int get(struct lf *lf)
{
	struct lf_app_info info;
	int ret = told(lf, APP, lf_app_get(lf, APP, &info));

	lf_app_info_free(&info);
	return ret;
}

static int no_batch(const struct lf_batch *batch, void *data)
{
	(void)batch;
	(void)data;
	return 0;
}

static int start(struct lf *lf)
{
	return told(lf, "collect", lf_collect_start(lf, APP, NULL, no_batch, NULL));
}

static int no_event(const struct lf_event *event, void *data)
{
	(void)event;
	(void)data;
	return 0;
}

/* Notices until the socket of @lf is full. */
static void flood(struct lf *lf, struct lf *other)
{
	int size = 1, i;

	setsockopt(lf_fd(lf), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	lf_monitor_start(lf, no_event, NULL);
	for (i = 0; i < 30; i++) {
		add(other, "client-flood");
		del(other, "client-flood");
	}
}

/* -- a lost answer ------------------------------------------------------- */

static void test_lost(struct lf *other)
{
	struct lf *lf, *next;
	int64_t t0;
	int ret;

	if (!ok(!lf_open(&lf) && !lf_open(&next), "two sockets"))
		return;
	flood(lf, other);
	t0 = now_ms();
	ret = get(lf);
	ok(ret == -ENOBUFS && now_ms() - t0 < LIMIT_MS, "a lost answer is an error: %s",
	   lf_reason(lf));
	ok(!get(lf), "the next request is answered");

	/* the collection begins, the answer to its end is lost */
	ret = start(lf);
	flood(lf, other);
	lf_nl_begin(lf, LITEFLOW_CMD_COLLECT_STOP, 0);
	t0 = now_ms();
	ok(!ret && lf_nl_ask(lf, NULL, NULL) == -ENOBUFS && now_ms() - t0 < LIMIT_MS,
	   "the end of a collection, its answer lost");
	lf_close(lf);
	ok(!start(next), "closing it ended the collection");
	flood(next, other);
	ok(!lf_collect_stop(next), "lf_collect_stop() does not mind");
	lf_close(next);
}

/* -- no answer ----------------------------------------------------------- */

static void test_silence(struct lf *lf)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_APP_SET, 0);
	int64_t t0 = now_ms();

	/* done, but nothing comes back: as if it had got lost without a trace */
	nlh->nlmsg_flags &= ~NLM_F_ACK;
	lf_nl_put_string(lf, nlh, LITEFLOW_A_APP_NAME, APP);
	ok(lf_nl_ask(lf, NULL, NULL) == -ETIMEDOUT && now_ms() - t0 < LIMIT_MS,
	   "no answer is an error within 5 s");
	ok(!get(lf), "and the next request is answered");
}

/* -- notifications while something is asked ------------------------------- */

static int count_event(const struct lf_event *event, void *data)
{
	unsigned int *n = data;

	*n += !strcmp(event->app, "client-event");
	return *n == 2 ? -ECANCELED : 0;
}

static void test_events(struct lf *other)
{
	unsigned int n = 0;
	struct lf *lf;
	int ret;

	ret = lf_open(&lf) || lf_monitor_start(lf, count_event, &n);
	ok(!ret && !lf_take(lf, 10), "nothing comes in time");
	add(other, "client-event");
	del(other, "client-event");
	ok(!get(lf) && n == 2, "a request handles what else comes: %u notices", n);
	ok(lf_take(lf, 0) == -ECANCELED, "what a callback returned then comes later");
	ok(!lf_take(lf, 0), "and once");
	lf_close(lf);
}

/* -- dumps --------------------------------------------------------------- */

static volatile bool stop;

/* Apps with numbers between the others come and go. */
static void *disturb(void *arg)
{
	struct lf *lf = arg;
	unsigned int i;
	char name[32];

	for (i = 0; !stop; i++) {
		snprintf(name, sizeof(name), "client-noise-%u", i % 3);
		add(lf, name);
		usleep(i % 7 * 100);
		del(lf, name);
		usleep(i % 5 * 300);
	}
	return NULL;
}

struct seen {
	unsigned int stable;
	unsigned int twice;
	bool there[N_APPS];
};

static int on_app(const struct lf_app_info *info, void *data)
{
	struct seen *seen = data;
	unsigned int n;

	if (sscanf(info->name, "client-stable-%u", &n) != 1 || n >= N_APPS)
		return 0;
	seen->twice += seen->there[n];
	seen->stable += !seen->there[n];
	seen->there[n] = true;
	return 0;
}

static void test_dumps(struct lf *lf, struct lf *other)
{
	unsigned int i, n, complete = 0, refused = 0, wrong = 0, late = 0;
	struct seen seen;
	pthread_t thread;
	char name[32];
	int64_t t0;
	int ret;

	for (i = 0; i < N_APPS; i++) {
		snprintf(name, sizeof(name), "client-stable-%u", i);
		add(lf, name);
	}
	pthread_create(&thread, NULL, disturb, other);
	/* the faster the machine, the fewer are interrupted */
	for (n = 0; n < N_DUMPS || (!lf->interrupted && n < 100 * N_DUMPS); n++) {
		memset(&seen, 0, sizeof(seen));
		t0 = now_ms();
		ret = lf_for_each_app(lf, on_app, &seen);
		if (ret)
			refused += ret == -EBUSY;
		else if (seen.stable == N_APPS && !seen.twice)
			complete++;
		else
			wrong++;
		late += now_ms() - t0 > LIMIT_MS;
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("# %u dumps complete, %u refused, %u wrong; asked for again %lu times\n", complete,
	       refused, wrong, lf->interrupted);
	ok(!wrong && complete + refused == n && complete, "dumps are right or refused");
	ok(!late, "within 5 s each");
	ok(lf->interrupted, "interrupted dumps are asked for again");
	for (i = 0; i < N_APPS; i++) {
		snprintf(name, sizeof(name), "client-stable-%u", i);
		del(lf, name);
	}
}

int main(void)
{
	struct lf *lf, *other = NULL;

	if (lf_open(&lf) || lf_open(&other)) {
		printf("1..0 # SKIP %s\n", lf_reason(other ? other : lf));
		return 4;
	}
	printf("TAP version 13\n");
	ok(!add(lf, APP), "an app");
	test_lost(other);
	test_silence(lf);
	test_events(other);
	test_dumps(lf, other);
	ok(!del(lf, APP), "the app is gone");
	lf_close(other);
	lf_close(lf);
	return tap_end();
}
