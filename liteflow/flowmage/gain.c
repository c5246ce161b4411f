// SPDX-License-Identifier: GPL-2.0
/*
 * What steering is worth: a policer on two CPUs at once, natively, over the number of keys.
 * Needs root; takes two CPUs from whoever else wants them, for a fifth of a second at a time.
 * Prints NAME VALUE UNIT, the curve on standard error; exit status 4 if it cannot run here.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
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
#define RUNS		11
#define TRIES		5

/*
 * Times that the program runs on a CPU beyond the packets, while the other one is not there yet:
 * before a test run the kernel waits for grace periods, for one CPU after the other.
 */
#define WAITING		8000000

#define CROSSINGS	2000
#define BATCHES		101

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
	int error;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int run_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

/* Nobody else on this CPU meanwhile: who waits for his turn contends for nothing. */
static int have_cpu(int cpu)
{
	struct sched_param first = { .sched_priority = 1 };

	/* without it, what is measured is that the machine is busy */
	sched_setscheduler(0, SCHED_FIFO, &first);
	return run_on(cpu);
}

static void *work(void *arg)
{
	uint8_t packet[64] = { 0 };
	struct run *r = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = r->packets + WAITING);

	r->error = have_cpu(r->cpu);
	pthread_barrier_wait(r->start);
	if (!r->error)
		r->error = bpf_prog_test_run_opts(r->prog, &opts);
	if (!r->error && opts.retval == XDP_ABORTED)
		r->error = -ENOENT;
	return NULL;
}

/*
 * Each key's bucket is made on the CPU that owns the key when steered, as if the first packet of
 * the key did it. The kernel takes entries from a reserve of the CPU that adds them: so those of
 * one CPU share no cache line with the other's.
 */
static int fill_buckets(const struct gain_bpf *skel, unsigned int keys, const int *cpu,
			const struct gain_counts *own)
{
	struct gain_bucket bucket = { .counts.tokens = GAIN_BURST };
	uint32_t k, owner;
	int err = 0;

	for (owner = 0; owner < 2 && !err; owner++) {
		err = run_on(cpu[owner]);
		for (k = owner; k < keys && !err; k += 2) {
			err = bpf_map_update_elem(bpf_map__fd(skel->maps.buckets), &k, &bucket,
						  BPF_ANY);
			if (!err)
				err = bpf_map_update_elem(bpf_map__fd(skel->maps.own_buckets), &k,
							  own, BPF_ANY);
		}
	}
	return err;
}

/* The buckets, and each of the two CPUs knows which it is. */
static int fill(const struct gain_bpf *skel, unsigned int keys, const int *cpu, int n_cpus)
{
	struct gain_counts *own = calloc(n_cpus, sizeof(*own));
	struct gain_cpu *state = calloc(n_cpus, sizeof(*state));
	uint32_t zero = 0;
	int err = own && state ? 0 : -ENOMEM, i;

	for (i = 0; i < 2 && !err; i++)
		state[cpu[i]] = (struct gain_cpu){ .random = 0x9e3779b9u + i, .number = i };
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.cpus), &zero, state, BPF_ANY);
	if (!err)
		err = fill_buckets(skel, keys, cpu, own);
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

/* What both CPUs know of themselves, before a run and after it. */
static int begin_run(const struct gain_bpf *skel, const int *cpu, struct gain_cpu *state)
{
	uint32_t zero = 0;
	int i, err;

	err = bpf_map_lookup_elem(bpf_map__fd(skel->maps.cpus), &zero, state);
	for (i = 0; i < 2; i++)
		state[cpu[i]].packets = state[cpu[i]].first = state[cpu[i]].last = 0;
	memset(&skel->bss->run, 0, sizeof(skel->bss->run));
	return err ? err : bpf_map_update_elem(bpf_map__fd(skel->maps.cpus), &zero, state, BPF_ANY);
}

