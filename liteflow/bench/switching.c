// SPDX-License-Identifier: GPL-2.0
/*
 * What switching models does to those who ask
 *
 * The engine in user space under liburcu: a reader on every core asks as fast as
 * it can and times each query; a writer, which has no core of its own, parses a
 * model, publishes it and lets RCU free the one before, more than 1,000 times a
 * second. Phases without the writer come before and after each phase with it, so
 * that the difference between equal phases is known as well.
 *
 * Quiescent states after each query, as in a kernel without preemption. A model
 * is overwritten before it is freed, and every answer is checked.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <urcu-qsbr.h>

#include <linux/liteflow_engine.h>

#include "quantile.h"
#include "testmodel.h"

#define NR_ROWS		256
#define NR_MODELS	16
#define NR_ROUNDS	10
#define PHASE_MS	400
#define PAUSE_US	600
#define NR_TICKS	65536
#define MAX_CPUS	64

enum phase {
	BEFORE,
	SWITCHING,
	AFTER,
	NR_PHASES,
};

/* A model and what frees it. */
struct snapshot {
	const struct lf_model *model;
	s32 answer;
	struct rcu_head rcu;
};

struct reader {
	pthread_t thread;
	int cpu;
	u64 failed;
	u64 queries[NR_PHASES];
	u32 hist[NR_PHASES][NR_TICKS];	/* the last one: and more */
};

static struct snapshot *active;
static unsigned char blobs[NR_MODELS][16384];
static size_t lens[NR_MODELS];
static s32 rows[NR_ROWS][LF_STACK_WIDTH];
static atomic_int phase = BEFORE;
static atomic_bool stop;
static u64 activations, freed;
static uint64_t activate_hist[NR_TICKS];

static s32 ask_engine(const struct lf_model *model, const s32 *in)
{
	s16 scratch[2 * LF_STACK_WIDTH];
	s32 out[LF_STACK_WIDTH];

	lf_model_run(model, in, out, scratch);
	return out[0];
}

static void *read_side(void *arg)
{
	struct reader *r = arg;
	unsigned int aux, row = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	rcu_register_thread();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		int now = atomic_load_explicit(&phase, memory_order_relaxed);
		const struct snapshot *s;
		u64 start, ticks;
		s32 answer;

		start = __rdtsc();
		rcu_read_lock();
		s = rcu_dereference(active);
		answer = ask_engine(s->model, rows[row++ % NR_ROWS]);
		r->failed += answer != s->answer;
		rcu_read_unlock();
		ticks = __rdtscp(&aux) - start;
		rcu_quiescent_state();

		r->queries[now]++;
		r->hist[now][ticks < NR_TICKS ? ticks : NR_TICKS - 1]++;
	}
	rcu_unregister_thread();
	return NULL;
}

static void free_snapshot(struct rcu_head *head)
{
	struct snapshot *s = caa_container_of(head, struct snapshot, rcu);

	/* who still asks it shall notice */
	memset((void *)s->model, 0x6b, s->model->bytes);
	lf_model_free(s->model);
	memset(s, 0x6b, sizeof(*s));
	free(s);
	freed++;
}

static struct snapshot *install(unsigned int nth)
{
	struct snapshot *s = malloc(sizeof(*s));
	struct lf_model *model;
	struct lf_error err;

	if (lf_model_parse(blobs[nth], lens[nth], NULL, &model, &err)) {
		fprintf(stderr, "model %u: %s\n", nth, err.msg);
		exit(1);
	}
	s->model = model;
	s->answer = model->out[0].offset;
	return s;
}

