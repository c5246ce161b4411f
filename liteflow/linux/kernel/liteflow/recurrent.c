// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's forward pass of models that remember.
 *
 * include/uapi/linux/liteflow_model.h has the formulas, recurrent.h the layout. As in
 * engine.c, what lf_model_parse() accepted cannot overflow here, whatever inputs and
 * state are, so nothing is checked and nothing can fail.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include "curve.h"
#include "engine.h"
#include "recurrent.h"

/* One in the units of tanh's value, and of the gates. */
#define LF_ONE	((s64)BIT(LITEFLOW_TANH_OUT_FRAC))

static __always_inline s64 lf_gate(s64 sum, unsigned int shift)
{
	return (LF_ONE + lf_tanh_at(lf_rshift(sum, shift + 1))) >> 1;
}

/* Four sums that do not wait for each other; the weights lie in the order of use. */
static __always_inline const s64 *lf_sum4(const s64 *w, const s32 *x, unsigned int n, s64 *acc)
{
	s64 a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
	unsigned int i;

	for (i = 0; i < n; i++, w += 4) {
		s64 v = x[i];

		a0 += w[0] * v;
		a1 += w[1] * v;
		a2 += w[2] * v;
		a3 += w[3] * v;
	}
	acc[0] = a0;
	acc[1] = a1;
	acc[2] = a2;
	acc[3] = a3;
	return w;
}

static __always_inline const s64 *lf_sum3(const s64 *w, const s32 *x, unsigned int n, s64 *r,
					  s64 *z, s64 *last)
{
	s64 a0 = *r, a1 = *z, a2 = *last;
	unsigned int i;

	for (i = 0; i < n; i++, w += 3) {
		s64 v = x[i];

		a0 += w[0] * v;
		a1 += w[1] * v;
		a2 += w[2] * v;
	}
	*r = a0;
	*z = a1;
	*last = a2;
	return w;
}

static __always_inline s32 lf_rnn_value(const struct lf_cell *cell, bool curve, s64 most, s64 sum)
{
	s64 v = lf_rshift(sum, cell->shift);

	if (curve)
		return lf_tanh_at(v);
	return min_t(s64, max_t(s64, v, 0), most);
}

/* @curve and @wide are constants. */
static __always_inline void lf_run_rnn(const struct lf_cell *cell, bool curve, bool wide,
				       const s32 *x, const s32 *h, s32 *y)
{
	unsigned int units = wide ? LF_BLOCK : 2 * LF_BLOCK, unit, k;
	const s64 *w = cell->weight, *bias = cell->bias;
	const s64 most = lf_h_max(cell->state_bits);
	unsigned int n = cell->n_out;
	s32 part[2 * LF_BLOCK], *to;
	s64 acc[LF_BLOCK];

	for (unit = 0; unit < n; unit += units, bias += LF_BLOCK) {
		memcpy(acc, bias, sizeof(acc));
		w = lf_sum4(w, x, cell->n_in, acc);
		w = lf_sum4(w, h, n, acc);
		/* the last block may have units that are none, and y has no room for them */
		to = n - unit < units ? part : y + unit;
		for (k = 0; k < LF_BLOCK; k++) {
			if (wide) {
				to[k] = lf_rnn_value(cell, curve, most, acc[k]);
			} else {
				to[2 * k] = lf_rnn_value(cell, curve, most, lf_even(acc[k]));
				to[2 * k + 1] = lf_rnn_value(cell, curve, most, lf_odd(acc[k]));
			}
		}
		if (to == part)
			for (k = 0; unit + k < n; k++)
				y[unit + k] = part[k];
	}
}

static __always_inline s32 lf_lstm_unit(const struct lf_cell *cell, s64 i, s64 f, s64 g, s64 o,
					s32 *c)
{
	s64 v;

	i = lf_gate(i, cell->shift);
	f = lf_gate(f, cell->shift);
	g = lf_tanh_at(lf_rshift(g, cell->shift));
	o = lf_gate(o, cell->shift);
	/* i * g has 30 bits after the point, f * c has 15 more than c */
	v = lf_rshift(f * *c + i * g * (1LL << (cell->c_frac - LITEFLOW_TANH_OUT_FRAC)),
		      LITEFLOW_TANH_OUT_FRAC);
	v = min_t(s64, max_t(s64, v, S32_MIN), S32_MAX);
	*c = v;
	return lf_rshift(o * lf_tanh_at(lf_rshift(v, cell->c_frac - LITEFLOW_TANH_IN_FRAC)),
			 LITEFLOW_TANH_OUT_FRAC);
}

