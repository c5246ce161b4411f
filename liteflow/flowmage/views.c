// SPDX-License-Identifier: GPL-2.0
/*
 * From the descriptions of functions to views of maps: see steer.h.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "steer.h"
#include "tie.h"

#define ETHERTYPE_IP4	0x0800
#define ETHERTYPE_IP6	0x86dd
#define MAX_KEY		512	/* bytes of a state key */

const struct packet_kind packet_kinds[PKT_CLASSES] = {
	[PKT_TCP4] = { "TCP over IPv4", false, IPPROTO_TCP, false, FLOW_TCP4 },
	[PKT_UDP4] = { "UDP over IPv4", false, IPPROTO_UDP, false, FLOW_UDP4 },
	[PKT_SCTP4] = { "SCTP over IPv4", false, IPPROTO_SCTP, false, FLOW_SCTP4 },
	[PKT_OTHER4] = { "other IPv4", false, IPPROTO_ICMP, false, FLOW_IP4 },
	[PKT_TCP4_FRAGMENT] = { "fragments of TCP", false, IPPROTO_TCP, true, FLOW_IP4 },
	[PKT_UDP4_FRAGMENT] = { "fragments of UDP", false, IPPROTO_UDP, true, FLOW_IP4 },
	[PKT_TCP6] = { "TCP over IPv6", true, IPPROTO_TCP, false, FLOW_TCP6 },
	[PKT_UDP6] = { "UDP over IPv6", true, IPPROTO_UDP, false, FLOW_UDP6 },
	[PKT_SCTP6] = { "SCTP over IPv6", true, IPPROTO_SCTP, false, FLOW_SCTP6 },
	[PKT_OTHER6] = { "other IPv6", true, IPPROTO_ICMPV6, false, FLOW_IP6 },
	[PKT_TCP6_FRAGMENT] = { "fragments of TCP over IPv6", true, IPPROTO_TCP, true, FLOW_IP6 },
	[PKT_UDP6_FRAGMENT] = { "fragments of UDP over IPv6", true, IPPROTO_UDP, true, FLOW_IP6 },
};

/* Arrangements of bits that are not as on the wire have tags of their own. */
static uint32_t arrangement(const struct fm_part *part, const struct fm_slice *slice)
{
	uint32_t h = 2166136261u;	/* FNV-1a */
	unsigned int i;

	h = (h ^ part->order) * 16777619u;
	for (i = 0; i < slice->size && i < FM_FIELD_BYTES; i++)
		h = (h ^ slice->mask[i]) * 16777619u;
	return h | 1;
}

static bool bit_set(const uint8_t *bytes, unsigned int bit)
{
	return bytes[bit / 8] & 0x80 >> bit % 8;
}

static bool same_place(const struct fm_slice *a, const struct fm_slice *b)
{
	return a->field == b->field &&
	       (a->field != FM_BYTES || (a->layer == b->layer && a->offset == b->offset));
}

/* Is this bit changed by a function that the packet passes before? */
static bool rewritten(const struct steer_use *use, const struct fm_slice *slice, unsigned int bit)
{
	const struct fm_function *fn;
	unsigned int i, r;

	for (i = 0; i < use->n_before; i++) {
		fn = use->before[i];
		if (fn->rewrites_unknown)
			return true;
		for (r = 0; r < fn->n_rewrites; r++)
			if (same_place(&fn->rewrites[r], slice) && bit / 8 < fn->rewrites[r].size &&
			    bit_set(fn->rewrites[r].mask, bit))
				return true;
	}
	return false;
}

/* What bit @bit of a field is in this class of packets. */
static uint16_t slot_of(const struct steer_use *use, const struct fm_slice *slice,
			unsigned int bit, enum packet_class class)
{
	const struct packet_kind *kind = &packet_kinds[class];
	unsigned int value;

	if (rewritten(use, slice, bit))
		return SLOT_FREE;
	switch (slice->field) {
	case FM_SRC_ADDR4:
	case FM_SRC_ADDR6:
		return HASH_SRC * 128 + bit;
	case FM_DST_ADDR4:
	case FM_DST_ADDR6:
		return HASH_DST * 128 + bit;
	case FM_SRC_PORT:
		return HASH_SPORT * 128 + bit;
	case FM_DST_PORT:
		return HASH_DPORT * 128 + bit;
	case FM_PROTOCOL:
		value = kind->protocol;
		break;
	case FM_ETHERTYPE:
		value = kind->ipv6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;
		break;
	case FM_IFINDEX:
		/* no two devices have one number */
		value = use->device + 1;
		break;
	default:
		return SLOT_FREE;
	}
	return SLOT_CONST + (bit < slice->size * 8 && value >> (slice->size * 8 - 1 - bit) & 1);
}

