// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's forward pass: integers only, and exact.
 *
 * include/uapi/linux/liteflow_model.h has the formulas. What lf_model_parse()
 * accepted cannot overflow here, whatever the inputs are, so nothing is checked
 * and nothing can fail.
 *
 * Two rows of a layer share an accumulator of 64 bits. Each of their sums fits
 * 32 bits, so with
 *
 *	pair[i] = even[i] + (odd[i] << 32)
 *
 * one multiplication does the work of two:
 *
 *	sum of pair[i] * x[i] = sum of even[i] * x[i] + (sum of odd[i] * x[i] << 32)
 *
 * The lower half is the even row's sum as it is. If it is negative it borrowed
 * one from the upper half, which subtracting it gives back.
 */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "curve.h"
#include "engine.h"

/**
 * lf_tanh() - hyperbolic tangent
 * @angle: with LITEFLOW_TANH_IN_FRAC bits after the point; any value
 *
 * Linear interpolation between LITEFLOW_TANH_STEPS points of [0, 8); the error is
 * below 2 units of the last place.
 *
 * Context: any.
 * Return: tanh(@angle) with LITEFLOW_TANH_OUT_FRAC bits after the point, within
 * +-S16_MAX.
 */
s32 lf_tanh(s64 angle)
{
	return lf_tanh_at(angle);
}
EXPORT_SYMBOL_GPL(lf_tanh);

/*
 * A layer's activation, with what is the same for all rows at hand. Sigmoid is
 * a tanh: 1 / (1 + exp(-a)) = (1 + tanh(a / 2)) / 2; ReLU saturates at 0.
 */
struct lf_act {
	bool curve;
	u8 shift;
	u8 half;
	s32 base;
	s32 least;
};

static __always_inline struct lf_act lf_act_of(const struct lf_layer *layer, bool curve)
{
	bool sigmoid = layer->act == LITEFLOW_ACT_SIGMOID;

	return (struct lf_act) {
		.curve = curve,
		.shift = layer->shift,
		.half = sigmoid,
		.base = sigmoid << LITEFLOW_TANH_OUT_FRAC,
		.least = layer->act == LITEFLOW_ACT_RELU ? 0 : S16_MIN,
	};
}

static bool lf_is_curve(const struct lf_layer *layer)
{
	return layer->act == LITEFLOW_ACT_TANH || layer->act == LITEFLOW_ACT_SIGMOID;
}

static __always_inline s32 lf_act(const struct lf_act *act, s64 sum)
{
	s64 v = lf_rshift(sum, act->shift);

	if (act->curve)
		return (act->base + lf_tanh_at(v)) >> act->half;
	return min_t(s64, max_t(s64, v, act->least), S16_MAX);
}

/**
 * lf_hidden() - what becomes of a sum in a layer that is not the last
 * @layer: the layer
 * @sum: of a row
 *
 * Never falls when @sum rises: the proofs at load rely on it.
 *
 * Context: any.
 * Return: the activation; fits 16 bits.
 */
s32 lf_hidden(const struct lf_layer *layer, s64 sum)
{
	const struct lf_act act = lf_act_of(layer, lf_is_curve(layer));

	return lf_act(&act, sum);
}

/**
 * lf_value() - what becomes of a sum in the last layer, unless it is argmax
 * @layer: the layer
 * @sum: of a row
 *
 * Never falls when @sum rises.
 *
 * Context: any.
 * Return: the value from which the output is made.
 */
s64 lf_value(const struct lf_layer *layer, s64 sum)
{
	switch (layer->act) {
	case LITEFLOW_ACT_NONE:
		return sum;
	case LITEFLOW_ACT_RELU:
		return max_t(s64, sum, 0);
	default:
		return lf_hidden(layer, sum);
	}
}

