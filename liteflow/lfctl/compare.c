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
static void draw_row(const struct net *net, enum pack_draw draw, uint64_t *state, int32_t *in)
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

static void compare_row(const struct net *net, const struct lf_model *model, const int32_t *in,
			struct pack_error *e)
{
	int16_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t got[LITEFLOW_MAX_WIDTH];
	double want[LITEFLOW_MAX_WIDTH];

	net_run(net, in, want);
	lf_model_run(model, in, got, scratch);
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

	memset(e, 0, sizeof(*e));
	if (model->n_in != net->n_in || model->n_out != net->n_out)
		return -1;
	while (e->rows < rows) {
		draw_row(net, draw, &state, in);
		compare_row(net, model, in, e);
	}
	finish(net, e);
	return 0;
}

void pack_compare_rows(const struct net *net, const struct lf_model *model, const int32_t *in,
		       unsigned int n, unsigned int step, struct pack_error *e)
{
	unsigned int i;

	memset(e, 0, sizeof(*e));
	for (i = 0; i < n; i += step)
		compare_row(net, model, in + (size_t)i * net->n_in, e);
	finish(net, e);
}
