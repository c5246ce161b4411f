// SPDX-License-Identifier: GPL-2.0
/*
 * Steering by an XDP program: which fields it may hash, and its source text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "solve.h"
#include "tie.h"
#include "cpumap-text.h"

/* The field of packets of a view that takes the part of @field. */
static unsigned int part_of(const struct software *soft, const struct view *v, unsigned int field)
{
	return soft->swapped[v->device] ? field ^ 1 : field;
}

static bool equal_bits(struct tie *t, unsigned int a, unsigned int b)
{
	a = tie_root(t, a);
	b = tie_root(t, b);
	return a == b || (t->value[a] != TIE_OPEN && t->value[a] == t->value[b]);
}

/* Are these fields equal in all pairs; with @exchange, those of the second exchanged? */
static bool keeps(struct tie *t, const struct software *soft, const struct view *a,
		  const struct view *b, bool exchange)
{
	bool ipv6 = packet_kinds[a->class].ipv6;
	unsigned int field, bit, x, y;

	for (field = 0; field < HASH_FIELDS; field++) {
		if (!(soft->fields[ipv6] & 1 << field))
			continue;
		x = part_of(soft, a, field) * 128;
		y = part_of(soft, b, exchange ? field ^ 1 : field) * 128;
		for (bit = 0; bit < hash_bits(field, ipv6); bit++)
			if (!equal_bits(t, x + bit, STEER_VARS + y + bit))
				return false;
	}
	return true;
}

static bool has_ports(const struct view *v)
{
	const struct packet_kind *kind = &packet_kinds[v->class];

	return !kind->fragment && v->class != PKT_OTHER4 && v->class != PKT_OTHER6;
}

static bool unit_keeps(const struct unit *u, const struct software *soft, struct tie *t)
{
	const struct view *a, *b;
	unsigned int i, j;

	for (i = 0; i < u->n_views; i++)
		for (j = i; j < u->n_views; j++) {
			a = &u->views[i];
			b = &u->views[j];
			if (a->by_queue && b->by_queue)
				continue;
			tie_views(t, a, b);
			if (t->never)
				continue;
			/* what has no ports is hashed as if they were 0 */
			if (soft->fields[u->ipv6] & HASH_PORTS && has_ports(a) != has_ports(b))
				return false;
			if (!keeps(t, soft, a, b, false) &&
			    !(soft->symmetric[u->ipv6] && keeps(t, soft, a, b, true)))
				return false;
		}
	return true;
}

static bool family_keeps(const struct steer *st, const struct software *soft, bool ipv6,
			 struct tie *t)
{
	unsigned int u;

	for (u = 0; u < st->n_units; u++)
		if (st->units[u].on && st->units[u].ipv6 == ipv6 &&
		    !unit_keeps(&st->units[u], soft, t))
			return false;
	return true;
}

static bool can_be_symmetric(uint8_t fields)
{
	uint8_t addresses = fields & HASH_ADDRESSES, ports = fields & HASH_PORTS;

	return (!addresses || addresses == HASH_ADDRESSES) && (!ports || ports == HASH_PORTS);
}

/* The largest set of fields for a family, plain before symmetric. */
static bool find_fields(const struct steer *st, struct software *soft, bool ipv6, struct tie *t)
{
	unsigned int size, fields, symmetric;

	for (size = HASH_FIELDS; size; size--)
		for (fields = 1; fields <= HASH_ALL; fields++) {
			if ((unsigned int)__builtin_popcount(fields) != size)
				continue;
			for (symmetric = 0; symmetric < 2; symmetric++) {
				if (symmetric && !can_be_symmetric(fields))
					continue;
				soft->fields[ipv6] = fields;
				soft->symmetric[ipv6] = symmetric;
				if (family_keeps(st, soft, ipv6, t))
					return true;
			}
		}
	return false;
}

bool software_find(const struct steer *st, struct software *soft)
{
	struct tie *t = malloc(sizeof(*t));
	unsigned int turn, d;
	bool found = false;

	/* the first device's direction is the one that all follow */
	for (turn = 0; t && turn < 1u << st->n_devices && !found; turn += 2) {
		memset(soft, 0, sizeof(*soft));
		for (d = 0; d < st->n_devices; d++)
			soft->swapped[d] = turn >> d & 1;
		found = find_fields(st, soft, false, t) && find_fields(st, soft, true, t);
	}
	free(t);
	return found;
}

char *software_source(const struct steer *st, const struct software *soft, unsigned int cpus)
{
	const char *rest = strstr(cpumap_text, "#include");
	unsigned int d, len = 0;
	char devices[256] = "", *text;

	for (d = 0; d < st->n_devices && len < sizeof(devices); d++)
		len += snprintf(devices + len, sizeof(devices) - len, " * %s: swapped = %d\n",
				st->devices[d].name, soft->swapped[d]);
	if (asprintf(&text, "%.*s/*\n * Written by flowmage solve.\n%s */\n"
		     "#define FIELDS4\t\t%u\n#define FIELDS6\t\t%u\n"
		     "#define SYMMETRIC4\t%d\n#define SYMMETRIC6\t%d\n#define CPUS\t\t%u\n\n%s",
		     (int)(rest - cpumap_text), cpumap_text, devices, soft->fields[0],
		     soft->fields[1], soft->symmetric[0], soft->symmetric[1], cpus, rest) < 0)
		return NULL;
	return text;
}