static int end_run(const struct gain_bpf *skel, const int *cpu, struct gain_cpu *state,
		   double *mpps, uint64_t *sent)
{
	const struct gain_cpu *s;
	uint32_t zero = 0;
	int i, err;

	*mpps = 0;
	err = bpf_map_lookup_elem(bpf_map__fd(skel->maps.cpus), &zero, state);
	for (i = 0; i < 2 && !err; i++) {
		s = &state[cpu[i]];
		*sent += s->packets;
		if (s->last > s->first && s->packets)
			*mpps += 1e3 * s->packets / (s->last - s->first);
		else
			err = -EAGAIN;
	}
	return err;
}

static int run_both(const struct gain_bpf *skel, const int *cpu, unsigned int packets)
{
	pthread_barrier_t start;
	struct run runs[2];
	int i, err = 0;

	pthread_barrier_init(&start, NULL, 2);
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
	pthread_barrier_destroy(&start);
	return err;
}

/* Packets of both CPUs, by the clock of the program, while both were at it. */
static int one_round(const struct gain_bpf *skel, const int *cpu, unsigned int packets,
		     double *mpps, uint64_t *sent)
{
	struct gain_cpu *state = calloc(libbpf_num_possible_cpus(), sizeof(*state));
	int err = state ? 0 : -ENOMEM, try;

	for (try = 0; try < TRIES && !err; try++) {
		err = begin_run(skel, cpu, state);
		if (!err)
			err = run_both(skel, cpu, packets);
		if (!err)
			err = end_run(skel, cpu, state, mpps, sent);
		if (err != -EAGAIN)
			break;
		/* one was over before the other began */
		err = try + 1 < TRIES ? 0 : -EBUSY;
	}
	free(state);
	return err;
}

static int prepare(const struct variant *v, unsigned int keys, const int *cpu,
		   unsigned int packets, struct gain_bpf **skel)
{
	int err;

	*skel = gain_bpf__open();
	if (!*skel)
		return -EINVAL;
	(*skel)->rodata->keys = keys;
	(*skel)->rodata->steered = v->steered;
	(*skel)->rodata->locked = v->locked;
	(*skel)->rodata->separate = v->separate;
	(*skel)->rodata->enough = packets;
	err = gain_bpf__load(*skel);
	return err ? err : fill(*skel, keys, cpu, libbpf_num_possible_cpus());
}

/* What was measured with one number of keys: million packets a second, and packets not counted. */
struct point {
	double mpps[VARIANTS][RUNS];
	int64_t missing[VARIANTS];
};

