// SPDX-License-Identifier: GPL-2.0
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

	for (i = 0; i < n; i++)
		for (j = 8; j--; ) {
			bit = fact_bit(s, BIT_OF(source_make(SOURCE_PACKET, LIST_NONE, off + i), j));
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

void frame_begin(struct frame *f, enum frame_kind kind, uint32_t back)
{
	unsigned int i;

	*f = (struct frame){ .kind = kind, .back = back };
	for (i = 0; i < STACK_SLOTS; i++)
		f->slot[i] = VALUE_UNWRITTEN;
}

void state_replace(struct state *s, vid old, vid v)
{
	unsigned int i, f;

	if (old == v)
		return;
	for (i = 0; i < 10; i++)
		if (s->reg[i] == old)
			s->reg[i] = v;
	for (f = 0; f <= s->depth; f++) {
		struct frame *frame = &s->frame[f];

		for (i = 0; i < 6; i++)
			if (frame->saved[i] == old)
				frame->saved[i] = v;
		for (i = 0; i < 5; i++)
			if (frame->args[i] == old)
				frame->args[i] = v;
		for (i = 0; i < STACK_SLOTS; i++)
			if (frame->slot[i] == old)
				frame->slot[i] = v;
	}
}

static void undefine(vid *v, uint32_t def)
{
	if (*v > VALUE_UNWRITTEN && value_get(*v)->def == def)
		*v = value_undefine(*v);
}

void state_undefine(struct state *s, uint32_t def)
{
	unsigned int i, f;

	for (i = 0; i < 10; i++)
		undefine(&s->reg[i], def);
	for (f = 0; f <= s->depth; f++) {
		for (i = 0; i < 6; i++)
			undefine(&s->frame[f].saved[i], def);
		for (i = 0; i < 5; i++)
			undefine(&s->frame[f].args[i], def);
		for (i = 0; i < STACK_SLOTS; i++)
			undefine(&s->frame[f].slot[i], def);
	}
}

/* A value with a mark of where it was made is the only one with that mark. */
void state_set(struct state *s, unsigned int reg, vid v)
{
	uint32_t def = value_get(v)->def;

	if (def && def == s->pc + 1)
		state_undefine(s, def);
	s->reg[reg] = v;
}

vid state_get(const struct state *s, unsigned int reg)
{
	return reg == 10 ? value_pointer(V_STACK, 0, s->depth, 0) : s->reg[reg];
}

static void mixed_bits(uint32_t *bit, unsigned int n, uint32_t *deps)
{
	while (n)
		bit[--n] = BIT_MIXED;
	*deps = LIST_ANY;
}

void stack_bits(const struct state *s, unsigned int frame, int64_t off, unsigned int size,
		uint32_t *bit, uint32_t *deps)
{
	const struct frame *f = &s->frame[frame];
	uint32_t all[64];
	unsigned int i, last = STACK_SLOTS;
	int64_t at;

	for (i = 0; i < size; i++) {
		at = STACK_BYTES + off + i;
		if (at < 0 || at >= STACK_BYTES) {
			mixed_bits(bit + 8 * i, 8, deps);
			continue;
		}
		if (at / 8 != last) {
			last = at / 8;
			bits_of(f->slot[last], all);
			*deps = set_union(*deps, value_get(f->slot[last])->type == V_SCALAR ?
					  value_get(f->slot[last])->deps : LIST_ANY);
		}
		memcpy(bit + 8 * i, all + 8 * (at % 8), 8 * sizeof(*bit));
	}
}

vid stack_read(const struct state *s, unsigned int frame, int64_t off, unsigned int size,
	       uint32_t def)
{
	uint32_t bit[64] = { 0 }, deps = LIST_NONE;

	if (size == 8 && !(off & 7) && off >= -STACK_BYTES && off < 0)
		return s->frame[frame].slot[(STACK_BYTES + off) / 8];
	stack_bits(s, frame, off, size, bit, &deps);
	return value_of_bits(bit, deps, def);
}

void stack_write(struct state *s, unsigned int frame, int64_t off, unsigned int size, vid v)
{
	uint32_t bit[64], all[64], deps;
	struct frame *f = &s->frame[frame];
	unsigned int i;
	int64_t at;

	if (size == 8 && !(off & 7) && off >= -STACK_BYTES && off < 0) {
		f->slot[(STACK_BYTES + off) / 8] = v;
		return;
	}
	bits_of(v, bit);
	for (i = 0; i < size; i++) {
		at = STACK_BYTES + off + i;
		if (at < 0 || at >= STACK_BYTES)
			continue;
		bits_of(f->slot[at / 8], all);
		deps = value_get(f->slot[at / 8])->type == V_SCALAR ?
		       value_get(f->slot[at / 8])->deps : LIST_ANY;
		memcpy(all + 8 * (at % 8), bit + 8 * i, 8 * sizeof(*bit));
		if (value_get(v)->type != V_SCALAR)
			deps = LIST_ANY;
		else
			deps = set_union(deps, value_get(v)->deps);
		f->slot[at / 8] = value_of_bits(all, deps, 0);
	}
}

void stack_forget(struct state *s, unsigned int frame, int64_t off, uint64_t size)
{
	int64_t at = off < -STACK_BYTES ? -STACK_BYTES : off, end = 0;

	if (size < STACK_BYTES && off + (int64_t)size < 0)
		end = off + size;
	for (; at < end; at++) {
		if (!(at & 7) && at + 8 <= end) {
			s->frame[frame].slot[(STACK_BYTES + at) / 8] = VALUE_TOP;
			at += 7;
		} else {
			stack_write(s, frame, at, 1, VALUE_TOP);
		}
	}
}

/* Where a sum of terms and @off can point. */
static void reach(const struct state *s, uint32_t terms, int64_t off, int64_t *lo, int64_t *hi)
{
	uint64_t l, h;
	const uint64_t *p;
	size_t n, i;

	*lo = off;
	*hi = off;
	p = list_get(terms, &n);
	for (i = 0; i < n; i++) {
		state_range(s, p[i], &l, &h);
		if (h >= 65536) {	/* or a negative number */
			l = -65536;
			h = 65536;
		}
		*lo += (int64_t)l;
		*hi += (int64_t)h;
	}
}

/* Terms whose value the path knows become part of the offset. */
static void fold(const struct state *s, uint32_t *terms, int64_t *off)
{
	uint64_t left[LIST_MAX], c;
	const uint64_t *p;
	size_t n, i, k = 0;

	if (*terms <= LIST_ANY)
		return;
	p = list_get(*terms, &n);
	for (i = 0; i < n; i++) {
		if (state_is_const(s, p[i], &c))
			*off += c;
		else
			left[k++] = p[i];
	}
	*terms = list_make(left, k);
}

/* One byte that was written since: true, and its bits. */
static bool written_bits(const struct state *s, uint32_t terms, int64_t off, uint32_t *bit,
			 uint32_t *deps)
{
	int64_t lo, hi, l, h, at;
	const struct value *v;
	uint32_t all[64];
	const uint64_t *p;
	size_t n, i;

	p = list_get(s->writes, &n);
	reach(s, terms, off, &lo, &hi);
	for (i = 0; i + 2 < n; i += 3) {
		at = (int32_t)p[i];
		if (p[i] >> 32 == terms) {
			if (off < at || off >= at + (int64_t)p[i + 1])
				continue;
			v = value_get(p[i + 2]);
			bits_of(p[i + 2], all);
			*deps = set_union(*deps, v->type == V_SCALAR ? v->deps : LIST_ANY);
			memcpy(bit, all + 8 * (off - at), 8 * sizeof(*bit));
			return true;
		}
		reach(s, p[i] >> 32, at, &l, &h);
		if (hi < l || lo >= h + (int64_t)p[i + 1])
			continue;
		mixed_bits(bit, 8, deps);
		return true;
	}
	return false;
}

void packet_bits(const struct state *s, uint32_t terms, int64_t off, unsigned int size,
		 uint32_t *bit, uint32_t *deps)
{
	unsigned int i, j;
	uint32_t source;

	fold(s, &terms, &off);
	if (terms == LIST_ANY || s->writes == LIST_ANY) {
		mixed_bits(bit, 8 * size, deps);
		return;
	}
	for (i = 0; i < size; i++) {
		if (written_bits(s, terms, off + i, bit + 8 * i, deps))
			continue;
		if (terms == LIST_NONE && off + (int)i < 0) {	/* before the frame */
			mixed_bits(bit + 8 * i, 8, deps);
			continue;
		}
		source = source_make(SOURCE_PACKET, terms, off + i);
		for (j = 0; j < 8; j++)
			bit[8 * i + j] = BIT_OF(source, j);
	}
}

void packet_write(struct state *s, uint32_t terms, int64_t off, unsigned int size, vid v)
{
	uint64_t item[LIST_MAX];
	const uint64_t *p;
	size_t n;

	fold(s, &terms, &off);
	p = list_get(s->writes, &n);
	if (terms == LIST_ANY || s->writes == LIST_ANY || size > 8 || n + 3 > 48 * 3) {
		s->writes = LIST_ANY;
		return;
	}
	item[0] = (uint64_t)terms << 32 | (uint32_t)off;
	item[1] = size;
	item[2] = value_undefine(v);
	/* the same place once more: the old entry is of no use */
	if (n && p[0] == item[0] && p[1] == item[1]) {
		p += 3;
		n -= 3;
	}
	memcpy(item + 3, p, n * sizeof(*p));
	s->writes = list_make(item, n + 3);
}

void state_join(struct state *a, const struct state *b)
{
	unsigned int i, f;

	a->facts = set_common(a->facts, b->facts);
	if (a->ranges != b->ranges)
		a->ranges = LIST_NONE;
	a->relations = set_common(a->relations, b->relations);
	if (a->writes != b->writes)
		a->writes = LIST_ANY;
	a->pending = set_union(a->pending, b->pending);
	if (a->head != b->head)
		a->head = INT32_MIN;
	a->syn_fin &= b->syn_fin;
	a->missed &= b->missed;
	a->updated &= b->updated;
	for (i = 0; i < 10; i++)
		a->reg[i] = value_join(a->reg[i], b->reg[i]);
	for (f = 0; f <= a->depth; f++) {
		for (i = 0; i < 6; i++)
			a->frame[f].saved[i] = value_join(a->frame[f].saved[i],
							  b->frame[f].saved[i]);
		for (i = 0; i < 5; i++)
			a->frame[f].args[i] = value_join(a->frame[f].args[i], b->frame[f].args[i]);
		for (i = 0; i < STACK_SLOTS; i++)
			a->frame[f].slot[i] = value_join(a->frame[f].slot[i], b->frame[f].slot[i]);
	}
}

/* Is whatever @a can become covered by what @b becomes? */
bool state_within(const struct state *a, const struct state *b)
{
	unsigned int i, f;

	if (a->writes != b->writes && b->writes != LIST_ANY)
		return false;
	if (a->head != b->head && b->head != INT32_MIN)
		return false;
	if (b->syn_fin > a->syn_fin || b->missed & ~a->missed || b->updated & ~a->updated)
		return false;
	if (b->ranges != a->ranges && b->ranges != LIST_NONE)
		return false;
	for (i = 0; i < 10; i++)
		if (!value_within(a->reg[i], b->reg[i]))
			return false;
	for (f = 0; f <= a->depth; f++) {
		const struct frame *x = &a->frame[f], *y = &b->frame[f];

		if (!memcmp(x, y, sizeof(*x)))
			continue;
		for (i = 0; i < 6; i++)
			if (!value_within(x->saved[i], y->saved[i]))
				return false;
		for (i = 0; i < 5; i++)
			if (!value_within(x->args[i], y->args[i]))
				return false;
		for (i = 0; i < STACK_SLOTS; i++)
			if (!value_within(x->slot[i], y->slot[i]))
				return false;
	}
	return set_within(b->facts, a->facts) && set_within(b->relations, a->relations) &&
	       set_within(a->pending, b->pending);
}
