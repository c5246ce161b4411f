/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plain recurrent layers over sequences: h[t] = f(wx x[t] + wh h[t-1] + bias).
 */
#ifndef LEMU_RECUR_H
#define LEMU_RECUR_H

#include <stddef.h>

#define LANES 16	/* floats of a vector */

/**
 * struct recur - a layer and the size of a batch
 * @steps: length of the sequences
 * @inputs: values that the layer sees in a step
 * @units: width of the layer
 * @lanes: number of sequences, a multiple of LANES
 * @relu: f is max(0, v) if not 0, else tanh
 * @wx: [units][inputs]
 * @wh: [units][units]
 * @bias: [units]
 */
struct recur {
	int steps, inputs, units, lanes, relu;
	const float *wx, *wh, *bias;
};

/**
 * recur_forward() - states of all steps
 * @x: [steps][inputs][lanes]
 * @start: state before the first step, [units][lanes]
 * @h: filled, [steps][units][lanes]
 */
void recur_forward(const struct recur *r, const float *x, const float *start, float *h);

/**
 * recur_backward() - the loss's derivatives by the sums before f
 * @h: what recur_forward() filled
 * @dh: the loss's derivatives by h, without what flows through later steps
 * @limit: what flows from one step into the one before is clamped to this; 0: it is not
 * @delta: filled, as @h
 */
void recur_backward(const struct recur *r, const float *h, const float *dh, float limit,
		    float *delta);

/**
 * recur_products() - the loss's derivatives by weights, from those by sums
 * @a: [steps][rows][lanes]
 * @b: [steps][columns][lanes]
 * @sums: filled with the sums over steps and lanes of a[row] * b[column], [rows][columns]
 */
void recur_products(int steps, int rows, int columns, int lanes, const float *a, const float *b,
		    float *sums);

/**
 * recur_dense() - a dense layer without activation, in each step
 * @w: [outputs][inputs]
 * @bias: [outputs], or NULL
 * @x: [steps][inputs][lanes]
 * @y: filled, [steps][outputs][lanes]
 */
void recur_dense(int steps, int inputs, int outputs, int lanes, const float *w, const float *bias,
		 const float *x, float *y);

#endif