/* Four pairs of rows at once: four sums that do not wait for each other. */
static __always_inline void lf_sum_block(const struct lf_layer *layer, unsigned int row,
					 const s16 *x, s64 *acc)
{
	const s64 *bias = layer->bias + row / 2;
	unsigned int n = layer->n_in;
	const s64 *w0 = layer->pair + (size_t)row / 2 * n;
	const s64 *w1 = w0 + n, *w2 = w1 + n, *w3 = w2 + n;
	s64 a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];
	unsigned int i;

	for (i = 0; i + 1 < n; i += 2) {
		s64 u = x[i], v = x[i + 1];

		a0 += w0[i] * u + w0[i + 1] * v;
		a1 += w1[i] * u + w1[i + 1] * v;
		a2 += w2[i] * u + w2[i + 1] * v;
		a3 += w3[i] * u + w3[i + 1] * v;
	}
	if (i < n) {
		s64 u = x[i];

		a0 += w0[i] * u;
		a1 += w1[i] * u;
		a2 += w2[i] * u;
		a3 += w3[i] * u;
	}
	acc[0] = a0;
	acc[1] = a1;
	acc[2] = a2;
	acc[3] = a3;
}

static __always_inline s64 lf_sum_pair(const struct lf_layer *layer, unsigned int row,
				       const s16 *x)
{
	const s64 *w = layer->pair + (size_t)row / 2 * layer->n_in;
	unsigned int n = layer->n_in, i;
	s64 acc = layer->bias[row / 2];

	for (i = 0; i < n; i++)
		acc += w[i] * x[i];
	return acc;
}

static __always_inline s64 lf_sum_wide(const struct lf_layer *layer, unsigned int row,
				       const s16 *x)
{
	const s16 *w = layer->weight + (size_t)row * layer->n_in;
	unsigned int n = layer->n_in, i;
	s64 acc = layer->bias[row];

	for (i = 0; i < n; i++)
		acc += (s32)w[i] * x[i];
	return acc;
}

/* Written out: the compiler would go through memory. */
static __always_inline void lf_put_pair(const struct lf_act *act, s64 acc, s16 *y)
{
	y[0] = lf_act(act, lf_even(acc));
	y[1] = lf_act(act, lf_odd(acc));
}

/* A copy for curves and one for lines: @curve is a constant. */
static __always_inline void lf_run_pairs(const struct lf_layer *layer, bool curve, const s16 *x,
					 s16 *y)
{
	const struct lf_act act = lf_act_of(layer, curve);
	unsigned int n = layer->n_out, row = 0;
	s64 acc[4];

	for (; row + 8 <= n; row += 8, y += 8) {
		lf_sum_block(layer, row, x, acc);
		lf_put_pair(&act, acc[0], y);
		lf_put_pair(&act, acc[1], y + 2);
		lf_put_pair(&act, acc[2], y + 4);
		lf_put_pair(&act, acc[3], y + 6);
	}
	for (; row < n; row += 2, y += 2) {
		acc[0] = lf_sum_pair(layer, row, x);
		y[0] = lf_act(&act, lf_even(acc[0]));
		/* an odd last row has a neighbour of zeroes, and y no room for it */
		if (row + 1 < n)
			y[1] = lf_act(&act, lf_odd(acc[0]));
	}
}

static void lf_run_wide(const struct lf_layer *layer, const s16 *x, s16 *y)
{
	unsigned int row;

	for (row = 0; row < layer->n_out; row++)
		y[row] = lf_hidden(layer, lf_sum_wide(layer, row, x));
}

/* Not inline, as the next two: one frame at a time instead of all at once. */
static noinline void lf_run_hidden(const struct lf_layer *layer, const s16 *x, s16 *y)
{
	if (layer->wide)
		lf_run_wide(layer, x, y);
	else if (lf_is_curve(layer))
		lf_run_pairs(layer, true, x, y);
	else
		lf_run_pairs(layer, false, x, y);
}

/* Sums of row 0, 2 and so on and of their neighbours. */
static void lf_sum_two(const struct lf_layer *layer, unsigned int row, const s16 *x, s64 *sum)
{
	s64 acc;

	if (layer->wide) {
		sum[0] = lf_sum_wide(layer, row, x);
		if (row + 1 < layer->n_out)
			sum[1] = lf_sum_wide(layer, row + 1, x);
	} else {
		acc = lf_sum_pair(layer, row, x);
		sum[0] = lf_even(acc);
		sum[1] = lf_odd(acc);
	}
}