static void place_field(const struct steer_use *use, const struct fm_part *part, struct view *v)
{
	const struct fm_slice *slice = &part->slices[0];
	bool plain = part->order < 2 && part->size == slice->size;
	unsigned int bit, at, next = part->at * 8;

	if (slice->field == FM_RX_QUEUE)
		v->by_queue = true;
	for (bit = 0; bit < slice->size * 8 && bit < FM_FIELD_BYTES * 8; bit++) {
		if (!bit_set(slice->mask, bit))
			continue;
		if (!plain)
			at = next++;
		else if (part->order)
			at = (part->at + part->size - 1 - bit / 8) * 8 + bit % 8;
		else
			at = part->at * 8 + bit;
		if (at >= v->n)
			return;
		v->slot[at] = slot_of(use, slice, bit, v->class);
		v->tag[at] = plain ? 0 : arrangement(part, slice);
	}
}

static void place(const struct steer_use *use, const struct fm_key *key, struct view *v)
{
	const struct fm_part *part;
	unsigned int p, i;

	for (i = 0; i < v->n; i++)
		v->slot[i] = SLOT_FREE;
	for (p = 0; p < key->n_parts; p++) {
		part = &key->parts[p];
		if (part->kind == FM_PART_FIELD && part->n_slices)
			place_field(use, part, v);
		else if (part->kind == FM_PART_CONST)
			for (i = 0; i < part->size * 8 && part->at * 8 + i < v->n; i++)
				v->slot[part->at * 8 + i] = SLOT_CONST + bit_set(part->bytes, i);
	}
}

static bool has_field(const struct fm_key *key, enum fm_field a, enum fm_field b)
{
	const struct fm_part *part;
	unsigned int p, s;

	for (p = 0; p < key->n_parts; p++) {
		part = &key->parts[p];
		for (s = 0; s < part->n_slices; s++)
			if (part->slices[s].field == a || part->slices[s].field == b)
				return true;
	}
	return false;
}

/* Can packets of this class come to where this key is used? */
static bool reaches(const struct steer *st, const struct fm_key *key, enum packet_class class)
{
	const struct packet_kind *kind = &packet_kinds[class];
	bool ports = has_field(key, FM_SRC_PORT, FM_DST_PORT);

	if (kind->fragment && !(st->fragments && key->fragments))
		return false;
	if (key->ethertype >= 0 && key->ethertype != (kind->ipv6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4))
		return false;
	if (has_field(key, FM_SRC_ADDR4, FM_DST_ADDR4) && kind->ipv6)
		return false;
	if (has_field(key, FM_SRC_ADDR6, FM_DST_ADDR6) && !kind->ipv6)
		return false;
	if (class == PKT_OTHER4 || class == PKT_OTHER6)
		return key->protocol < 0 ? !ports : key->protocol != IPPROTO_TCP &&
						    key->protocol != IPPROTO_UDP &&
						    key->protocol != IPPROTO_SCTP;
	return key->protocol < 0 || key->protocol == kind->protocol;
}

static bool equal_views(const struct view *a, const struct view *b)
{
	return a->device == b->device && a->class == b->class && a->n == b->n &&
	       a->by_queue == b->by_queue &&
	       !memcmp(a->slot, b->slot, a->n * sizeof(*a->slot)) &&
	       !memcmp(a->tag, b->tag, a->n * sizeof(*a->tag));
}

static int add_view(const struct steer_use *use, const struct fm_key *key, struct unit *unit,
		    unsigned int key_bits, enum packet_class class)
{
	struct view *more = realloc(unit->views, (unit->n_views + 1) * sizeof(*more)), *v;
	unsigned int i;

	if (!more)
		return -1;
	unit->views = more;
	v = &more[unit->n_views];
	*v = (struct view){ .device = use->device, .class = class, .n = key_bits };
	v->slot = calloc(v->n + 1, sizeof(*v->slot));
	v->tag = calloc(v->n + 1, sizeof(*v->tag));
	if (v->slot && v->tag) {
		place(use, key, v);
		for (i = 0; i < unit->n_views; i++)
			if (equal_views(&more[i], v))
				break;
		if (i == unit->n_views) {
			unit->n_views++;
			return 0;
		}
		free(v->slot);
		free(v->tag);
		return 0;
	}
	free(v->slot);
	free(v->tag);
	return -1;
}

