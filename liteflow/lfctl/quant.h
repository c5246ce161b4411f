/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From floating-point layers to the integers of a model.
 */
#ifndef _LFCTL_QUANT_H
#define _LFCTL_QUANT_H

#include <stdbool.h>
#include <stdint.h>
#include "net.h"

struct data_ranges;

/* lo, hi, offset, mult, shift as in struct liteflow_blob_feature */
struct quant_scale {
	int32_t lo;
	int32_t hi;
	int32_t offset;
	int32_t mult;
	uint8_t shift;
};

/**
 * struct quant_layer - a layer in integers, and what is known of it
 * @shift: of the sums
 * @wide: sums may take more than 32 bits
 * @w: weights [n_out][n_in]
 * @b: biases [n_out]
 * @t: per row, what 1.0 is in its sums
 * @acc: greatest magnitude of a sum
 * @clips: most of what a hidden row may lose to saturation, its own units
 * @rms: expected error of a sum, relative to 1.0 (its greatest row)
 * @bound: error that no sum exceeds (its greatest row)
 */
struct quant_layer {
	uint8_t shift;
	bool wide;
	int16_t *w;
	int64_t *b;
	double *t;
	double acc;
	double clips;
	double rms;
	double bound;
};

/**
 * struct quant_cell - a recurrent layer in integers
 * @shift: of the sums
 * @shift_x: scale of @w_x, as in struct liteflow_blob_cell
 * @shift_h: scale of @w_h
 * @c_frac: of an LSTM
 * @wide: sums may take more than 32 bits
 * @w_x: weights [gates * n][n_in]
 * @w_h: weights [gates * n][n]
 * @b: biases, in the order of the blob
 * @t: what 1.0 is in the sums
 */
struct quant_cell {
	uint8_t shift;
	uint8_t shift_x;
	uint8_t shift_h;
	uint8_t c_frac;
	bool wide;
	int16_t *w_x;
	int16_t *w_h;
	int64_t *b;
	double t;
};

/**
 * struct quant - a network in integers
 * @net: what it was made from
 * @in: how inputs are quantised
 * @out: how outputs are made
 * @rms: expected error of the outputs, part of their span (the greatest one)
 * @bound: error that no output exceeds, part of its span. Neither is known of a network
 *	that remembers
 */
struct quant {
	const struct net *net;
	struct quant_scale *in;
	struct quant_scale *out;
	double rms;
	double bound;
	struct quant_layer layers[LITEFLOW_MAX_LAYERS];
	struct quant_cell cells[LITEFLOW_MAX_RECURRENT];
};

/**
 * struct quant_options - how to quantise
 * @wide: bit per dense layer: its sums may take more than 32 bits
 * @wide_cells: the same for recurrent layers
 * @state_max: what their states have to keep, see quant_state_max()
 * @sigmas: 0: hidden layers without tanh or sigmoid keep all of the range that
 *	is possible; else so many standard deviations of what independent
 *	inputs make of it, and saturate beyond
 * @ranges: what hidden layers without tanh or sigmoid have to represent at least;
 *	beyond, they may saturate. NULL: nothing is known of it
 */
struct quant_options {
	unsigned int wide;
	unsigned int wide_cells;
	double state_max[LITEFLOW_MAX_RECURRENT];
	double sigmas;
	const struct data_ranges *ranges;
};

/* From the weights, the declared ranges and the options alone. */
struct quant *quant_make(const struct net *net, const struct quant_options *opts,
			 struct reason *why);
void quant_free(struct quant *q);

/* mult / 2^shift = r as nearly as may be, while mult * v fits 62 bits; -1: it cannot be. */
int quant_ratio(double r, double v, int32_t *mult, uint8_t *shift);

#endif /* _LFCTL_QUANT_H */
