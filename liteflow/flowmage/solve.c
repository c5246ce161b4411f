// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "solve.h"

const char *const way_names[WAYS] = {
	"none", "key", "fields", "transform", "contexts", "cpumap", "shared",
};

#define MAX_PROFILES	24
#define MAX_EXACT	8	/* units among which subsets are tried */
#define COST_UNIT	(FM_RANKS * MAX_EXACT)	/* outweighs the ranks of that many */

/* A way to set the devices' fields. */
struct profile {
	uint8_t hashed[STEER_DEVICES][FLOW_TYPES];
	enum hash_xfrm xfrm[STEER_DEVICES];
	enum way way;
};

struct solver {
	struct steer *st;
	struct profile profiles[MAX_PROFILES];
	unsigned int n_profiles;
	char *obstacle;
	size_t len;
};

static void use_profile(struct steer *st, const struct profile *p)
{
	memcpy(st->hashed, p->hashed, sizeof(st->hashed));
	memcpy(st->xfrm, p->xfrm, sizeof(st->xfrm));
}

static unsigned int bits_for(unsigned int queues)
{
	return queues > 1 ? 32 - __builtin_clz(queues - 1) : 0;
}

static bool in_order(const struct steer *st, unsigned int device, enum packet_class class)
{
	uint8_t fields = st->hashed[device][packet_kinds[class].flow];

	return st->xfrm[device] == XFRM_NONE && (fields == HASH_ADDRESSES || fields == HASH_ALL);
}

/* The first class that has to be spread and cannot be; false: none. */
static bool collapses(const struct solver *s, const struct keysys *sys)
{
	const struct steer *st = s->st;
	unsigned int d, class, bound, need;

	for (d = 0; d < st->n_devices; d++) {
		need = bits_for(st->devices[d].queues);
		if (need > st->index_bits[d])
			need = st->index_bits[d];
		for (class = 0; class < PKT_CLASSES; class++) {
			if (!(st->demand[d] >> class & 1))
				continue;
			if (!in_order(st, d, class) && st->hashed[d][packet_kinds[class].flow])
				continue;
			bound = steer_rank_bound(st, sys, d, class);
			if (bound >= need)
				continue;
			snprintf(s->obstacle, s->len, "every key sends %s of %s to %s%u of %u "
						      "queues",
				 packet_kinds[class].name, st->devices[d].name,
				 bound ? "at most " : "", 1u << bound, st->devices[d].queues);
			return true;
		}
	}
	return false;
}

/* 0: @sys has solutions that spread; 1: no; -1: no memory. */
static int attempt(struct solver *s, const struct profile *p, struct keysys *sys)
{
	int ret;

	use_profile(s->st, p);
	if (keysys_init(sys, steer_base(s->st, s->st->n_devices)))
		return -1;
	ret = steer_equations(s->st, sys);
	if (ret > 0)
		snprintf(s->obstacle, s->len, "more is hashed than is in the state's key");
	else if (!ret && collapses(s, sys))
		ret = 1;
	if (ret)
		keysys_free(sys);
	return ret;
}

/* The first profile with a solution: its number, -1: none, -2: no memory. */
static int feasible(struct solver *s, struct keysys *sys)
{
	size_t len = s->len;
	unsigned int p;
	int ret;

	for (p = 0; p < s->n_profiles; p++) {
		/* the reason that is kept is that of the fields as they are set */
		if (p)
			s->len = 0;
		ret = attempt(s, &s->profiles[p], sys);
		s->len = len;
		if (ret < 0)
			return -2;
		if (!ret)
			return p;
	}
	return -1;
}

static void add_profile(struct solver *s, const struct profile *p)
{
	unsigned int i;

	for (i = 0; i < s->n_profiles; i++)
		if (!memcmp(s->profiles[i].hashed, p->hashed, sizeof(p->hashed)) &&
		    !memcmp(s->profiles[i].xfrm, p->xfrm, sizeof(p->xfrm)))
			return;
	if (s->n_profiles < MAX_PROFILES)
		s->profiles[s->n_profiles++] = *p;
}

static bool can_hash(const struct device *dev, unsigned int t, uint8_t set)
{
	unsigned int i;

	for (i = 0; i < dev->n_sets[t]; i++)
		if (dev->sets[t][i] == set)
			return true;
	return false;
}

