// SPDX-License-Identifier: GPL-2.0
/*
 * JSON to a function, every key of it checked, as function.schema.json says.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "function.h"

#define MAX_ITEMS	65536	/* of one list */

/**
 * struct reader - where the parser is
 * @o: the object that is read
 * @where: its place, as in "maps[0].keys[1]"; "": the outermost
 * @used: its keys that were read
 * @why: where the reason goes
 * @len: its length
 */
struct reader {
	struct json_object *o;
	char where[96];
	int used;
	char *why;
	size_t len;
};

static int refuse_key(const struct reader *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse_key(const struct reader *r, const char *key, const char *fmt, ...)
{
	va_list args;
	int n;

	n = snprintf(r->why, r->len, "%s%s%s: ", r->where, r->where[0] ? "." : "", key);
	va_start(args, fmt);
	if (n >= 0 && (size_t)n < r->len)
		vsnprintf(r->why + n, r->len - n, fmt, args);
	va_end(args);
	return -1;
}

static int begin(struct reader *r, const struct reader *outer, struct json_object *o,
		 const char *list, size_t i)
{
	*r = (struct reader){ .o = o, .why = outer->why, .len = outer->len };
	snprintf(r->where, sizeof(r->where), "%.50s%s%s[%zu]", outer->where,
		 outer->where[0] ? "." : "", list, i);
	if (!json_object_is_type(o, json_type_object))
		return refuse_key(outer, list, "[%zu] is not an object", i);
	return 0;
}

/* Every key was asked for, so one more is one that nobody knows. */
static int end(const struct reader *r)
{
	if (json_object_object_length(r->o) != r->used)
		return refuse_key(r, "*", "%d keys, %d of them are known",
				  json_object_object_length(r->o), r->used);
	return 0;
}

static struct json_object *get(struct reader *r, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(r->o, key, &value)) {
		refuse_key(r, key, "missing");
		return NULL;
	}
	if (!json_object_is_type(value, type)) {
		refuse_key(r, key, "not of the type %s", json_type_to_name(type));
		return NULL;
	}
	r->used++;
	return value;
}

static int get_number(struct reader *r, const char *key, int64_t min, int64_t max, int64_t *value)
{
	struct json_object *o = get(r, key, json_type_int);

	if (!o)
		return -1;
	*value = json_object_get_int64(o);
	if (*value < min || *value > max)
		return refuse_key(r, key, "%lld is not from %lld to %lld", (long long)*value,
				  (long long)min, (long long)max);
	return 0;
}

static int get_unsigned(struct reader *r, const char *key, unsigned int max, unsigned int *value)
{
	int64_t n;

	if (get_number(r, key, 0, max, &n))
		return -1;
	*value = n;
	return 0;
}

/* -1 if the key is not there */
static int get_optional(struct reader *r, const char *key, int max, int *value)
{
	int64_t n = -1;

	if (json_object_object_get_ex(r->o, key, NULL) && get_number(r, key, 0, max, &n))
		return -1;
	*value = n;
	return 0;
}

static int get_flag(struct reader *r, const char *key, bool *value)
{
	struct json_object *o = get(r, key, json_type_boolean);

	if (!o)
		return -1;
	*value = json_object_get_boolean(o);
	return 0;
}

static int get_text(struct reader *r, const char *key, char **text)
{
	struct json_object *o = get(r, key, json_type_string);

	if (!o)
		return -1;
	*text = strdup(json_object_get_string(o));
	return 0;
}

static int get_word(struct reader *r, const char *key, const char *const *words, int n, int *value)
{
	struct json_object *o = get(r, key, json_type_string);

	if (!o)
		return -1;
	for (*value = 0; *value < n; ++*value)
		if (!strcmp(words[*value], json_object_get_string(o)))
			return 0;
	return refuse_key(r, key, "no such word \"%.40s\"", json_object_get_string(o));
}

static int get_hex(struct reader *r, const char *key, uint8_t *byte, size_t n)
{
	struct json_object *o = get(r, key, json_type_string);
	const char *text;
	unsigned int b;
	size_t i;

	if (!o)
		return -1;
	text = json_object_get_string(o);
	if (strlen(text) != 2 * n || strspn(text, "0123456789abcdef") != 2 * n)
		return refuse_key(r, key, "not %zu lower-case hexadecimal digits", 2 * n);
	for (i = 0; i < n; i++) {
		sscanf(text + 2 * i, "%2x", &b);
		byte[i] = b;
	}
	return 0;
}

