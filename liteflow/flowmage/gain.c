// SPDX-License-Identifier: GPL-2.0
/*
 * What steering is worth: a policer on two CPUs at once, natively, over the number of keys.
 * Needs root and two CPUs that nobody else uses. Prints the figures of 256 keys as lines of
 * NAME VALUE UNIT, the curve on standard error; exit status 4 if it cannot run here.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "gain.h"
#include "gain.skel.h"

#define EXIT_SKIP	4
#define MAX_CPUS	1024
#define RUNS		5

/* What is compared. */
static const struct variant {
	const char *name;
	bool steered, locked, separate;
} variants[] = {
	{ "default, locked", false, true, false },
	{ "solved, locked", true, true, false },
	{ "solved, no lock", true, false, false },
	{ "solved, per CPU", true, false, true },
	{ "default, no lock", false, false, false },
};

enum { DEFAULT_LOCKED, SOLVED_LOCKED, SOLVED, SOLVED_PER_CPU, DEFAULT, VARIANTS };

struct run {
	pthread_t thread;
	pthread_barrier_t *start;
	int cpu;
	int prog;
	unsigned int packets;
	double seconds;
	int error;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *work(void *arg)
{
	uint8_t packet[64] = { 0 };
	struct run *r = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = r->packets);
	cpu_set_t one;
	double begin;

	CPU_ZERO(&one);
	CPU_SET(r->cpu, &one);
	r->error = sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
	pthread_barrier_wait(r->start);
	begin = now();
	if (!r->error)
		r->error = bpf_prog_test_run_opts(r->prog, &opts);
	if (!r->error && opts.retval == XDP_ABORTED)
		r->error = -ENOENT;
	r->seconds = now() - begin;
	return NULL;
}

/* Every key has its bucket, and each of the two CPUs knows which it is. */
static int fill(const struct gain_bpf *skel, unsigned int keys, const int *cpu, int n_cpus)
{
	struct gain_counts *own = calloc(n_cpus, sizeof(*own));
	struct gain_cpu *state = calloc(n_cpus, sizeof(*state));
	struct gain_bucket bucket = { .counts.tokens = GAIN_BURST };
	uint32_t k, zero = 0;
	int err = own && state ? 0 : -ENOMEM, i;

	for (i = 0; i < 2 && !err; i++)
		state[cpu[i]] = (struct gain_cpu){ .random = 0x9e3779b9u + i, .number = i };
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.cpus), &zero, state, BPF_ANY);
	for (k = 0; k < keys && !err; k++) {
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.buckets), &k, &bucket, BPF_ANY);
		if (!err)
			err = bpf_map_update_elem(bpf_map__fd(skel->maps.own_buckets), &k, own, BPF_ANY);
	}
	free(own);
	free(state);
	return err;
}

/* Packets that the buckets have not counted. */
static int64_t lost(const struct gain_bpf *skel, unsigned int keys, uint64_t sent)
{
	struct gain_bucket bucket;
	uint32_t k;

	for (k = 0; k < keys; k++) {
		if (bpf_map_lookup_elem(bpf_map__fd(skel->maps.buckets), &k, &bucket))
			return -1;
		sent -= bucket.counts.packets;
	}
	return sent;
}

/* Million packets a second, of the quickest of some runs; below 0: an errno. */
static double measure(const struct variant *v, unsigned int keys, const int *cpu,
		      unsigned int packets, int64_t *missing)
{
	int cpus = libbpf_num_possible_cpus(), i, round, err;
	struct gain_bpf *skel = gain_bpf__open();
	pthread_barrier_t start;
	struct run runs[2];
	double best = 0, took;

	if (!skel || cpus > MAX_CPUS)
		return -EINVAL;
	skel->rodata->keys = keys;
	skel->rodata->steered = v->steered;
	skel->rodata->locked = v->locked;
	skel->rodata->separate = v->separate;
	err = gain_bpf__load(skel);
	if (!err)
		err = fill(skel, keys, cpu, cpus);
	pthread_barrier_init(&start, NULL, 2);
	for (round = 0; round < RUNS && !err; round++) {
		for (i = 0; i < 2; i++) {
			runs[i] = (struct run){ .start = &start, .cpu = cpu[i], .packets = packets,
						.prog = bpf_program__fd(skel->progs.gain) };
			if (pthread_create(&runs[i].thread, NULL, work, &runs[i]))
				exit(1);
		}
		for (i = 0; i < 2; i++) {
			pthread_join(runs[i].thread, NULL);
			err = err ? err : runs[i].error;
		}
		took = runs[0].seconds > runs[1].seconds ? runs[0].seconds : runs[1].seconds;
		if (2 * packets / took > best)
			best = 2 * packets / took;
	}
	if (!err && !v->separate)
		*missing = lost(skel, keys, 2ull * packets * RUNS);
	gain_bpf__destroy(skel);
	return err ? err : best * 1e-6;
}

static int two_cpus(int *cpu)
{
	cpu_set_t allowed;
	int i, n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	for (i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &allowed))
			cpu[n++] = i;
	return n == 2 ? 0 : -1;
}

static int skip(const char *why)
{
	fprintf(stderr, "gain: skipped: %s\n", why);
	return EXIT_SKIP;
}

static int curve(const int *cpu, unsigned int packets)
{
	double mpps[VARIANTS];
	int64_t missing[VARIANTS] = { 0 };
	unsigned int keys, v;

	fprintf(stderr, "%8s", "keys");
	for (v = 0; v < VARIANTS; v++)
		fprintf(stderr, "%18s", variants[v].name);
	fprintf(stderr, "   Mpps on two CPUs; updates lost\n");
	for (keys = 2; keys <= GAIN_KEYS; keys *= keys == 2 ? 8 : 16) {
		fprintf(stderr, "%8u", keys);
		for (v = 0; v < VARIANTS; v++) {
			mpps[v] = measure(&variants[v], keys, cpu, packets, &missing[v]);
			if (mpps[v] < 0)
				return skip(strerror(-mpps[v]));
			fprintf(stderr, "%18.1f", mpps[v]);
		}
		fprintf(stderr, "   %lld without a lock, %lld solved\n", (long long)missing[DEFAULT],
			(long long)missing[SOLVED]);
		if (keys != 256)
			continue;
		printf("fm_default_2cpu %.1f Mpps\n", mpps[DEFAULT_LOCKED]);
		printf("fm_solved_2cpu %.1f Mpps\n", mpps[SOLVED_LOCKED]);
		printf("fm_lost_default %lld packets\n", (long long)missing[DEFAULT]);
		printf("fm_lost_solved %lld packets\n", (long long)missing[SOLVED]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int packets = argc > 1 ? atoi(argv[1]) : 1000000;
	int cpu[2];

	if (geteuid())
		return skip("not root");
	if (two_cpus(cpu))
		return skip("less than two CPUs");
	libbpf_set_print(NULL);
	return curve(cpu, packets);
}
