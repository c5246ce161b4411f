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

/* What is hashed of the class, and is it put in order first? */
static uint8_t fields_of(const struct software *soft, const struct view *v)
{
	return soft->fields[packet_kinds[v->class].ipv6];
}

static bool pair_keeps(const struct software *soft, struct tie *t, const struct view *a,
		       const struct view *b)
{
	bool ipv6 = packet_kinds[a->class].ipv6, symmetric = soft->symmetric[ipv6];

	if (a->by_queue && b->by_queue)
		return true;
	tie_views(t, a, b);
	if (t->never)
		return true;
	/* packets of both families are hashed alike if only their ports are, in one way */
	if (class_family(a->class) != class_family(b->class) &&
	    (fields_of(soft, a) != fields_of(soft, b) || fields_of(soft, a) & HASH_ADDRESSES ||
	     soft->symmetric[0] != soft->symmetric[1]))
		return false;
	/* what has no ports is hashed as if they were 0 */
	if (fields_of(soft, a) & HASH_PORTS && has_ports(a) != has_ports(b))
		return false;
	return keeps(t, soft, a, b, false) || (symmetric && keeps(t, soft, a, b, true));
}

/* Do all units of these families keep their state together? */
static bool families_keep(const struct steer *st, const struct software *soft, uint8_t families,
			  struct tie *t)
{
	const struct unit *u;
	unsigned int n, i, j;

	for (n = 0; n < st->n_units; n++) {
		u = &st->units[n];
		if (!u->on || u->families & ~families)
			continue;
		for (i = 0; i < u->n_views; i++)
			for (j = i; j < u->n_views; j++)
				if (!pair_keeps(soft, t, &u->views[i], &u->views[j]))
					return false;
	}
	return true;
}

static bool can_be_symmetric(uint8_t fields)
{
	uint8_t addresses = fields & HASH_ADDRESSES, ports = fields & HASH_PORTS;

	return (!addresses || addresses == HASH_ADDRESSES) && (!ports || ports == HASH_PORTS);
}

static void set_fields(struct software *soft, uint8_t families, uint8_t fields, bool symmetric)
{
	unsigned int ipv6;

	for (ipv6 = 0; ipv6 < 2; ipv6++)
		if (families >> ipv6 & 1) {
			soft->fields[ipv6] = fields;
			soft->symmetric[ipv6] = symmetric;
		}
}

/* The largest set of fields for a family or for both, plain before symmetric. */
static bool find_fields(const struct steer *st, struct software *soft, uint8_t families,
			struct tie *t)
{
	unsigned int size, fields, symmetric;

	for (size = HASH_FIELDS; size; size--)
		for (fields = 1; fields <= HASH_ALL; fields++) {
			if ((unsigned int)__builtin_popcount(fields) != size)
				continue;
			for (symmetric = 0; symmetric < 2; symmetric++) {
				if (symmetric && !can_be_symmetric(fields))
					continue;
				set_fields(soft, families, fields, symmetric);
				if (families_keep(st, soft, families, t))
					return true;
			}
		}
	return false;
}

/* Do packets of both families share an entry of some unit? */
static bool is_joint(const struct steer *st)
{
	unsigned int u;

	for (u = 0; u < st->n_units; u++)
		if (st->units[u].on && st->units[u].families == FAMILIES)
			return true;
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
		found = is_joint(st) ? find_fields(st, soft, FAMILIES, t) :
			find_fields(st, soft, FAMILY_IP4, t) &&
			find_fields(st, soft, FAMILY_IP6, t);
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
