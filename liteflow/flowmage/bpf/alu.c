// SPDX-License-Identifier: GPL-2.0
/*
 * BPF's arithmetic on values: bits keep their sources where an operation only moves them.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "value.h"

/* All that is known of the result is what it depends on. */
static vid mixed(const struct value *a, const struct value *b, bool is32, uint32_t def)
{
	struct value v = { .def = def, .hi = is32 ? UINT32_MAX : UINT64_MAX };
	unsigned int i;

	v.deps = set_union(value_deps(a), value_deps(b));
	for (i = 0; i < (is32 ? 32 : 64); i++)
		v.bit[i] = BIT_MIXED;
	return value_make(&v);
}

/* What is added to a pointer or a sum: a constant, or exact terms and a constant. */
static bool linear(vid id, uint32_t *terms, int64_t *off)
{
	const struct value *v = value_get(id);
	uint64_t term = id;

	if (v->type != V_SCALAR)
		return false;
	if (v->lo == v->hi) {
		*terms = LIST_NONE;
		*off = v->lo;
		return true;
	}
	if (v->linear) {
		*terms = v->terms;
		*off = v->off;
		return true;
	}
	if (!value_is_exact(id))
		return false;
	*terms = list_make(&term, 1);
	*off = 0;
	return true;
}

static int cmp_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A term may be there twice, so this is no union. */
static uint32_t terms_add(uint32_t a, uint32_t b)
{
	uint64_t all[2 * LIST_MAX];
	const uint64_t *p;
	size_t na, nb;

	if (a == LIST_ANY || b == LIST_ANY)
		return LIST_ANY;
	p = list_get(a, &na);
	memcpy(all, p, na * sizeof(*p));
	p = list_get(b, &nb);
	memcpy(all + na, p, nb * sizeof(*p));
	qsort(all, na + nb, sizeof(*all), cmp_u64);
	return list_make(all, na + nb);
}

static vid pointer_add(const struct value *p, vid scalar, bool minus)
{
	struct value v = *p;
	uint32_t terms;
	int64_t off;

	if (linear(scalar, &terms, &off) && (!minus || terms == LIST_NONE)) {
		v.off += minus ? -(uint64_t)off : (uint64_t)off;
		v.terms = terms_add(v.terms, terms);
	} else {
		v.terms = LIST_ANY;
	}
	if (v.terms == LIST_ANY || v.off < -(1 << 28) || v.off > 1 << 28) {
		v.terms = LIST_ANY;
		v.off = 0;
	}
	return value_make(&v);
}

static vid logic(uint8_t op, const struct value *a, const struct value *b, uint32_t def)
{
	struct value v = { .def = def, .hi = UINT64_MAX };
	unsigned int i;

	for (i = 0; i < 64; i++) {
		uint32_t x = a->bit[i], y = b->bit[i], r = BIT_MIXED;

		if (x < y) {
			x = y;
			y = a->bit[i];
		}
		/* y is the smaller one: constants first */
		if (op == BPF_AND && y <= BIT_ONE)
			r = y == BIT_ZERO ? BIT_ZERO : x;
		else if (op == BPF_OR && y <= BIT_ONE)
			r = y == BIT_ONE ? BIT_ONE : x;
		else if (op == BPF_XOR && y == BIT_ZERO)
			r = x;
		else if (op == BPF_XOR && x == BIT_ONE && y == BIT_ONE)
			r = BIT_ZERO;
		else if (x == y && BIT_IS_SOURCE(x))
			r = op == BPF_XOR ? BIT_ZERO : x;
		v.bit[i] = r;
	}
	v.deps = set_union(value_deps(a), value_deps(b));
	if (op == BPF_AND)
		v.hi = a->hi < b->hi ? a->hi : b->hi;
	return value_make(&v);
}

