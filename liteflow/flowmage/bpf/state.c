// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "state.h"

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
