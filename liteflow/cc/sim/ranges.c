// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of scenarios: the usual ones, and others by name
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "ranges.h"

#define USUAL_RANGE(name, least, most, lo, hi)	.name = { lo, hi },
#define USUAL_CHANCE(name, p)			.name = p,

const struct sim_ranges sim_ranges_usual = {
	SIM_RANGES(USUAL_RANGE)
	SIM_CHANCES(USUAL_CHANCE)
};

#define NAMED_RANGE(name, least, most, lo, hi)	\
	{ #name, offsetof(struct sim_ranges, name), 1, { least, most } },
#define NAMED_CHANCE(name, p)			\
	{ #name, offsetof(struct sim_ranges, name), 0, { 0, 1 } },

static const struct {
	const char *name;
	size_t at;
	int wide;		/* lo and hi, or one probability */
	struct range limit;
} fields[] = {
	SIM_RANGES(NAMED_RANGE)
	SIM_CHANCES(NAMED_CHANCE)
};

#define N_FIELDS	((int)(sizeof(fields) / sizeof(*fields)))

/* The usual ones, to be changed; NULL without memory. */
struct sim_ranges *sim_ranges_new(void)
{
	struct sim_ranges *ranges = malloc(sizeof(*ranges));

	if (ranges)
		*ranges = sim_ranges_usual;
	return ranges;
}

void sim_ranges_free(struct sim_ranges *ranges)
{
	free(ranges);
}

/**
 * sim_ranges_set() - change one
 * @ranges: of these
 * @name: as in ranges.h
 * @lo: least
 * @hi: most; of a probability, the same as @lo
 *
 * Return: 0; RANGES_UNKNOWN: there is none of that name; RANGES_LIMIT: not within its
 * limits, or the wrong way round.
 */
int sim_ranges_set(struct sim_ranges *ranges, const char *name, double lo, double hi)
{
	int i;

	for (i = 0; i < N_FIELDS; i++) {
		void *field = (char *)ranges + fields[i].at;

		if (strcmp(fields[i].name, name))
			continue;
		if (!(lo >= fields[i].limit.lo && hi <= fields[i].limit.hi && lo <= hi) ||
		    (!fields[i].wide && lo != hi))
			return RANGES_LIMIT;
		if (fields[i].wide)
			*(struct range *)field = (struct range){ lo, hi };
		else
			*(double *)field = lo;
		return 0;
	}
	return RANGES_UNKNOWN;
}

/**
 * sim_ranges_name() - what there is
 * @nr: from 0
 * @usual: set; of a probability, both are the same
 * @limit: set
 *
 * Return: its name; NULL: there are no more.
 */
const char *sim_ranges_name(int nr, struct range *usual, struct range *limit)
{
	const void *field;

	if (nr < 0 || nr >= N_FIELDS)
		return NULL;
	field = (const char *)&sim_ranges_usual + fields[nr].at;
	if (fields[nr].wide)
		*usual = *(const struct range *)field;
	else
		usual->lo = usual->hi = *(const double *)field;
	*limit = fields[nr].limit;
	return fields[nr].name;
}
