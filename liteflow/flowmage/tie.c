// SPDX-License-Identifier: GPL-2.0
#include "tie.h"

unsigned int tie_root(struct tie *t, unsigned int node)
{
	while (t->up[node] != node) {
		t->up[node] = t->up[t->up[node]];
		node = t->up[node];
	}
	return node;
}

static void set_value(struct tie *t, unsigned int node, unsigned int value)
{
	node = tie_root(t, node);
	if (t->value[node] == TIE_OPEN)
		t->value[node] = value;
	else if (t->value[node] != value)
		t->never = true;
}

static void tie_nodes(struct tie *t, unsigned int a, unsigned int b)
{
	unsigned int value;

	a = tie_root(t, a);
	b = tie_root(t, b);
	if (a == b)
		return;
	value = t->value[b];
	t->up[b] = a;
	if (value != TIE_OPEN)
		set_value(t, a, value);
}

void tie_views(struct tie *t, const struct view *a, const struct view *b)
{
	unsigned int n = a->n < b->n ? a->n : b->n, i;
	uint16_t x, y;

	t->never = false;
	for (i = 0; i < TIE_NODES; i++) {
		t->up[i] = i;
		t->value[i] = TIE_OPEN;
	}
	for (i = 0; i < n && !t->never; i++) {
		x = a->slot[i];
		y = b->slot[i];
		if (x == SLOT_FREE || y == SLOT_FREE || a->tag[i] != b->tag[i])
			continue;
		if (x < SLOT_CONST && y < SLOT_CONST)
			tie_nodes(t, x, STEER_VARS + y);
		else if (x < SLOT_CONST)
			set_value(t, x, y - SLOT_CONST);
		else if (y < SLOT_CONST)
			set_value(t, STEER_VARS + y, x - SLOT_CONST);
		else
			t->never = x != y;
	}
}
