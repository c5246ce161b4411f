// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "keys.h"
#include "naming.h"
#include "record.h"

#define MAX_KEYS	64	/* different ones of a map */
#define MAX_REASONS	64

void record_begin(struct record *r, struct object *o)
{
	*r = (struct record){ .o = o, .complete = true };
}

static void free_lines(char **line, unsigned int n)
{
	while (n)
		free(line[--n]);
	free(line);
}

void record_end(struct record *r)
{
	uint32_t i, j;

	for (i = 0; i < r->n_maps; i++) {
		for (j = 0; j < r->maps[i].n_keys; j++)
			fm_key_free(&r->maps[i].keys[j].key);
		free(r->maps[i].keys);
		free_lines(r->maps[i].reasons, r->maps[i].n_reasons);
	}
	free(r->maps);
	free(r->rewrites);
	free_lines(r->reasons, r->n_reasons);
	memset(r, 0, sizeof(*r));
}

static struct map_record *map_of(struct record *r, uint32_t map)
{
	if (map >= r->n_maps) {
		r->maps = realloc(r->maps, r->o->n_maps * sizeof(*r->maps));
		memset(r->maps + r->n_maps, 0, (r->o->n_maps - r->n_maps) * sizeof(*r->maps));
		for (; r->n_maps < r->o->n_maps; r->n_maps++)
			r->maps[r->n_maps].any.key = (struct fm_key){
				.ethertype = -1, .protocol = -1, .vlan_tags = -1,
				.fragments = true, .mirror = -1,
			};
	}
	r->maps[map].used = true;
	return &r->maps[map];
}

static void widen_traffic(struct fm_key *to, const struct fm_key *from)
{
	if (to->ethertype != from->ethertype)
		to->ethertype = -1;
	if (to->protocol != from->protocol)
		to->protocol = -1;
	if (to->vlan_tags != from->vlan_tags)
		to->vlan_tags = -1;
	to->fragments |= from->fragments;
}

/* Takes what @key points to. */
static uint32_t keep_key(struct map_record *m, struct fm_key *key)
{
	uint32_t i;

	for (i = 0; i < m->n_keys; i++)
		if (key_equal(&m->keys[i].key, key)) {
			widen_traffic(&m->keys[i].key, key);
			fm_key_free(key);
			return i;
		}
	if (i == MAX_KEYS) {
		fm_key_free(key);
		return KEY_ANY;
	}
	m->keys = realloc(m->keys, (m->n_keys + 1) * sizeof(*m->keys));
	m->keys[i] = (struct key_record){ .key = *key };
	m->n_keys++;
	return i;
}

uint32_t record_key(struct record *r, const struct state *s, uint32_t map, const uint32_t *bit,
		    unsigned int size, uint32_t deps)
{
	struct fm_key key;
	uint32_t index;

	key_build(s, bit, size, deps, &key);
	index = keep_key(map_of(r, map), &key);
	if (index == KEY_ANY)
		record_map_reason(r, map, "more than %d different keys", MAX_KEYS);
	return index;
}

static struct key_record *key_of(struct record *r, uint32_t map, uint32_t key)
{
	struct map_record *m = map_of(r, map);

	return key < m->n_keys ? &m->keys[key] : &m->any;
}

uint32_t record_mirror(struct record *r, uint32_t map, uint32_t key)
{
	struct fm_key mirrored;

	if (key == KEY_ANY)
		return key;
	key_copy_mirrored(&key_of(r, map, key)->key, &mirrored);
	return keep_key(map_of(r, map), &mirrored);
}

/* A set that became LIST_ANY holds no instructions. */
static void note_site(struct key_record *k, uint32_t insn)
{
	uint32_t sites = set_add(k->sites, insn);

	if (sites != LIST_ANY)
		k->sites = sites;
}

void record_read(struct record *r, uint32_t map, uint32_t key, uint32_t insn)
{
	struct key_record *k = key_of(r, map, key);

	k->key.read = true;
	note_site(k, insn);
}

void record_write(struct record *r, struct state *s, uint32_t map, uint32_t key, uint32_t insn)
{
	struct key_record *k = key_of(r, map, key);

	k->key.written = true;
	note_site(k, insn);
	if (s->syn_fin || (map < 64 && s->missed >> map & 1))
		return;
	s->pending = set_add(s->pending, (uint64_t)map << 32 | key);
}

void record_cross_cpu(struct record *r, uint32_t map)
{
	map_of(r, map)->cross_cpu = true;
}

void record_return(struct record *r, const struct state *s)
{
	const uint64_t *p;
	uint32_t i, j;
	size_t n;

	/* it missed an entry and added it: a flow's first packet */
	if (s->missed & s->updated)
		return;
	if (s->pending == LIST_ANY) {
		for (i = 0; i < r->n_maps; i++) {
			for (j = 0; j < r->maps[i].n_keys; j++)
				r->maps[i].keys[j].key.per_packet = r->maps[i].keys[j].key.written;
			r->maps[i].any.key.per_packet = r->maps[i].any.key.written;
		}
		return;
	}
	p = list_get(s->pending, &n);
	while (n--)
		key_of(r, p[n] >> 32, (uint32_t)p[n])->key.per_packet = true;
}

void record_rewrite(struct record *r, const struct state *s, uint32_t terms, int64_t off,
		    unsigned int size)
{
	struct fm_slice slice;
	unsigned int i, j, byte;
	struct layers l;

	find_layers(s, &l);
	for (i = 0; i < size; i++) {
		if (!name_place(s, &l, terms, off + i, &slice, &byte)) {
			r->rewrites_unknown = true;
			continue;
		}
		for (j = 0; j < r->n_rewrites; j++)
			if (r->rewrites[j].field == slice.field &&
			    r->rewrites[j].layer == slice.layer &&
			    r->rewrites[j].offset == slice.offset)
				break;
		if (j == r->n_rewrites) {
			r->rewrites = realloc(r->rewrites, (j + 1) * sizeof(slice));
			r->rewrites[r->n_rewrites++] = slice;
		}
		r->rewrites[j].mask[byte] = 0xff;
	}
}

static void add_reason(char ***lines, unsigned int *n, const char *fmt, va_list args)
{
	char *text = NULL;
	unsigned int i;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	for (i = 0; i < *n; i++)
		if (!strcmp((*lines)[i], text))
			break;
	if (i < *n || *n == MAX_REASONS) {
		free(text);
		return;
	}
	*lines = realloc(*lines, (*n + 1) * sizeof(**lines));
	(*lines)[(*n)++] = text;
}

void record_reason(struct record *r, bool lost, const char *fmt, ...)
{
	va_list args;

	if (lost)
		r->complete = false;
	va_start(args, fmt);
	add_reason(&r->reasons, &r->n_reasons, fmt, args);
	va_end(args);
}

void record_map_reason(struct record *r, uint32_t map, const char *fmt, ...)
{
	struct map_record *m = map_of(r, map);
	va_list args;

	va_start(args, fmt);
	add_reason(&m->reasons, &m->n_reasons, fmt, args);
	va_end(args);
}