static struct unit *get_unit(struct steer *st, const struct steer_use *use, unsigned int map,
			     uint8_t families)
{
	struct unit *more;
	unsigned int i;

	for (i = 0; i < st->n_units; i++)
		if (st->units[i].map == map && st->units[i].families == families)
			return &st->units[i];
	more = realloc(st->units, (st->n_units + 1) * sizeof(*more));
	if (!more)
		return NULL;
	st->units = more;
	more += st->n_units;
	*more = (struct unit){ .map = map, .families = families, .on = true };
	/* the families come behind it when they are known */
	if (asprintf(&more->name, "%s: map %s", use->function->name, st->maps[map].name) < 0)
		return NULL;
	st->n_units++;
	return more;
}

static struct steer_map *get_map(struct steer *st, const struct steer_use *use,
				 const struct fm_map *map)
{
	struct steer_map *more;
	bool same = false;
	unsigned int i;

	for (i = 0; i < st->n_same; i++)
		same |= !strcmp(st->same[i], map->name);
	for (i = 0; i < st->n_maps; i++)
		if (!strcmp(st->maps[i].name, map->name) &&
		    (same || !strcmp(st->maps[i].origin, use->origin)))
			return &st->maps[i];
	more = realloc(st->maps, (st->n_maps + 1) * sizeof(*more));
	if (!more)
		return NULL;
	st->maps = more;
	more += st->n_maps;
	*more = (struct steer_map){ .origin = strdup(use->origin), .name = strdup(map->name) };
	if (!more->origin || !more->name)
		return NULL;
	st->n_maps++;
	return more;
}

/* Why the map stays shared, whatever the steering; NULL: it need not. */
static const char *why_shared(const struct fm_function *fn, const struct fm_map *map)
{
	if (!fn->complete)
		return fn->n_reasons ? fn->reasons[0] : "the function was not understood in full";
	if (map->class == FM_CONST_KEY)
		return "its key does not depend on the packet";
	if (map->class != FM_SHARED)
		return NULL;
	return map->n_reasons ? map->reasons[0] : "its keys were not understood";
}

/* Why the map cannot become a per-CPU one; NULL: it can. */
static const char *why_keep(const struct fm_map *map)
{
	static const char *const types[] = { "hash", "lru_hash", "array" };
	unsigned int i;

	if (map->spin_lock)
		return "its values hold a spin lock";
	if (map->timer)
		return "its values hold a timer";
	if (map->pinned)
		return "it is pinned, so that others may use it";
	if (map->inner)
		return "it is a map of maps, or in one";
	if (map->written_elsewhere)
		return "another program of the object writes it";
	for (i = 0; i < 3; i++)
		if (!strcmp(map->type, types[i]))
			return map->name[0] == '.' ? "it is global data" : NULL;
	return "its type has no per-CPU form";
}

static int add_map(struct steer *st, const struct steer_use *use, const struct fm_map *map)
{
	unsigned int bits, k, number;
	enum packet_class class;
	struct steer_map *m;
	struct unit *unit;
	const char *why;

	if (map->class == FM_NOT_STATE || map->class == FM_STATELESS || map->class == FM_PER_CPU)
		return 0;
	m = get_map(st, use, map);
	if (!m)
		return -1;
	if (!m->keep)
		m->keep = strcmp(m->origin, use->origin) ? "several objects use it" :
							   why_keep(map);
	m->functions |= 1ULL << use->number;
	m->state |= map->class != FM_READ_ONLY;
	why = why_shared(use->function, map);
	if (why && !m->shared) {
		m->shared = strdup(why);
		if (!m->shared)
			return -1;
	}
	number = m - st->maps;
	bits = (map->key_size < MAX_KEY ? map->key_size : MAX_KEY) * 8;
	for (k = 0; k < map->n_keys; k++)
		for (class = 0; class < PKT_CLASSES; class++) {
			if (!reaches(st, &map->keys[k], class))
				continue;
			unit = get_unit(st, use, number, class_family(class));
			if (!unit || add_view(use, &map->keys[k], unit, bits, class))
				return -1;
			unit->per_packet |= map->per_packet;
			if (map->rank > unit->rank)
				unit->rank = map->rank;
		}
	return 0;
}

