// SPDX-License-Identifier: GPL-2.0
/*
 * Values of the analysis of sources: see click_value.h.
 */
#include <string.h>
#include "click_value.h"

struct code_value code_value_field(enum fm_field field)
{
	return (struct code_value){ .kind = VALUE_FIELDS, .fields = { field }, .n = 1 };
}

struct code_value code_value_packet(enum click_header at)
{
	return (struct code_value){ .kind = VALUE_PACKET, .at = at };
}

bool code_value_equal(const struct code_value *a, const struct code_value *b)
{
	return a->kind == b->kind && a->n == b->n && a->at == b->at && a->state == b->state &&
	       a->part == b->part && a->content == b->content && a->cpu == b->cpu &&
	       !memcmp(a->fields, b->fields, a->n * sizeof(*a->fields));
}

struct code_value code_value_join(struct code_value a, struct code_value b)
{
	if (a.kind == VALUE_NONE)
		return b;
	if (b.kind == VALUE_NONE || code_value_equal(&a, &b))
		return a;
	if (a.kind == VALUE_ENTRY && b.kind == VALUE_ENTRY && a.state == b.state) {
		a.content |= b.content;
		return a;
	}
	/* a null pointer, or another one */
	if (a.kind == VALUE_CONST && (b.kind == VALUE_PACKET || b.kind == VALUE_ENTRY))
		return b;
	if (b.kind == VALUE_CONST && (a.kind == VALUE_PACKET || a.kind == VALUE_ENTRY))
		return a;
	/* the element's memory or this CPU's part of it: all of it */
	if (a.kind == VALUE_MEMBER && b.kind == VALUE_MEMBER) {
		if (a.part != b.part)
			a.part = -1;
		if (a.cpu != b.cpu ? a.cpu : b.state < a.state)
			a.state = b.state;
		a.cpu &= b.cpu;
		return a;
	}
	if (a.kind == VALUE_MEMBER && b.kind == VALUE_CONST)
		return a;
	if (b.kind == VALUE_MEMBER && a.kind == VALUE_CONST)
		return b;
	return code_value_of(VALUE_UNKNOWN);
}

struct code_value code_value_append(struct code_value a, struct code_value b)
{
	unsigned int i;

	if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
		return code_value_of(VALUE_NONE);
	if (a.kind == VALUE_CONST)
		return b.kind == VALUE_FIELDS || b.kind == VALUE_CONST ?
			       b :
			       code_value_of(VALUE_UNKNOWN);
	if (b.kind == VALUE_CONST && a.kind == VALUE_FIELDS)
		return a;
	if (a.kind != VALUE_FIELDS || b.kind != VALUE_FIELDS || a.n + b.n > CLICK_KEY_FIELDS)
		return code_value_of(VALUE_UNKNOWN);
	for (i = 0; i < b.n; i++)
		a.fields[a.n++] = b.fields[i];
	return a;
}

struct code_value code_value_mix(struct code_value a, struct code_value b)
{
	if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
		return code_value_of(VALUE_NONE);
	if (a.kind == VALUE_CONST && b.kind == VALUE_CONST)
		return a;
	return code_value_of(VALUE_UNKNOWN);
}

unsigned int code_value_size(const struct code_value *v)
{
	unsigned int i, n = 0;

	for (i = 0; i < v->n; i++)
		n += fm_field_size(v->fields[i]);
	return n;
}
