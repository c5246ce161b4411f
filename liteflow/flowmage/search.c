// SPDX-License-Identifier: GPL-2.0
/*
 * Keys are drawn from all solutions and judged by rank: a linear map of rank r spreads the
 * packets of an affine space over 2^r indices, each with equally many. So what is to be
 * spread is said as such spaces: single fields, whole prefixes; or measured, as samples.
 */
#include <stdlib.h>
#include <string.h>
#include "search.h"

/**
 * struct space - packets to spread: these bits vary, all others do not
 * @device: that they come in on
 * @class: of them
 * @first: of each varying bit, the position in the hash input
 * @n: how many
 * @want: rank that could be had
 * @weight: of a lost rank
 * @whole: all bits of the class that may vary
 */
struct space {
	unsigned int device;
	enum packet_class class;
	uint16_t first[STEER_VARS];
	unsigned int n;
	unsigned int want;
	unsigned int weight;
	bool whole;
};

struct search {
	const struct steer *st;
	const struct keysys *sys;
	const struct traffic *traffic;
	struct space *spaces;
	unsigned int n_spaces;
	unsigned int room;
	uint8_t *bits;		/* of the keys of all devices, one a byte */
};

struct candidate {
	unsigned int lost;
	uint8_t *bits;
};

/* The index bits that an input bit changes, the lowest one last. */
static uint32_t column(const struct search *s, const uint8_t *bits, unsigned int device,
		       unsigned int first)
{
	unsigned int m = s->st->index_bits[device], i;
	const uint8_t *at = bits + steer_base(s->st, device) + first + TOEPLITZ_WIDTH - m;
	uint32_t v = 0;

	for (i = 0; i < m; i++)
		v = v << 1 | at[i];
	return v;
}

/* Rank of some input bits; @basis, if wanted, of TOEPLITZ_WIDTH by leading bit. */
static unsigned int rank_of(const struct search *s, const uint8_t *bits, unsigned int device,
			    const uint16_t *first, unsigned int n, uint32_t *basis)
{
	unsigned int m = s->st->index_bits[device], rank = 0, i, b;
	uint32_t own[TOEPLITZ_WIDTH], v;

	if (!basis)
		basis = own;
	memset(basis, 0, sizeof(own));
	for (i = 0; i < n && rank < m; i++) {
		v = column(s, bits, device, first[i]);
		while (v) {
			b = 31 - __builtin_clz(v);
			if (!basis[b]) {
				basis[b] = v;
				rank++;
				break;
			}
			v ^= basis[b];
		}
	}
	return rank;
}

/* Can the hash depend on this input bit at all? */
static bool alive(const struct search *s, unsigned int device, unsigned int first)
{
	unsigned int m = s->st->index_bits[device], b;
	unsigned int base = steer_base(s->st, device) + first + TOEPLITZ_WIDTH;

	for (b = base - m; b < base; b++)
		if (keysys_root(s->sys, b) != s->sys->n)
			return true;
	return false;
}

static int add_space(struct search *s, const struct space *space)
{
	unsigned int m = s->st->index_bits[space->device], room = s->room ? 2 * s->room : 32, i;
	struct space *more = s->spaces;

	if (s->n_spaces == s->room) {
		more = realloc(s->spaces, room * sizeof(*more));
		if (!more)
			return -1;
		s->spaces = more;
		s->room = room;
	}
	more += s->n_spaces;
	*more = *space;
	more->want = 0;
	for (i = 0; i < space->n; i++)
		more->want += alive(s, space->device, space->first[i]);
	if (more->want > m)
		more->want = m;
	s->n_spaces += more->want > 0;
	return 0;
}

/* The bits of a field from @from to its end that are hashed and that a prefix leaves open. */
static void put_bits(const struct search *s, struct space *space, enum hash_field field,
		     unsigned int from)
{
	bool ipv6 = packet_kinds[space->class].ipv6;
	unsigned int size = hash_bits(field, ipv6), bit;
	int pos;

	if (field <= HASH_DST && s->traffic->prefix[ipv6][field].given &&
	    from < s->traffic->prefix[ipv6][field].length)
		from = s->traffic->prefix[ipv6][field].length;
	for (bit = from; bit < size; bit++) {
		pos = steer_position(s->st, space->device, space->class, field * 128 + bit);
		if (pos >= 0)
			space->first[space->n++] = pos;
	}
}

