/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a chain's wishes and its devices to the cheapest steering that fulfils them.
 */
#ifndef _FLOWMAGE_SOLVE_H
#define _FLOWMAGE_SOLVE_H

#include "search.h"

/* In the order in which they are tried; each costs more than the one before. */
enum way {
	WAY_NONE,	/* nothing to do: no state that the steering matters for */
	WAY_KEY,	/* a key and a table, fields as they are set */
	WAY_FIELDS,	/* other fields */
	WAY_XFRM,	/* a symmetric transform of the device */
	WAY_CONTEXTS,	/* a second RSS context: a key for IPv4 and one for IPv6 */
	WAY_CPUMAP,	/* an XDP program that passes packets on to other CPUs */
	WAY_SHARED,	/* a key for some of the state; the rest stays shared */
	WAYS
};

extern const char *const way_names[WAYS];

/*
 * Costs, in the price of one more access to a contended cache line per packet: a locked entry
 * takes the line for the lock and for the data and waits; an entry that flows change only
 * when they begin and end costs its reading; handing a packet on to another CPU takes
 * the ring's line on both.
 */
#define COST_PER_PACKET	3
#define COST_PER_FLOW	1
#define COST_CPUMAP	2

/**
 * struct software - what an XDP program has to hash
 * @fields: [ipv6]: bits of enum hash_field
 * @symmetric: [ipv6]: source and destination are put in order first
 * @swapped: [device]: packets of it have source and destination exchanged
 */
struct software {
	uint8_t fields[2];
	bool symmetric[2];
	bool swapped[STEER_DEVICES];
};

/**
 * struct solution - what was found
 * @way: see there
 * @hashed: as in struct steer
 * @xfrm: as in struct steer
 * @main: keys and tables
 * @ipv6: of the second context; WAY_CONTEXTS only
 * @software: WAY_CPUMAP only
 * @on: [units]: kept private
 * @conflict: [units]: with a key, the smallest set that has no solution
 * @any_conflict: there is one
 * @obstacle: why there is no solution with a key for all: one line
 */
struct solution {
	enum way way;
	uint8_t hashed[STEER_DEVICES][FLOW_TYPES];
	enum hash_xfrm xfrm[STEER_DEVICES];
	struct choice main;
	struct choice ipv6;
	struct software software;
	bool *on;
	bool *conflict;
	bool any_conflict;
	char obstacle[200];
};

/* 0, or -1 without memory. The units' "on" is changed. */
int solve(struct steer *st, const struct traffic *traffic, uint64_t seed, struct solution *s);
void solution_free(struct solution *s);

/*
 * Is there a function of packet fields that an XDP program can compute, under which all units
 * that are on keep their state together?
 */
bool software_find(const struct steer *st, struct software *soft);

/* The program's source text, to be freed; NULL: no memory. */
char *software_source(const struct steer *st, const struct software *soft, unsigned int cpus);

#endif /* _FLOWMAGE_SOLVE_H */
