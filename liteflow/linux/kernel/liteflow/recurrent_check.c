// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a blob to a model that cannot go wrong: layers that remember.
 *
 * What a layer stores saturates, or is a tanh times a gate, so the format of its state
 * is an invariant: if the state is within it, so is the next one. It is enough to prove
 * one step, with the inputs anywhere in their ranges and the state anywhere in its
 * format. Nothing is unrolled.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "engine.h"
#include "parse.h"
#include "recurrent.h"

/* A gate has up to 15 bits: what it is multiplied with, together with rounding. */
#define LF_GATED_BOUND	((s64)BIT_ULL(46))

/* Where the parts of a recurrent layer's parameters are. */
struct lf_cell_at {
	struct liteflow_blob_cell b;
	const u8 *bias;
	const u8 *w_x;
	const u8 *w_h;
};

static void lf_cell_find(const struct lf_shape *s, const u8 *param, struct lf_cell_at *at)
{
	memcpy(&at->b, param, sizeof(at->b));
	at->bias = param + sizeof(at->b);
	at->w_x = at->bias + lf_biases(s->type) * s->n_out * sizeof(__le64);
	at->w_h = at->w_x + (size_t)lf_gates(s->type) * s->n_out * s->n_in * sizeof(__le16);
}

/* Without the zero bytes behind them; at most some 17 million. */
size_t lf_cell_param_len(const struct lf_shape *s)
{
	return sizeof(struct liteflow_blob_cell) + lf_biases(s->type) * s->n_out * sizeof(__le64) +
	       (size_t)lf_gates(s->type) * s->n_out * (s->n_in + s->n_out) * sizeof(__le16);
}

static int lf_cell_check_fields(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
				const struct liteflow_blob_cell *b)
{
	bool relu = s->act == LITEFLOW_ACT_RELU;

	if (b->shift_x > LITEFLOW_MAX_SHIFT_UP || b->shift_h > LITEFLOW_MAX_SHIFT_UP)
		return lf_bad(p, "layer %u: its scales are %u and %u, at most %u are possible", nth,
			      b->shift_x, b->shift_h, LITEFLOW_MAX_SHIFT_UP);
	if (b->state_bits != 16 && !(relu && b->state_bits == 32))
		return lf_bad(p, "layer %u: state of %u bits, 16%s possible", nth, b->state_bits,
			      relu ? " and 32 are" : " is");
	if (s->type == LITEFLOW_LAYER_LSTM ? b->c_frac < LITEFLOW_TANH_OUT_FRAC || b->c_frac > 30 :
					     b->c_frac)
		return lf_bad(p, "layer %u: c_frac is %u, must be %s", nth, b->c_frac,
			      s->type == LITEFLOW_LAYER_LSTM ? "15 to 30" : "0");
	if (!lf_zero(b->reserved, sizeof(b->reserved)))
		return lf_bad(p, "layer %u: the reserved field is not 0", nth);
	return 0;
}

/* Its shape was checked; its parameters are there. */
int lf_cell_check(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
		  const u8 *param)
{
	struct lf_cell_at at;
	int err;

	if (nth != p->n_cells)
		return lf_bad(p, "layer %u: a recurrent layer behind a dense one", nth);
	if (nth == LITEFLOW_MAX_RECURRENT)
		return lf_bad(p, "layer %u: at most %u recurrent layers are possible", nth,
			      LITEFLOW_MAX_RECURRENT);
	if (s->act != LITEFLOW_ACT_TANH &&
	    !(s->act == LITEFLOW_ACT_RELU && s->type == LITEFLOW_LAYER_RNN))
		return lf_bad(p, "layer %u: activation %u is not for this type", nth, s->act);
	/* the gates' sums are shifted by one more */
	if (s->type != LITEFLOW_LAYER_RNN && s->shift == LITEFLOW_MAX_SHIFT)
		return lf_bad(p, "layer %u: shift is %u, at most %u is possible with gates", nth,
			      s->shift, LITEFLOW_MAX_SHIFT - 1);
	lf_cell_find(s, param, &at);
	err = lf_cell_check_fields(p, nth, s, &at.b);
	if (err)
		return err;
	if (p->state_bits == 32 && at.b.state_bits != 32)
		return lf_bad(p, "layer %u: state of 16 bits behind one of 32", nth);
	if (!nth)
		p->in_bits = at.b.state_bits;
	p->state_bits = at.b.state_bits;
	p->state_len += lf_values(s->type) * s->n_out;
	p->macs += lf_gates(s->type) * s->n_out * (s->n_in + s->n_out);
	p->n_cells++;
	return 0;
}

