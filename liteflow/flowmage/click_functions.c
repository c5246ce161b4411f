// SPDX-License-Identifier: GPL-2.0
/*
 * Elements of a Click file as network functions.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_path.h"
#include "flowmage.h"

struct builder {
	const struct click_file *file;
	const struct click_step *steps;
	const char *source;
	bool explain;
};

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		err(EXIT_OTHER, "out of memory");
	va_end(args);
	return text;
}

static struct fm_slice whole(enum fm_field field)
{
	struct fm_slice s = { .field = field, .size = fm_field_size(field) };

	memset(s.mask, 0xff, s.size);
	return s;
}

static bool is_port(enum fm_field field)
{
	return field == FM_SRC_PORT || field == FM_DST_PORT;
}

/* A key of some fields; those of @lost are not what they were when the packet came. */
static void add_key(struct fm_map *map, const enum fm_field *fields, unsigned int n, uint32_t lost,
		    bool swapped)
{
	struct fm_key *key;
	struct fm_part *part;
	enum fm_field field;
	unsigned int i, at = 0;

	map->keys = click_grow(map->keys, map->n_keys, sizeof(*map->keys));
	key = &map->keys[map->n_keys++];
	key->ethertype = key->protocol = key->vlan_tags = key->mirror = -1;
	/* no element says that it leaves fragments out */
	key->fragments = true;
	key->read = true;
	key->written = map->written;
	key->per_packet = map->per_packet;
	for (i = 0; i < n; i++) {
		field = swapped ? fm_field_mirror(fields[i]) : fields[i];
		key->parts = click_grow(key->parts, key->n_parts, sizeof(*key->parts));
		part = &key->parts[key->n_parts++];
		*part = (struct fm_part){ .kind = FM_PART_UNKNOWN, .at = at,
					  .size = fm_field_size(field) };
		at += part->size;
		if (field == FM_SRC_ADDR4 || field == FM_DST_ADDR4)
			key->ethertype = 0x0800;
		if (field == FM_SRC_ADDR6 || field == FM_DST_ADDR6)
			key->ethertype = 0x86dd;
		if (lost >> field & 1)
			continue;
		part->kind = FM_PART_FIELD;
		part->slices = click_grow(NULL, 0, sizeof(*part->slices));
		part->slices[part->n_slices++] = whole(field);
	}
	if (at > map->key_size)
		map->key_size = at;
}

/*
 * The keys of a state. What has no ports has other bytes in their place: such packets get a key of
 * their own, in which the ports are unknown.
 */
static void add_keys(struct fm_map *map, const struct click_state *s, uint32_t lost)
{
	uint32_t ports = 1u << FM_SRC_PORT | 1u << FM_DST_PORT;
	unsigned int i, turn, before = map->n_keys;
	bool has_ports = false;

	for (i = 0; i < s->n_fields; i++)
		has_ports |= is_port(s->fields[i]);
	for (turn = 0; turn <= s->symmetric; turn++)
		add_key(map, s->fields, s->n_fields, lost, turn);
	for (turn = 0; has_ports && turn <= s->symmetric; turn++) {
		add_key(map, s->fields, s->n_fields, lost | ports, turn);
		map->keys[map->n_keys - 1].protocol =
			map->keys[before].ethertype == 0x86dd ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	}
	for (i = before; s->symmetric && i < map->n_keys; i++)
		map->keys[i].mirror = before + ((i - before) ^ 1);
	map->symmetric |= s->symmetric;
}

static bool has_field(const struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++)
		if (key->parts[i].kind == FM_PART_FIELD)
			return true;
	return false;
}

static void add_reason(struct fm_map *map, char *line)
{
	map->reasons = click_grow(map->reasons, map->n_reasons, sizeof(*map->reasons));
	map->reasons[map->n_reasons++] = line;
}