/* Where SCTP has no setting of its own it is hashed as the rest. */
static void follow(const struct device *dev, unsigned int sctp, unsigned int rest, uint8_t *hashed)
{
	if (!dev->n_sets[sctp] && dev->now.fields[sctp] == dev->now.fields[rest])
		hashed[sctp] = hashed[rest];
}

/* One set on all types and devices that take it; false: on none. */
static bool with_set(const struct steer *st, const struct profile *from, uint8_t set,
		     struct profile *p)
{
	unsigned int d, t;
	bool some = false;

	*p = *from;
	p->way = WAY_FIELDS;
	for (d = 0; d < st->n_devices; d++)
		for (t = 0; t < FLOW_TYPES; t++)
			if (can_hash(&st->devices[d], t, set) && p->hashed[d][t] != set) {
				p->hashed[d][t] = set;
				some = true;
			}
	for (d = 0; d < st->n_devices; d++) {
		follow(&st->devices[d], FLOW_SCTP4, FLOW_IP4, p->hashed[d]);
		follow(&st->devices[d], FLOW_SCTP6, FLOW_IP6, p->hashed[d]);
	}
	return some;
}

static void list_profiles(struct solver *s)
{
	static const uint8_t sets[] = {
		/* in the standard order, where a key can do the rest */
		HASH_ALL, HASH_ADDRESSES,
		1 << HASH_SRC, 1 << HASH_DST, 1 << HASH_SPORT, 1 << HASH_DPORT,
		1 << HASH_SRC | 1 << HASH_SPORT, 1 << HASH_DST | 1 << HASH_DPORT, HASH_PORTS,
	};
	struct profile now = { .way = WAY_KEY }, p;
	const struct steer *st = s->st;
	unsigned int d, i, x;

	for (d = 0; d < st->n_devices; d++) {
		memcpy(now.hashed[d], st->devices[d].now.fields, FLOW_TYPES);
		now.xfrm[d] = st->devices[d].now.xfrm;
	}
	add_profile(s, &now);
	for (d = 0; d < st->n_devices; d++)
		if (now.xfrm[d] != XFRM_NONE) {
			p = now;
			p.way = WAY_FIELDS;
			memset(p.xfrm, 0, sizeof(p.xfrm));
			add_profile(s, &p);
			now = p;
		}
	for (i = 0; i < sizeof(sets); i++)
		if (with_set(st, &now, sets[i], &p))
			add_profile(s, &p);
	for (x = XFRM_XOR; x <= XFRM_OR_XOR; x++) {
		for (d = 0; d < st->n_devices; d++)
			if (!(st->devices[d].xfrms >> x & 1))
				break;
		if (d < st->n_devices)
			continue;
		for (i = 0; i < 2; i++) {
			p = now;
			if (i && !with_set(st, &now, HASH_ADDRESSES, &p))
				continue;
			p.way = WAY_XFRM;
			for (d = 0; d < st->n_devices; d++)
				p.xfrm[d] = x;
			add_profile(s, &p);
		}
	}
}

/* --- one key for IPv4, one for IPv6 ------------------------------------------ */

static int one_family(struct solver *s, bool ipv6, const struct traffic *traffic, uint64_t seed,
		      struct choice *c)
{
	uint32_t demand[STEER_DEVICES];
	bool *on = calloc(s->st->n_units + 1, sizeof(*on));
	unsigned int u, d, class;
	struct keysys sys;
	int p, ret = 1;

	if (!on)
		return -1;
	memcpy(demand, s->st->demand, sizeof(demand));
	for (u = 0; u < s->st->n_units; u++) {
		on[u] = s->st->units[u].on;
		s->st->units[u].on &= s->st->units[u].families == (ipv6 ? FAMILY_IP6 : FAMILY_IP4);
	}
	for (d = 0; d < s->st->n_devices; d++)
		for (class = 0; class < PKT_CLASSES; class++)
			if (packet_kinds[class].ipv6 != ipv6)
				s->st->demand[d] &= ~(1u << class);
	p = attempt(s, &s->profiles[0], &sys);
	if (!p) {
		ret = search_choice(s->st, &sys, traffic, seed, c);
		keysys_free(&sys);
	} else if (p < 0) {
		ret = -1;
	}
	for (u = 0; u < s->st->n_units; u++)
		s->st->units[u].on = on[u];
	memcpy(s->st->demand, demand, sizeof(demand));
	free(on);
	return ret;
}

