// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "value.h"

static struct intern values;

void values_begin(void)
{
	struct value unwritten;

	values_end();
	unwritten = *value_get(value_unknown(0, 64));
	unwritten.deps = LIST_NONE;
	value_make(&unwritten);
}

void values_end(void)
{
	intern_free(&values);
}

size_t values_bytes(void)
{
	return values.bytes;
}

const struct value *value_get(vid v)
{
	return values.item[v];
}

/* Bits, range and the rest agree, so that what is equal has one number. */
static void settle(struct value *v)
{
	bool mixed = false, source = false;
	uint64_t least = 0, most = 0;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (v->bit[i] == BIT_MIXED && i < 63 && v->hi >> i == 0)
			v->bit[i] = BIT_ZERO;
		if (v->bit[i] == BIT_ONE)
			least |= 1ull << i;
		if (v->bit[i] != BIT_ZERO)
			most |= 1ull << i;
	}
	if (v->lo < least)
		v->lo = least;
	if (v->hi > most)
		v->hi = most;
	if (v->lo > v->hi) {	/* only of a path that cannot be */
		v->lo = least;
		v->hi = most;
	}
	for (i = 0; i < 64; i++) {
		mixed |= v->bit[i] == BIT_MIXED;
		source |= BIT_IS_SOURCE(v->bit[i]);
	}
	if (v->lo == v->hi && !source) {
		for (i = 0; i < 64; i++)
			v->bit[i] = v->lo >> i & 1;
		mixed = false;
	}
	if (!mixed) {
		v->deps = LIST_NONE;
		v->def = 0;
		v->linear = 0;
	}
	if (!v->linear) {
		v->terms = LIST_NONE;
		v->off = 0;
	}
}

vid value_make(struct value *v)
{
	if (v->type == V_SCALAR) {
		v->maybe_null = 0;
		v->map = 0;
		v->key = 0;
		settle(v);
	}
	return intern(&values, v, sizeof(*v));
}

vid value_const(uint64_t c)
{
	struct value v = { .lo = c, .hi = c };
	unsigned int i;

	for (i = 0; i < 64; i++)
		v.bit[i] = c >> i & 1;
	return value_make(&v);
}

vid value_unknown(uint32_t def, unsigned int bits)
{
	struct value v = { .deps = LIST_ANY, .def = def, .hi = UINT64_MAX };
	unsigned int i;

	for (i = 0; i < bits; i++)
		v.bit[i] = BIT_MIXED;
	return value_make(&v);
}

vid value_pointer(enum value_type type, uint32_t map, uint32_t key, int64_t off)
{
	struct value v = { .type = type, .map = map, .key = key, .off = off };

	return value_make(&v);
}

bool value_is_const(vid id, uint64_t *c)
{
	const struct value *v = value_get(id);

	if (v->type != V_SCALAR || v->lo != v->hi)
		return false;
	*c = v->lo;
	return true;
}

bool value_is_exact(vid id)
{
	const struct value *v = value_get(id);
	unsigned int i;

	if (v->type != V_SCALAR)
		return false;
	for (i = 0; i < 64; i++)
		if (v->bit[i] == BIT_MIXED)
			return false;
	return true;
}

vid value_undefine(vid id)
{
	struct value v = *value_get(id);

	if (!v.def)
		return id;
	v.def = 0;
	return value_make(&v);
}

void bits_of(vid id, uint32_t *bit)
{
	const struct value *v = value_get(id);
	unsigned int i;

	for (i = 0; i < 64; i++)
		bit[i] = v->type == V_SCALAR ? v->bit[i] : BIT_MIXED;
}

/* The sources of all bits. */
uint32_t value_deps(const struct value *v)
{
	uint32_t deps = v->type == V_SCALAR ? v->deps : LIST_ANY, last = 0;
	unsigned int i;

	for (i = 0; v->type == V_SCALAR && i < 64; i++)
		if (BIT_IS_SOURCE(v->bit[i]) && BIT_SOURCE(v->bit[i]) != last) {
			last = BIT_SOURCE(v->bit[i]);
			deps = set_add(deps, last);
		}
	return deps;
}

vid value_of_bits(const uint32_t *bit, uint32_t deps, uint32_t def)
{
	struct value v = { .deps = deps, .def = def, .hi = UINT64_MAX };

	memcpy(v.bit, bit, sizeof(v.bit));
	return value_make(&v);
}

/* Two values of one place where paths meet. It climbs few steps, so that loops end. */
vid value_join(vid ia, vid ib)
{
	const struct value *a = value_get(ia), *b = value_get(ib);
	struct value v;
	unsigned int i;
	uint64_t c;

	if (ia == ib)
		return ia;
	if (a->type == V_SCALAR && b->type == V_SCALAR) {
		v = (struct value){ .deps = LIST_ANY, .hi = UINT64_MAX };
		for (i = 0; i < 64; i++)
			v.bit[i] = a->bit[i] == b->bit[i] ? a->bit[i] : BIT_MIXED;
		return value_make(&v);
	}
	if (a->type == V_SCALAR) {
		const struct value *other = a;

		a = b;
		b = other;
		ib = ia;
	}
	v = *a;
	v.def = 0;
	if (b->type == V_SCALAR) {
		if (!value_is_const(ib, &c) || c)
			return VALUE_TOP;
		v.maybe_null = 1;
		return value_make(&v);
	}
	if (a->type != b->type || a->map != b->map)
		return VALUE_TOP;
	if (a->key != b->key) {
		if (a->type != V_VALUE && a->type != V_KEY)
			return VALUE_TOP;
		v.key = KEY_ANY;
	}
	if (a->off != b->off || a->terms != b->terms) {
		v.terms = LIST_ANY;
		v.off = 0;
	}
	v.maybe_null |= b->maybe_null;
	return value_make(&v);
}

/* Is all that @ia can be among what @ib can be? */
bool value_within(vid ia, vid ib)
{
	const struct value *a = value_get(ia), *b = value_get(ib);
	unsigned int i;

	if (ia == ib || ib == VALUE_TOP)
		return true;
	if (a->type != V_SCALAR || b->type != V_SCALAR || b->linear || b->def)
		return false;
	if (a->lo < b->lo || a->hi > b->hi)
		return false;
	for (i = 0; i < 64; i++)
		if (a->bit[i] != b->bit[i] && b->bit[i] != BIT_MIXED)
			return false;
	return b->deps == LIST_ANY || set_within(value_deps(a), b->deps);
}
