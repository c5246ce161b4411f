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
#include "oratable.h"

#define FLIPPED_BYTES	82
#define EXIT_SKIP	4
#define MAX_TOLD	5	/* contradictions of a program that are printed */

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
		if (!table_predict(&said->keys[i], p, expect, certain)) {
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
		table_dump(&c->tables[i]);
		compare(c, &c->tables[i], p, base);
	}
	return 0;
}

static int check_packets(struct check *c, uint64_t *seed)
{
	struct packet base, p;
	unsigned int b, i, t;
	int err;

	for (b = 0; b < PACKET_KINDS; b++) {
		packet_make(&base, b % PACKET_KINDS, seed);
		for (t = 0; t < c->n_tables; t++) {
			table_empty(&c->tables[t]);
			table_furnish(&c->tables[t], &base, seed);
			table_dump(&c->tables[t]);
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

static bool check_function(struct bpf_object *o, const struct fm_function *f, uint64_t *seed)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(o, f->name);
	struct check c = { .f = f, .fd = prog ? bpf_program__fd(prog) : -1 };
	int err;

	if (c.fd < 0) {
		printf("# skipped: %s: libbpf does not know the program\n", f->source);
		return true;
	}
	c.n_tables = table_open(o, f, &c.tables, seed);
	fill_programs(o);
	err = check_packets(&c, seed);
	if (err)
		printf("# skipped: %s: a test run fails: %s\n", f->source, strerror(-err));
	printf("%s runs %lu touched %lu contradictions %lu\n", f->source, c.runs, c.touched,
	       c.wrong);
	table_free(c.tables, c.n_tables);
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
		printf("oracle: this host does not let us run BPF programs: root, and a kernel "
		       "with BPF_SYSCALL\n");
		return EXIT_SKIP;
	}
	for (; i < argc; i++)
		ok &= check_object(argv[i], &seed);
	return ok ? 0 : 1;
}
