// SPDX-License-Identifier: GPL-2.0
/*
 * A network in double arithmetic: what its model should answer.
 */
#include <math.h>
#include <string.h>
#include "net.h"

double net_activate(int act, double sum)
{
	switch (act) {
	case LITEFLOW_ACT_RELU:
		return fmax(sum, 0);
	case LITEFLOW_ACT_TANH:
		return tanh(sum);
	case LITEFLOW_ACT_SIGMOID:
		return 1 / (1 + exp(-sum));
	default:
		return sum;
	}
}

void net_see(const struct net *net, const int32_t *in, double *x)
{
	const struct net_io *io = net->in;
	unsigned int i;
	double v;

	for (i = 0; i < net->n_in; i++, io++) {
		v = fmin(fmax(in[i], io->ilo), io->ihi);
		x[i] = (v * io->unit - io->offset) * io->scale;
	}
}

double net_sum(const struct net_layer *layer, unsigned int row, const double *x)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	double sum = layer->b[row];
	unsigned int i;

	for (i = 0; i < layer->n_in; i++)
		sum += w[i] * x[i];
	return sum;
}

static double row_sum(const double *w, const double *x, unsigned int n, double sum)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += w[i] * x[i];
	return sum;
}

/* A gate's sum; with @h_alone only what the state adds, with @x_alone the rest. */
static double gate_sum(const struct net_cell *c, unsigned int row, const double *x,
		       const double *h, bool x_alone, bool h_alone)
{
	double sum = 0;

	if (!h_alone)
		sum = row_sum(c->w_x + (size_t)row * c->n_in, x, c->n_in, c->b_x[row]);
	if (!x_alone)
		sum = row_sum(c->w_h + (size_t)row * c->n, h, c->n, sum + c->b_h[row]);
	return sum;
}

static double gate(const struct net_cell *c, unsigned int nth, unsigned int unit, int act,
		   const double *x, const double *h)
{
	return net_activate(act, gate_sum(c, nth * c->n + unit, x, h, false, false));
}

static double gru_unit(const struct net_cell *c, unsigned int j, const double *x, const double *h)
{
	double r = gate(c, 0, j, LITEFLOW_ACT_SIGMOID, x, h);
	double z = gate(c, 1, j, LITEFLOW_ACT_SIGMOID, x, h);
	double n = tanh(gate_sum(c, 2 * c->n + j, x, h, true, false) +
			r * gate_sum(c, 2 * c->n + j, x, h, false, true));

	return (1 - z) * n + z * h[j];
}

/* @h: the old state, and then the new one, as is @cell of an LSTM. */
static void run_cell(const struct net_cell *c, const double *x, double *h)
{
	double next[LITEFLOW_MAX_WIDTH], *cell = h + c->n;
	unsigned int j;

	for (j = 0; j < c->n; j++) {
		switch (c->type) {
		case LITEFLOW_LAYER_RNN:
			next[j] = gate(c, 0, j, c->act, x, h);
			break;
		case LITEFLOW_LAYER_GRU:
			next[j] = gru_unit(c, j, x, h);
			break;
		default:
			cell[j] = gate(c, 1, j, LITEFLOW_ACT_SIGMOID, x, h) * cell[j] +
				  gate(c, 0, j, LITEFLOW_ACT_SIGMOID, x, h) *
				  gate(c, 2, j, LITEFLOW_ACT_TANH, x, h);
			next[j] = gate(c, 3, j, LITEFLOW_ACT_SIGMOID, x, h) * tanh(cell[j]);
		}
	}
	memcpy(h, next, c->n * sizeof(*h));
}

void net_front(const struct net *net, const int32_t *in, double *state, double *x)
{
	const struct net_cell *c = net->cells;

	net_see(net, in, x);
	for (; c < net->cells + net->n_cells; c++) {
		run_cell(c, x, state);
		memcpy(x, state, c->n * sizeof(*x));
		state += c->type == LITEFLOW_LAYER_LSTM ? 2 * c->n : c->n;
	}
}

void net_run(const struct net *net, const int32_t *in, double *state, double *out)
{
	double x[2][LITEFLOW_MAX_WIDTH];
	unsigned int i, j, l, best = 0;
	const struct net_io *io;

	net_front(net, in, state, x[0]);
	for (l = 0; l < net->n_layers; l++) {
		const struct net_layer *layer = &net->layers[l];
		double *to = x[~l & 1];

		for (j = 0; j < layer->n_out; j++) {
			to[j] = net_activate(layer->act, net_sum(layer, j, x[l & 1]));
			if (to[j] > to[best] || !j)
				best = j;
		}
	}
	if (net->layers[l - 1].act == LITEFLOW_ACT_ARGMAX)
		x[l & 1][0] = best;
	for (i = 0; i < net->n_out; i++) {
		io = &net->out[i];
		out[i] = fmin(fmax((x[l & 1][i] / io->scale + io->offset) / io->unit, io->ilo),
			      io->ihi);
	}
}

/* -1 times the row, and the same values again: tanh is odd, a sigmoid so around 1/2. */
static int turn_output(struct net_layer *layer, unsigned int row, struct net_io *io,
		       struct reason *why)
{
	double *w = layer->w + (size_t)row * layer->n_in;
	unsigned int i;

	if (layer->act == LITEFLOW_ACT_RELU)
		return refuse(why, "outputs[%u]: \"scale\" is %g, must be above 0 behind a relu",
			      row, io->scale);
	if (layer->act == LITEFLOW_ACT_SIGMOID)
		io->offset += 1 / io->scale;
	for (i = 0; i < layer->n_in; i++)
		w[i] = -w[i];
	layer->b[row] = -layer->b[row];
	io->scale = -io->scale;
	return 0;
}

int net_fold_outputs(struct net *net, struct reason *why)
{
	struct net_layer *last = &net->layers[net->n_layers - 1];
	struct net_io *io = net->out;
	unsigned int i;
	double whole;

	for (i = 0; i < net->n_out; i++, io++) {
		if (last->act == LITEFLOW_ACT_ARGMAX && (io->scale != 1 || io->offset != 0))
			return refuse(why, "outputs[%u]: no \"offset\" and \"scale\" for argmax, "
				      "an index", i);
		if (io->scale < 0 && turn_output(last, i, io, why))
			return -1;
		whole = round(io->offset / io->unit);
		if (!(fabs(whole) <= INT32_MAX))
			return refuse(why, "outputs[%u]: \"offset\" over \"unit\" does not fit "
				      "32 bits: take a coarser unit", i);
		if (last->act == LITEFLOW_ACT_NONE && io->offset != whole * io->unit) {
			last->b[i] += (io->offset - whole * io->unit) * io->scale;
			io->offset = whole * io->unit;
		}
	}
	return 0;
}