static __always_inline void lf_run_lstm(const struct lf_cell *cell, bool wide, const s32 *x,
					const s32 *h, s32 *c, s32 *y)
{
	const s64 *w = cell->weight, *bias = cell->bias;
	unsigned int n = cell->n_out, unit;
	s64 acc[LF_BLOCK];

	for (unit = 0; unit < n; unit += wide ? 1 : 2, bias += LF_BLOCK) {
		memcpy(acc, bias, sizeof(acc));
		w = lf_sum4(w, x, cell->n_in, acc);
		w = lf_sum4(w, h, n, acc);
		if (wide) {
			y[unit] = lf_lstm_unit(cell, acc[0], acc[1], acc[2], acc[3], &c[unit]);
			continue;
		}
		y[unit] = lf_lstm_unit(cell, lf_even(acc[0]), lf_odd(acc[0]), lf_even(acc[1]),
				       lf_odd(acc[1]), &c[unit]);
		if (unit + 1 < n)
			y[unit + 1] = lf_lstm_unit(cell, lf_even(acc[2]), lf_odd(acc[2]),
						   lf_even(acc[3]), lf_odd(acc[3]), &c[unit + 1]);
	}
}

static __always_inline s32 lf_gru_unit(const struct lf_cell *cell, s64 r, s64 z, s64 n_x, s64 n_h,
				       s64 h)
{
	s64 n;

	r = lf_gate(r, cell->shift);
	z = lf_gate(z, cell->shift);
	n = n_x + lf_rshift(r * n_h, LITEFLOW_TANH_OUT_FRAC);
	n = lf_tanh_at(lf_rshift(n, cell->shift));
	return lf_rshift((LF_ONE - z) * n + z * h, LITEFLOW_TANH_OUT_FRAC);
}

static __always_inline void lf_run_gru(const struct lf_cell *cell, bool wide, const s32 *x,
				       const s32 *h, s32 *y)
{
	const s64 *w = cell->weight, *bias = cell->bias;
	unsigned int n = cell->n_out, unit;
	s64 a, b, n_x, n_h;

	for (unit = 0; unit < n; unit += wide ? 1 : 2, bias += LF_BLOCK) {
		a = bias[0];
		b = bias[1];
		n_x = bias[LF_GRU_N_X];
		n_h = bias[LF_GRU_N_H];
		w = lf_sum3(w, x, cell->n_in, &a, &b, &n_x);
		w = lf_sum3(w, h, n, &a, &b, &n_h);
		if (wide) {
			y[unit] = lf_gru_unit(cell, a, b, n_x, n_h, h[unit]);
			continue;
		}
		y[unit] = lf_gru_unit(cell, lf_even(a), lf_odd(a), lf_even(n_x), lf_even(n_h),
				      h[unit]);
		if (unit + 1 < n)
			y[unit + 1] = lf_gru_unit(cell, lf_even(b), lf_odd(b), lf_odd(n_x),
						  lf_odd(n_h), h[unit + 1]);
	}
}

/* Functions of their own: one frame at a time, and a copy for each kind of layer. */
static noinline void lf_cell_rnn(const struct lf_cell *cell, const s32 *x, const s32 *h, s32 *y)
{
	bool curve = cell->act == LITEFLOW_ACT_TANH;

	if (curve && cell->wide)
		lf_run_rnn(cell, true, true, x, h, y);
	else if (curve)
		lf_run_rnn(cell, true, false, x, h, y);
	else if (cell->wide)
		lf_run_rnn(cell, false, true, x, h, y);
	else
		lf_run_rnn(cell, false, false, x, h, y);
}

static noinline void lf_cell_lstm(const struct lf_cell *cell, const s32 *x, s32 *h, s32 *y)
{
	if (cell->wide)
		lf_run_lstm(cell, true, x, h, h + cell->n_out, y);
	else
		lf_run_lstm(cell, false, x, h, h + cell->n_out, y);
}

static noinline void lf_cell_gru(const struct lf_cell *cell, const s32 *x, const s32 *h, s32 *y)
{
	if (cell->wide)
		lf_run_gru(cell, true, x, h, y);
	else
		lf_run_gru(cell, false, x, h, y);
}