/* A list, and memory for its items, zeroed, of @size bytes each. */
static struct json_object *get_list(struct reader *r, const char *key, size_t size, void **item)
{
	struct json_object *o = get(r, key, json_type_array);
	size_t n;

	if (!o)
		return NULL;
	n = json_object_array_length(o);
	if (n > MAX_ITEMS) {
		refuse_key(r, key, "%zu items, at most %d", n, MAX_ITEMS);
		return NULL;
	}
	*item = calloc(n + 1, size);
	return o;
}

static int get_lines(struct reader *r, const char *key, char ***line, unsigned int *n)
{
	struct json_object *list = get_list(r, key, sizeof(**line), (void **)line), *o;
	size_t i;

	if (!list)
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!json_object_is_type(o, json_type_string))
			return refuse_key(r, key, "[%zu] is not a string", i);
		(*line)[(*n)++] = strdup(json_object_get_string(o));
	}
	return 0;
}

static int get_slices(struct reader *outer, const char *key, struct fm_slice **slice,
		      unsigned int *n)
{
	struct json_object *list = get_list(outer, key, sizeof(**slice), (void **)slice);
	struct reader r;
	int64_t offset;
	size_t i;
	int word;

	if (!list)
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		struct fm_slice *s = *slice + i;

		if (begin(&r, outer, json_object_array_get_idx(list, i), key, i) ||
		    get_word(&r, "field", fm_field_names, FM_FIELDS, &word))
			return -1;
		s->field = word;
		s->size = fm_field_size(s->field);
		if (s->field == FM_BYTES) {
			if (get_word(&r, "layer", fm_layer_names, FM_LAYERS, &word) ||
			    get_number(&r, "offset", -65536, 65536, &offset) ||
			    get_unsigned(&r, "size", FM_FIELD_BYTES, &s->size))
				return -1;
			s->layer = word;
			s->offset = offset;
		}
		if (get_hex(&r, "mask", s->mask, s->size) || end(&r))
			return -1;
		++*n;
	}
	return 0;
}

static int get_part(struct reader *r, struct fm_part *p)
{
	unsigned int order = 0;
	int word;

	if (get_word(r, "kind", fm_part_names, FM_PART_KINDS, &word) ||
	    get_unsigned(r, "at", 65535, &p->at) || get_unsigned(r, "size", 65535, &p->size))
		return -1;
	p->kind = word;
	if (p->kind == FM_PART_CONST) {
		p->bytes = calloc(p->size + 1, 1);
		if (get_hex(r, "bytes", p->bytes, p->size))
			return -1;
	}
	if (p->kind == FM_PART_FIELD && get_unsigned(r, "order", UINT_MAX, &order))
		return -1;
	p->order = order;
	if ((p->kind == FM_PART_FIELD || p->kind == FM_PART_FUNCTION) &&
	    get_slices(r, "slices", &p->slices, &p->n_slices))
		return -1;
	if (p->kind == FM_PART_FIELD && p->n_slices != 1)
		return refuse_key(r, "slices", "a field has one, not %u", p->n_slices);
	return end(r);
}

static int get_key(struct reader *outer, struct fm_key *k)
{
	struct json_object *list = get_list(outer, "parts", sizeof(*k->parts), (void **)&k->parts);
	unsigned int at = 0;
	struct reader r;
	size_t i;

	if (!list)
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		if (begin(&r, outer, json_object_array_get_idx(list, i), "parts", i))
			return -1;
		k->n_parts = i + 1;
		if (get_part(&r, &k->parts[i]))
			return -1;
		if (k->parts[i].at != at || !k->parts[i].size)
			return refuse_key(outer, "parts", "[%zu] does not begin at byte %u, where "
							  "the one before ends",
					  i, at);
		at += k->parts[i].size;
	}
	/* only for people: it follows from the parts */
	if (json_object_object_get_ex(outer->o, "text", NULL) &&
	    !get(outer, "text", json_type_string))
		return -1;
	if (json_object_object_get_ex(outer->o, "fragments", NULL) &&
	    get_flag(outer, "fragments", &k->fragments))
		return -1;
	if (get_optional(outer, "ethertype", 65535, &k->ethertype) ||
	    get_optional(outer, "protocol", 255, &k->protocol) ||
	    get_optional(outer, "vlan_tags", 16, &k->vlan_tags) ||
	    get_flag(outer, "read", &k->read) || get_flag(outer, "written", &k->written) ||
	    get_flag(outer, "per_packet", &k->per_packet) ||
	    get_optional(outer, "mirror", MAX_ITEMS, &k->mirror) ||
	    get_lines(outer, "sites", &k->sites, &k->n_sites))
		return -1;
	return end(outer);
}

