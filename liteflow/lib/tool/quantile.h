/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LITEFLOW_QUANTILE_H
#define _LITEFLOW_QUANTILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first of @n counters with which a part of all is reached. It is above 0,
 * unless all are 0.
 */
static inline size_t quantile(const uint64_t *count, size_t n, double part)
{
	uint64_t all = 0, seen = 0;
	size_t i;

	for (i = 0; i < n; i++)
		all += count[i];
	if (!all)
		return 0;
	for (i = 0; i + 1 < n; i++) {
		seen += count[i];
		if (seen && (double)seen >= part * (double)all)
			break;
	}
	return i;
}

#endif /* _LITEFLOW_QUANTILE_H */
