// SPDX-License-Identifier: GPL-2.0
/*
 * wakebench - how long a woken task waits until it runs
 *
 * Message threads wake their workers all at once, as a server does whose
 * requests arrive in batches. A worker notes when it was woken and when it runs,
 * burns some CPU time of its own and waits for the next message. What is
 * printed are percentiles of that latency: they are long where the woken tasks
 * stand in one queue while other CPUs have nothing to do.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "tool.h"

TOOL_ABOUT("wakebench");

#define MAX_THREADS	4096

enum { WAITING, WOKEN, STOPPED };

static struct {
	unsigned int messengers;
	unsigned int workers;
	unsigned int work_us;
	unsigned int pause_us;
	unsigned int wakeups;
	unsigned int seconds;
	bool stats;
} opts = { .messengers = 2, .workers = 8, .work_us = 300, .pause_us = 2000, .wakeups = 1000 };

struct worker {
	pthread_t thread;
	uint32_t state;			/* a futex */
	uint64_t woken_ns;
	uint64_t loops;
	uint64_t max_ns;
	struct histogram waits;
} __attribute__((aligned(64)));

static struct worker *workers;
static uint32_t go;			/* a futex: all threads start together */

static void futex_wait(uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(uint32_t *word, int number)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, number, NULL, NULL, 0);
}

static void wait_for_start(void)
{
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		futex_wait(&go, 0);
}

static void burn(struct worker *w)
{
	uint64_t begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t i;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin < opts.work_us * 1000ULL) {
		for (i = 0; i < 2000; i++)
			__asm__ __volatile__("" : : "r"(i) : "memory");
		w->loops++;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint32_t state;
	uint64_t ns;

	wait_for_start();
	for (;;) {
		while ((state = __atomic_load_n(&w->state, __ATOMIC_ACQUIRE)) == WAITING)
			futex_wait(&w->state, WAITING);
		if (state == STOPPED)
			return NULL;
		ns = now_ns(CLOCK_MONOTONIC) - w->woken_ns;
		histogram_add(&w->waits, ns);
		if (ns > w->max_ns)
			w->max_ns = ns;
		burn(w);
		__atomic_store_n(&w->state, WAITING, __ATOMIC_RELEASE);
	}
}

static void *send_messages(void *arg)
{
	struct worker *mine = &workers[(uintptr_t)arg * opts.workers];
	struct timespec pause = { 0, opts.pause_us * 1000L };
	uint64_t begin, end, sent = 0;
	unsigned int i;

	wait_for_start();
	begin = now_ns(CLOCK_MONOTONIC);
	end = opts.seconds ? begin + opts.seconds * 1000000000ULL : UINT64_MAX;
	while (opts.seconds ? now_ns(CLOCK_MONOTONIC) < end
			    : sent < (uint64_t)opts.wakeups * opts.workers) {
		nanosleep(&pause, NULL);
		for (i = 0; i < opts.workers; i++) {
			struct worker *w = &mine[i];

			/* who still works on the last message misses this one */
			if (__atomic_load_n(&w->state, __ATOMIC_ACQUIRE) != WAITING)
				continue;
			w->woken_ns = now_ns(CLOCK_MONOTONIC);
			__atomic_store_n(&w->state, WOKEN, __ATOMIC_RELEASE);
			futex_wake(&w->state, 1);
			sent++;
		}
	}
	for (i = 0; i < opts.workers; i++) {
		while (__atomic_load_n(&mine[i].state, __ATOMIC_ACQUIRE) != WAITING)
			nanosleep(&pause, NULL);
		__atomic_store_n(&mine[i].state, STOPPED, __ATOMIC_RELEASE);
		futex_wake(&mine[i].state, 1);
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), void *arg)
{
	int err = pthread_create(thread, NULL, function, arg);

	if (err) {
		fprintf(stderr, "wakebench: cannot start a thread: %s (fewer of them?)\n",
			strerror(err));
		exit(EXIT_OTHER);
	}
}