/* 0, 1: no solution, -1 */
static int with_contexts(struct solver *s, const struct traffic *traffic, uint64_t seed,
			 struct solution *sol)
{
	unsigned int d, u;
	int ret;

	for (d = 0; d < s->st->n_devices; d++)
		if (!s->st->devices[d].contexts)
			return 1;
	/* two keys would part what both families share */
	for (u = 0; u < s->st->n_units; u++)
		if (s->st->units[u].on && s->st->units[u].families == FAMILIES)
			return 1;
	ret = one_family(s, false, traffic, seed, &sol->main);
	return ret ? ret : one_family(s, true, traffic, seed, &sol->ipv6);
}

/* --- when not all can be private ----------------------------------------------- */

static unsigned int cost_of(const struct unit *u)
{
	return u->per_packet ? COST_PER_PACKET : COST_PER_FLOW;
}

/* Ranks decide only between sets that cost alike. */
static unsigned int ranked_cost(const struct unit *u)
{
	return COST_UNIT * cost_of(u) + u->rank;
}

/* 1: there is a key for the units that are on; 0: no; -1: no memory */
static int works(struct solver *s)
{
	struct keysys sys;
	int p = feasible(s, &sys);

	if (p >= 0)
		keysys_free(&sys);
	return p == -2 ? -1 : p >= 0;
}

static void switch_units(struct steer *st, unsigned int set)
{
	unsigned int u;

	for (u = 0; u < st->n_units; u++)
		st->units[u].on = set >> u & 1;
}

/* The cheapest units to give up: every subset is tried. */
static int drop_exactly(struct solver *s, unsigned int *cost)
{
	unsigned int n = s->st->n_units, set, u, sum, best = 0;
	int ok;

	*cost = ~0u;
	for (set = (1u << n) - 1; ; set--) {
		for (u = 0, sum = 0; u < n; u++)
			sum += set >> u & 1 ? 0 : ranked_cost(&s->st->units[u]);
		if (sum < *cost) {
			switch_units(s->st, set);
			ok = works(s);
			if (ok < 0)
				return -1;
			if (ok) {
				*cost = sum;
				best = set;
			}
		}
		if (!set)
			break;
	}
	switch_units(s->st, best);
	*cost /= COST_UNIT;
	return 0;
}

/* One after the other, the dear ones first, if they go with those before. */
static int drop_greedily(struct solver *s, unsigned int *cost)
{
	unsigned int u, pass, rank;
	struct unit *unit;
	int ok;

	*cost = 0;
	switch_units(s->st, 0);
	for (pass = 0; pass < 2 * FM_RANKS; pass++)
		for (u = 0; u < s->st->n_units; u++) {
			unit = &s->st->units[u];
			rank = FM_RANKS - 1 - pass % FM_RANKS;
			if (unit->per_packet == pass / FM_RANKS || unit->rank != rank)
				continue;
			unit->on = true;
			ok = works(s);
			if (ok < 0)
				return -1;
			unit->on = ok;
			if (!ok)
				*cost += cost_of(unit);
		}
	return 0;
}

/* All units of @set that have no solution, while each of its subsets has. */
static int find_conflict(struct solver *s, bool *conflict)
{
	unsigned int n = s->st->n_units, size, u, set;
	int ok;

	for (size = 1; n <= MAX_EXACT && size <= n; size++)
		for (set = 1; set < 1u << n; set++) {
			if ((unsigned int)__builtin_popcount(set) != size)
				continue;
			switch_units(s->st, set);
			ok = works(s);
			if (ok < 0)
				return -1;
			if (ok)
				continue;
			for (u = 0; u < n; u++)
				conflict[u] = set >> u & 1;
			return 0;
		}
	/* of many units a smallest set in the sense that none of it can be left out */
	for (u = 0; u < n; u++)
		s->st->units[u].on = true;
	for (u = 0; u < n; u++) {
		s->st->units[u].on = false;
		ok = works(s);
		if (ok < 0)
			return -1;
		s->st->units[u].on = ok;
	}
	for (u = 0; u < n; u++)
		conflict[u] = s->st->units[u].on;
	return 0;
}

