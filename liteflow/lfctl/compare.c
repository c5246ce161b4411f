// SPDX-License-Identifier: GPL-2.0
/*
 * How far the integers of a model are from double arithmetic.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "net.h"
#include "pack.h"

/* splitmix64: a full period over 64 bits, and any seed will do */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

double pack_random(uint64_t *state)
{
	return (double)(next_random(state) >> 11) * 0x1p-53;
}

/*
 * Ranges are often far wider than what occurs, and a tanh hides errors where it
 * is saturated. So half of the rows may be drawn together towards the inputs
 * that the network sees as zeroes, by up to 2^10.
 */
void pack_draw(const struct net *net, enum pack_draw draw, uint64_t *state, int32_t *in)
{
	double shrink = draw == PACK_NEAR_ZERO ? exp2(-10 * pack_random(state)) : 1;
	const struct net_io *io;
	double v, zero;
	unsigned int i;

	for (i = 0; i < net->n_in; i++) {
		io = &net->in[i];
		v = io->ilo + ((double)io->ihi - io->ilo) * pack_random(state);
		zero = fmin(fmax(io->offset / io->unit, io->ilo), io->ihi);
		in[i] = (int32_t)lround(zero + (v - zero) * shrink);
	}
}

static void add_error(const struct net *net, const double *want, const int32_t *got,
		      struct pack_error *e)
{
	bool index = net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
	double err, span;
	unsigned int i;

	for (i = 0; i < net->n_out; i++) {
		span = (double)net->out[i].ihi - net->out[i].ilo;
		err = fabs(want[i] - got[i]);
		if (index)
			e->differ += err != 0;
		e->max = fmax(e->max, err);
		e->max_span = fmax(e->max_span, err / span);
		e->mean += err;
		e->mean_span += err / span;
	}
}

/**
 * struct memory - what both have seen of a sequence
 * @net: net::state_len values
 * @model: lf_model::state_len values
 * @len: of each
 */
struct memory {
	double *net;
	int32_t *model;
	size_t len;
};

static int memory_alloc(const struct net *net, struct memory *m)
{
	m->len = net->state_len;
	m->net = calloc(m->len + 1, sizeof(*m->net));
	m->model = calloc(m->len + 1, sizeof(*m->model));
	return m->net && m->model ? 0 : -1;
}

static void memory_clear(struct memory *m)
{
	memset(m->net, 0, m->len * sizeof(*m->net));
	memset(m->model, 0, m->len * sizeof(*m->model));
}

static void memory_free(struct memory *m)
{
	free(m->net);
	free(m->model);
}

static void compare_row(const struct net *net, const struct lf_model *model, struct memory *m,
			const int32_t *in, struct pack_error *e)
{
	int32_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t got[LITEFLOW_MAX_WIDTH];
	double want[LITEFLOW_MAX_WIDTH];

	net_run(net, in, m->net, want);
	lf_model_step(model, in, got, m->model, scratch);
	add_error(net, want, got, e);
	e->rows++;
}

static void finish(const struct net *net, struct pack_error *e)
{
	if (!e->rows)
		return;
	e->mean /= (double)e->rows * net->n_out;
	e->mean_span /= (double)e->rows * net->n_out;
}

int pack_compare(const struct net *net, const struct lf_model *model, enum pack_draw draw,
		 unsigned int rows, unsigned long long seed, struct pack_error *e)
{
	int32_t in[LITEFLOW_MAX_WIDTH];
	uint64_t state = seed;
	struct memory m;
	int err = -1;

	memset(e, 0, sizeof(*e));
	if (model->n_in != net->n_in || model->n_out != net->n_out)
		return -1;
	if (memory_alloc(net, &m))
		goto out;
	while (e->rows < rows) {
		if (!(e->rows % PACK_SEQUENCE))
			memory_clear(&m);
		pack_draw(net, draw, &state, in);
		compare_row(net, model, &m, in, e);
	}
	finish(net, e);
	err = 0;
out:
	memory_free(&m);
	return err;
}

int pack_compare_rows(const struct net *net, const struct lf_model *model, const int32_t *in,
		      unsigned int n, unsigned int step, struct pack_error *e)
{
	struct memory m;
	unsigned int i;
	int err;

	memset(e, 0, sizeof(*e));
	err = memory_alloc(net, &m);
	for (i = 0; i < n && !err; i += net->n_cells ? 1 : step)
		compare_row(net, model, &m, in + (size_t)i * net->n_in, e);
	finish(net, e);
	memory_free(&m);
	return err;
}
