// SPDX-License-Identifier: GPL-2.0
/*
 * A network in double arithmetic: what its model should answer.
 */
#include <math.h>
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

void net_run(const struct net *net, const int32_t *in, double *out)
{
	double x[2][LITEFLOW_MAX_WIDTH];
	unsigned int i, j, l, best = 0;
	const struct net_io *io;

	net_see(net, in, x[0]);
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
