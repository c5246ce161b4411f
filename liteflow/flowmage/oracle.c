// SPDX-License-Identifier: GPL-2.0
/*
 * The analysis against the kernel: programs run on packets (BPF_PROG_TEST_RUN) whose header
 * bits are flipped one at a time, and what they leave in their maps must be what the analysis
 * said. No labels are needed.
 *
 * oracle [--every N] [--break] OBJECT...: every Nth bit only; --break: with wrong claims, which
 * must be seen.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include "bpf/object.h"
#include "function.h"
#include "orapacket.h"

#define FLIPPED_BYTES	82
#define MAX_DUMP	8192	/* entries */
#define EXIT_SKIP	4
#define MAX_TOLD	5	/* contradictions of a program that are printed */

/* A map, and what is in it: entries of key and value, sorted. */
struct table {
	struct bpf_map *map;
	const struct fm_map *said;	/* NULL: the analysis does not know it */
	const char *name;
	unsigned int key_size;
	unsigned int value_size;	/* of all CPUs */
	unsigned int n;
	uint8_t *entry;
	unsigned int n_old;
	uint8_t *old;
	uint8_t *keys;			/* as the kernel gives them */
	uint8_t *values;
	uint8_t one_key[256];		/* the only key it touched */
	bool has_one;
};

struct check {
	const struct fm_function *f;
	struct table *tables;
	unsigned int n_tables;
	int fd;
	unsigned long runs;
	unsigned long touched;
	unsigned long wrong;
};

static unsigned int every = 1;		/* bit that is flipped */
static bool break_claims;
static unsigned int sort_size;		/* for cmp_entry() */

static int cmp_entry(const void *a, const void *b)
{
	return memcmp(a, b, sort_size);
}

