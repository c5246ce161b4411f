// SPDX-License-Identifier: GPL-2.0
/*
 * What 1.0 is in the integers of each layer.
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
#include <string.h>
#include "choose.h"
#include "data.h"

/* Of what is possible: a row that the data never move still may */
#define DATA_LEAST	(1.0 / 64)

/* How much an error of this row matters. */
static double importance(const struct net *net, unsigned int l, unsigned int row)
{
	const struct net_layer *next = &net->layers[l + 1];
	double sum = 0, span;
	unsigned int k;

	if (l + 1 == net->n_layers) {
		if (net->layers[l].act == LITEFLOW_ACT_ARGMAX)
			return 1;
		span = (net->out[row].hi - net->out[row].lo) * net->out[row].scale;
		return 1 / (span * span);
	}
	for (k = 0; k < next->n_out; k++)
		sum += pow(next->w[(size_t)k * next->n_in + row], 2);
	return fmax(sum, 1e-30);
}

/* Greatest magnitude of a row's sum, |bias| included, 1.0 = 1. */
double row_reach(const struct net_layer *layer, const double *bias, const struct values *in,
		 unsigned int row)
{
	const double *w = layer->w + (size_t)row * layer->n_in;
	double sum = fabs(bias[row]);
	unsigned int i;

	for (i = 0; i < layer->n_in; i++)
		sum += fabs(w[i]) * magnitude(&in->v[i]);
	return sum;
}

/* Refuse a layer for the row that reaches furthest, and name what makes it do so. */
int refuse_layer(const struct net *net, unsigned int l, const double *bias,
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
		return refuse(why, "layers[%u].bias[%u] is %g: %s", net->n_cells + l, row,
			      layer->b[row], problem);
	return refuse(why, "layers[%u].weights[%u][%u] is %g, its input reaches %g: %s",
		      net->n_cells + l, row, col, w[col], magnitude(&in->v[col]), problem);
}

/* Angles share one power of two; what argmax compares, one factor. */
static void same_t(const struct net_layer *layer, double least, double *t)
{
	unsigned int j;

	for (j = 0; j < layer->n_out; j++)
		if (angle(layer->act))
			t[j] = pow2_floor(least);
		else if (layer->act == LITEFLOW_ACT_ARGMAX)
			t[j] = least;
}

/* T of every row, as far as 32-bit sums alone limit it. */
void choose_first_t(const struct net_layer *layer, const double *bias, const struct values *in,
		    double *t)
{
	double least = T_MAX;
	unsigned int j;

	for (j = 0; j < layer->n_out; j++) {
		t[j] = fmin(NARROW / fmax(row_reach(layer, bias, in, j), 1e-12), T_MAX);
		least = fmin(least, t[j]);
	}
	same_t(layer, least, t);
}

/* The best greatest integer for input @i of layer @l, see above. */
double choose_x(const struct net *net, unsigned int l, const double *t, unsigned int i, double r)
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

/* T of every row such that weights fit 16 bits, and sums 32 if they have to. */
void choose_t(const struct net *net, unsigned int l, const double *bias, const struct values *in,
	      bool wide, double *t)
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
			t[j] = fmin(t[j], 0x1p36 / (net->out[j].unit * net->out[j].scale));
		/* whole numbers of 32 bits stay exact */
		if (in->v[0].x > X_MAX + 1)
			t[j] = pow2_floor(t[j]);
		least = fmin(least, t[j]);
	}
	same_t(layer, least, t);
}

/* Interval of a row's sum before the activation. */
void row_interval(const struct net_layer *layer, const double *bias, const struct values *in,
		  unsigned int row, struct value *out)
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
void row_error(const struct net_layer *layer, const struct values *in, unsigned int row, double t,
	       struct value *out)
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

/*
 * The greatest magnitude that a row has to represent. Rows of data that leave it
 * small are few: a part of what is possible is kept in any case.
 */
static double hidden_reach(const struct quant_options *opts, unsigned int l, unsigned int row,
			   const struct value *v)
{
	double r = magnitude(v);

	if (opts->ranges)
		return fmin(r, fmax(opts->ranges->most[l][row], r * DATA_LEAST));
	if (opts->sigmas > 0)
		return fmin(r, fabs(v->mean) + opts->sigmas * sqrt(v->spread));
	return r;
}

/* Hidden layer without angles: how large its integers may become. */
int choose_hidden(struct quant *q, unsigned int l, const double *bias, const struct values *in,
		  const struct quant_options *opts, struct values *out, double *t,
		  struct reason *why)
{
	double y[LITEFLOW_MAX_WIDTH], next_t[LITEFLOW_MAX_WIDTH], r, x;
	bool next_wide = opts->wide >> (l + 1) & 1;
	const struct net *net = q->net;
	unsigned int j;

	out->n = net->layers[l].n_out;
	choose_first_t(&net->layers[l + 1], net->layers[l + 1].b, out, next_t);
	for (j = 0; j < out->n; j++) {
		struct value *v = &out->v[j];

		r = hidden_reach(opts, l, j, v);
		x = next_wide ? X_MAX : choose_x(net, l + 1, next_t, j, r);
		/*
		 * Values of data end where 16 bits do: what could come beyond counts
		 * in no sum of the next layer, which leaves its weights more bits.
		 */
		if (opts->ranges && r < magnitude(v)) {
			x = X_MAX;
			v->lo = fmax(v->lo, -r);
			v->hi = fmin(v->hi, r);
		}
		/* y: 1.0 in the activation; a row that is always 0 may have any */
		y[j] = r > 0 ? (x - 1) / r : T_MAX;
	}
	choose_shift(net, l, in, y, t, &q->layers[l].shift);
	for (j = 0; j < out->n; j++)
		if (!(t[j] > 0x1p-40))
			return refuse_layer(net, l, bias, in, why, "too large to quantise");
	return 0;
}
