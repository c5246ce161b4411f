// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage load: the programs of a plan, their private maps turned into per-CPU ones.
 *
 * The programs stay as they are: a look-up in a per-CPU map gives the entry of the CPU it runs
 * on, and the steering sees to it that no other CPU needs that entry.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "flowmage.h"
#include "jsonfile.h"
#include "plan.h"

#define MAX_OBJECTS	64

struct options {
	const char *plan;
	const char *dir;
};

/* An object of the chain, and the part of its programs that is pinned. */
struct object {
	char *path;
	struct bpf_object *bpf;
};

struct load {
	struct json_object *plan;
	struct object objects[MAX_OBJECTS];
	unsigned int n;
	const char *where;
};

static const struct argp_option options[] = {
	{ "pin", 'p', "DIR", 0, "pin the programs there, below a bpf file system", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		o->dir = arg;
		break;
	case ARGP_KEY_ARG:
		if (o->plan)
			argp_error(state, "'%s' is one too many", arg);
		o->plan = arg;
		break;
	case ARGP_KEY_END:
		if (!o->plan || !o->dir)
			argp_error(state, "which plan, and where to --pin the programs?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "PLAN",
	.doc = "Load the BPF objects of a plan with the maps that its steering makes private "
	       "turned "
	       "into per-CPU maps, and pin their programs as DIR/PROGRAM.\vWho reads such a map "
	       "from user space gets a value for each CPU.",
};

static bool flag(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

/* Why a map stays as it is; NULL: it becomes per-CPU; "": it is no state of the plan's. */
static const char *why_not(const struct load *l, const char *path, const char *map)
{
	struct json_object *list = json_object_object_get(l->plan, "state"), *s;
	const char *why = "", *origin;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		s = json_object_array_get_idx(list, i);
		origin = json_text(s, "origin");
		if (strncmp(origin, "bpf:", 4) || strcmp(origin + 4, path) ||
		    strcmp(json_text(s, "map"), map))
			continue;
		if (!flag(s, "private"))
			return *json_text(s, "reason") ? json_text(s, "reason") :
							 "the steering cannot make it private";
		if (*json_text(s, "keep"))
			return json_text(s, "keep");
		why = NULL;
	}
	return why;
}

static enum bpf_map_type per_cpu_type(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
		return BPF_MAP_TYPE_PERCPU_HASH;
	case BPF_MAP_TYPE_LRU_HASH:
		return BPF_MAP_TYPE_LRU_PERCPU_HASH;
	case BPF_MAP_TYPE_ARRAY:
		return BPF_MAP_TYPE_PERCPU_ARRAY;
	default:
		return BPF_MAP_TYPE_UNSPEC;
	}
}

static int change_maps(const struct load *l, const struct object *o)
{
	enum bpf_map_type type;
	struct bpf_map *map;
	const char *why;
	int err;

	bpf_object__for_each_map(map, o->bpf) {
		why = why_not(l, o->path, bpf_map__name(map));
		type = per_cpu_type(bpf_map__type(map));
		if (!why && type == BPF_MAP_TYPE_UNSPEC)
			why = "its type has no per-CPU form";
		if (why && *why)
			printf("shared   %s: map %s: %s\n", o->path, bpf_map__name(map), why);
		if (why)
			continue;
		err = bpf_map__set_type(map, type);
		if (err)
			return complain("%s: map %s: %s", o->path, bpf_map__name(map),
					strerror(-err));
		printf("per CPU  %s: map %s\n", o->path, bpf_map__name(map));
	}
	return 0;
}

static int add_object(struct load *l, const char *origin)
{
	struct object *o = &l->objects[l->n];
	unsigned int i;

	if (strncmp(origin, "bpf:", 4))
		return 0;
	if (!strcmp(origin, "bpf:id"))
		return complain("%s: a program of it is loaded already: solve for its object",
				l->where);
	for (i = 0; i < l->n; i++)
		if (!strcmp(l->objects[i].path, origin + 4))
			return 0;
	if (l->n == MAX_OBJECTS)
		return complain("%s: more than %d objects", l->where, MAX_OBJECTS);
	o->path = strdup(origin + 4);
	l->n++;
	o->bpf = bpf_object__open_file(o->path, NULL);
	if (!o->bpf)
		return complain("%s: %s", o->path, strerror(errno));
	if (change_maps(l, o))
		return EXIT_OTHER;
	if (bpf_object__load(o->bpf))
		return complain("%s: the kernel does not take it: %s", o->path, strerror(errno));
	return 0;
}

/* The files must be those that were solved for. */
static int check_files(const char *path)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int ret;

	if (!plan)
		return complain("out of memory");
	ret = plan_read(path, plan) || plan_check_files(path, plan) ? EXIT_OTHER : 0;
	plan_free(plan);
	free(plan);
	return ret;
}

static void unpin(const struct load *l, const char *dir, const struct bpf_program *last)
{
	struct bpf_program *prog;
	char path[PATH_LEN];
	unsigned int i;

	for (i = 0; i < l->n; i++)
		bpf_object__for_each_program(prog, l->objects[i].bpf) {
			if (prog == last)
				return;
			if (!join_path(path, dir, bpf_program__name(prog)))
				unlink(path);
		}
}

static int pin(const struct load *l, const char *dir)
{
	struct bpf_program *prog;
	char path[PATH_LEN];
	unsigned int i;
	int err;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return complain("%s: %s", dir, strerror(errno));
	for (i = 0; i < l->n; i++)
		bpf_object__for_each_program(prog, l->objects[i].bpf) {
			if (join_path(path, dir, bpf_program__name(prog)))
				return EXIT_OTHER;
			err = bpf_program__pin(prog, path);
			if (!err)
				continue;
			unpin(l, dir, prog);
			return complain("%s: %s", path, strerror(-err));
		}
	return 0;
}

static int load(struct load *l, const struct options *o)
{
	struct json_object *list, *state;
	size_t i;

	if (json_get(o->plan, l->plan, "functions", json_type_array, true, &list) ||
	    json_get(o->plan, l->plan, "state", json_type_array, true, &state))
		return EXIT_OTHER;
	for (i = 0; i < json_object_array_length(list); i++)
		if (add_object(l, json_text(json_object_array_get_idx(list, i), "origin")))
			return EXIT_OTHER;
	if (!l->n)
		return complain("%s: no BPF object in it", o->plan);
	return pin(l, o->dir);
}

int cmd_load(int argc, char **argv)
{
	struct options o = { 0 };
	struct load l = { 0 };
	unsigned int i;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	/* one line says what went wrong */
	libbpf_set_print(NULL);
	if (check_files(o.plan))
		return EXIT_OTHER;
	l.where = o.plan;
	l.plan = json_read(o.plan);
	ret = l.plan ? load(&l, &o) : EXIT_OTHER;
	for (i = 0; i < l.n; i++) {
		bpf_object__close(l.objects[i].bpf);
		free(l.objects[i].path);
	}
	json_object_put(l.plan);
	return ret;
}
