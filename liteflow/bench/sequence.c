// SPDX-License-Identifier: GPL-2.0
/*
 * sequence NAME MODEL UNIT...: what a query of a model that remembers costs, natively
 * and with the kernel's flags: NAME VALUE UNIT, where UNIT is ns or us. Last, a plain
 * 16-bit loop over the weights of the last model, in the same run.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/liteflow_engine.h>
#include "plain.h"

#define ROWS	16
#define BATCHES	301
#define MODELS	8
#define BATCH_MACS	2000000

static unsigned char blob[LITEFLOW_MAX_BLOB];

/* A model, its questions, its sequence, and the time of the fastest batch. */
static struct one {
	const char *name;
	const char *unit;
	struct lf_model *model;
	s32 in[ROWS * LITEFLOW_MAX_WIDTH];
	s32 state[LITEFLOW_MAX_STATE];
	s32 scratch[2 * LITEFLOW_MAX_WIDTH];
	unsigned int batch;
	double best;
} all[MODELS];

/* The plain loop's layers: as the last model's. */
static s16 *weights, values[2 * LITEFLOW_MAX_WIDTH];
static s64 sums[4 * LITEFLOW_MAX_WIDTH];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void read_model(struct one *o, const char *path)
{
	static const struct lf_limits limits = { .max_state = LITEFLOW_MAX_STATE };
	struct lf_error error;
	FILE *f = fopen(path, "r");
	unsigned int i;
	size_t len;

	if (!f)
		err(1, "%s", path);
	len = fread(blob, 1, sizeof(blob), f);
	fclose(f);
	if (lf_model_parse(blob, len, &limits, &o->model, &error))
		errx(1, "%s: %s", path, error.msg);
	srand(1);
	for (i = 0; i < ROWS * o->model->n_in; i++) {
		const struct lf_scale *s = &o->model->in[i % o->model->n_in];

		o->in[i] = s->lo + rand() % (s->hi - s->lo + 1);
	}
	o->batch = BATCH_MACS / o->model->macs + 1;
	o->best = 1e30;
}

static void batch(struct one *o)
{
	double begin = now(), t;
	unsigned int i;
	s32 out[LITEFLOW_MAX_WIDTH];

	for (i = 0; i < o->batch; i++)
		lf_model_step(o->model, o->in + i % ROWS * o->model->n_in, out, o->state,
			      o->scratch);
	t = (now() - begin) / o->batch;
	o->best = t < o->best ? t : o->best;
}

static void make_plain(const struct lf_model *m)
{
	unsigned int i;

	weights = malloc(m->macs * sizeof(*weights));
	if (!weights)
		err(1, "memory");
	for (i = 0; i < m->macs; i++)
		weights[i] = rand();
	for (i = 0; i < 2 * LITEFLOW_MAX_WIDTH; i++)
		values[i] = rand();
}

static double plain(const struct lf_model *m)
{
	const s16 *w = weights;
	double begin = now();
	unsigned int k;

	for (k = 0; k < m->n_cells; k++) {
		const struct lf_cell *c = &m->cells[k];
		unsigned int n = c->n_in + c->n_out;
		unsigned int gates = c->type == LITEFLOW_LAYER_RNN ? 1 :
				     c->type == LITEFLOW_LAYER_GRU ? 3 : 4;

		plain_products(w, gates * c->n_out, n, values, sums);
		w += (size_t)gates * c->n_out * n;
	}
	return now() - begin;
}

int main(int argc, char **argv)
{
	int n = (argc - 1) / 3, i, k;
	double loop = 1e30, t;

	if (n < 1 || n > MODELS || argc != 1 + 3 * n)
		errx(2, "usage: sequence NAME MODEL ns|us...");
	for (i = 0; i < n; i++) {
		all[i].name = argv[1 + 3 * i];
		all[i].unit = argv[3 + 3 * i];
		read_model(&all[i], argv[2 + 3 * i]);
	}
	make_plain(all[n - 1].model);
	/* in turn, so that a busy moment of the machine meets all; the fastest counts */
	for (k = 0; k < BATCHES; k++) {
		for (i = 0; i < n; i++)
			batch(&all[i]);
		t = plain(all[n - 1].model);
		loop = t < loop ? t : loop;
	}
	for (i = 0; i < n; i++)
		printf("%s %.2f %s\n", all[i].name,
		       all[i].best / (strcmp(all[i].unit, "us") ? 1 : 1000), all[i].unit);
	printf("%s_plain %.2f us\n", all[n - 1].name, loop / 1000);
	printf("%s_plain_ratio %.2f x\n", all[n - 1].name, loop / all[n - 1].best);
	return 0;
}
