// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <bpf/bpf.h>
#include "bpf/object.h"
#include "oratable.h"

#define MAX_DUMP	8192	/* entries */

static unsigned int sort_size;	/* for cmp_entry() */

static int cmp_entry(const void *a, const void *b)
{
	return memcmp(a, b, sort_size);
}

/* The kernel shows user space its own pointers in place of lists and trees. */
static bool has_nodes(const struct bpf_object *o, const struct bpf_map *map)
{
	uint32_t type = bpf_map__btf_value_type_id(map);
	const struct btf *btf = bpf_object__btf(o);

	return btf && type && (object_has_type(btf, type, "bpf_list_head", 0) ||
			       object_has_type(btf, type, "bpf_rb_root", 0));
}

static bool can_dump(const struct bpf_object *o, const struct bpf_map *map)
{
	if (has_nodes(o, map))
		return false;
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LPM_TRIE:
		return bpf_map__key_size(map) <= 256;
	default:
		return false;
	}
}

static bool is_array(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY ||
	       bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_per_cpu(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH ||
	       bpf_map__type(map) == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

void table_dump(struct table *t)
{
	unsigned int size = t->key_size + t->value_size;
	int fd = bpf_map__fd(t->map), err;
	uint8_t *swap = t->old, place[256];
	bool next = false;
	uint32_t count, i;

	t->old = t->entry;
	t->n_old = t->n;
	t->entry = swap;
	for (t->n = 0; t->n < MAX_DUMP; ) {
		count = MAX_DUMP - t->n;
		err = bpf_map_lookup_batch(fd, next ? &place : NULL, &place, t->keys, t->values,
					   &count, NULL);
		if (err && err != -ENOENT)
			break;
		for (i = 0; i < count; i++, t->n++) {
			memcpy(t->entry + (size_t)t->n * size, t->keys + i * t->key_size,
			       t->key_size);
			memcpy(t->entry + (size_t)t->n * size + t->key_size,
			       t->values + (size_t)i * t->value_size, t->value_size);
		}
		if (err)
			break;
		next = true;
	}
	sort_size = t->key_size;
	qsort(t->entry, t->n, size, cmp_entry);
}

void table_empty(struct table *t)
{
	int fd = bpf_map__fd(t->map);
	uint8_t key[256];

	while (!is_array(t->map) && !bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			break;
}

bool table_predict(const struct fm_key *k, const struct packet *p, uint8_t *key, bool *certain)
{
	uint8_t value[FM_FIELD_BYTES];
	unsigned int i, j;

	for (i = 0; i < k->n_parts; i++) {
		const struct fm_part *part = &k->parts[i];

		for (j = 0; j < part->size; j++)
			certain[part->at + j] = part->kind == FM_PART_CONST;
		if (part->kind == FM_PART_CONST)
			memcpy(key + part->at, part->bytes, part->size);
		if (part->kind != FM_PART_FIELD || part->order > 1)
			continue;
		if (!packet_field(p, part->slices, value))
			return false;
		for (j = 0; j < part->size && j < part->slices->size; j++) {
			key[part->at + j] = value[part->order ? part->slices->size - 1 - j : j];
			certain[part->at + j] = true;
		}
	}
	return true;
}

void table_furnish(struct table *t, const struct packet *p, uint64_t *seed)
{
	uint8_t *value = calloc(1, t->value_size + 8), key[256] = { 0 };
	bool certain[256] = { 0 };
	unsigned int i;

	for (i = 0; t->said && !t->said->written && i < t->said->n_keys; i++) {
		value[0] = random32(seed);
		if (!is_array(t->map) && table_predict(&t->said->keys[i], p, key, certain))
			bpf_map_update_elem(bpf_map__fd(t->map), key, value, BPF_ANY);
	}
	free(value);
}

static void furnish_array(struct table *t, uint64_t *seed)
{
	uint8_t *value = calloc(1, t->value_size + 8);
	uint32_t i;

	for (i = 0; i < bpf_map__max_entries(t->map) && i < MAX_DUMP; i++) {
		value[0] = random32(seed);
		bpf_map_update_elem(bpf_map__fd(t->map), &i, value, BPF_ANY);
	}
	free(value);
}

unsigned int table_open(struct bpf_object *o, const struct fm_function *f, struct table **tables,
			uint64_t *seed)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_map *map;
	struct table *t;
	unsigned int i, n = 0;

	bpf_object__for_each_map(map, o) {
		const char *name = bpf_map__name(map), *dot = strchr(name, '.');

		if (!can_dump(o, map) || bpf_map__max_entries(map) > 1 << 20)
			continue;
		if (is_array(map) && bpf_map__max_entries(map) > MAX_DUMP)
			continue;
		*tables = realloc(*tables, (n + 1) * sizeof(*t));
		t = &(*tables)[n++];
		*t = (struct table){ .map = map, .key_size = bpf_map__key_size(map) };
		t->name = bpf_map__is_internal(map) && dot ? dot : name;
		t->value_size = bpf_map__value_size(map);
		if (is_per_cpu(map))
			t->value_size = (t->value_size + 7) / 8 * 8 * cpus;
		t->entry = malloc((size_t)(MAX_DUMP + 1) * (t->key_size + t->value_size));
		t->old = malloc((size_t)(MAX_DUMP + 1) * (t->key_size + t->value_size));
		t->keys = malloc((size_t)(MAX_DUMP + 1) * t->key_size);
		t->values = malloc((size_t)(MAX_DUMP + 1) * t->value_size);
		for (i = 0; i < f->n_maps; i++)
			if (!strcmp(f->maps[i].name, t->name))
				t->said = &f->maps[i];
		if (is_array(map) && !bpf_map__is_internal(map) && t->said && !t->said->written)
			furnish_array(t, seed);
	}
	return n;
}

void table_free(struct table *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		free(t[i].entry);
		free(t[i].old);
		free(t[i].keys);
		free(t[i].values);
	}
	free(t);
}