/* The middle of the step in which this part of all waits is reached. */
static double quantile_us(const struct histogram *waits, double part)
{
	size_t step = quantile(waits->count, HISTOGRAM_SIZE, part);

	return (histogram_low(step) + histogram_low(step + 1)) / 2e3;
}

static void report(double ms)
{
	static struct histogram waits;
	unsigned int total = opts.messengers * opts.workers, i;
	uint64_t max = 0;

	for (i = 0; i < total; i++) {
		histogram_merge(&waits, &workers[i].waits);
		max = workers[i].max_ns > max ? workers[i].max_ns : max;
	}
	printf(opts.stats ? "makespan_ms %.3f\nwakeups %llu\nwakeup_p50_us %.1f\n"
			    "wakeup_p99_us %.1f\nwakeup_max_us %.1f\n"
			  : "%.1f ms, %llu wakeups; latency in us: median %.1f, 99 %%: %.1f, "
			    "longest %.1f\n",
	       ms, (unsigned long long)histogram_total(&waits), quantile_us(&waits, 0.5),
	       quantile_us(&waits, 0.99), max / 1e3);
}

static const char doc[] =
	"Message threads wake their workers in batches; prints how long these wait to run.\n"
	"\vExit status: 0 done, 1 error, 2 wrong usage.\n";

static const struct argp_option option_table[] = {
	{ "messengers", 'm', "N", 0, "message threads (default 2)", 0 },
	{ "workers", 'w', "N", 0, "workers per messenger (default 8)", 0 },
	{ "work-us", 'c', "US", 0, "CPU time that a worker spends on a message (default 300)", 0 },
	{ "pause-us", 'p', "US", 0, "time between two batches (default 2000)", 0 },
	{ "wakeups", 'n', "N", 0, "messages to each worker, on average (default 1000)", 0 },
	{ "seconds", 't', "N", 0, "run for N seconds instead of --wakeups", 0 },
	{ "stats", 'S', NULL, 0, "print plain `name value' lines", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'm':
		opts.messengers = tool_count(arg, 1, MAX_THREADS, state);
		return 0;
	case 'w':
		opts.workers = tool_count(arg, 1, MAX_THREADS, state);
		return 0;
	case 'c':
		opts.work_us = tool_count(arg, 0, 1000000, state);
		return 0;
	case 'p':
		opts.pause_us = tool_count(arg, 0, 999999, state);
		return 0;
	case 'n':
		opts.wakeups = tool_count(arg, 1, 100000000, state);
		return 0;
	case 't':
		opts.seconds = tool_count(arg, 1, 86400, state);
		return 0;
	case 'S':
		opts.stats = true;
		return 0;
	case ARGP_KEY_END:
		if (opts.messengers * opts.workers > MAX_THREADS)
			argp_error(state, "more than %u workers", MAX_THREADS);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table, .parser = parse_option, .doc = doc,
};

int main(int argc, char **argv)
{
	unsigned int total, i;
	pthread_t *messengers;
	uint64_t begin;

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	total = opts.messengers * opts.workers;
	workers = aligned_alloc(64, total * sizeof(*workers));
	messengers = calloc(opts.messengers, sizeof(*messengers));
	if (!workers || !messengers) {
		fprintf(stderr, "wakebench: no memory for %u workers\n", total);
		return EXIT_OTHER;
	}
	memset(workers, 0, total * sizeof(*workers));
	for (i = 0; i < total; i++)
		start(&workers[i].thread, work, &workers[i]);
	for (i = 0; i < opts.messengers; i++)
		start(&messengers[i], send_messages, (void *)(uintptr_t)i);
	begin = now_ns(CLOCK_MONOTONIC);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	futex_wake(&go, INT_MAX);
	for (i = 0; i < opts.messengers; i++)
		pthread_join(messengers[i], NULL);
	for (i = 0; i < total; i++)
		pthread_join(workers[i].thread, NULL);
	report((now_ns(CLOCK_MONOTONIC) - begin) / 1e6);
	return fflush(stdout) ? EXIT_OTHER : EXIT_SUCCESS;
}