/* All rows take the old h, so the new one waits in @y until the last row is done. */
static void lf_run_cell(const struct lf_cell *cell, const s32 *x, s32 *h, s32 *y)
{
	unsigned int i;

	if (cell->type == LITEFLOW_LAYER_RNN)
		lf_cell_rnn(cell, x, h, y);
	else if (cell->type == LITEFLOW_LAYER_GRU)
		lf_cell_gru(cell, x, h, y);
	else
		lf_cell_lstm(cell, x, h, y);
	for (i = 0; i < cell->n_out; i++)
		h[i] = y[i];
}

static s64 lf_sum_long(const struct lf_layer *layer, unsigned int row, const s32 *x)
{
	const s16 *w = layer->weight + (size_t)row * layer->n_in;
	s64 acc = layer->bias[row];
	unsigned int i;

	for (i = 0; i < layer->n_in; i++)
		acc += (s64)w[i] * x[i];
	return acc;
}

/* The first dense layer, if its inputs have 32 bits; its sums are wide. */
static noinline void lf_run_long(const struct lf_model *model, const s32 *x, s16 *y, s32 *out)
{
	const struct lf_layer *layer = model->layers;
	unsigned int row, largest = 0;
	s64 sum, most = S64_MIN;

	for (row = 0; row < layer->n_out; row++) {
		sum = lf_sum_long(layer, row, x);
		if (model->n_layers > 1) {
			y[row] = lf_hidden(layer, sum);
		} else if (layer->act != LITEFLOW_ACT_ARGMAX) {
			out[row] = lf_output(&model->out[row], lf_value(layer, sum));
		} else if (sum > most) {
			most = sum;
			largest = row;
		}
	}
	if (model->n_layers > 1)
		lf_model_finish(model, 1, y, y + model->width, out);
	else if (layer->act == LITEFLOW_ACT_ARGMAX)
		out[0] = lf_output(model->out, largest);
}

/**
 * lf_model_step() - ask a model, which remembers earlier questions
 * @model: from lf_model_parse(); may also be one that keeps no state
 * @in: lf_model::n_in inputs, the app's units; any values
 * @out: result: lf_model::n_out outputs
 * @state: lf_model::state_len values, zeroes at first, or what lf_state_sound() accepts;
 *	the next ones are left there
 * @scratch: room for 2 * lf_model::width activations, the caller's alone
 *
 * Context: any; takes no lock and touches nothing but its arguments.
 */
void lf_model_step(const struct lf_model *model, const s32 *in, s32 *out, s32 *state,
		   s32 *scratch)
{
	const struct lf_cell *cell = model->cells, *end = cell + model->n_cells;
	s32 *x = scratch, *y = scratch + model->width;
	unsigned int i, n = model->n_in;
	s16 *dense = (s16 *)scratch;

	if (!model->n_cells) {
		lf_model_run(model, in, out, dense);
		return;
	}
	for (i = 0; i < n; i++)
		x[i] = lf_input(&model->in[i], in[i]);
	for (; cell < end; cell++) {
		lf_run_cell(cell, x, state, y);
		x = state;
		state += cell->n_out * lf_values(cell->type);
	}
	/* x is in the state now, so all of the scratch memory is free */
	if (cell[-1].state_bits == 32) {
		lf_run_long(model, x, dense, out);
		return;
	}
	n = cell[-1].n_out;
	for (i = 0; i < n; i++)
		dense[i] = x[i];
	lf_model_finish(model, 0, dense, dense + model->width, out);
}

/**
 * lf_state_sound() - may a query take this state?
 * @model: the model
 * @state: lf_model::state_len values, not trusted
 *
 * What lf_model_step() leaves is sound, and so are zeroes.
 *
 * Context: any.
 * Return: whether all values are within the state's format.
 */
bool lf_state_sound(const struct lf_model *model, const s32 *state)
{
	const struct lf_cell *cell = model->cells, *end = cell + model->n_cells;
	unsigned int i;

	for (; cell < end; cell++) {
		for (i = 0; i < cell->n_out; i++)
			if (state[i] < lf_h_min(cell->act) ||
			    state[i] > lf_h_max(cell->state_bits))
				return false;
		/* and every c is */
		state += cell->n_out * lf_values(cell->type);
	}
	return true;
}
