// SPDX-License-Identifier: GPL-2.0
/*
 * Quantisation: rounds what choose.c chose, and proves that it fits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "choose.h"
#include "quantcell.h"

int quant_ratio(double r, double v, int32_t *mult, uint8_t *shift)
{
	int s = LITEFLOW_MAX_SHIFT;
	double m;

	while (s >= 0 && (ldexp(r, s) > INT32_MAX || ldexp(r, s) * v > 0x1p61))
		s--;
	m = s < 0 ? 0 : round(ldexp(r, s));
	if (m < 1)
		return -1;
	*mult = (int32_t)m;
	*shift = s;
	while (*shift && !(*mult & 1)) {
		*mult /= 2;
		--*shift;
	}
	return 0;
}

static int quantise_inputs(struct quant *q, bool wide, double *bias, struct values *in,
			   struct reason *why)
{
	const struct net *net = q->net;
	const struct net_layer *layer = &net->layers[0];
	double t[LITEFLOW_MAX_WIDTH], step, x, steps;
	const struct net_io *io;
	struct quant_scale *s;
	struct value *v;
	unsigned int i, j;

	memcpy(bias, layer->b, layer->n_out * sizeof(*bias));
	in->n = net->n_in;
	for (i = 0; i < net->n_in; i++) {
		io = &net->in[i];
		s = &q->in[i];
		v = &in->v[i];
		s->lo = io->ilo;
		s->hi = io->ihi;
		s->offset = io->ilo + (int32_t)(((int64_t)io->ihi - io->ilo) / 2);
		step = io->unit * fabs(io->scale);
		v->lo = -((double)io->ihi - s->offset) * step;
		v->hi = -v->lo;
		v->mean = 0;
		v->spread = v->hi * v->hi / 3;
		for (j = 0; j < layer->n_out; j++)
			bias[j] += layer->w[(size_t)j * layer->n_in + i] *
				   (s->offset * io->unit - io->offset) * io->scale;
	}
	choose_first_t(layer, bias, in, t);
	for (i = 0; i < net->n_in; i++) {
		io = &net->in[i];
		s = &q->in[i];
		v = &in->v[i];
		steps = (double)s->hi - s->offset;
		x = wide ? X_MAX : choose_x(net, 0, t, i, v->hi);
		/* a whole number per step is exact */
		if (steps && x >= steps)
			x = steps * floor(x / steps);
		if (!steps)
			x = 1;
		/* a little less: rounded up it still has to fit */
		if (quant_ratio(x / fmax(steps, 1) * (x < X_MAX ? 1 : 1 - 1e-6), fmax(steps, 1),
			  &s->mult, &s->shift))
			return refuse(why, "inputs[%u]: its range is too wide to quantise", i);
		x = ldexp(s->mult, -s->shift);
		v->g = x / (io->unit * io->scale);
		v->x = floor(x * steps + 0.5);
		if (s->shift) {
			v->var = 1 / (12 * v->g * v->g);
			v->err = 0.5 / fabs(v->g);
		}
	}
	return 0;
}

/* Round weights and biases; the sum has to fit, proved with what was rounded. */
static int round_row(const struct net_layer *layer, const double *bias, const struct values *in,
		     unsigned int row, double t, double limit, struct quant_layer *ql)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	int16_t *qw = ql->w + (size_t)row * layer->n_in;
	double sum, v;
	unsigned int i;

	ql->t[row] = t;
	sum = fabs(bias[row] * t) + 1;
	/* not "sum > limit": that lets NaN pass */
	if (!(sum <= limit))
		return -1;
	ql->b[row] = llround(bias[row] * t);
	for (i = 0; i < layer->n_in; i++) {
		v = round(w[i] * t / in->v[i].g);
		if (!(fabs(v) <= W_MAX))
			return -1;
		qw[i] = (int16_t)v;
		sum += fabs(v) * in->v[i].x;
	}
	ql->acc = fmax(ql->acc, sum);
	return sum <= limit ? 0 : -1;
}

/* What leaves a layer, given what its sums are. */
static void activate(const struct net_layer *layer, bool last, struct quant_layer *ql,
		     struct values *out)
{
	double y, lost, one = ldexp(1, -ql->shift);
	unsigned int j;

