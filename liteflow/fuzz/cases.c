// SPDX-License-Identifier: GPL-2.0
/*
 * What programs of random models have in common: their options, and random numbers that
 * depend on the seed and the case alone.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "check.h"

static uint64_t state;

/* xorshift64* */
uint64_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1d;
}

uint32_t below(uint32_t n)
{
	return (rnd() >> 32) * n >> 32;
}

void put(uint8_t *at, int size, uint64_t value)
{
	for (int i = 0; i < size; i++)
		at[i] = value >> 8 * i;
}

bool cases_parse(struct cases *cases, int argc, char **argv, const char *program)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:s:f:")) != -1) {
		if (opt == 'n') {
			cases->n = strtoul(optarg, NULL, 0);
		} else if (opt == 's') {
			cases->seed = strtoul(optarg, NULL, 0);
		} else if (opt == 'f') {
			cases->from = strtoul(optarg, NULL, 0);
		} else {
			fprintf(stderr, "usage: %s [-n CASES] [-s SEED] [-f FIRST]\n", program);
			return false;
		}
	}
	return true;
}

void cases_begin(const struct cases *cases, unsigned long nth)
{
	state = (cases->seed * 0x9e3779b97f4a7c15 ^ (nth + 1) * 0xd1b54a32d192ed03) | 1;
	rnd();
	snprintf(check_case, sizeof(check_case), "-s %lu -f %lu -n 1", cases->seed, nth);
}