/* All variants in turn, again and again, so that what disturbs one of them disturbs all. */
static int measure(unsigned int keys, const int *cpu, unsigned int packets, struct point *p)
{
	struct gain_bpf *skel[VARIANTS] = { NULL };
	uint64_t sent[VARIANTS] = { 0 };
	unsigned int v, round;
	int err = libbpf_num_possible_cpus() > MAX_CPUS ? -EINVAL : 0;

	for (v = 0; v < VARIANTS && !err; v++)
		err = prepare(&variants[v], keys, cpu, packets, &skel[v]);
	for (round = 0; round < RUNS && !err; round++)
		for (v = 0; v < VARIANTS && !err; v++)
			err = one_round(skel[v], cpu, packets, &p->mpps[v][round], &sent[v]);
	for (v = 0; v < VARIANTS && !err; v++)
		p->missing[v] = variants[v].separate ? 0 :
				lost(skel[v], keys, sent[v]);
	for (v = 0; v < VARIANTS; v++)
		gain_bpf__destroy(skel[v]);
	return err;
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

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The middle of some, the least and the greatest. */
struct spread {
	double middle, least, greatest;
};

static struct spread spread_of(const double *value)
{
	double sorted[RUNS];

	memcpy(sorted, value, sizeof(sorted));
	qsort(sorted, RUNS, sizeof(*sorted), by_value);
	return (struct spread){ sorted[RUNS / 2], sorted[0], sorted[RUNS - 1] };
}

/* How much more, run by run. */
static struct spread ratio_of(const double *more, const double *less)
{
	double ratio[RUNS];
	unsigned int round;

	for (round = 0; round < RUNS; round++)
		ratio[round] = more[round] / less[round];
	return spread_of(ratio);
}

static void tell(unsigned int keys, const struct point *p)
{
	struct spread s;
	unsigned int v;

	fprintf(stderr, "%6u", keys);
	for (v = 0; v < VARIANTS; v++) {
		s = spread_of(p->mpps[v]);
		fprintf(stderr, "%7.1f (%4.1f to %4.1f)", s.middle, s.least, s.greatest);
	}
	s = ratio_of(p->mpps[SOLVED_LOCKED], p->mpps[DEFAULT_LOCKED]);
	fprintf(stderr, "%6.2f (%4.2f to %4.2f) %9lld %lld\n", s.middle, s.least, s.greatest,
		(long long)p->missing[DEFAULT], (long long)p->missing[SOLVED]);
	printf("fm_gain_%u %.2f times\n", keys, s.middle);
	printf("fm_gain_%u_least %.2f times\n", keys, s.least);
	if (keys != 256)
		return;
	printf("fm_default_2cpu %.1f Mpps\n", spread_of(p->mpps[DEFAULT_LOCKED]).middle);
	printf("fm_solved_2cpu %.1f Mpps\n", spread_of(p->mpps[SOLVED_LOCKED]).middle);
	printf("fm_lost_default %lld packets\n", (long long)p->missing[DEFAULT]);
	printf("fm_lost_solved %lld packets\n", (long long)p->missing[SOLVED]);
}

struct bounce {
	pthread_t thread;
	int cpu;
	unsigned int me;
	_Atomic unsigned int *turn;
	double ns;
};

/* To and fro: each of the two waits for the other's turn to end. */
static void *cross(void *arg)
{
	struct bounce *b = arg;
	unsigned int batch, i;
	double begin, ns;

	have_cpu(b->cpu);
	for (batch = 0; batch < BATCHES; batch++) {
		begin = now();
		for (i = 0; i < CROSSINGS / 2; i++) {
			while (atomic_load_explicit(b->turn, memory_order_acquire) != b->me)
				;
			atomic_store_explicit(b->turn, !b->me, memory_order_release);
		}
		ns = (now() - begin) * 1e9 / CROSSINGS;
		if (!batch || ns < b->ns)
			b->ns = ns;
	}
	return NULL;
}

/*
 * What a cache line takes from one of the CPUs to the other, the least of some batches: the most
 * that steering can save. Threads of one core have one cache, and nothing to gain.
 */
static double line_bounce(const int *cpu)
{
	static _Alignas(128) _Atomic unsigned int turn;
	struct bounce b[2];
	int i;

	for (i = 0; i < 2; i++) {
		b[i] = (struct bounce){ .cpu = cpu[i], .me = i, .turn = &turn };
		if (pthread_create(&b[i].thread, NULL, cross, &b[i]))
			exit(1);
	}
	for (i = 0; i < 2; i++)
		pthread_join(b[i].thread, NULL);
	return b[0].ns;
}

static int curve(const int *cpu, unsigned int packets)
{
	unsigned int keys, v;
	struct point p;
	int err;

	fprintf(stderr, "# Mpps on two CPUs: middle (least to greatest) of %u runs, until one of "
			"them has %u packets\n",
		RUNS, packets);
	fprintf(stderr, "%6s", "keys");
	for (v = 0; v < VARIANTS; v++)
		fprintf(stderr, "%22s", variants[v].name);
	fprintf(stderr, "%22s %s\n", "solved / default", "lost without a lock: default, solved");
	for (keys = 2; keys <= GAIN_KEYS; keys *= keys == 2 ? 8 : 16) {
		memset(&p, 0, sizeof(p));
		err = measure(keys, cpu, packets, &p);
		if (err)
			return skip(strerror(-err));
		tell(keys, &p);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int packets = argc > 1 ? atoi(argv[1]) : 1000000, cpu[2];

	if (packets < 1 || argc > 2) {
		fprintf(stderr, "usage: gain [PACKETS]\n");
		return 2;
	}
	if (geteuid())
		return skip("not root");
	if (two_cpus(cpu))
		return skip("less than two CPUs");
	libbpf_set_print(NULL);
	printf("fm_line_bounce %.0f ns\n", line_bounce(cpu));
	return curve(cpu, packets);
}
