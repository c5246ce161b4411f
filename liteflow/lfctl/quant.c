// SPDX-License-Identifier: GPL-2.0
/*
 * Quantisation, from the weights and the declared ranges alone.
 *
 * What 1.0 is in integers is a free choice for every input and for every row
 * of every layer, within what the format can express: a factor on an input is
 * taken back by its column of weights, a factor on a row by the column of the
 * next layer or by the output. With x up to X for a value up to R, and T for
 * 1.0 in a sum, an input's rounding costs a sum |w| * R / 2X at most, and the
 * rounding of its weight X / 2T. A sum of 32 bits fixes T, whatever X is, so X
 * is chosen such that the two are equal, over all rows:
 *
 *	X^4 = R^2 * sum of c * w^2 / sum of c / T^2
 *
 * where c says how much the error of a row matters. Inputs are centred, as that
 * halves R; the network's offsets go into the biases, which are exact.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "quant.h"

#define X_MAX		32767.0
#define W_MAX		32767.0
#define Y_ONE		((double)(1 << LITEFLOW_TANH_OUT_FRAC))
#define NARROW		(2147483647.0 - 65536)	/* less what the rounding shift adds */
#define WIDE		0x1p45
#define T_MAX		0x1p40
#define REACH_MAX	1e40			/* of a sum: its square is still finite */
#define TABLE_ERROR	(2.0 / Y_ONE)		/* of lf_tanh() */

/**
 * struct values - what goes into a layer
 * @n: number of them
 * @lo: least value, relative to the centre
 * @hi: greatest value
 * @g: 1.0 in integers; its sign is that of the scale
 * @x: greatest magnitude of the integer
 * @var: variance of the error
 * @mean: as independent inputs would make it
 * @spread: variance of the value itself, likewise
 * @err: bound of the error
 */
struct values {
	unsigned int n;
	struct value {
		double lo, hi, g, x, var, err, mean, spread;
	} v[LITEFLOW_MAX_WIDTH];
};

static double magnitude(const struct value *v)
{
	return fmax(fabs(v->lo), fabs(v->hi));
}

static double pow2_floor(double v)
{
	int e;

	frexp(v, &e);
	return ldexp(1, e - 1);
}

/* What sums of this kind are in: all rows share one power of two. */
static bool angle(int act)
{
	return act == LITEFLOW_ACT_TANH || act == LITEFLOW_ACT_SIGMOID;
}

/* 1.0 of an angle: lf_tanh() takes LITEFLOW_TANH_IN_FRAC bits, a sigmoid half of it */
static double angle_one(int act)
{
	return ldexp(1, LITEFLOW_TANH_IN_FRAC - (act == LITEFLOW_ACT_SIGMOID));
}

/* mult / 2^shift = r as nearly as may be, while mult * v fits 62 bits */
static int ratio(double r, double v, int32_t *mult, uint8_t *shift)
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

/* How much an error of this row matters. */
static double importance(const struct net *net, unsigned int l, unsigned int row)
{
	const struct net_layer *next = &net->layers[l + 1];
	double sum = 0, span;
	unsigned int k;

	if (l + 1 == net->n_layers) {
		if (net->layers[l].act == LITEFLOW_ACT_ARGMAX)
			return 1;
		span = net->out[row].hi - net->out[row].lo;
		return 1 / (span * span);
	}
	for (k = 0; k < next->n_out; k++)
		sum += pow(next->w[(size_t)k * next->n_in + row], 2);
	return fmax(sum, 1e-30);
}

/* Greatest magnitude of a row's sum, |bias| included, 1.0 = 1. */
static double row_reach(const struct net_layer *layer, const double *bias,
			const struct values *in, unsigned int row)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	double sum = fabs(bias[row]);
	unsigned int i;

	for (i = 0; i < layer->n_in; i++)
		sum += fabs(w[i]) * magnitude(&in->v[i]);
	return sum;
}

/* Refuse a layer for the row that reaches furthest, and name what makes it do so. */
static int refuse_layer(const struct net *net, unsigned int l, const double *bias,
			const struct values *in, struct reason *why, const char *problem)
{
	const struct net_layer *layer = &net->layers[l];
	unsigned int row = 0, col = 0, i;
	const double *w;

	for (i = 1; i < layer->n_out; i++)
		if (row_reach(layer, bias, in, i) > row_reach(layer, bias, in, row))
			row = i;
	w = layer->w + (size_t)row * layer->n_in;
	for (i = 1; i < layer->n_in; i++)
		if (fabs(w[i]) * magnitude(&in->v[i]) > fabs(w[col]) * magnitude(&in->v[col]))
			col = i;
	if (fabs(layer->b[row]) > fabs(w[col]) * magnitude(&in->v[col]))
		return refuse(why, "layers[%u].bias[%u] is %g: %s", l, row, layer->b[row],
			      problem);
	return refuse(why, "layers[%u].weights[%u][%u] is %g, its input reaches %g: %s", l, row,
		      col, w[col], magnitude(&in->v[col]), problem);
}