static vid shift(uint8_t op, const struct value *a, unsigned int by, unsigned int width,
		 uint32_t def)
{
	struct value v = { .def = def, .deps = a->deps, .hi = UINT64_MAX };
	unsigned int i;

	for (i = 0; i < width; i++) {
		if (op == BPF_LSH)
			v.bit[i] = i >= by ? a->bit[i - by] : BIT_ZERO;
		else if (i + by < width)
			v.bit[i] = a->bit[i + by];
		else
			v.bit[i] = op == BPF_ARSH ? a->bit[width - 1] : BIT_ZERO;
	}
	if (op == BPF_RSH || (op == BPF_ARSH && a->bit[width - 1] == BIT_ZERO)) {
		v.lo = a->lo >> by;
		v.hi = a->hi >> by;
	} else if (op == BPF_LSH && a->hi <= UINT64_MAX >> by && (width == 64 ||
		   a->hi << by <= UINT32_MAX)) {
		v.lo = a->lo << by;
		v.hi = a->hi << by;
	}
	return value_make(&v);
}

static vid add(vid ia, vid ib, bool is32, uint32_t def)
{
	const struct value *a = value_get(ia), *b = value_get(ib);
	uint64_t most = is32 ? UINT32_MAX : UINT64_MAX;
	uint32_t ta, tb;
	int64_t oa, ob;
	struct value v;
	unsigned int i;

	/* no bit is in both: nothing is carried */
	for (i = 0; i < 64; i++)
		if (a->bit[i] != BIT_ZERO && b->bit[i] != BIT_ZERO)
			break;
	if (i == 64)
		return logic(BPF_OR, a, b, def);
	v = *value_get(mixed(a, b, is32, def));
	for (i = 0; i < 64 && a->bit[i] == BIT_ZERO && b->bit[i] == BIT_ZERO; i++)
		v.bit[i] = BIT_ZERO;
	if (a->hi > most - b->hi)
		return value_make(&v);
	v.lo = a->lo + b->lo;
	v.hi = a->hi + b->hi;
	if (linear(ia, &ta, &oa) && linear(ib, &tb, &ob)) {
		v.linear = 1;
		v.terms = terms_add(ta, tb);
		v.off = (uint64_t)oa + ob;
		if (v.terms == LIST_ANY)
			v.linear = 0;
	}
	return value_make(&v);
}

static vid sub(vid ia, vid ib, bool is32, uint32_t def)
{
	const struct value *a = value_get(ia), *b = value_get(ib);
	struct value v = *value_get(mixed(a, b, is32, def));
	uint32_t ta, tb;
	int64_t oa, ob;

	if (a->lo >= b->hi) {
		v.lo = a->lo - b->hi;
		v.hi = a->hi - b->lo;
		if (linear(ia, &ta, &oa) && linear(ib, &tb, &ob) && tb == LIST_NONE) {
			v.linear = 1;
			v.terms = ta;
			v.off = (uint64_t)oa - ob;
		}
	}
	return value_make(&v);
}

static uint64_t compute(uint8_t op, uint64_t a, uint64_t b, bool is32)
{
	unsigned int by = b & (is32 ? 31 : 63);

	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : a;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << by;
	case BPF_RSH:
		return a >> by;
	case BPF_ARSH:
		return is32 ? (uint32_t)((int32_t)a >> by) : (uint64_t)((int64_t)a >> by);
	default:
		return -a;
	}
}

/* A power of two: its exponent; else -1. */
static int log_of(uint64_t c)
{
	return c && !(c & (c - 1)) ? __builtin_ctzll(c) : -1;
}