/* The interval of partial sums of weights times values; false: beyond LF_BOUND. */
static bool lf_sum_range(const u8 *weights, unsigned int n, const struct lf_range *x,
			 bool same, unsigned int shift, s64 *least, s64 *most)
{
	unsigned int i;
	s64 a, b;

	/* below 2^57 */
	*least = 0;
	*most = 0;
	for (i = 0; i < n; i++) {
		s64 w = lf_read_weight(weights, i);

		a = w * x->lo;
		b = w * x->hi;
		*least += min(min(a, b), 0);
		*most += max(max(a, b), 0);
		x += !same;
	}
	if (*least < -(LF_BOUND >> shift) || *most > LF_BOUND >> shift)
		return false;
	*least *= 1LL << shift;
	*most *= 1LL << shift;
	return true;
}

/* A row: its gate's number, and what its sums can be. */
struct lf_row_sums {
	unsigned int row;
	s64 x_least;
	s64 x_most;
	s64 h_least;
	s64 h_most;
};

static bool lf_row_sums(struct lf_parser *p, const struct lf_shape *s, const struct lf_cell_at *at,
			struct lf_row_sums *r)
{
	const struct lf_range h = {
		.lo = lf_h_min(s->act),
		.hi = lf_h_max(at->b.state_bits),
	};
	const u8 *w_x = at->w_x + (size_t)r->row * s->n_in * sizeof(__le16);
	const u8 *w_h = at->w_h + (size_t)r->row * s->n_out * sizeof(__le16);

	return lf_sum_range(w_x, s->n_in, p->x, false, at->b.shift_x, &r->x_least, &r->x_most) &&
	       lf_sum_range(w_h, s->n_out, &h, true, at->b.shift_h, &r->h_least, &r->h_most);
}

/* @least and @most with a bias; both were within LF_BOUND. False: are no more. */
static bool lf_add_bias(s64 bias, s64 *least, s64 *most)
{
	*least += min(bias, 0);
	*most += max(bias, 0);
	return *least >= -LF_BOUND && *most <= LF_BOUND;
}

/* As in lf_prove_layer(), S32_MIN is no sum for half an accumulator. */
static bool lf_narrow(s64 least, s64 most)
{
	return least >= -S32_MAX && most <= S32_MAX;
}

static int lf_step_overflows(struct lf_parser *p, unsigned int nth, unsigned int row)
{
	return lf_bad(p, "layer %u: a step may overflow in row %u: take a smaller scale", nth, row);
}

static int lf_prove_row(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
			const struct lf_cell_at *at, unsigned int row)
{
	bool split = s->type == LITEFLOW_LAYER_GRU && row >= LF_GRU_N_X * s->n_out;
	struct lf_row_sums r = { .row = row };
	s64 bias = lf_read_bias(at->bias, row);
	s64 bias_h = split ? lf_read_bias(at->bias, row + s->n_out) : 0;

	if (bias < -LF_BIAS_MAX || bias > LF_BIAS_MAX || bias_h < -LF_BIAS_MAX ||
	    bias_h > LF_BIAS_MAX)
		return lf_bad(p, "layer %u: a bias of row %u is beyond 2^61", nth, row);
	if (!lf_row_sums(p, s, at, &r))
		return lf_step_overflows(p, nth, row);
	if (split) {
		if (!lf_add_bias(bias, &r.x_least, &r.x_most) ||
		    !lf_add_bias(bias_h, &r.h_least, &r.h_most) ||
		    r.h_least < -LF_GATED_BOUND || r.h_most > LF_GATED_BOUND)
			return lf_step_overflows(p, nth, row);
		if (!lf_narrow(r.x_least, r.x_most) || !lf_narrow(r.h_least, r.h_most))
			p->wide |= BIT(nth);
	}
	/* 2^62 and 2^62 are no more than 2^63 - 1 if one of them is checked first */
	if (r.x_least < -LF_BOUND - r.h_least || r.x_most > LF_BOUND - r.h_most)
		return lf_step_overflows(p, nth, row);
	r.x_least += r.h_least;
	r.x_most += r.h_most;
	if (split)
		return 0;
	if (!lf_add_bias(bias, &r.x_least, &r.x_most))
		return lf_step_overflows(p, nth, row);
	if (!lf_narrow(r.x_least, r.x_most))
		p->wide |= BIT(nth);
	return 0;
}

