// SPDX-License-Identifier: GPL-2.0
#include "plain.h"

void plain_products(const s16 *w, unsigned int rows, unsigned int n, const s16 *x, s64 *sum)
{
	unsigned int row, i;
	s64 acc;

	for (row = 0; row < rows; row++, w += n) {
		acc = 0;
		for (i = 0; i < n; i++)
			acc += (s32)w[i] * x[i];
		sum[row] = acc;
	}
}