static void set_all(struct steer *st)
{
	unsigned int u;

	for (u = 0; u < st->n_units; u++)
		st->units[u].on = true;
}

static int take(struct solver *s, const struct traffic *traffic, uint64_t seed,
		struct solution *sol, enum way way)
{
	struct keysys sys;
	int p = feasible(s, &sys), ret;
	unsigned int u;

	if (p < 0)
		return p;
	sol->way = way == WAY_SHARED ? way : s->profiles[p].way;
	memcpy(sol->hashed, s->st->hashed, sizeof(sol->hashed));
	memcpy(sol->xfrm, s->st->xfrm, sizeof(sol->xfrm));
	for (u = 0; u < s->st->n_units; u++)
		sol->on[u] = s->st->units[u].on;
	ret = search_choice(s->st, &sys, traffic, seed, &sol->main);
	keysys_free(&sys);
	return ret ? -2 : 0;
}

/* Not even without any state: the device stays as it is. */
static void as_it_is(const struct solver *s, struct solution *sol)
{
	const struct device *dev;
	unsigned int d;

	sol->way = WAY_SHARED;
	use_profile(s->st, &s->profiles[0]);
	memcpy(sol->hashed, s->st->hashed, sizeof(sol->hashed));
	memcpy(sol->xfrm, s->st->xfrm, sizeof(sol->xfrm));
	for (d = 0; d < s->st->n_devices; d++) {
		dev = &s->st->devices[d];
		memcpy(sol->main.key[d], dev->now.key, sizeof(dev->now.key));
		memcpy(sol->main.table[d], dev->now.table, sizeof(dev->now.table));
	}
}

static int give_way(struct solver *s, const struct traffic *traffic, uint64_t seed,
		    struct solution *sol)
{
	unsigned int n = s->st->n_units, u, cost;
	char keep[sizeof(sol->obstacle)];
	int ret;

	memcpy(keep, sol->obstacle, sizeof(keep));
	sol->any_conflict = true;
	if (find_conflict(s, sol->conflict))
		return -1;
	set_all(s->st);
	ret = with_contexts(s, traffic, seed, sol);
	if (ret < 0)
		return -1;
	if (!ret) {
		sol->way = WAY_CONTEXTS;
		use_profile(s->st, &s->profiles[0]);
		memcpy(sol->hashed, s->st->hashed, sizeof(sol->hashed));
		for (u = 0; u < n; u++)
			sol->on[u] = true;
		memcpy(sol->obstacle, keep, sizeof(keep));
		return 0;
	}
	if (n <= MAX_EXACT ? drop_exactly(s, &cost) : drop_greedily(s, &cost))
		return -1;
	ret = take(s, traffic, seed, sol, WAY_SHARED);
	if (ret == -1)
		as_it_is(s, sol);
	memcpy(sol->obstacle, keep, sizeof(keep));
	if (ret == -2)
		return -1;
	set_all(s->st);
	if ((cost > COST_CPUMAP || ret < 0) && software_find(s->st, &sol->software)) {
		sol->way = WAY_CPUMAP;
		for (u = 0; u < n; u++)
			sol->on[u] = true;
	}
	for (u = 0; u < n; u++)
		s->st->units[u].on = sol->on[u];
	return 0;
}

int solve(struct steer *st, const struct traffic *traffic, uint64_t seed, struct solution *sol)
{
	struct solver s = { .st = st, .obstacle = sol->obstacle, .len = sizeof(sol->obstacle) };
	int ret;

	memset(sol, 0, sizeof(*sol));
	sol->on = calloc(st->n_units + 1, sizeof(*sol->on));
	sol->conflict = calloc(st->n_units + 1, sizeof(*sol->conflict));
	if (!sol->on || !sol->conflict)
		return -1;
	list_profiles(&s);
	set_all(st);
	ret = take(&s, traffic, seed, sol, WAY_KEY);
	if (ret == -2)
		return -1;
	if (!st->n_units)
		sol->way = WAY_NONE;
	return ret ? give_way(&s, traffic, seed, sol) : 0;
}

void solution_free(struct solution *s)
{
	free(s->on);
	free(s->conflict);
}