/* One step cannot overflow; what leaves it is in the format of the state. */
int lf_cell_prove(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
		  const u8 *param)
{
	struct lf_cell_at at;
	unsigned int row;
	int err;

	lf_cell_find(s, param, &at);
	for (row = 0; row < lf_gates(s->type) * s->n_out; row++) {
		err = lf_prove_row(p, nth, s, &at, row);
		if (err)
			return err;
		cond_resched();
	}
	for (row = 0; row < s->n_out; row++) {
		p->y[row].lo = lf_h_min(s->act);
		p->y[row].hi = lf_h_max(at.b.state_bits);
	}
	return 0;
}

static unsigned int lf_blocks(const struct lf_shape *s, bool wide)
{
	return DIV_ROUND_UP(s->n_out, lf_block_units(s->type, wide));
}

/* Memory of a layer's parameters, the biases first. */
size_t lf_cell_bytes(const struct lf_shape *s, bool wide)
{
	return sizeof(s64) * lf_blocks(s, wide) *
	       (LF_BLOCK + lf_block_weights(s->type) * (s->n_in + s->n_out));
}

/* A weight of a row, its scale in it; 0 where a block has no row. */
static s64 lf_scaled_weight(const struct lf_shape *s, const struct lf_cell_at *at,
			    struct lf_place place, unsigned int col)
{
	size_t row = place.gate * s->n_out + place.unit;

	if (place.unit >= s->n_out)
		return 0;
	if (col < s->n_in)
		return (s64)lf_read_weight(at->w_x, row * s->n_in + col) * (1 << at->b.shift_x);
	return (s64)lf_read_weight(at->w_h, row * s->n_out + col - s->n_in) * (1 << at->b.shift_h);
}

static s64 lf_place_bias(const struct lf_shape *s, const struct lf_cell_at *at,
			 struct lf_place place)
{
	return place.unit < s->n_out ?
	       lf_read_bias(at->bias, place.gate * s->n_out + place.unit) : 0;
}

static void lf_fill_block(const struct lf_shape *s, bool wide, const struct lf_cell_at *at,
			  unsigned int block, s64 *bias, s64 *weight)
{
	unsigned int per_col = lf_block_weights(s->type), col, nth;
	const s64 upper = 1LL << 32;
	struct lf_place even, odd;

	for (nth = 0; nth < LF_BLOCK; nth++) {
		even = lf_place_of(s->type, wide, block, nth, 0);
		odd = lf_place_of(s->type, wide, block, nth, 1);
		bias[nth] = lf_place_bias(s, at, even);
		if (!wide)
			bias[nth] += lf_place_bias(s, at, odd) * upper;
		/* a GRU's fourth bias has the weights of the third */
		if (nth >= per_col)
			continue;
		for (col = 0; col < s->n_in + s->n_out; col++) {
			s64 *w = &weight[(size_t)col * per_col + nth];

			*w = lf_scaled_weight(s, at, even, col);
			if (!wide)
				*w += lf_scaled_weight(s, at, odd, col) * upper;
		}
		cond_resched();
	}
}

/* @to: lf_cell_bytes() of memory */
void lf_cell_fill(const struct lf_shape *s, bool wide, const u8 *param, struct lf_cell *cell,
		  s64 *to)
{
	unsigned int per_col = lf_block_weights(s->type), block;
	unsigned int blocks = lf_blocks(s, wide);
	s64 *weight = to + blocks * LF_BLOCK;
	struct lf_cell_at at;

	lf_cell_find(s, param, &at);
	*cell = (struct lf_cell) {
		.n_in = s->n_in,
		.n_out = s->n_out,
		.type = s->type,
		.act = s->act,
		.shift = s->shift,
		.state_bits = at.b.state_bits,
		.c_frac = at.b.c_frac,
		.wide = wide,
		.bias = to,
		.weight = weight,
	};
	for (block = 0; block < blocks; block++)
		lf_fill_block(s, wide, &at, block, to + block * LF_BLOCK,
			      weight + (size_t)block * per_col * (s->n_in + s->n_out));
}