static vid times(uint8_t op, const struct value *a, vid ib, bool is32, uint32_t def)
{
	const struct value *b = value_get(ib);
	struct value v;
	uint64_t c;
	int log;

	if (value_is_const(ib, &c)) {
		log = log_of(c);
		if (log >= 0 && op == BPF_MUL)
			return shift(BPF_LSH, a, log, is32 ? 32 : 64, def);
		if (log >= 0 && op == BPF_DIV)
			return shift(BPF_RSH, a, log, is32 ? 32 : 64, def);
		if (log >= 0 && op == BPF_MOD)
			return logic(BPF_AND, a, value_get(value_const(c - 1)), def);
	}
	v = *value_get(mixed(a, b, is32, def));
	if (op == BPF_MOD && b->lo) {
		v.hi = b->hi - 1 < a->hi ? b->hi - 1 : a->hi;
	} else if (op == BPF_DIV && b->lo) {
		v.lo = a->lo / b->hi;
		v.hi = a->hi / b->lo;
	} else if (op == BPF_MUL && a->hi <= UINT16_MAX && b->hi <= UINT16_MAX) {
		v.lo = a->lo * b->lo;
		v.hi = a->hi * b->hi;
	}
	return value_make(&v);
}

vid alu(uint8_t op, vid ia, vid ib, bool is32, uint32_t def)
{
	const struct value *a = value_get(ia), *b = value_get(ib);
	uint64_t x, y;

	if (a->type != V_SCALAR || b->type != V_SCALAR) {
		if (!is32 && op == BPF_ADD && a->type != V_SCALAR && b->type == V_SCALAR)
			return pointer_add(a, ib, false);
		if (!is32 && op == BPF_ADD && b->type != V_SCALAR && a->type == V_SCALAR)
			return pointer_add(b, ia, false);
		if (!is32 && op == BPF_SUB && a->type != V_SCALAR && b->type == V_SCALAR)
			return pointer_add(a, ib, true);
		return value_unknown(def, is32 ? 32 : 64);
	}
	if (is32) {
		ia = alu_truncate(ia, 32, def);
		ib = alu_truncate(ib, 32, def);
		a = value_get(ia);
		b = value_get(ib);
	}
	if (value_is_const(ia, &x) && value_is_const(ib, &y)) {
		x = compute(op, x, y, is32);
		return value_const(is32 ? (uint32_t)x : x);
	}
	switch (op) {
	case BPF_ADD:
		return add(ia, ib, is32, def);
	case BPF_SUB:
		return sub(ia, ib, is32, def);
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		return logic(op, a, b, def);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		if (value_is_const(ib, &y))
			return shift(op, a, y & (is32 ? 31 : 63), is32 ? 32 : 64, def);
		return mixed(a, b, is32, def);
	case BPF_MUL:
	case BPF_DIV:
	case BPF_MOD:
		return times(op, a, ib, is32, def);
	default:
		return mixed(a, b, is32, def);
	}
}

/* The low @bits with their bytes in reverse. */
vid alu_swap(vid ia, unsigned int bits, uint32_t def)
{
	struct value v = { .def = def, .hi = UINT64_MAX };
	uint32_t bit[64];
	unsigned int i;

	bits_of(ia, bit);
	v.deps = value_deps(value_get(ia));
	for (i = 0; i < bits; i++)
		v.bit[i] = bit[(bits / 8 - 1 - i / 8) * 8 + i % 8];
	return value_make(&v);
}

vid alu_truncate(vid ia, unsigned int bits, uint32_t def)
{
	const struct value *a = value_get(ia);
	struct value v;

	if (bits == 64 || (a->type == V_SCALAR && a->hi >> bits == 0))
		return ia;
	v = (struct value){ .def = def, .hi = UINT64_MAX };
	bits_of(ia, v.bit);
	memset(v.bit + bits, 0, (64 - bits) * sizeof(*v.bit));
	v.deps = value_deps(a);
	return value_make(&v);
}

/* Sign extension from @bits to 64. */
vid alu_extend(vid ia, unsigned int bits, uint32_t def)
{
	struct value v = { .def = def, .hi = UINT64_MAX };
	unsigned int i;

	bits_of(ia, v.bit);
	v.deps = value_deps(value_get(ia));
	for (i = bits; i < 64; i++)
		v.bit[i] = v.bit[bits - 1];
	return value_make(&v);
}
