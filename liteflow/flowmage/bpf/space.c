// SPDX-License-Identifier: GPL-2.0
/*
 * The stacks, and the packet with what was written to it.
 */
#include <string.h>
#include "state.h"

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