static int class_spaces(struct search *s, unsigned int device, enum packet_class class)
{
	const struct prefix *given = s->traffic->prefix[packet_kinds[class].ipv6];
	unsigned int size, low, weight = given[HASH_SRC].given || given[HASH_DST].given ? 1 : 4;
	struct space space = { .device = device, .class = class, .weight = 64,
			       .whole = true };
	enum hash_field field;

	for (field = 0; field < HASH_FIELDS; field++)
		put_bits(s, &space, field, 0);
	if (add_space(s, &space))
		return -1;
	space.whole = false;
	for (field = 0; field < HASH_FIELDS; field++) {
		size = hash_bits(field, packet_kinds[class].ipv6);
		/* all of it, then neighbours: a /16 and a /24, or nearby ports */
		for (low = size; low >= 8; low = low > 16 ? 16 : low / 2) {
			space.n = 0;
			space.weight = low == size ? 4 * weight : weight;
			put_bits(s, &space, field, size - low);
			if (add_space(s, &space))
				return -1;
			if (low == 8)
				break;
		}
	}
	return 0;
}

static unsigned int judge(const struct search *s, const uint8_t *bits, unsigned int limit)
{
	unsigned int lost = 0, i;

	for (i = 0; i < s->n_spaces && lost < limit; i++)
		lost += s->spaces[i].weight *
			(s->spaces[i].want - rank_of(s, bits, s->spaces[i].device,
						     s->spaces[i].first, s->spaces[i].n, NULL));
	return lost;
}

static void pack_keys(const struct search *s, const uint8_t *bits, struct choice *c)
{
	unsigned int d, i, base;

	memset(c->key, 0, sizeof(c->key));
	for (d = 0; d < s->st->n_devices; d++) {
		base = steer_base(s->st, d);
		for (i = 0; i < s->st->devices[d].key_len * 8; i++)
			c->key[d][i / 8] |= bits[base + i] << (7 - i % 8);
	}
}

unsigned int search_index(const struct steer *st, unsigned int device, const uint8_t *key,
			  const struct sample *s)
{
	const struct packet_kind *kind = &packet_kinds[s->class];
	uint8_t fields = st->hashed[device][kind->flow], in[TOEPLITZ_INPUT];
	unsigned int len = 0, bytes;
	enum hash_field field;

	if (kind->flow == FLOW_IP4 || kind->flow == FLOW_IP6)
		fields &= HASH_ADDRESSES;
	for (field = 0; field < HASH_FIELDS; field++) {
		if (!(fields & 1 << field))
			continue;
		bytes = hash_bits(field, kind->ipv6) / 8;
		memcpy(in + len, s->field[field], bytes);
		len += bytes;
	}
	return toeplitz(key, st->devices[device].key_len, in, len) &
	       ((1u << st->index_bits[device]) - 1);
}

/* --- load of each index ---------------------------------------------------- */

static bool on_device(const struct sample *s, unsigned int device)
{
	return s->device < 0 || s->device == (int)device;
}

static void add_samples(const struct search *s, const struct choice *c, unsigned int device,
			double *load)
{
	const struct sample *sample;
	size_t i;

	for (i = 0; i < s->traffic->n; i++) {
		sample = &s->traffic->samples[i];
		if (on_device(sample, device))
			load[search_index(s->st, device, c->key[device], sample)] += sample->count;
	}
}

/* Where the fixed bits of the prefixes lead. */
static unsigned int offset_of(const struct search *s, const struct choice *c, unsigned int device,
			      enum packet_class class)
{
	bool ipv6 = packet_kinds[class].ipv6;
	struct sample at = { .class = class };
	enum hash_field field;

