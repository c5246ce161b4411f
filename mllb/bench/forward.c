// SPDX-License-Identifier: GPL-2.0
/*
 * Time of one decision by the network, from raw observations to decision
 *
 * Linked with the kernel's own objects jc_mlp.o and jc_mlp_float.o and with
 * ask.c, which is built with the kernel's flags. Runs natively, pinned to one
 * core; CPU time of the thread, so that others on the machine matter little.
 *
 * The inputs are random: the branches of the gates cannot be predicted from
 * the row before. Each figure is the median over repetitions, printed as
 * "NAME VALUE UNIT"; the spread goes to stderr.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "ask.h"
#include "testmodel.h"

#define NR_ROWS		4096
#define NR_PASSES	50
#define NR_REPEATS	41

/* What the kernel's objects expect around them, beside liteflow/lib/compat.c. */
asm(".globl __fentry__\n__fentry__: ret\n");
asm(".globl __x86_return_thunk\n__x86_return_thunk: ret\n");

static struct jc_lb_obs rows[NR_ROWS];
struct jc_mlp fixed, dense, fl;
static volatile unsigned int sink;

static u64 rnd(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void make_rows(void)
{
	for (int i = 0; i < NR_ROWS; i++) {
		struct jc_lb_obs *d = &rows[i];
		int idle = rnd() % 3;

		d->delta = rnd() % 1000000;
		d->migration_cost = 500000;
		d->src_len = 2 + rnd() % 30;
		d->dst_len = rnd() % 10;
		d->src_preferred_len = rnd() % 10;
		d->src_load = rnd() % 40000;
		d->dst_load = rnd() % 20000;
		d->nr_fails = rnd() % 4;
		d->cache_nice_tries = 2;
		d->cpu_idle = idle == 0;
		d->cpu_not_idle = idle == 1;
		d->cpu_newly_idle = idle == 2;
		d->same_node = rnd() % 2;
		d->numa_gate = !d->same_node && rnd() % 2;
		if (d->numa_gate) {
			d->prefer_src = rnd() % 2;
			d->prefer_dst = !d->prefer_src && rnd() % 2;
			d->delta_faults = (long)(rnd() % 2001) - 1000;
		}
	}
}

static double once(unsigned int (*ask)(const struct jc_lb_obs *))
{
	struct timespec a, b;
	unsigned int sum = 0;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (int pass = 0; pass < NR_PASSES; pass++) {
		for (int i = 0; i < NR_ROWS; i++)
			sum += ask(&rows[i]);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	sink = sum;
	return ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) /
	       (NR_PASSES * NR_ROWS);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The empty call is timed beside the full one and subtracted. */
static void report(const char *name, unsigned int (*ask)(const struct jc_lb_obs *))
{
	double t[NR_REPEATS];

	for (int i = 0; i < NR_REPEATS; i++)
		t[i] = once(ask) - once(nothing);
	qsort(t, NR_REPEATS, sizeof(t[0]), by_value);
	printf("%s %.1f ns\n", name, t[NR_REPEATS / 2]);
	fprintf(stderr, "# %s: quartiles %.1f %.1f, least %.1f ns\n", name,
		t[NR_REPEATS / 4], t[NR_REPEATS * 3 / 4], t[0]);
}

static void fail(const char *what, const struct lf_error *err)
{
	fprintf(stderr, "forward: %s: %s\n", what, err->msg);
	exit(1);
}

static struct lf_model *parse(const char *what, const void *blob, size_t len)
{
	struct lf_error err = { "" };
	struct lf_model *model;

	if (lf_model_parse(blob, len, &jc_limits, &model, &err) || jc_mlp_check(model, &err))
		fail(what, &err);
	return model;
}

/* A network that uses every input: training leaves out what it can. */
static struct lf_model *dense_model(void)
{
	static const struct lf_testmodel_spec spec = {
		.n_in = JC_NR_INPUTS, .n_out = 1, .n_layers = 2, .width = JC_NR_HIDDEN,
		.act = LITEFLOW_ACT_RELU, .last = LITEFLOW_ACT_NONE, .weight_bits = 8,
		.units = JC_UNITS, .features = jc_input_names,
	};
	static unsigned char blob[4096];

	return parse("a network of all inputs", blob, lf_testmodel(1, &spec, blob, sizeof(blob)));
}

int main(void)
{
	struct lf_model *model;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);

	make_rows();
	model = parse("the built-in model", jc_builtin_blob, jc_builtin_len);
	jc_mlp_prepare_fixed(&fixed, model);
	jc_mlp_prepare_float(&fl, model);
	jc_mlp_prepare_fixed(&dense, dense_model());

	for (int i = 0; i < NR_ROWS; i++) {
		if (ask_fixed(&rows[i]) != ask_float(&rows[i])) {
			fprintf(stderr, "row %d: fixed and float disagree\n", i);
			return 1;
		}
	}

	report("jc_forward_fixed", ask_fixed);
	report("jc_forward_fixed_dense", ask_dense);
	report("jc_forward_float", ask_float);
	if (__builtin_cpu_supports("avx512f"))
		report("jc_forward_float_fpu", ask_float_fpu);
	else
		fprintf(stderr, "# jc_forward_float_fpu: skipped, no XSAVEC\n");
	return 0;
}