/* The key that counts for a state, and the fields of it that were changed before. */
static const struct click_state *key_of(const struct builder *b, const struct click_step *step,
					const struct click_state *s, uint32_t *lost, char **why)
{
	const struct click_step *manager;

	*lost = step->anything ? UINT32_MAX : step->rewritten;
	if (s->key != CLICK_KEY_FLOW)
		return s;
	if (step->manager < 0 || step->managers) {
		*why = format(step->managers ? "several flow managers are in front of it" :
					       "no flow manager is in front of it");
		return NULL;
	}
	manager = &b->steps[step->manager];
	*lost = manager->anything ? UINT32_MAX : manager->rewritten;
	return &manager->facts->manager;
}

static void classify(const struct builder *b, const struct click_step *step, struct fm_map *map,
		     const struct click_state *s)
{
	const struct click_state *key;
	uint32_t lost = 0;
	char *why = NULL;
	unsigned int i;

	if (s->key == CLICK_KEY_CPU) {
		map->class = FM_PER_CPU;
		map->per_cpu = true;
		add_key(map, NULL, 0, 0, false);
		return;
	}
	if (s->key == CLICK_KEY_CONST || s->key == CLICK_KEY_UNKNOWN) {
		map->class = s->key == CLICK_KEY_CONST ? FM_CONST_KEY : FM_SHARED;
		add_key(map, NULL, 0, 0, false);
		if (s->reason || s->key == CLICK_KEY_CONST)
			add_reason(map,
				   format("%s", s->reason ? s->reason : "one for all packets"));
	} else {
		key = key_of(b, step, s, &lost, &why);
		if (key)
			add_keys(map, key, lost);
		map->class = why ? FM_SHARED : FM_PACKET_KEY;
		for (i = 0; i < map->n_keys && !why; i++)
			if (!has_field(&map->keys[i]))
				why = step->rewriter < 0 ?
					      format("none of its key's fields is known") :
					      format("\"%s\" in front of it changes the fields of its key",
						     b->file->elements[step->rewriter].name);
		if (why) {
			map->class = FM_SHARED;
			add_reason(map, why);
		}
	}
	if (!s->written) {
		map->class = FM_READ_ONLY;
	} else if (step->lost >= 0) {
		map->class = FM_SHARED;
		add_reason(map,
			   format("behind \"%s\", packets are not with the CPU that received them",
				  b->file->elements[step->lost].name));
	}
}

static void add_map(const struct builder *b, struct fm_function *fn, const struct click_step *step,
		    const struct click_state *s)
{
	struct fm_map *map;
	unsigned int i, k;

	fn->maps = click_grow(fn->maps, fn->n_maps, sizeof(*fn->maps));
	map = &fn->maps[fn->n_maps++];
	map->name = format("%s %s", fn->name, s->name);
	map->type = format("click");
	map->written = s->written;
	map->per_packet = s->per_packet;
	map->pointers = s->pointers;
	classify(b, step, map, s);
	for (k = 0; b->explain && k < map->n_keys; k++)
		for (i = 0; i <= s->n_sites; i++)
			if (i < s->n_sites)
				click_add_line(&map->keys[k].sites, &map->keys[k].n_sites, "%s",
					       s->sites[i]);
			else if (!s->n_sites)
				click_add_line(&map->keys[k].sites, &map->keys[k].n_sites, "%s: %s",
					       step->facts->class_name, step->facts->from);
	if (map->class > fn->class)
		fn->class = map->class;
}

/* Nothing is known of it: state for all packets, and changes of all of them. */
static void add_unknown(const struct builder *b, struct fm_function *fn,
			const struct click_step *step)
{
	struct click_state all = { .name = "state", .key = CLICK_KEY_UNKNOWN, .written = true,
				   .per_packet = true, .pointers = true };

	all.reason = format("nothing is known of the class \"%s\"", step->facts->class_name);
	fn->complete = false;
	fn->rewrites_unknown = true;
	fn->reasons = click_grow(fn->reasons, fn->n_reasons, sizeof(*fn->reasons));
	fn->reasons[fn->n_reasons++] = format("%s", all.reason);
	add_map(b, fn, step, &all);
	free(all.reason);
}

