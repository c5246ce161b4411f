/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All pairs of packets, one of each of two views, that have equal state keys.
 */
#ifndef _FLOWMAGE_TIE_H
#define _FLOWMAGE_TIE_H

#include "steer.h"

/* A bit of the first packet: its number; of the second: STEER_VARS more. */
#define TIE_NODES	(2 * STEER_VARS)

enum { TIE_0, TIE_1, TIE_OPEN };

/**
 * struct tie - all pairs of packets with equal keys, of two views
 * @up: [TIE_NODES]: a tree of bits that are equal in all pairs
 * @value: [TIE_NODES]: of a root: its bits are 0, 1 or anything
 * @never: there is no such pair
 */
struct tie {
	uint16_t up[TIE_NODES];
	uint8_t value[TIE_NODES];
	bool never;
};

void tie_views(struct tie *t, const struct view *a, const struct view *b);

/* Bits with one root are equal in all pairs. */
unsigned int tie_root(struct tie *t, unsigned int node);

#endif /* _FLOWMAGE_TIE_H */