static void contradiction(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void contradiction(struct check *c, const char *fmt, ...)
{
	va_list args;

	if (c->wrong++ >= MAX_TOLD)
		return;
	printf("# %s: ", c->f->source);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
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

/* The entries that are there now; the ones before become the old ones. */
static void dump(struct table *t)
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

static void empty(struct table *t)
{
	int fd = bpf_map__fd(t->map);
	uint8_t key[256];

	while (!is_array(t->map) && !bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			break;
}

/* The key that the packet has by the analysis; false: it cannot be told. */
static bool predict(const struct fm_key *k, const struct packet *p, uint8_t *key, bool *certain)
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

/* Is there a key, among those the analysis knows, that this packet may have? */
static bool explained(const struct fm_map *said, const struct packet *p, const uint8_t *key,
		      unsigned int size)
{
	uint8_t expect[256];
	bool certain[256];
	unsigned int i, j;

	for (i = 0; i < said->n_keys; i++) {
		if (!said->keys[i].n_parts)
			return true;
		if (!said->keys[i].fragments && packet_is_fragment(p))
			continue;
		memset(certain, 0, sizeof(certain));
		if (!predict(&said->keys[i], p, expect, certain)) {
			/* ports of fragments: the analysis warned of them */
			if (said->keys[i].fragments && packet_is_fragment(p))
				return true;
			continue;
		}
		for (j = 0; j < size; j++)
			if (certain[j] && expect[j] != key[j] &&
			    !(said->keys[i].fragments && packet_is_fragment(p)))
				break;
		if (j == size)
			return true;
	}
	return false;
}

/* Do two packets agree in all that the only key is said to be a function of? */
static bool same_inputs(const struct fm_map *said, const struct packet *a, const struct packet *b)
{
	uint8_t x[FM_FIELD_BYTES], y[FM_FIELD_BYTES];
	const struct fm_part *part;
	unsigned int i, j;

	if (said->n_keys != 1 || !said->keys[0].n_parts)
		return false;
	for (i = 0; i < said->keys[0].n_parts; i++) {
		part = &said->keys[0].parts[i];
		if (part->kind == FM_PART_UNKNOWN)
			return false;
		for (j = 0; j < part->n_slices; j++)
			if (!packet_field(a, &part->slices[j], x) ||
			    !packet_field(b, &part->slices[j], y) ||
			    memcmp(x, y, part->slices[j].size))
				return false;
	}
	return true;
}

static void touched(struct check *c, struct table *t, const struct packet *p, const uint8_t *key)
{
	char hex[2 * 64 + 1] = "";
	unsigned int i;

	c->touched++;
	/* the analysis says itself that it may have missed something */
	if (!c->f->complete)
		return;
	for (i = 0; i < t->key_size && i < 64; i++)
		sprintf(hex + 2 * i, "%02x", key[i]);
	if (!t->said)
		contradiction(c, "map %s is written, but was not found", t->name);
	else if (!t->said->written)
		contradiction(c, "map %s is written, but called %s", t->name,
			      fm_class_names[t->said->class]);
	else if (!explained(t->said, p, key, t->key_size))
		contradiction(c, "map %s: the entry %s is under none of its keys", t->name, hex);
}

/* What the last run changed in a map. */
static void compare(struct check *c, struct table *t, const struct packet *p,
		    const struct packet *base)
{
	unsigned int size = t->key_size + t->value_size, i = 0, j = 0, keys = 0;
	const uint8_t *last = NULL;

	while (i < t->n || j < t->n_old) {
		const uint8_t *now = t->entry + (size_t)i * size, *old = t->old + (size_t)j * size;
		int order = i == t->n ? 1 : j == t->n_old ? -1 : memcmp(now, old, t->key_size);

		i += order <= 0;
		j += order >= 0;
		if (!order && !memcmp(now, old, size))
			continue;
		/* timers delete when they like */
		if (order > 0 && t->said && t->said->timer)
			continue;
		last = order > 0 ? old : now;
		keys++;
		touched(c, t, p, last);
	}
	if (keys == 1 && p == base) {
		t->has_one = true;
		memcpy(t->one_key, last, t->key_size);
	} else if (keys == 1 && t->has_one && t->said && same_inputs(t->said, base, p) &&
		   memcmp(t->one_key, last, t->key_size)) {
		contradiction(c, "map %s: its key depends on more than was said", t->name);
	}
}

static int run(struct check *c, const struct packet *p, const struct packet *base)
{
	uint8_t out[PACKET_BYTES + 512];
	unsigned int i;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->byte, .data_size_in = p->len,
		    .data_out = out, .data_size_out = sizeof(out));
	if (bpf_prog_test_run_opts(c->fd, &opts))
		return -errno;
	c->runs++;
	for (i = 0; i < c->n_tables; i++) {
		dump(&c->tables[i]);
		compare(c, &c->tables[i], p, base);
	}
	return 0;
}

/* Entries that only user space makes: under the packet's own key, so that it finds them. */
static void furnish(struct table *t, const struct packet *p, uint64_t *seed)
{
	uint8_t *value = calloc(1, t->value_size + 8), key[256] = { 0 };
	bool certain[256] = { 0 };
	unsigned int i;

	for (i = 0; t->said && !t->said->written && i < t->said->n_keys; i++) {
		value[0] = random32(seed);
		if (!is_array(t->map) && predict(&t->said->keys[i], p, key, certain))
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

static int check_packets(struct check *c, uint64_t *seed)
{
	struct packet base, p;
	unsigned int b, i, t;
	int err;

	for (b = 0; b < PACKET_KINDS; b++) {
		packet_make(&base, b % PACKET_KINDS, seed);
		for (t = 0; t < c->n_tables; t++) {
			empty(&c->tables[t]);
			furnish(&c->tables[t], &base, seed);
			dump(&c->tables[t]);
			c->tables[t].has_one = false;
		}
		/* new, then known */
		for (i = 0; i < 3; i++) {
			err = run(c, &base, &base);
			if (err)
				return err;
		}
		for (i = b % every; i < 8 * FLIPPED_BYTES; i += every) {
			p = base;
			p.byte[i / 8] ^= 1 << i % 8;
			err = run(c, &p, &base);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Tail calls lead to the other programs, in their order. */
static void fill_programs(struct bpf_object *o)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	uint32_t i;
	int fd;

	bpf_object__for_each_map(map, o) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		i = 0;
		bpf_object__for_each_program(prog, o) {
			fd = bpf_program__fd(prog);
			bpf_map_update_elem(bpf_map__fd(map), &i, &fd, BPF_ANY);
			i++;
		}
	}
}

/* Source and destination are mistaken for each other; and a map for one that is only read. */
static void break_function(struct fm_function *f)
{
	struct fm_slice *s;
	unsigned int i, j, k;

	for (i = 0; i < f->n_maps; i++)
		for (j = 0; j < f->maps[i].n_keys; j++)
			for (k = 0; k < f->maps[i].keys[j].n_parts; k++) {
				s = f->maps[i].keys[j].parts[k].slices;
				if (!s || fm_field_mirror(s->field) == s->field)
					f->maps[i].written = false;
				else
					s->field = fm_field_mirror(s->field);
			}
}

static void open_tables(struct check *c, struct bpf_object *o, uint64_t *seed)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_map *map;
	struct table *t;
	unsigned int i;

	bpf_object__for_each_map(map, o) {
		const char *name = bpf_map__name(map), *dot = strchr(name, '.');

		if (!can_dump(o, map) || bpf_map__max_entries(map) > 1 << 20)
			continue;
		if (is_array(map) && bpf_map__max_entries(map) > MAX_DUMP)
			continue;
		c->tables = realloc(c->tables, (c->n_tables + 1) * sizeof(*t));
		t = &c->tables[c->n_tables++];
		*t = (struct table){ .map = map, .key_size = bpf_map__key_size(map) };
		t->name = bpf_map__is_internal(map) && dot ? dot : name;
		t->value_size = bpf_map__value_size(map);
		if (is_per_cpu(map))
			t->value_size = (t->value_size + 7) / 8 * 8 * cpus;
		t->entry = malloc((size_t)(MAX_DUMP + 1) * (t->key_size + t->value_size));
		t->old = malloc((size_t)(MAX_DUMP + 1) * (t->key_size + t->value_size));
		t->keys = malloc((size_t)(MAX_DUMP + 1) * t->key_size);
		t->values = malloc((size_t)(MAX_DUMP + 1) * t->value_size);
		for (i = 0; i < c->f->n_maps; i++)
			if (!strcmp(c->f->maps[i].name, t->name))
				t->said = &c->f->maps[i];
		if (is_array(map) && !bpf_map__is_internal(map) && t->said && !t->said->written)
			furnish_array(t, seed);
	}
}

static bool check_function(struct bpf_object *o, const struct fm_function *f, uint64_t *seed)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(o, f->name);
	struct check c = { .f = f, .fd = prog ? bpf_program__fd(prog) : -1 };
	unsigned int i;
	int err;

	if (c.fd < 0) {
		printf("# skipped: %s: libbpf does not know the program\n", f->source);
		return true;
	}
	open_tables(&c, o, seed);
	fill_programs(o);
	err = check_packets(&c, seed);
	if (err)
		printf("# skipped: %s: a test run fails: %s\n", f->source, strerror(-err));
	printf("%s runs %lu touched %lu contradictions %lu\n", f->source, c.runs, c.touched, c.wrong);
	for (i = 0; i < c.n_tables; i++) {
		free(c.tables[i].entry);
		free(c.tables[i].old);
		free(c.tables[i].keys);
		free(c.tables[i].values);
	}
	free(c.tables);
	return !c.wrong;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static bool check_object(const char *path, uint64_t *seed)
{
	struct fm_analysis result;
	struct bpf_object *o;
	char why[600];
	bool ok = true;
	unsigned int i;

	if (fm_analyse_bpf(path, false, &result, why, sizeof(why))) {
		printf("# %s\n", why);
		return false;
	}
	libbpf_set_print(quiet);
	o = bpf_object__open_file(path, NULL);
	if (!o || bpf_object__load(o)) {
		printf("# skipped: %s: this kernel does not load it\n", path);
		bpf_object__close(o);
		fm_analysis_free(&result);
		return true;
	}
	for (i = 0; break_claims && i < result.n; i++)
		break_function(&result.functions[i]);
	for (i = 0; i < result.n; i++)
		ok &= check_function(o, &result.functions[i], seed);
	bpf_object__close(o);
	fm_analysis_free(&result);
	return ok;
}

/* Does this host let us run programs at all? */
static bool may_run(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2 }, { .code = BPF_JMP | BPF_EXIT },
	};
	uint8_t packet[64] = { 0 };
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "try", "GPL", code, 2, NULL);
	bool ok;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	ok = fd >= 0 && !bpf_prog_test_run_opts(fd, &opts);
	if (fd >= 0)
		close(fd);
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	bool ok = true;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--break"))
			break_claims = true;
		else if (!strcmp(argv[i], "--every") && i + 1 < argc && atoi(argv[i + 1]) > 0)
			every = atoi(argv[++i]);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!may_run()) {
		printf("oracle: this host does not let us run BPF programs: root, and a kernel with BPF_SYSCALL\n");
		return EXIT_SKIP;
	}
	for (; i < argc; i++)
		ok &= check_object(argv[i], &seed);
	return ok ? 0 : 1;
}
