// SPDX-License-Identifier: GPL-2.0
/*
 * See judge.h: recurrent layers, by the formulas, one row after the other, as the blob
 * has them.
 */
#include <string.h>

#include "judge.h"

#define BOUND		((wide_t)1 << 62)
#define BIAS_BOUND	((wide_t)1 << 61)
#define GATED_BOUND	((wide_t)1 << 46)	/* of what r is multiplied with */
#define NARROW_BOUND	(((wide_t)1 << 31) - 1)

static unsigned int gates(const struct j_layer *l)
{
	return l->type == J_RNN ? 1 : l->type == J_GRU ? 3 : 4;
}

static unsigned int biases(const struct j_layer *l)
{
	return l->type == J_RNN ? 1 : 4;
}

unsigned int judge_values(const struct j_layer *l)
{
	return l->type == J_LSTM ? 2 * l->n_out : l->n_out;
}

size_t judge_cell_len(const struct j_layer *l)
{
	return J_CELL + 8 * (size_t)biases(l) * l->n_out +
	       2 * (size_t)gates(l) * l->n_out * (l->n_in + l->n_out);
}

const char *judge_cell_read(struct judge *j, unsigned int nth, const uint8_t *at)
{
	struct j_layer *l = &j->layers[nth];
	bool curve = l->act == J_TANH;

	if (nth != j->n_cells || nth >= J_CELLS)
		return "place of a recurrent layer";
	l->shift_x = at[0];
	l->shift_h = at[1];
	l->state_bits = at[2];
	l->c_frac = at[3];
	if (!curve && !(l->type == J_RNN && l->act == J_RELU))
		return "activation of a recurrent layer";
	if (l->type != J_RNN && l->shift > J_SHIFT - 1)
		return "shift of gates";
	if (l->shift_x > 15 || l->shift_h > 15)
		return "scale of weights";
	if (l->state_bits != 16 && (curve || l->state_bits != 32))
		return "bits of the state";
	if (l->type == J_LSTM ? l->c_frac < 15 || l->c_frac > 30 : l->c_frac)
		return "point of c";
	if (at[4] || at[5] || at[6] || at[7])
		return "reserved field of a recurrent layer";
	if (nth && j->layers[nth - 1].state_bits > l->state_bits)
		return "16 bits behind 32";
	l->bias = at + J_CELL;
	l->weights = l->bias + 8 * (size_t)biases(l) * l->n_out;
	l->w_h = l->weights + 2 * (size_t)gates(l) * l->n_out * l->n_in;
	j->n_cells++;
	j->state_len += judge_values(l);
	j->macs += gates(l) * l->n_out * (l->n_in + l->n_out);
	return NULL;
}

static int weight_h(const struct j_layer *l, unsigned int row, unsigned int col)
{
	const uint8_t *at = l->w_h + 2 * ((size_t)row * l->n_out + col);

	return (int16_t)(uint16_t)(at[0] | at[1] << 8);
}

static struct j_range format(const struct j_layer *l)
{
	wide_t most = l->state_bits == 32 ? INT32_MAX : 32767;

	return (struct j_range) { l->act == J_RELU ? 0 : -most, most };
}

/* The interval with a term that is in @term; partial sums are in it, so zero is. */
static void widen(struct j_range *r, wide_t a, wide_t b)
{
	wide_t lo = a < b ? a : b, hi = a < b ? b : a;

	r->lo += lo < 0 ? lo : 0;
	r->hi += hi > 0 ? hi : 0;
}

static bool inside(struct j_range r, wide_t bound)
{
	return r.lo >= -bound && r.hi <= bound;
}

const char *judge_cell_prove(struct judge *j, unsigned int nth, struct j_range *x)
{
	const struct j_layer *l = &j->layers[nth];
	struct j_range h = format(l);
	unsigned int n = l->n_out;

	j->narrow[nth] = true;
	for (unsigned int row = 0; row < gates(l) * n; row++) {
		struct j_range of_x = { 0, 0 }, of_h = { 0, 0 }, sum;
		bool split = l->type == J_GRU && row >= 2 * n;
		wide_t bias = j_bias(l, row), bias_h = split ? j_bias(l, row + n) : 0;

		if (bias > BIAS_BOUND || bias < -BIAS_BOUND || bias_h > BIAS_BOUND ||
		    bias_h < -BIAS_BOUND)
			return "bias";
		for (unsigned int i = 0; i < l->n_in; i++) {
			wide_t w = (wide_t)j_weight(l, row, i) * (1 << l->shift_x);

			widen(&of_x, w * x[i].lo, w * x[i].hi);
		}
		for (unsigned int i = 0; i < n; i++) {
			wide_t w = (wide_t)weight_h(l, row, i) * (1 << l->shift_h);

			widen(&of_h, w * h.lo, w * h.hi);
		}
		widen(&of_x, bias, bias);
		widen(&of_h, bias_h, bias_h);
		sum = (struct j_range) { of_x.lo + of_h.lo, of_x.hi + of_h.hi };
		if (!inside(sum, BOUND))
			return "sum of a step";
		if (split && !inside(of_h, GATED_BOUND))
			return "sum that is multiplied";
		if (split ? !inside(of_x, NARROW_BOUND) || !inside(of_h, NARROW_BOUND) :
			    !inside(sum, NARROW_BOUND))
			j->narrow[nth] = false;
	}
	for (unsigned int i = 0; i < n; i++)
		x[i] = h;
	return NULL;
}