	for (field = 0; field <= HASH_DST; field++)
		if (s->traffic->prefix[ipv6][field].given)
			memcpy(at.field[field], s->traffic->prefix[ipv6][field].address, 16);
	return search_index(s->st, device, c->key[device], &at);
}

/* All of a class, evenly over what it can reach. */
static void add_even(const struct search *s, const uint8_t *bits, const struct choice *c,
		     const struct space *space, double *load)
{
	unsigned int start = offset_of(s, c, space->device, space->class);
	unsigned int r = 0, i, b, rank, at;
	uint32_t basis[TOEPLITZ_WIDTH];

	rank = rank_of(s, bits, space->device, space->first, space->n, basis);
	for (i = 0; i < TOEPLITZ_WIDTH; i++)
		if (basis[i])
			basis[r++] = basis[i];
	for (i = 0; i < 1u << rank; i++) {
		at = start;
		for (b = 0; b < rank; b++)
			if (i >> b & 1)
				at ^= basis[b];
		load[at] += 1.0 / (1u << rank);
	}
}

/* --- tables ---------------------------------------------------------------- */

struct entry {
	double load;
	unsigned int at;
};

static int by_load(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->load != y->load)
		return x->load < y->load ? 1 : -1;
	return (int)x->at - (int)y->at;
}

/* The heaviest index goes to the emptiest queue (Graham's rule), and so on. */
static double fill(const double *load, unsigned int n, unsigned int queues, uint32_t *table)
{
	double full[DEVICE_MAX_QUEUES] = { 0 }, all = 0, most = 0;
	unsigned int used[DEVICE_MAX_QUEUES] = { 0 }, i, q, best;
	struct entry *order = malloc(n * sizeof(*order));

	if (!order)
		return -1;
	for (i = 0; i < n; i++)
		order[i] = (struct entry){ load[i], i };
	qsort(order, n, sizeof(*order), by_load);
	for (i = 0; i < n; i++) {
		for (best = 0, q = 1; q < queues; q++)
			if (full[q] + 1e-9 < full[best] ||
			    (full[q] < full[best] + 1e-9 && used[q] < used[best]))
				best = q;
		table[order[i].at] = best;
		full[best] += order[i].load;
		used[best]++;
		all += order[i].load;
	}
	for (q = 0; q < queues; q++)
		if (full[q] > most)
			most = full[q];
	free(order);
	return all > 0 ? most * queues / all : 1;
}

/* Devices whose packets share state have one table, or a table that repeats it. */
static uint32_t tied_to(const struct steer *st, unsigned int device)
{
	uint32_t set = 1u << device, devices, before = 0;
	const struct unit *u;
	unsigned int i, v;

	while (set != before) {
		before = set;
		for (i = 0; i < st->n_units; i++) {
			u = &st->units[i];
			devices = 0;
			for (v = 0; u->on && v < u->n_views; v++)
				devices |= 1u << u->views[v].device;
			if (devices & set)
				set |= devices;
		}
	}
	return set;
}

/* Fills the tables of the devices in @set; the fullest queue over the mean, below 0: no memory. */
static double fill_set(const struct search *s, const uint8_t *bits, uint32_t set,
		       struct choice *c)
{
	unsigned int n = DEVICE_MAX_TABLE, queues = DEVICE_MAX_QUEUES, d, i;
	double load[DEVICE_MAX_TABLE] = { 0 }, own[DEVICE_MAX_TABLE], fullest;
	const struct steer *st = s->st;

	for (d = 0; d < st->n_devices; d++) {
		if (!(set >> d & 1))
			continue;
		if (st->devices[d].table_len < n)
			n = st->devices[d].table_len;
		if (st->devices[d].queues < queues)
			queues = st->devices[d].queues;
	}
	for (d = 0; d < st->n_devices; d++) {
		if (!(set >> d & 1))
			continue;
		memset(own, 0, sizeof(own));
		if (s->traffic->n)
			add_samples(s, c, d, own);
		for (i = 0; i < s->n_spaces && !s->traffic->n; i++)
			if (s->spaces[i].device == d && s->spaces[i].whole)
				add_even(s, bits, c, &s->spaces[i], own);
		for (i = 0; i < st->devices[d].table_len; i++)
			load[i % n] += own[i];
	}
	for (d = 0; d < st->n_devices; d++)
		if (set >> d & 1)
			break;
	fullest = fill(load, n, queues, c->table[d]);
	for (i = n; i < st->devices[d].table_len; i++)
		c->table[d][i] = c->table[d][i - n];
	for (i = d + 1; i < st->n_devices; i++)
		if (set >> i & 1)
			for (unsigned int k = 0; k < st->devices[i].table_len; k++)
				c->table[i][k] = c->table[d][k % n];
	return fullest;
}