int steer_add(struct steer *st, const struct steer_use *use)
{
	unsigned int m;

	for (m = 0; m < use->function->n_maps; m++)
		if (add_map(st, use, &use->function->maps[m]))
			return -1;
	return 0;
}

/* Units of maps that cannot be private, or that nobody writes, are no wishes. */
static void drop_units(struct steer *st)
{
	unsigned int from, to = 0, v;
	struct unit *u;

	for (from = 0; from < st->n_units; from++) {
		u = &st->units[from];
		if (st->maps[u->map].state && !st->maps[u->map].shared) {
			st->units[to++] = *u;
			continue;
		}
		for (v = 0; v < u->n_views; v++) {
			free(u->views[v].slot);
			free(u->views[v].tag);
		}
		free(u->views);
		free(u->name);
	}
	st->n_units = to;
}

const char *families_text(uint8_t families)
{
	return families == FAMILIES ? "IPv4 and IPv6" : families == FAMILY_IP6 ? "IPv6" : "IPv4";
}

/* Can a packet of one unit have the key of one of the other? */
static bool meet(const struct unit *a, const struct unit *b)
{
	unsigned int i, j;
	struct tie t;

	for (i = 0; i < a->n_views; i++)
		for (j = 0; j < b->n_views; j++) {
			tie_views(&t, &a->views[i], &b->views[j]);
			if (!t.never)
				return true;
		}
	return false;
}

/* A map whose entries packets of both families may share is one unit. */
static int join_families(struct steer *st)
{
	unsigned int i, j;
	struct unit *a, *b;
	struct view *more;

	for (i = 0; i < st->n_units; i++)
		for (j = i + 1; j < st->n_units; j++) {
			a = &st->units[i];
			b = &st->units[j];
			if (a->map != b->map || !meet(a, b))
				continue;
			more = realloc(a->views, (a->n_views + b->n_views) * sizeof(*more));
			if (!more)
				return -1;
			a->views = more;
			memcpy(a->views + a->n_views, b->views, b->n_views * sizeof(*more));
			a->n_views += b->n_views;
			a->families |= b->families;
			a->per_packet |= b->per_packet;
			a->rank = a->rank > b->rank ? a->rank : b->rank;
			free(b->views);
			free(b->name);
			memmove(b, b + 1, (st->n_units - j - 1) * sizeof(*b));
			st->n_units--;
			j--;
		}
	return 0;
}

static int name_units(struct steer *st)
{
	unsigned int u;
	char *name;

	for (u = 0; u < st->n_units; u++) {
		if (asprintf(&name, "%s, %s", st->units[u].name,
			     families_text(st->units[u].families)) < 0)
			return -1;
		free(st->units[u].name);
		st->units[u].name = name;
	}
	return 0;
}

int steer_finish(struct steer *st)
{
	const struct view *v;
	unsigned int u, i;

	drop_units(st);
	if (join_families(st) || name_units(st))
		return -1;
	for (u = 0; u < st->n_units; u++)
		for (i = 0; i < st->units[u].n_views; i++) {
			v = &st->units[u].views[i];
			if (packet_kinds[v->class].protocol == IPPROTO_TCP ||
			    packet_kinds[v->class].protocol == IPPROTO_UDP)
				if (!packet_kinds[v->class].fragment)
					st->demand[v->device] |= 1u << v->class;
		}
	return 0;
}

void steer_free(struct steer *st)
{
	unsigned int i, v;

	for (i = 0; i < st->n_units; i++) {
		for (v = 0; v < st->units[i].n_views; v++) {
			free(st->units[i].views[v].slot);
			free(st->units[i].views[v].tag);
		}
		free(st->units[i].views);
		free(st->units[i].name);
	}
	for (i = 0; i < st->n_maps; i++) {
		free(st->maps[i].origin);
		free(st->maps[i].name);
		free(st->maps[i].shared);
	}
	free(st->units);
	free(st->maps);
	memset(st, 0, sizeof(*st));
}
