/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the loads measure with: a clock, and histograms of times.
 */
#ifndef MLLB_MEASURE_H
#define MLLB_MEASURE_H

#include <stdint.h>
#include <time.h>

#include "quantile.h"

/* Values to 15 exactly, then 16 steps per power of two, to 2^44. */
#define HISTOGRAM_SIZE	(16 * 41)

struct histogram {
	uint64_t count[HISTOGRAM_SIZE];
};

static inline unsigned int histogram_index(uint64_t value)
{
	unsigned int power, index;

	if (value < 16)
		return value;
	power = 63 - __builtin_clzll(value);
	index = (power - 3) * 16 + ((value >> (power - 4)) & 15);
	return index < HISTOGRAM_SIZE ? index : HISTOGRAM_SIZE - 1;
}

/* The least value of a step. */
static inline uint64_t histogram_low(unsigned int index)
{
	if (index < 16)
		return index;
	return (16 + (uint64_t)index % 16) << (index / 16 - 1);
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
	h->count[histogram_index(value)]++;
}

static inline void histogram_merge(struct histogram *to, const struct histogram *from)
{
	unsigned int i;

	for (i = 0; i < HISTOGRAM_SIZE; i++)
		to->count[i] += from->count[i];
}

static inline uint64_t histogram_total(const struct histogram *h)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < HISTOGRAM_SIZE; i++)
		total += h->count[i];
	return total;
}

/* The least value of the step in which this part of all samples is reached. */
static inline uint64_t histogram_quantile(const struct histogram *h, double part)
{
	return histogram_low(quantile(h->count, HISTOGRAM_SIZE, part));
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#endif /* MLLB_MEASURE_H */
