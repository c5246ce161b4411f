/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recurrent layer's products as one would write them: 16-bit weights and values, for each
 * row an exact sum, which takes 64 bits where nothing was proved. Nothing else of the layer,
 * so a bound from below of its cost.
 */
#ifndef _BENCH_PLAIN_H
#define _BENCH_PLAIN_H

#include <linux/types.h>

/* @w: [@rows][@n]; @x: [@n]; @sum: result, [@rows] */
void plain_products(const s16 *w, unsigned int rows, unsigned int n, const s16 *x, s64 *sum);

#endif /* _BENCH_PLAIN_H */