static noinline void lf_run_last(const struct lf_model *model, const struct lf_layer *layer,
				 const s16 *x, s32 *out)
{
	unsigned int n = layer->n_out, row;
	s64 sum[2];

	for (row = 0; row < n; row++) {
		if (!(row & 1))
			lf_sum_two(layer, row, x, sum);
		out[row] = lf_output(&model->out[row], lf_value(layer, sum[row & 1]));
	}
}

static noinline void lf_run_argmax(const struct lf_model *model, const struct lf_layer *layer,
				   const s16 *x, s32 *out)
{
	unsigned int n = layer->n_out, row, largest = 0;
	s64 sum[2], most = S64_MIN;

	for (row = 0; row < n; row++) {
		if (!(row & 1))
			lf_sum_two(layer, row, x, sum);
		if (sum[row & 1] > most) {
			most = sum[row & 1];
			largest = row;
		}
	}
	out[0] = lf_output(model->out, largest);
}

/* From the inputs of @layer, in @x, to the answer; @y has room for as many. */
static __always_inline void lf_run_layers(const struct lf_model *model,
					  const struct lf_layer *layer, s16 *x, s16 *y, s32 *out)
{
	const struct lf_layer *last = model->layers + model->n_layers - 1;

	for (; layer < last; layer++) {
		lf_run_hidden(layer, x, y);
		swap(x, y);
	}
	if (last->act == LITEFLOW_ACT_ARGMAX)
		lf_run_argmax(model, last, x, out);
	else
		lf_run_last(model, last, x, out);
}

/**
 * lf_model_run() - ask a model
 * @model: from lf_model_parse(); one that keeps no state
 * @in: lf_model::n_in inputs, the app's units; any values
 * @out: result: lf_model::n_out outputs
 * @scratch: room for 2 * lf_model::width activations, the caller's alone
 *
 * Needs about 200 bytes of stack on x86-64.
 *
 * Context: any; takes no lock and touches nothing but its arguments.
 */
void lf_model_run(const struct lf_model *model, const s32 *in, s32 *out, s16 *scratch)
{
	const struct lf_scale *scale = model->in;
	unsigned int i, n = model->n_in;

	for (i = 0; i < n; i++, scale++)
		scratch[i] = lf_input(scale, in[i]);
	lf_run_layers(model, model->layers, scratch, scratch + model->width, out);
}

/* The layers from @nth on, of which @x has the inputs; @y has room for as many. */
void lf_model_finish(const struct lf_model *model, unsigned int nth, s16 *x, s16 *y, s32 *out)
{
	lf_run_layers(model, model->layers + nth, x, y, out);
}

/**
 * lf_layer_weight() - a weight as the blob had it
 * @layer: of a model
 * @row: output, below lf_layer::n_out
 * @col: input, below lf_layer::n_in
 *
 * Context: any.
 * Return: the weight.
 */
s16 lf_layer_weight(const struct lf_layer *layer, unsigned int row, unsigned int col)
{
	s64 pair;

	if (layer->wide)
		return layer->weight[(size_t)row * layer->n_in + col];
	pair = layer->pair[(size_t)row / 2 * layer->n_in + col];
	return row & 1 ? lf_odd(pair) : lf_even(pair);
}
EXPORT_SYMBOL_GPL(lf_layer_weight);

/**
 * lf_layer_bias() - a bias as the blob had it
 * @layer: of a model
 * @row: output, below lf_layer::n_out
 *
 * Context: any.
 * Return: the bias.
 */
s64 lf_layer_bias(const struct lf_layer *layer, unsigned int row)
{
	if (layer->wide)
		return layer->bias[row];
	return row & 1 ? lf_odd(layer->bias[row / 2]) : lf_even(layer->bias[row / 2]);
}
EXPORT_SYMBOL_GPL(lf_layer_bias);