static int get_map(struct reader *r, struct fm_map *m)
{
	struct json_object *list;
	struct reader inner;
	size_t i;
	int word;

	if (get_text(r, "name", &m->name) || get_text(r, "type", &m->type) ||
	    get_unsigned(r, "key_size", UINT_MAX, &m->key_size) ||
	    get_unsigned(r, "value_size", UINT_MAX, &m->value_size) ||
	    get_unsigned(r, "max_entries", UINT_MAX, &m->max_entries) ||
	    get_word(r, "class", fm_class_names, FM_CLASSES, &word) ||
	    get_flag(r, "per_cpu", &m->per_cpu) || get_flag(r, "written", &m->written) ||
	    get_flag(r, "written_elsewhere", &m->written_elsewhere) ||
	    get_flag(r, "per_packet", &m->per_packet) || get_flag(r, "symmetric", &m->symmetric) ||
	    get_flag(r, "spin_lock", &m->spin_lock) || get_flag(r, "timer", &m->timer) ||
	    get_flag(r, "pinned", &m->pinned) || get_flag(r, "inner", &m->inner) ||
	    (json_object_object_get_ex(r->o, "pointers", NULL) &&
	     get_flag(r, "pointers", &m->pointers)))
		return -1;
	if (json_object_object_get_ex(r->o, "rank", NULL) &&
	    get_unsigned(r, "rank", FM_RANKS - 1, &m->rank))
		return -1;
	m->class = word;
	list = get_list(r, "keys", sizeof(*m->keys), (void **)&m->keys);
	if (!list)
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		if (begin(&inner, r, json_object_array_get_idx(list, i), "keys", i))
			return -1;
		m->n_keys = i + 1;
		if (get_key(&inner, &m->keys[i]))
			return -1;
	}
	for (i = 0; i < m->n_keys; i++)
		if (m->keys[i].mirror >= (int)m->n_keys)
			return refuse_key(r, "keys", "[%zu].mirror: there is no key %d", i,
					  m->keys[i].mirror);
	if (get_lines(r, "reasons", &m->reasons, &m->n_reasons))
		return -1;
	return end(r);
}

static int get_function(struct reader *r, struct fm_function *f)
{
	struct json_object *list;
	struct reader inner;
	int64_t steps;
	size_t i;
	int word;

	if (get_text(r, "name", &f->name) || get_text(r, "source", &f->source) ||
	    get_text(r, "hook", &f->hook) ||
	    get_word(r, "class", fm_class_names, FM_CLASSES, &word) ||
	    get_flag(r, "complete", &f->complete))
		return -1;
	f->class = word;
	list = get_list(r, "maps", sizeof(*f->maps), (void **)&f->maps);
	if (!list)
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		if (begin(&inner, r, json_object_array_get_idx(list, i), "maps", i))
			return -1;
		f->n_maps = i + 1;
		if (get_map(&inner, &f->maps[i]))
			return -1;
	}
	if (get_slices(r, "rewrites", &f->rewrites, &f->n_rewrites) ||
	    get_flag(r, "rewrites_unknown", &f->rewrites_unknown) ||
	    get_lines(r, "reasons", &f->reasons, &f->n_reasons) ||
	    get_number(r, "steps", 0, INT64_MAX, &steps))
		return -1;
	f->steps = steps;
	if (json_object_object_get_ex(r->o, "advice", NULL)) {
		list = get(r, "advice", json_type_object);
		if (!list)
			return -1;
		f->advice = strdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN));
	}
	return end(r);
}

int fm_function_parse(struct json_object *json, struct fm_function *function, char *why, size_t len)
{
	struct reader r = { .o = json, .why = why, .len = len };

	memset(function, 0, sizeof(*function));
	if (!json_object_is_type(json, json_type_object)) {
		snprintf(why, len, "not an object");
		return -1;
	}
	if (get_function(&r, function)) {
		fm_function_free(function);
		return -1;
	}
	return 0;
}