static void activate(struct snapshot *new)
{
	unsigned int aux;
	u64 start, ticks;
	struct snapshot *old;

	start = __rdtsc();
	old = rcu_xchg_pointer(&active, new);
	call_rcu(&old->rcu, free_snapshot);
	ticks = __rdtscp(&aux) - start;
	activate_hist[ticks < NR_TICKS ? ticks : NR_TICKS - 1]++;
	activations++;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void write_side(double until)
{
	unsigned int i = 0;

	while (now() < until) {
		activate(install(i++ % NR_MODELS));
		rcu_thread_offline();
		usleep(PAUSE_US);
		rcu_thread_online();
	}
}

static void wait_until(double until)
{
	double left = until - now();

	rcu_thread_offline();
	if (left > 0)
		usleep(left * 1e6);
	rcu_thread_online();
}

static double p99(struct reader *readers, int n, enum phase p, double ns)
{
	static const char *const names[] = { "before", "switching", "after" };
	static uint64_t sum[NR_TICKS];
	double t99;
	u64 all = 0;

	memset(sum, 0, sizeof(sum));
	for (int r = 0; r < n; r++) {
		all += readers[r].queries[p];
		for (int i = 0; i < NR_TICKS; i++)
			sum[i] += readers[r].hist[p][i];
	}
	t99 = quantile(sum, NR_TICKS, 0.99) * ns;
	fprintf(stderr, "# %-9s %llu queries, p50 %.0f ns, p99 %.0f ns, p99.9 %.0f ns\n",
		names[p], (unsigned long long)all, quantile(sum, NR_TICKS, 0.5) * ns, t99,
		quantile(sum, NR_TICKS, 0.999) * ns);
	return t99;
}

static void make_models(void)
{
	static const u16 widths[] = { 32, 16, 1 };
	static const struct lf_testmodel_spec spec = {
		.n_in = 30, .n_out = 1, .act = LITEFLOW_ACT_TANH, .last = LITEFLOW_ACT_NONE,
		.n_layers = 3, .widths = widths, .weight_bits = 10,
	};

	for (int i = 0; i < NR_MODELS; i++)
		lens[i] = lf_testmodel_constant(1000 + i, &spec, blobs[i], sizeof(blobs[i]));
	for (int i = 0; i < NR_ROWS; i++)
		lf_testmodel_inputs(i, blobs[0], rows[i]);
}

int main(void)
{
	int n = sysconf(_SC_NPROCESSORS_ONLN);
	double start, seconds, ns, t99[NR_PHASES], gap;
	struct reader *readers;
	u64 tick, failed = 0;

	n = n < MAX_CPUS ? n : MAX_CPUS;
	readers = calloc(n, sizeof(*readers));
	make_models();
	rcu_register_thread();
	active = install(0);

	start = now();
	tick = __rdtsc();
	for (int i = 0; i < n; i++) {
		readers[i].cpu = i;
		pthread_create(&readers[i].thread, NULL, read_side, &readers[i]);
	}
	for (int i = 0; i < NR_ROUNDS; i++) {
		for (int p = BEFORE; p < NR_PHASES; p++) {
			double until = now() + PHASE_MS * 1e-3;

			atomic_store(&phase, p);
			if (p == SWITCHING)
				write_side(until);
			else
				wait_until(until);
		}
	}
	seconds = now() - start;
	ns = seconds * 1e9 / (__rdtsc() - tick);
	atomic_store(&stop, true);
	rcu_thread_offline();
	for (int i = 0; i < n; i++) {
		pthread_join(readers[i].thread, NULL);
		failed += readers[i].failed;
	}
	rcu_barrier();

	for (int p = BEFORE; p < NR_PHASES; p++)
		t99[p] = p99(readers, n, p, ns);
	gap = t99[BEFORE] > t99[AFTER] ? t99[BEFORE] / t99[AFTER] : t99[AFTER] / t99[BEFORE];
	printf("lf_p99_switching %.3f x\n", 2 * t99[SWITCHING] / (t99[BEFORE] + t99[AFTER]));
	printf("lf_p99_baselines %.3f x\n", gap);
	printf("lf_switches %.0f per_s\n", activations / (NR_ROUNDS * PHASE_MS * 1e-3));
	printf("lf_publish_p99 %.3f us\n", quantile(activate_hist, NR_TICKS, 0.99) * ns / 1e3);
	printf("lf_switching_failed %llu queries\n", (unsigned long long)failed);
	if (freed != activations) {
		fprintf(stderr, "%llu models were replaced, %llu freed\n",
			(unsigned long long)activations, (unsigned long long)freed);
		return 1;
	}
	return failed != 0;
}