static void add_function(const struct builder *b, unsigned int i, struct fm_function *fn)
{
	const struct click_element *e = &b->file->elements[i];
	const struct click_step *step = &b->steps[i];
	const struct click_facts *facts = step->facts;
	unsigned int k;

	fn->name = format("%s", e->name);
	fn->source = format("click:%s:%s", b->source, e->name);
	fn->hook = format("click %s", e->class_name);
	fn->complete = true;
	fn->class = FM_STATELESS;
	if (!facts->known) {
		add_unknown(b, fn, step);
		return;
	}
	for (k = 0; k < facts->n_states; k++)
		add_map(b, fn, step, &facts->states[k]);
	for (k = 0; k < FM_FIELDS; k++) {
		if (!(facts->rewrites >> k & 1))
			continue;
		fn->rewrites = click_grow(fn->rewrites, fn->n_rewrites, sizeof(*fn->rewrites));
		fn->rewrites[fn->n_rewrites++] = whole(k);
	}
	fn->rewrites_unknown = facts->rewrites_unknown;
	for (k = 0; k < facts->n_reasons; k++) {
		fn->reasons = click_grow(fn->reasons, fn->n_reasons, sizeof(*fn->reasons));
		fn->reasons[fn->n_reasons++] = format("%s", facts->reasons[k]);
	}
}

static int by_order(const void *a, const void *b, void *context)
{
	const struct click_step *steps = context;
	unsigned int x = steps[*(const unsigned int *)a].order;
	unsigned int y = steps[*(const unsigned int *)b].order;

	return x < y ? -1 : x > y;
}

int click_functions(const struct click_file *file, const struct click_step *steps,
		    const char *source, bool explain, struct fm_analysis *result)
{
	struct builder b = { .file = file, .steps = steps, .source = source, .explain = explain };
	unsigned int *list = calloc(file->n_elements + 1, sizeof(*list)), n = 0, i;

	if (!list)
		err(EXIT_OTHER, "out of memory");
	for (i = 0; i < file->n_elements; i++)
		if (steps[i].reached)
			list[n++] = i;
	qsort_r(list, n, sizeof(*list), by_order, (void *)steps);
	for (i = 0; i < n; i++) {
		result->functions =
			click_grow(result->functions, result->n, sizeof(*result->functions));
		add_function(&b, list[i], &result->functions[result->n++]);
	}
	free(list);
	return 0;
}

/* FILE:RECEIVER, if there is no file of that name; the file's part is @path. */
static const char *split(const char *spec, char *path)
{
	char *colon = strrchr(path, ':');
	FILE *f = fopen(spec, "re");

	if (f)
		fclose(f);
	if (f || !colon)
		return NULL;
	*colon = 0;
	return colon + 1;
}

int fm_analyse_click(const char *spec, bool explain, struct fm_analysis *result, char *why,
		     size_t len)
{
	char *path = format("%s", spec), *text;
	const char *receiver = split(spec, path);
	struct click_known known = { 0 };
	struct click_step *steps = NULL;
	struct click_file file;
	size_t n;
	int ret;

	memset(result, 0, sizeof(*result));
	text = read_file(path, CLICK_MAX_FILE, &n);
	if (!text) {
		/* that has complained */
		why[0] = 0;
		free(path);
		return -1;
	}
	ret = click_parse(&file, path, text, n, why, len);
	if (!ret)
		steps = click_follow(&file, &known, receiver, why, len);
	if (steps)
		ret = click_functions(&file, steps, path, explain, result);
	else
		ret = -1;
	if (!ret && !result->n) {
		snprintf(why, len, "%s: no element that packets come to", path);
		ret = -1;
	}
	free(steps);
	click_free(&file);
	click_known_free(&known);
	free(path);
	free(text);
	return ret;
}