static int fill_all(const struct search *s, const uint8_t *bits, struct choice *c)
{
	uint32_t done = 0, set;
	unsigned int d;
	double fullest;

	pack_keys(s, bits, c);
	c->fullest = 0;
	c->samples = s->traffic->n > 0;
	for (d = 0; d < s->st->n_devices; d++) {
		if (done >> d & 1)
			continue;
		set = tied_to(s->st, d);
		fullest = fill_set(s, bits, set, c);
		if (fullest < 0)
			return -1;
		if (fullest > c->fullest)
			c->fullest = fullest;
		done |= set;
	}
	return 0;
}

/* --- the search -------------------------------------------------------------- */

static void draw(struct search *s, uint64_t seed, struct candidate *best, unsigned int keep)
{
	unsigned int i, k, worst;
	uint8_t *swap;

	for (i = 0; i < SEARCH_DRAWS; i++) {
		keysys_draw(s->sys, &seed, s->bits);
		worst = 0;
		for (k = 1; k < keep; k++)
			if (best[k].lost > best[worst].lost)
				worst = k;
		k = judge(s, s->bits, best[worst].lost);
		if (k >= best[worst].lost)
			continue;
		best[worst].lost = k;
		swap = best[worst].bits;
		best[worst].bits = s->bits;
		s->bits = swap;
		if (!k && keep == 1)
			break;
	}
}

static void set_ranks(const struct search *s, const uint8_t *bits, struct choice *c)
{
	uint16_t first[STEER_VARS];
	unsigned int d, class, var, n;
	int pos;

	for (d = 0; d < s->st->n_devices; d++)
		for (class = 0; class < PKT_CLASSES; class++) {
			for (var = 0, n = 0; var < STEER_VARS; var++) {
				pos = steer_position(s->st, d, class, var);
				if (pos >= 0)
					first[n++] = pos;
			}
			c->rank[d][class] = rank_of(s, bits, d, first, n, NULL);
		}
}

int search_choice(const struct steer *st, const struct keysys *sys, const struct traffic *traffic,
		  uint64_t seed, struct choice *choice)
{
	struct search s = { .st = st, .sys = sys, .traffic = traffic };
	unsigned int keep = traffic->n ? SEARCH_BEST : 1, i, d, class;
	struct candidate best[SEARCH_BEST] = { { 0 } };
	struct choice *tried = malloc(sizeof(*tried));
	int ret = -1;

	s.bits = calloc(sys->n + 1, 1);
	for (i = 0; i < keep; i++) {
		best[i].lost = ~0u;
		best[i].bits = calloc(sys->n + 1, 1);
		if (!best[i].bits)
			goto out;
	}
	if (!s.bits || !tried)
		goto out;
	for (d = 0; d < st->n_devices; d++)
		for (class = 0; class < PKT_CLASSES; class++)
			if (st->demand[d] >> class & 1 && class_spaces(&s, d, class))
				goto out;
	draw(&s, seed, best, keep);
	choice->fullest = -1;
	for (i = 0; i < keep; i++) {
		if (fill_all(&s, best[i].bits, tried))
			goto out;
		set_ranks(&s, best[i].bits, tried);
		if (choice->fullest < 0 || tried->fullest < choice->fullest)
			*choice = *tried;
	}
	ret = 0;
out:
	for (i = 0; i < keep; i++)
		free(best[i].bits);
	free(s.bits);
	free(s.spaces);
	free(tried);
	return ret;
}
