/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_CASES_H
#define _FUZZ_CASES_H

#include <stdbool.h>
#include <stdint.h>

/* Which cases a program of random models makes. */
struct cases {
	unsigned long n;
	unsigned long seed;
	unsigned long from;	/* number of the first one */
};

/* The options; what is not given stays. false: they are wrong, and usage was printed. */
bool cases_parse(struct cases *cases, int argc, char **argv, const char *program);

/* Random numbers and check_case for one of them, so that it can be had alone. */
void cases_begin(const struct cases *cases, unsigned long nth);

/* All bits are random. */
uint64_t rnd(void);

/* 0 to n - 1 */
uint32_t below(uint32_t n);

/* An integer of some bytes, the lowest one first. */
void put(uint8_t *at, int size, uint64_t value);

#endif /* _FUZZ_CASES_H */
