// SPDX-License-Identifier: GPL-2.0
/*
 * fibo - Fibonacci numbers with two threads per call
 *
 * Hardly any work, but thousands of short-lived threads that wait for each
 * other: a load for the placement of new tasks and for balancing what is left.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "tool.h"

TOOL_ABOUT("fibo");

/* The threads of one number are alive together, more than a guest's memory holds. */
#define MAX_NUMBER	20
#define STACK_SIZE	((size_t)PTHREAD_STACK_MIN + 16384)

static struct {
	unsigned int number;
	unsigned int rounds;
	unsigned int seconds;
	bool stats;
} opts = { .number = 12, .rounds = 10 };

static pthread_attr_t attributes;
static unsigned long threads;

static void *fibo(void *arg)
{
	uintptr_t n = (uintptr_t)arg, sum = 0;
	pthread_t children[2];
	void *result;
	unsigned int i;
	int err;

	if (n < 2)
		return arg;
	for (i = 0; i < 2; i++) {
		err = pthread_create(&children[i], &attributes, fibo, (void *)(n - 1 - i));
		if (err) {
			fprintf(stderr, "fibo: cannot start a thread: %s (smaller --number?)\n",
				strerror(err));
			_exit(EXIT_OTHER);
		}
		__atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(children[i], &result);
		sum += (uintptr_t)result;
	}
	return (void *)sum;
}

static uintptr_t expected(unsigned int n)
{
	uintptr_t a = 0, b = 1, next;

	while (n--) {
		next = a + b;
		a = b;
		b = next;
	}
	return a;
}

static const char doc[] =
	"Compute a Fibonacci number with two threads per call, again and again.\n"
	"\vExit status: 0 done, 1 error, 2 wrong usage.\n";

static const struct argp_option option_table[] = {
	{ "number", 'n', "N", 0, "index of the number, 2 to 20 (default 12: 464 threads)", 0 },
	{ "rounds", 'r', "N", 0, "number of rounds (default 10)", 0 },
	{ "seconds", 't', "N", 0, "run for N seconds instead of --rounds", 0 },
	{ "stats", 'S', NULL, 0, "print plain `name value' lines", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'n':
		opts.number = tool_count(arg, 2, MAX_NUMBER, state);
		return 0;
	case 'r':
		opts.rounds = tool_count(arg, 1, 1000000, state);
		return 0;
	case 't':
		opts.seconds = tool_count(arg, 1, 86400, state);
		return 0;
	case 'S':
		opts.stats = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table, .parser = parse_option, .doc = doc,
};

int main(int argc, char **argv)
{
	uintptr_t want, got;
	uint64_t begin, end;
	unsigned int round = 0;
	double ms;

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	want = expected(opts.number);
	begin = now_ns(CLOCK_MONOTONIC);
	do {
		got = (uintptr_t)fibo((void *)(uintptr_t)opts.number);
		if (got != want) {
			fprintf(stderr, "fibo: %u gave %lu instead of %lu\n", opts.number,
				(unsigned long)got, (unsigned long)want);
			return EXIT_OTHER;
		}
		round++;
		end = now_ns(CLOCK_MONOTONIC);
	} while (opts.seconds ? end - begin < opts.seconds * 1000000000ULL : round < opts.rounds);
	ms = (end - begin) / 1e6;
	if (opts.stats)
		printf("makespan_ms %.3f\nrounds %u\nthreads %lu\n", ms, round, threads);
	else
		printf("%u rounds of fibo(%u), %lu threads, %.1f ms\n", round, opts.number,
		       threads, ms);
	return fflush(stdout) ? EXIT_OTHER : EXIT_SUCCESS;
}