struct j_range judge_cell_row(const struct judge *j, unsigned int nth, unsigned int row)
{
	const struct j_layer *l = &j->layers[nth];
	struct j_range r = { 0, 0 }, h = format(l), x;

	for (unsigned int i = 0; i < l->n_in; i++) {
		wide_t w = (wide_t)j_weight(l, row, i) * (1 << l->shift_x);

		x = nth ? format(l - 1) : judge_input(&j->in[i]);
		widen(&r, w * x.lo, w * x.hi);
	}
	for (unsigned int i = 0; i < l->n_out && !(l->type == J_GRU && row >= 2 * l->n_out); i++) {
		wide_t w = (wide_t)weight_h(l, row, i) * (1 << l->shift_h);

		widen(&r, w * h.lo, w * h.hi);
	}
	return r;
}

static wide_t gate(wide_t sum, unsigned int shift)
{
	return (32768 + judge_curve(judge_rshift(sum, shift + 1))) >> 1;
}

static wide_t within(wide_t v, wide_t lo, wide_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* A row's two sums; false: one left the accumulator. */
static bool sums(const struct j_layer *l, unsigned int row, const wide_t *x, const int32_t *h,
		 wide_t bound, wide_t *of_x, wide_t *of_h)
{
	bool split = l->type == J_GRU && row >= 2 * l->n_out;
	bool ok = true;

	*of_x = j_bias(l, row);
	*of_h = split ? j_bias(l, row + l->n_out) : 0;
	for (unsigned int i = 0; i < l->n_in; i++) {
		*of_x += x[i] * j_weight(l, row, i) * (1 << l->shift_x);
		ok &= *of_x >= -bound && *of_x <= bound;
	}
	for (unsigned int i = 0; i < l->n_out; i++) {
		*of_h += (wide_t)h[i] * weight_h(l, row, i) * (1 << l->shift_h);
		ok &= *of_h >= -bound && *of_h <= bound;
	}
	return ok && (split || (*of_x + *of_h >= -bound && *of_x + *of_h <= bound));
}

const char *judge_cell_run(const struct j_layer *l, bool narrow, wide_t *x, int32_t *state)
{
	static wide_t next[J_WIDTH], part[4][J_WIDTH], of_h[4][J_WIDTH];
	wide_t bound = narrow ? NARROW_BOUND : BOUND, v;
	unsigned int n = l->n_out;
	struct j_range h = format(l);
	int32_t *c = state + n;

	for (unsigned int g = 0; g < gates(l); g++)
		for (unsigned int i = 0; i < n; i++)
			if (!sums(l, g * n + i, x, state, bound, &part[g][i], &of_h[g][i]))
				return "a sum left its accumulator";
	for (unsigned int i = 0; i < n; i++) {
		wide_t a = part[0][i] + of_h[0][i], b = part[1][i] + of_h[1][i];
		wide_t d = part[2][i] + of_h[2][i], e = part[3][i] + of_h[3][i];

		switch (l->type) {
		case J_RNN:
			v = judge_rshift(a, l->shift);
			next[i] = l->act == J_TANH ? judge_curve(v) : within(v, 0, h.hi);
			break;
		case J_GRU:
			v = gate(a, l->shift) * of_h[2][i];
			if (v > BOUND || v < -BOUND)
				return "a product is beyond 2^62";
			v = judge_curve(judge_rshift(part[2][i] + judge_rshift(v, 15), l->shift));
			b = gate(b, l->shift);
			next[i] = judge_rshift((32768 - b) * v + b * state[i], 15);
			break;
		default:
			v = gate(a, l->shift) * judge_curve(judge_rshift(d, l->shift));
			v = judge_rshift(gate(b, l->shift) * c[i] + v * (1 << (l->c_frac - 15)), 15);
			c[i] = within(v, INT32_MIN, INT32_MAX);
			v = judge_curve(judge_rshift(c[i], l->c_frac - 14));
			next[i] = judge_rshift(gate(e, l->shift) * v, 15);
		}
		if (next[i] < h.lo || next[i] > h.hi)
			return "a state left its format";
	}
	for (unsigned int i = 0; i < n; i++)
		x[i] = state[i] = next[i];
	return NULL;
}
