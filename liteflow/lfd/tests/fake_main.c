// SPDX-License-Identifier: GPL-2.0
/*
 * lfd with the kernel of tests, which lies in the file FAKE_KERNEL, and in a time that
 * passes FAKE_SPEED times as fast. What it says is on disk, it writes down there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "fake.h"
#include "history.h"
#include "hook.h"

#define MOST_PENDING	4096

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);
int __real_lf_history_append(struct lf_history *h, const struct lf_batch *batch);
int __wrap_lf_history_append(struct lf_history *h, const struct lf_batch *batch);
int __real_lf_history_sync(struct lf_history *h);
int __wrap_lf_history_sync(struct lf_history *h);

int __real_hook_start(struct hook *h, const struct hook_config *c, const char *verb,
		      const char *folder, struct json_object *request);
int __wrap_hook_start(struct hook *h, const struct hook_config *c, const char *verb,
		      const char *folder, struct json_object *request);

static double speed = 1;
static uint64_t pending[MOST_PENDING];
static unsigned int n_pending;

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t clock_now(void)
{
	return real_ns() * speed;
}

int clock_wait_ms(uint64_t until)
{
	uint64_t now = clock_now();

	return until <= now ? 0 : (until - now) / speed / 1000000 + 1;
}

int __wrap_lf_history_append(struct lf_history *h, const struct lf_batch *batch)
{
	int ret = __real_lf_history_append(h, batch);

	if (!ret && batch->count && n_pending < MOST_PENDING)
		pending[n_pending++] = fake_sum(batch);
	return ret;
}

/* The number comes last: a kill in between leaves one that was not counted yet. */
int __wrap_lf_history_sync(struct lf_history *h)
{
	int ret = __real_lf_history_sync(h);
	unsigned int i;

	for (i = 0; i < n_pending && !ret; i++) {
		fake->counted[fake->n_counted % FAKE_COUNTED] = pending[i];
		__atomic_store_n(&fake->n_counted, fake->n_counted + 1, __ATOMIC_SEQ_CST);
	}
	n_pending = 0;
	return ret;
}

int __wrap_hook_start(struct hook *h, const struct hook_config *c, const char *verb,
		      const char *folder, struct json_object *request)
{
	fake->calls++;
	return __real_hook_start(h, c, verb, folder, request);
}

int __wrap_main(int argc, char **argv)
{
	const char *text = getenv("FAKE_SPEED");

	if (text)
		speed = atof(text);
	fake_open(getenv("FAKE_KERNEL"));
	return __real_main(argc, argv);
}