	for (j = 0; j < out->n; j++) {
		struct value *v = &out->v[j];

		ql->rms = fmax(ql->rms, sqrt(v->var));
		ql->bound = fmax(ql->bound, v->err);
		if (angle(layer->act)) {
			double slope = layer->act == LITEFLOW_ACT_TANH ? 1 : 0.25;
			double a = 1 / angle_one(layer->act);

			v->lo = layer->act == LITEFLOW_ACT_TANH ? -1 : 0;
			v->hi = 1;
			v->g = Y_ONE;
			v->x = X_MAX;
			v->var = (v->var + a * a / 12) * slope * slope +
				 TABLE_ERROR * TABLE_ERROR / 12;
			v->err = (v->err + a / 2) * slope + TABLE_ERROR;
			v->mean = (v->lo + v->hi) / 2;
			v->spread = slope * slope;
			continue;
		}
		if (last)
			continue;
		v->g = ql->t[j] * one;
		v->var += 1 / (12 * v->g * v->g);
		v->err += 0.5 / fabs(v->g);
		y = v->most * v->g + v->err * v->g + 1;
		lost = fmax(0, (y - X_MAX - 1) / v->g);
		ql->clips = fmax(ql->clips, lost);
		v->x = fmin(y, X_MAX + 1);
		v->err += lost;
	}
}

static int make_outputs(struct quant *q, const struct values *in, struct reason *why)
{
	const struct net *net = q->net;
	const struct quant_layer *ql = &q->layers[net->n_layers - 1];
	int act = net->layers[net->n_layers - 1].act;
	double one, most, unit, span, gain;
	unsigned int i;

	for (i = 0; i < net->n_out; i++) {
		const struct net_io *io = &net->out[i];
		struct quant_scale *s = &q->out[i];

		s->lo = io->ilo;
		s->hi = io->ihi;
		s->offset = (int32_t)round(io->offset / io->unit);
		/* the app's, as the network's values have it */
		unit = io->unit * io->scale;
		one = act == LITEFLOW_ACT_ARGMAX ? 1 : angle(act) ? Y_ONE : ql->t[i];
		most = act == LITEFLOW_ACT_ARGMAX ? LITEFLOW_MAX_WIDTH : angle(act) ? Y_ONE : ql->acc;
		if (quant_ratio(1 / (one * unit), fmax(most, 1), &s->mult, &s->shift))
			return refuse(why, "outputs[%u]: its unit does not go with the weights: "
				      "take a coarser or a finer one", i);
		if (act == LITEFLOW_ACT_ARGMAX)
			continue;
		span = ((double)io->ihi - io->ilo) * unit;
		q->rms = fmax(q->rms, sqrt(in->v[i].var + unit * unit / 12) / span);
		/* the factor is rounded, too, and the offset */
		gain = fabs(ldexp(s->mult, -s->shift) * one * unit - 1) *
		       fmax(fabs(io->lo - io->offset), fabs(io->hi - io->offset)) * io->scale +
		       fabs(io->offset - s->offset * io->unit) * io->scale;
		q->bound = fmax(q->bound, (in->v[i].err + unit / 2 + gain) / span);
	}
	return 0;
}

/* Weights so small that all of them became 0: that would be another network. */
static bool all_lost(const struct net_layer *layer, const struct quant_layer *ql)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < layer->n_out * layer->n_in; i++) {
		if (ql->w[i])
			return false;
		any |= layer->w[i] != 0;
	}
	return any;
}

static int quantise_layer(struct quant *q, unsigned int l, const double *bias,
			  const struct values *in, const struct quant_options *opts,
			  struct values *out, struct reason *why)
{
	const struct net *net = q->net;
	const struct net_layer *layer = &net->layers[l];
	struct quant_layer *ql = &q->layers[l];
	bool last = l + 1 == net->n_layers;
	double t[LITEFLOW_MAX_WIDTH], limit;
	unsigned int j;

