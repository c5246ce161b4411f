/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recurrent layers: what the forward pass and the checks at load agree on.
 *
 * Rows come in blocks of four accumulators. One of 64 bits has two rows, as in
 * engine.c, or one, if sums may need more than 32 bits. A block has what whole units
 * need, so that their new state can be made at once:
 *
 *	RNN	eight units; wide: four
 *	LSTM	two units, (i, f) and (g, o) of each; wide: one, i, f, g, o
 *	GRU	two units, (r, z) of each, then n's inputs of both; n's state of both;
 *		wide: one, r, z, n's inputs; n's state
 *
 * A GRU's third accumulator is of n's inputs while inputs are added, and of n's state
 * while the state is.
 */
#ifndef _KERNEL_LITEFLOW_RECURRENT_H
#define _KERNEL_LITEFLOW_RECURRENT_H

#include <linux/limits.h>
#include <linux/types.h>
#include <linux/liteflow_model.h>

#define LF_BLOCK	4	/* accumulators, biases */
#define LF_BLOCK_GRU	3	/* weights of an input in a GRU */

/* In a GRU's biases; in its weights both are those of n. */
#define LF_GRU_N_X	2
#define LF_GRU_N_H	3

/* Gates, that is, rows of weights of a unit. */
static inline unsigned int lf_gates(u8 type)
{
	return type == LITEFLOW_LAYER_RNN ? 1 : type == LITEFLOW_LAYER_GRU ? 3 : 4;
}

/* Biases of a unit. */
static inline unsigned int lf_biases(u8 type)
{
	return type == LITEFLOW_LAYER_RNN ? 1 : 4;
}

/* Values of state of a unit. */
static inline unsigned int lf_values(u8 type)
{
	return type == LITEFLOW_LAYER_LSTM ? 2 : 1;
}

static inline unsigned int lf_block_units(u8 type, bool wide)
{
	if (type == LITEFLOW_LAYER_RNN)
		return wide ? LF_BLOCK : 2 * LF_BLOCK;
	return wide ? 1 : 2;
}

/* Weights of an input in a block. */
static inline unsigned int lf_block_weights(u8 type)
{
	return type == LITEFLOW_LAYER_GRU ? LF_BLOCK_GRU : LF_BLOCK;
}

/* What a value of h can be. */
static inline s32 lf_h_min(u8 act)
{
	return act == LITEFLOW_ACT_RELU ? 0 : -S16_MAX;
}

static inline s32 lf_h_max(u8 state_bits)
{
	return state_bits == 32 ? S32_MAX : S16_MAX;
}

/* Which row of a block an accumulator has. */
struct lf_place {
	unsigned int unit;
	unsigned int gate;	/* or bias */
};

static inline struct lf_place lf_place_of(u8 type, bool wide, unsigned int block,
					  unsigned int nth, unsigned int odd)
{
	unsigned int units = lf_block_units(type, wide);
	struct lf_place p = { .unit = block * units };

	switch (type) {
	case LITEFLOW_LAYER_RNN:
		p.unit += wide ? nth : 2 * nth + odd;
		break;
	case LITEFLOW_LAYER_GRU:
		p.gate = nth;
		if (wide)
			break;
		/* the first two are (r, z) of one unit, the others n of both */
		p.unit += nth < 2 ? nth : odd;
		if (nth < 2)
			p.gate = odd;
		break;
	default:
		p.unit += wide ? 0 : nth / 2;
		p.gate = wide ? nth : 2 * (nth % 2) + odd;
	}
	return p;
}

#endif /* _KERNEL_LITEFLOW_RECURRENT_H */
