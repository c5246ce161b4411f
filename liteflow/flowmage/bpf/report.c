// SPDX-License-Identifier: GPL-2.0
/*
 * From what was recorded to the description of a function: classes and their reasons.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "keys.h"
#include "record.h"

bool map_is_state(const struct object_map *m)
{
	switch (m->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
	case BPF_MAP_TYPE_STRUCT_OPS:
		return false;
	default:
		return true;
	}
}

/* Can a lookup miss what an update then adds? */
bool map_is_keyed(const struct object_map *m)
{
	switch (m->type) {
	case 0:
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
		return true;
	default:
		return false;
	}
}

bool map_is_per_cpu(const struct object_map *m)
{
	return m->type == BPF_MAP_TYPE_PERCPU_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_HASH ||
	       m->type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       m->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static void add_line(struct fm_map *m, const char *line)
{
	m->reasons = realloc(m->reasons, (m->n_reasons + 1) * sizeof(*m->reasons));
	m->reasons[m->n_reasons++] = strdup(line);
}

static void add_sites(const struct object *o, struct fm_key *k, uint32_t sites,
		      const char *program)
{
	const struct object_line *line;
	const uint64_t *p;
	size_t n, i;

	p = list_get(sites, &n);
	k->sites = calloc(n + 1, sizeof(*k->sites));
	for (i = 0; i < n; i++) {
		line = object_line(o, p[i]);
		if (asprintf(&k->sites[i], "%s:%llu %s%s%.0d%s%s", program,
			     (unsigned long long)p[i], line ? line->file : "no source line",
			     line ? ":" : "", line ? (int)line->line : 0, line ? ": " : "",
			     line ? line->text : "") < 0)
			break;
		k->n_sites++;
	}
}

/* The class of a map that is written, and why it is not better. */
static enum fm_class judge(const struct object_map *om, const struct map_record *mr,
			   struct fm_map *m)
{
	unsigned int i, consts = 0, fields = 0, whole = 0;
	char text[160];

	for (i = 0; i < m->n_keys; i++) {
		consts += key_is_const(&m->keys[i]);
		fields += key_has_field(&m->keys[i]);
		whole += !m->keys[i].n_parts;
	}
	if (m->per_cpu && !mr->cross_cpu)
		return FM_PER_CPU;
	if (mr->cross_cpu)
		add_line(m, "entries of other CPUs are looked at");
	if (om->is_inner)
		add_line(m, "a map of maps: which of its inner maps it is, is not known");
	if (m->key_size && whole)
		add_line(m, "an access reaches entries that were not found by a key");
	if (!m->key_size)
		add_line(m, "it has no keys: all packets meet in it");
	if (mr->cross_cpu || om->is_inner || whole)
		return FM_SHARED;
	if (m->n_keys && consts == m->n_keys) {
		add_line(m, "its key is constant: all packets meet in one entry");
		return FM_CONST_KEY;
	}
	if (m->n_keys && fields == m->n_keys)
		return FM_PACKET_KEY;
	for (i = 0; i < m->n_keys; i++) {
		char *key;

		if (key_has_field(&m->keys[i]))
			continue;
		key = fm_key_text(&m->keys[i]);
		snprintf(text, sizeof(text), "the key %.80s: no field can be told from it", key);
		free(key);
		add_line(m, text);
	}
	return FM_SHARED;
}

static void note_reasons(const struct object_map *om, struct fm_map *m)
{
	unsigned int i;

	if (m->spin_lock)
		add_line(m, "values hold a spin lock: it cannot become per-CPU");
	if (m->timer && m->written)
		add_line(m, "values hold a timer: its callback may run on another CPU");
	if (m->pinned)
		add_line(m, "it is pinned: others may use it, too");
	if (om->data && m->written && m->class != FM_CONST_KEY)
		add_line(m, "global data: it cannot become per-CPU");
	for (i = 0; i < m->n_keys; i++)
		if (m->class == FM_PACKET_KEY && m->keys[i].fragments) {
			unsigned int j;

			for (j = 0; j < m->keys[i].n_parts; j++)
				if (m->keys[i].parts[j].n_slices &&
				    (m->keys[i].parts[j].slices->field == FM_SRC_PORT ||
				     m->keys[i].parts[j].slices->field == FM_DST_PORT))
					break;
			if (j == m->keys[i].n_parts)
				continue;
			add_line(m, "fragments come here, too: its ports are not to be relied on");
			break;
		}
}

static void report_map(struct record *r, uint32_t index, struct fm_map *m, const char *program,
		       bool explain)
{
	const struct object_map *om = &r->o->maps[index];
	struct map_record *mr = &r->maps[index];
	unsigned int i, j;

	*m = (struct fm_map){
		.name = strdup(om->name), .type = strdup(object_map_type(om)),
		.key_size = om->data ? 4 : om->key_size, .value_size = om->value_size,
		.max_entries = om->max_entries, .per_cpu = map_is_per_cpu(om),
		.spin_lock = om->spin_lock, .timer = om->timer, .pinned = om->pinned,
		.inner = om->is_inner || om->inner >= 0,
	};
	m->keys = calloc(mr->n_keys + 1, sizeof(*m->keys));
	for (i = 0; i <= mr->n_keys; i++) {
		struct key_record *k = i < mr->n_keys ? &mr->keys[i] : &mr->any;

		if (!k->key.read && !k->key.written)
			continue;
		m->keys[m->n_keys] = k->key;
		if (i < mr->n_keys)
			memset(&k->key, 0, sizeof(k->key));
		if (explain)
			add_sites(r->o, &m->keys[m->n_keys], k->sites, program);
		m->written |= m->keys[m->n_keys].written;
		m->per_packet |= m->keys[m->n_keys].per_packet;
		m->n_keys++;
	}
	/* the longest prefix is found, not an equal one */
	if (om->type == BPF_MAP_TYPE_LPM_TRIE && m->written)
		for (i = 0; i < m->n_keys; i++)
			key_weaken(&m->keys[i]);
	for (i = 0; i < m->n_keys; i++)
		for (j = 0; j < m->n_keys && m->keys[i].mirror < 0; j++)
			if (key_is_mirror(&m->keys[i], &m->keys[j])) {
				m->keys[i].mirror = j;
				m->symmetric |= i != j;
			}
	m->reasons = mr->reasons;
	m->n_reasons = mr->n_reasons;
	mr->reasons = NULL;
	mr->n_reasons = 0;
	if (!map_is_state(om))
		m->class = FM_NOT_STATE;
	else if (!m->written)
		m->class = FM_READ_ONLY;
	else
		m->class = judge(om, mr, m);
	note_reasons(om, m);
}

static int cmp_slice(const void *a, const void *b)
{
	const struct fm_slice *x = a, *y = b;

	if (x->field != y->field)
		return (int)x->field - (int)y->field;
	return x->layer != y->layer ? (int)x->layer - (int)y->layer : x->offset - y->offset;
}

/* Whatever is written as an inner map may be one of the file's other maps. */
static void spread_inner(struct record *r)
{
	const struct object_map *inner, *other;
	uint32_t i, j, k;
	bool written;

	for (i = 0; i < r->n_maps; i++) {
		inner = &r->o->maps[i];
		if (!inner->is_inner || !r->maps[i].used)
			continue;
		written = r->maps[i].any.key.written;
		for (k = 0; k < r->maps[i].n_keys; k++)
			written |= r->maps[i].keys[k].key.written;
		for (j = 0; written && j < r->n_maps; j++) {
			other = &r->o->maps[j];
			if (other->is_inner || other->data || other->type != inner->type ||
			    other->key_size != inner->key_size ||
			    other->value_size != inner->value_size)
				continue;
			r->maps[j].any.key.written = true;
			r->maps[j].any.key.per_packet = true;
			record_map_reason(r, j, "it may be one of the inner maps of \"%s\"",
					  inner->name);
		}
	}
}

void record_report(struct record *r, struct fm_function *f, const char *program, bool explain)
{
	uint32_t i;

	spread_inner(r);
	f->maps = calloc(r->n_maps + 1, sizeof(*f->maps));
	f->complete = r->complete;
	f->class = FM_STATELESS;
	for (i = 0; i < r->n_maps; i++) {
		if (!r->maps[i].used)
			continue;
		report_map(r, i, &f->maps[f->n_maps], program, explain);
		if (f->maps[f->n_maps].class > f->class)
			f->class = f->maps[f->n_maps].class;
		f->n_maps++;
	}
	if (!f->complete)
		f->class = FM_SHARED;
	if (r->n_rewrites)
		qsort(r->rewrites, r->n_rewrites, sizeof(*r->rewrites), cmp_slice);
	f->rewrites = r->rewrites;
	f->n_rewrites = r->n_rewrites;
	f->rewrites_unknown = r->rewrites_unknown;
	f->reasons = r->reasons;
	f->n_reasons = r->n_reasons;
	r->rewrites = NULL;
	r->n_rewrites = 0;
	r->reasons = NULL;
	r->n_reasons = 0;
}
