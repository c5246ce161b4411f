// SPDX-License-Identifier: GPL-2.0
/*
 * Time of one query of LiteFlow's engine, from raw inputs to raw outputs
 *
 * The kernel's sources, built with the kernel's flags, natively, pinned to one
 * core. Without an argument a random net of Aurora's shape is asked, else the
 * model in the file. Each figure is a median, printed as "NAME VALUE UNIT"; the
 * spread goes to stderr.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "ask.h"
#include "testmodel.h"

#define NR_ROWS		1024
#define NR_PASSES	20
#define NR_REPEATS	201
#define NR_COLD		300
#define EVICT		(96u << 20)
#define LINE		64

static struct lf_model *model;
static struct plain plain;
static s32 rows[NR_ROWS][LF_STACK_WIDTH];
static unsigned char blob[LF_MAX_BLOB];
static volatile s32 sink;

static s32 by_nothing(const s32 *in)
{
	return nothing(in);
}

static s32 by_engine(const s32 *in)
{
	return ask_engine(model, in);
}

static s32 by_plain(const s32 *in)
{
	return ask_plain(&plain, in);
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double once(s32 (*ask)(const s32 *))
{
	double start = now(CLOCK_THREAD_CPUTIME_ID);
	s32 sum = 0;

	for (int pass = 0; pass < NR_PASSES; pass++) {
		for (int i = 0; i < NR_ROWS; i++)
			sum += ask(rows[i]);
	}
	sink = sum;
	return (now(CLOCK_THREAD_CPUTIME_ID) - start) / (NR_PASSES * NR_ROWS);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double report(const char *name, double *t, int n, const char *unit)
{
	qsort(t, n, sizeof(*t), by_value);
	printf("%s %.3f %s\n", name, t[n / 2], unit);
	fprintf(stderr, "# %s: quartiles %.3f %.3f, least %.3f %s\n", name, t[n / 4],
		t[n * 3 / 4], t[0], unit);
	return t[n / 2];
}

/* All the caches hold something else, the model is nowhere but in memory. */
static void evict(volatile unsigned char *junk)
{
	const unsigned char *p = (const unsigned char *)model;
	u32 sum = 0;

	for (size_t i = 0; i < EVICT; i += LINE)
		sum += ++junk[i];
	sink = sum;
	for (size_t i = 0; i < model->bytes + LINE; i += LINE)
		_mm_clflush(p + i);
	_mm_mfence();
}

static void cold(double per_tick)
{
	volatile unsigned char *junk = malloc(EVICT);
	double t[NR_COLD];
	unsigned int aux;

	for (int i = 0; i < NR_COLD; i++) {
		u64 start, end;

		evict(junk);
		_mm_lfence();
		start = __rdtsc();
		_mm_lfence();
		sink = by_engine(rows[i % NR_ROWS]);
		end = __rdtscp(&aux);
		_mm_lfence();
		t[i] = (end - start) * per_tick;
	}
	free((void *)junk);
	report("lf_engine_cold", t, NR_COLD, "ns");
}

static double ns_per_tick(void)
{
	double start = now(CLOCK_MONOTONIC), end;
	u64 tick = __rdtsc();

	do
		end = now(CLOCK_MONOTONIC);
	while (end - start < 2e7);
	return (end - start) / (__rdtsc() - tick);
}

/* A random net of Aurora's shape with sums that fit 32 bits. */
static size_t random_model(void)
{
	static const u16 widths[] = { 32, 16, 1 };
	static const struct lf_testmodel_spec spec = {
		.n_in = 30, .n_out = 1, .act = LF_ACT_TANH, .last = LF_ACT_NONE,
		.n_layers = 3, .widths = widths, .weight_bits = 10,
	};

	return lf_testmodel(1, &spec, blob, sizeof(blob));
}

static size_t read_model(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f) {
		perror(path);
		exit(1);
	}
	len = fread(blob, 1, sizeof(blob), f);
	fclose(f);
	return len;
}

static void make_plain(void)
{
	plain.model = model;
	for (int k = 0; k < model->n_layers; k++) {
		const struct lf_layer *l = &model->layers[k];
		s64 *bias = calloc(l->n_out, sizeof(*bias));
		s64 *weight = calloc((size_t)l->n_in * l->n_out, sizeof(*weight));

		for (int row = 0; row < l->n_out; row++) {
			bias[row] = lf_layer_bias(l, row);
			for (int i = 0; i < l->n_in; i++)
				weight[row * l->n_in + i] = lf_layer_weight(l, row, i);
		}
		plain.bias[k] = bias;
		plain.weight[k] = weight;
	}
}

static void check(void)
{
	if (model->width > LF_STACK_WIDTH) {
		fprintf(stderr, "width %u is too much, at most %u\n", model->width,
			LF_STACK_WIDTH);
		exit(1);
	}
	for (int k = 0; k < model->n_layers; k++) {
		const struct lf_layer *l = &model->layers[k];

		fprintf(stderr, "# layer %d: %u to %u, %s\n", k, l->n_in, l->n_out,
			l->wide ? "one row per accumulator" : "two rows per accumulator");
		if (l->act != (k + 1 < model->n_layers ? LF_ACT_TANH : LF_ACT_NONE)) {
			fprintf(stderr, "layer %d: the s64 loop knows only tanh, last none\n", k);
			exit(1);
		}
	}
	for (int i = 0; i < NR_ROWS; i++) {
		lf_testmodel_inputs(i, blob, rows[i]);
		if (by_engine(rows[i]) != by_plain(rows[i])) {
			fprintf(stderr, "row %d: the engine and the s64 loop disagree\n", i);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	size_t len = argc > 1 ? read_model(argv[1]) : random_model();
	double engine[NR_REPEATS], loop[NR_REPEATS], ratio[NR_REPEATS];
	struct lf_error err;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);

	if (lf_model_parse(blob, len, NULL, &model, &err)) {
		fprintf(stderr, "%s: %s\n", argc > 1 ? argv[1] : "random model", err.msg);
		return 1;
	}
	make_plain();
	check();

	/* in turn, so that both see the same machine */
	for (int i = 0; i < NR_REPEATS; i++) {
		double empty = once(by_nothing);

		engine[i] = once(by_engine) - empty;
		loop[i] = once(by_plain) - empty;
		ratio[i] = loop[i] / engine[i];
	}
	report("lf_engine_query", engine, NR_REPEATS, "ns");
	report("lf_engine_s64", loop, NR_REPEATS, "ns");
	report("lf_engine_ratio_s64", ratio, NR_REPEATS, "x");
	cold(ns_per_tick());
	return 0;
}
