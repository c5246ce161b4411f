/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of inputs that are like those to come, and what a network makes of them.
 */
#ifndef _LFCTL_DATA_H
#define _LFCTL_DATA_H

#include <stdbool.h>
#include "net.h"
#include "pack.h"

struct quant;

/**
 * struct data_ranges - of each row of a hidden layer, the greatest magnitude that it
 *	has to represent
 * @most: by layer and row
 */
struct data_ranges {
	double most[LITEFLOW_MAX_LAYERS][LITEFLOW_MAX_WIDTH];
};

/* Rows that ranges are taken from: the first ones. Those behind them are held out. */
unsigned int data_fitted(const struct pack_data *data);

/* Is a layer's range open to what data say? */
bool data_decides(const struct net *net, unsigned int l);

/* NULL and a reason if nothing can be learned from the rows. */
struct data_ranges *data_range(const struct net *net, const struct pack_data *data,
			       struct reason *why);

/* How many values saturate, and how many inputs are clamped. */
void data_count(const struct quant *q, const struct pack_data *data, struct pack_seen *seen);

#endif /* _LFCTL_DATA_H */