	for (j = 0; j < layer->n_out; j++)
		if (!(row_reach(layer, bias, in, j) <= REACH_MAX))
			return refuse_layer(net, l, bias, in, why, "too large to quantise");
	ql->wide = opts->wide >> l & 1;
	limit = ql->wide ? 2 * WIDE : NARROW + 65535;
	choose_t(net, l, bias, in, ql->wide, t);
	out->n = layer->n_out;
	for (j = 0; j < layer->n_out; j++)
		row_interval(layer, bias, in, j, &out->v[j]);
	if (angle(layer->act)) {
		if (t[0] < angle_one(layer->act)) {
			if (!ql->wide)
				return 1;
			return refuse_layer(net, l, bias, in, why,
					    "sums above 65534 are too much for a tanh or a sigmoid: "
					    "scale them");
		}
		ql->shift = (uint8_t)log2(t[0] / angle_one(layer->act));
	} else if (layer->act == LITEFLOW_ACT_RELU) {
		for (j = 0; j < out->n; j++) {
			struct value *v = &out->v[j];

			v->lo = fmax(v->lo, 0);
			v->hi = fmax(v->hi, 0);
			v->mean = fmax(v->mean, 0) + 0.4 * sqrt(v->spread);
		}
	}
	for (j = 0; j < out->n; j++)
		out->v[j].most = magnitude(&out->v[j]);
	if (!angle(layer->act) && !last &&
	    choose_hidden(q, l, bias, in, opts, out, t, why))
		return -1;
	for (j = 0; j < layer->n_out; j++) {
		if (round_row(layer, bias, in, j, t[j], limit, ql))
			return refuse(why, "layers[%u]: row %u does not fit %d-bit sums",
				      net->n_cells + l, j, ql->wide ? 64 : 32);
		row_error(layer, in, j, t[j], &out->v[j]);
	}
	if (all_lost(layer, ql))
		return refuse_layer(net, l, bias, in, why,
				    "the weights are too small to quantise beside the rest of the "
				    "row");
	activate(layer, last, ql, out);
	return 0;
}

static struct quant *quant_alloc(const struct net *net)
{
	struct quant *q = calloc(1, sizeof(*q));
	bool ok = q;
	unsigned int l;

	if (!q)
		return NULL;
	q->net = net;
	q->in = calloc(net->n_in, sizeof(*q->in));
	q->out = calloc(net->n_out, sizeof(*q->out));
	ok = q->in && q->out;
	for (l = 0; l < net->n_layers; l++) {
		struct quant_layer *ql = &q->layers[l];
		size_t n = net->layers[l].n_out;

		ql->w = calloc(n * net->layers[l].n_in, sizeof(*ql->w));
		ql->b = calloc(n, sizeof(*ql->b));
		ql->t = calloc(n, sizeof(*ql->t));
		ok = ok && ql->w && ql->b && ql->t;
	}
	if (ok)
		return q;
	quant_free(q);
	return NULL;
}

struct quant *quant_make(const struct net *net, const struct quant_options *options,
			 struct reason *why)
{
	struct quant_options opts = *options;
	struct values *in = calloc(2, sizeof(*in));
	double bias[LITEFLOW_MAX_WIDTH];
	unsigned int l;
	struct quant *q;
	int err = -1;

again:
	q = quant_alloc(net);
	if (!q || !in) {
		refuse(why, "out of memory");
		goto out;
	}
	memset(in, 0, 2 * sizeof(*in));
	/* what is behind state of 32 bits has 32 bits, too */
	if (net->n_cells && net->cells[net->n_cells - 1].state_bits == 32)
		opts.wide |= 1;
	if (net->n_cells) {
		memcpy(bias, net->layers[0].b, net->layers[0].n_out * sizeof(*bias));
		if (quant_cells(q, &opts, &in[0], why))
			goto out;
	} else if (quantise_inputs(q, opts.wide & 1, bias, &in[0], why)) {
		goto out;
	}
	for (l = 0; l < net->n_layers; l++) {
		err = quantise_layer(q, l, l ? net->layers[l].b : bias, &in[l & 1], &opts,
				     &in[~l & 1], why);
		if (err > 0) {
			/* an angle that 32 bits cannot hold */
			opts.wide |= 1U << l;
			quant_free(q);
			goto again;
		}
		if (err)
			goto out;
	}
	err = make_outputs(q, &in[l & 1], why);
out:
	free(in);
	if (!err)
		return q;
	quant_free(q);
	return NULL;
}

void quant_free(struct quant *q)
{
	unsigned int l;

	if (!q)
		return;
	for (l = 0; l < q->net->n_layers; l++) {
		free(q->layers[l].w);
		free(q->layers[l].b);
		free(q->layers[l].t);
	}
	quant_free_cells(q);
	free(q->in);
	free(q->out);
	free(q);
}
