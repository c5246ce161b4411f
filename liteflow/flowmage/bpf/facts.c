// SPDX-License-Identifier: GPL-2.0
/*
 * What a path knows: bits of the packet, ranges of values, and how values compare.
 */
#include <string.h>
#include "state.h"

uint32_t source_make(enum source_kind kind, uint32_t terms, int32_t off)
{
	const uint64_t item[3] = { kind, terms, (uint32_t)off };

	return list_make(item, 3);
}

void source_get(uint32_t source, enum source_kind *kind, uint32_t *terms, int32_t *off)
{
	const uint64_t *item;
	size_t n;

	item = list_get(source, &n);
	*kind = item[0];
	*terms = item[1];
	*off = item[2];
}

int fact_bit(const struct state *s, uint32_t bit)
{
	if (!BIT_IS_SOURCE(bit))
		return bit == BIT_MIXED ? -1 : (int)bit;
	if (set_has(s->facts, 2ull * bit))
		return 0;
	return set_has(s->facts, 2ull * bit + 1) ? 1 : -1;
}

bool fact_learn(struct state *s, uint32_t bit, bool value)
{
	int known = fact_bit(s, bit);
	uint32_t facts;

	if (known >= 0)
		return known == value;
	if (!BIT_IS_SOURCE(bit))
		return true;
	facts = set_add(s->facts, 2ull * bit + value);
	if (facts != LIST_ANY)	/* too many: the new one is left out */
		s->facts = facts;
	return true;
}

int fact_bytes(const struct state *s, int32_t off, unsigned int n)
{
	int value = 0, bit;
	unsigned int i, j;
	uint32_t source;

	for (i = 0; i < n; i++)
		for (j = 8; j--; ) {
			source = source_make(SOURCE_PACKET, LIST_NONE, off + i);
			bit = fact_bit(s, BIT_OF(source, j));
			if (bit < 0)
				return -1;
			value = 2 * value + bit;
		}
	return value;
}

static bool find_range(const struct state *s, vid v, uint64_t *lo, uint64_t *hi)
{
	const uint64_t *p;
	size_t n, i;

	p = list_get(s->ranges, &n);
	for (i = 0; i + 2 < n; i += 3)
		if (p[i] == v) {
			*lo = p[i + 1];
			*hi = p[i + 2];
			return true;
		}
	return false;
}

void state_range(const struct state *s, vid id, uint64_t *lo, uint64_t *hi)
{
	const struct value *v = value_get(id);
	uint64_t least = 0, most = 0, l, h;
	unsigned int i;
	int bit;

	*lo = v->type == V_SCALAR ? v->lo : 0;
	*hi = v->type == V_SCALAR ? v->hi : UINT64_MAX;
	if (v->type != V_SCALAR)
		return;
	for (i = 0; i < 64; i++) {
		bit = fact_bit(s, v->bit[i]);
		least |= (uint64_t)(bit == 1) << i;
		most |= (uint64_t)(bit != 0) << i;
	}
	if (find_range(s, id, &l, &h)) {
		least = l > least ? l : least;
		most = h < most ? h : most;
	}
	if (least > *lo)
		*lo = least;
	if (most < *hi)
		*hi = most;
}

bool state_is_const(const struct state *s, vid v, uint64_t *c)
{
	uint64_t lo, hi;

	if (value_get(v)->type != V_SCALAR)
		return false;
	state_range(s, v, &lo, &hi);
	*c = lo;
	return lo == hi;
}

static void note_range(struct state *s, vid v, uint64_t lo, uint64_t hi)
{
	uint64_t item[LIST_MAX] = { v, lo, hi };
	const uint64_t *p;
	size_t n, i, k = 3;

	p = list_get(s->ranges, &n);
	for (i = 0; i + 2 < n && k + 3 <= 32 * 3; i += 3) {
		if (p[i] == v)
			continue;
		memcpy(item + k, p + i, 3 * sizeof(*p));
		k += 3;
	}
	s->ranges = list_make(item, k);
}

bool state_narrow(struct state *s, unsigned int reg, uint64_t lo, uint64_t hi)
{
	vid id = s->reg[reg];
	struct value v = *value_get(id);
	uint64_t l, h;

	if (v.type != V_SCALAR)
		return true;
	state_range(s, id, &l, &h);
	lo = lo > l ? lo : l;
	hi = hi < h ? hi : h;
	if (lo > hi)
		return false;
	if (lo == l && hi == h)
		return true;
	if (value_is_exact(id)) {
		note_range(s, id, lo, hi);
		return true;
	}
	v.lo = lo;
	v.hi = hi;
	if (v.def)
		state_replace(s, id, value_make(&v));
	else
		s->reg[reg] = value_make(&v);
	return true;
}

/* An entry: the smaller number, the greater one, and how the first may compare to it. */
#define RELATION(a, b, possible)	((uint64_t)(a) << 32 | (uint64_t)(b) << 3 | (possible))
#define RELATION_MAX_VID		(1u << 28)

bool relation_learn(struct state *s, vid a, vid b, unsigned int possible)
{
	unsigned int known = RELATION_LESS | RELATION_EQUAL | RELATION_MORE;
	uint64_t item[LIST_MAX];
	const uint64_t *p;
	size_t n, i, at;

	if (a == b)
		return possible & RELATION_EQUAL;
	if (a > b) {
		vid c = a;

		a = b;
		b = c;
		possible = (possible & RELATION_EQUAL) |
			   (possible & RELATION_LESS ? RELATION_MORE : 0) |
			   (possible & RELATION_MORE ? RELATION_LESS : 0);
	}
	p = list_get(s->relations, &n);
	if (b >= RELATION_MAX_VID || n > LIST_MAX / 2)
		return true;
	for (i = 0, at = 0; i < n; i++) {
		if (p[i] >> 3 == RELATION(a, b, 0) >> 3)
			known = p[i] & 7;
		else
			item[at++] = p[i];
	}
	known &= possible;
	for (i = at; i && item[i - 1] > RELATION(a, b, known); i--)
		item[i] = item[i - 1];
	item[i] = RELATION(a, b, known);
	s->relations = list_make(item, at + 1);
	return known;
}