/* T of every row, as far as 32-bit sums alone limit it. */
static void first_t(const struct net_layer *layer, const double *bias, const struct values *in,
		    double *t)
{
	double least = T_MAX;
	unsigned int j;

	for (j = 0; j < layer->n_out; j++) {
		t[j] = fmin(NARROW / fmax(row_reach(layer, bias, in, j), 1e-12), T_MAX);
		least = fmin(least, t[j]);
	}
	for (j = 0; j < layer->n_out; j++)
		if (angle(layer->act))
			t[j] = pow2_floor(least);
		else if (layer->act == LITEFLOW_ACT_ARGMAX)
			t[j] = least;
}

/* The best greatest integer for input @i of layer @l, see above. */
static double best_x(const struct net *net, unsigned int l, const double *t, unsigned int i,
		     double r)
{
	const struct net_layer *layer = &net->layers[l];
	double up = 0, down = 0, least = 1, c, w;
	unsigned int j;

	for (j = 0; j < layer->n_out; j++) {
		w = layer->w[(size_t)j * layer->n_in + i];
		c = importance(net, l, j);
		up += c * w * w;
		down += c / (t[j] * t[j]);
		/* the weight has to fit 16 bits */
		least = fmax(least, fabs(w) * r * t[j] / W_MAX);
	}
	return fmin(fmax(pow(r * r * up / down, 0.25), least), X_MAX);
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
	first_t(layer, bias, in, t);
	for (i = 0; i < net->n_in; i++) {
		io = &net->in[i];
		s = &q->in[i];
		v = &in->v[i];
		steps = (double)s->hi - s->offset;
		x = wide ? X_MAX : best_x(net, 0, t, i, v->hi);
		/* a whole number per step is exact */
		if (steps && x >= steps)
			x = steps * floor(x / steps);
		if (!steps)
			x = 1;
		/* a little less: rounded up it still has to fit */
		if (ratio(x / fmax(steps, 1) * (x < X_MAX ? 1 : 1 - 1e-6), fmax(steps, 1),
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

/* T of every row such that weights fit 16 bits, and sums 32 if they have to. */
static void limit_t(const struct net *net, unsigned int l, const double *bias,
		    const struct values *in, bool wide, double *t)
{
	const struct net_layer *layer = &net->layers[l];
	bool last = l + 1 == net->n_layers;
	double slack = 1, reach, w, least = T_MAX;
	unsigned int i, j;

	for (i = 0; i < layer->n_in; i++)
		slack += in->v[i].x / 2;
	for (j = 0; j < layer->n_out; j++) {
		reach = fabs(bias[j]);
		t[j] = T_MAX;
		for (i = 0; i < layer->n_in; i++) {
			w = fabs(layer->w[(size_t)j * layer->n_in + i]);
			reach += w * in->v[i].x / fabs(in->v[i].g);
			if (w > 0)
				t[j] = fmin(t[j], W_MAX * fabs(in->v[i].g) / w);
		}
		if (reach > 0)
			t[j] = fmin(t[j], ((wide ? WIDE : NARROW) - slack) / reach);
		/* the factor of the output needs some bits, too */
		if (last && !angle(layer->act) && layer->act != LITEFLOW_ACT_ARGMAX)
			t[j] = fmin(t[j], 0x1p36 / net->out[j].unit);
		least = fmin(least, t[j]);
	}
	for (j = 0; j < layer->n_out; j++)
		if (angle(layer->act))
			t[j] = pow2_floor(least);
		else if (layer->act == LITEFLOW_ACT_ARGMAX)
			t[j] = least;
}

/* Interval of a row's sum before the activation. */
static void row_interval(const struct net_layer *layer, const double *bias,
			 const struct values *in, unsigned int row, struct value *out)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	const struct value *v = in->v;
	unsigned int i;

	out->lo = bias[row];
	out->hi = bias[row];
	out->mean = bias[row];
	out->spread = 0;
	for (i = 0; i < layer->n_in; i++, v++) {
		out->lo += w[i] > 0 ? w[i] * v->lo : w[i] * v->hi;
		out->hi += w[i] > 0 ? w[i] * v->hi : w[i] * v->lo;
		out->mean += w[i] * v->mean;
		out->spread += w[i] * w[i] * v->spread;
	}
}

/* Error of a row's sum: what the inputs bring along, and the weights' rounding. */
static void row_error(const struct net_layer *layer, const struct values *in,
		      unsigned int row, double t, struct value *out)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	const struct value *v = in->v;
	unsigned int i;

	out->var = 1 / (12 * t * t);
	out->err = 0.5 / t;
	for (i = 0; i < layer->n_in; i++, v++) {
		out->var += w[i] * w[i] * v->var + v->x * v->x / (36 * t * t);
		out->err += (fabs(w[i]) + fabs(v->g) / (2 * t)) * v->err + v->x / (2 * t);
	}
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

/* The shift of a hidden layer without angles that costs the least error. */
static void choose_shift(const struct net *net, unsigned int l, const struct values *in,
			 const double *y, double *t, uint8_t *shift)
{
	const struct net_layer *layer = &net->layers[l];
	double best = INFINITY, cost, tj, keep[LITEFLOW_MAX_WIDTH];
	struct value v;
	unsigned int j;
	int s;

	memcpy(keep, t, layer->n_out * sizeof(*t));
	for (s = 0; s <= 30; s++) {
		cost = 0;
		for (j = 0; j < layer->n_out; j++) {
			tj = fmin(keep[j], ldexp(y[j], s));
			row_error(layer, in, j, tj, &v);
			v.var += ldexp(1 / (12 * tj * tj), 2 * s);
			cost += v.var * importance(net, l, j);
		}
		if (cost >= best)
			continue;
		best = cost;
		*shift = s;
		for (j = 0; j < layer->n_out; j++)
			t[j] = fmin(keep[j], ldexp(y[j], s));
	}
}

/* Hidden layer without angles: how large its integers may become. */
static int scale_hidden(struct quant *q, unsigned int l, const double *bias,
			const struct values *in, double sigmas, bool next_wide,
			struct values *out, double *t, struct reason *why)
{
	const struct net *net = q->net;
	double y[LITEFLOW_MAX_WIDTH], next_t[LITEFLOW_MAX_WIDTH], r, x;
	unsigned int j;

	out->n = net->layers[l].n_out;
	first_t(&net->layers[l + 1], net->layers[l + 1].b, out, next_t);
	for (j = 0; j < out->n; j++) {
		struct value *v = &out->v[j];

		r = magnitude(v);
		if (sigmas > 0)
			r = fmin(r, fabs(v->mean) + sigmas * sqrt(v->spread));
		x = next_wide ? X_MAX : best_x(net, l + 1, next_t, j, r);
		/* y: 1.0 in the activation; a row that is always 0 may have any */
		y[j] = r > 0 ? (x - 1) / r : T_MAX;
	}
	choose_shift(net, l, in, y, t, &q->layers[l].shift);
	for (j = 0; j < out->n; j++)
		if (!(t[j] > 0x1p-40))
			return refuse_layer(net, l, bias, in, why, "too large to quantise");
	return 0;
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
		y = magnitude(v) * v->g + v->err * v->g + 1;
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
	double one, most, span, gain;
	unsigned int i;

	for (i = 0; i < net->n_out; i++) {
		const struct net_io *io = &net->out[i];
		struct quant_scale *s = &q->out[i];

		s->lo = io->ilo;
		s->hi = io->ihi;
		one = act == LITEFLOW_ACT_ARGMAX ? 1 : angle(act) ? Y_ONE : ql->t[i];
		most = act == LITEFLOW_ACT_ARGMAX ? LITEFLOW_MAX_WIDTH : angle(act) ? Y_ONE : ql->acc;
		if (ratio(1 / (one * io->unit), fmax(most, 1), &s->mult, &s->shift))
			return refuse(why, "outputs[%u]: its unit does not go with the weights: "
				      "take a coarser or a finer one", i);
		if (act == LITEFLOW_ACT_ARGMAX)
			continue;
		span = ((double)io->ihi - io->ilo) * io->unit;
		q->rms = fmax(q->rms, sqrt(in->v[i].var + io->unit * io->unit / 12) / span);
		/* the factor is rounded, too */
		gain = fabs(ldexp(s->mult, -s->shift) * one * io->unit - 1) *
		       fmax(fabs(io->lo), fabs(io->hi));
		q->bound = fmax(q->bound, (in->v[i].err + io->unit / 2 + gain) / span);
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
			  const struct values *in, unsigned int wide, double sigmas,
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
	ql->wide = wide >> l & 1;
	limit = ql->wide ? 2 * WIDE : NARROW + 65535;
	limit_t(net, l, bias, in, ql->wide, t);
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
	if (!angle(layer->act) && !last &&
	    scale_hidden(q, l, bias, in, sigmas, wide >> (l + 1) & 1, out, t, why))
		return -1;
	for (j = 0; j < layer->n_out; j++) {
		if (round_row(layer, bias, in, j, t[j], limit, ql))
			return refuse(why, "layers[%u]: row %u does not fit %d-bit sums", l, j,
				      ql->wide ? 64 : 32);
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

struct quant *quant_make(const struct net *net, unsigned int wide, double sigmas,
			 struct reason *why)
{
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
	if (quantise_inputs(q, wide & 1, bias, &in[0], why))
		goto out;
	for (l = 0; l < net->n_layers; l++) {
		err = quantise_layer(q, l, l ? net->layers[l].b : bias, &in[l & 1], wide, sigmas,
				     &in[~l & 1], why);
		if (err > 0) {
			/* an angle that 32 bits cannot hold */
			wide |= 1U << l;
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
	free(q->in);
	free(q->out);
	free(q);
}
