// SPDX-License-Identifier: GPL-2.0
/*
 * A function to JSON, as function.schema.json says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <json-c/json.h>
#include "function.h"
#include "jsonput.h"

static void put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

static void put_flag(struct json_object *o, const char *key, bool value)
{
	put(o, key, json_object_new_boolean(value));
}

static void put_hex(struct json_object *o, const char *key, const uint8_t *byte, size_t n)
{
	char *text = malloc(2 * n + 1);
	size_t i;

	text[0] = 0;
	for (i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", byte[i]);
	json_put_text(o, key, text);
	free(text);
}

static void put_lines(struct json_object *o, const char *key, char *const *line, unsigned int n)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(line[i]));
	put(o, key, list);
}

static struct json_object *slice_json(const struct fm_slice *s)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "field", fm_field_names[s->field]);
	if (s->field == FM_BYTES) {
		json_put_text(o, "layer", fm_layer_names[s->layer]);
		json_put_number(o, "offset", s->offset);
		json_put_number(o, "size", s->size);
	}
	put_hex(o, "mask", s->mask, s->size);
	return o;
}

static void put_slices(struct json_object *o, const char *key, const struct fm_slice *s,
		       unsigned int n)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(list, slice_json(&s[i]));
	put(o, key, list);
}

static struct json_object *part_json(const struct fm_part *p)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "kind", fm_part_names[p->kind]);
	json_put_number(o, "at", p->at);
	json_put_number(o, "size", p->size);
	if (p->kind == FM_PART_CONST)
		put_hex(o, "bytes", p->bytes, p->size);
	if (p->kind == FM_PART_FIELD)
		json_put_number(o, "order", p->order);
	if (p->kind == FM_PART_FIELD || p->kind == FM_PART_FUNCTION)
		put_slices(o, "slices", p->slices, p->n_slices);
	return o;
}

static struct json_object *key_json(const struct fm_key *k)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char *text = fm_key_text(k);
	unsigned int i;

	json_put_text(o, "text", text);
	free(text);
	for (i = 0; i < k->n_parts; i++)
		json_object_array_add(list, part_json(&k->parts[i]));
	put(o, "parts", list);
	if (k->ethertype >= 0)
		json_put_number(o, "ethertype", k->ethertype);
	if (k->protocol >= 0)
		json_put_number(o, "protocol", k->protocol);
	if (k->vlan_tags >= 0)
		json_put_number(o, "vlan_tags", k->vlan_tags);
	put_flag(o, "fragments", k->fragments);
	put_flag(o, "read", k->read);
	put_flag(o, "written", k->written);
	put_flag(o, "per_packet", k->per_packet);
	if (k->mirror >= 0)
		json_put_number(o, "mirror", k->mirror);
	put_lines(o, "sites", k->sites, k->n_sites);
	return o;
}

static struct json_object *map_json(const struct fm_map *m)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	json_put_text(o, "name", m->name);
	json_put_text(o, "type", m->type);
	json_put_number(o, "key_size", m->key_size);
	json_put_number(o, "value_size", m->value_size);
	json_put_number(o, "max_entries", m->max_entries);
	json_put_text(o, "class", fm_class_names[m->class]);
	put_flag(o, "per_cpu", m->per_cpu);
	put_flag(o, "written", m->written);
	put_flag(o, "written_elsewhere", m->written_elsewhere);
	put_flag(o, "per_packet", m->per_packet);
	put_flag(o, "symmetric", m->symmetric);
	put_flag(o, "spin_lock", m->spin_lock);
	put_flag(o, "timer", m->timer);
	put_flag(o, "pinned", m->pinned);
	if (m->pointers)
		put_flag(o, "pointers", true);
	put_flag(o, "inner", m->inner);
	if (m->rank)
		json_put_number(o, "rank", m->rank);
	for (i = 0; i < m->n_keys; i++)
		json_object_array_add(list, key_json(&m->keys[i]));
	put(o, "keys", list);
	put_lines(o, "reasons", m->reasons, m->n_reasons);
	return o;
}

struct json_object *fm_function_json(const struct fm_function *f)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	json_put_text(o, "name", f->name);
	json_put_text(o, "source", f->source);
	json_put_text(o, "hook", f->hook);
	json_put_text(o, "class", fm_class_names[f->class]);
	put_flag(o, "complete", f->complete);
	for (i = 0; i < f->n_maps; i++)
		json_object_array_add(list, map_json(&f->maps[i]));
	put(o, "maps", list);
	put_slices(o, "rewrites", f->rewrites, f->n_rewrites);
	put_flag(o, "rewrites_unknown", f->rewrites_unknown);
	put_lines(o, "reasons", f->reasons, f->n_reasons);
	json_put_number(o, "steps", f->steps);
	if (f->advice)
		put(o, "advice", json_tokener_parse(f->advice));
	return o;
}
