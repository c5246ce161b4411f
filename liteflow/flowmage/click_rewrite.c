// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage rewrite: a plan into a Click file. Elements whose state the steering makes private get
 * "SHARED false", the others that know the keyword "SHARED true"; receivers get the fields that
 * they may hash.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include "click_edit.h"
#include "click_path.h"
#include "flowmage.h"
#include "plan.h"

#define ALL_FIELDS	UINT32_MAX

struct options {
	const char *plan;
	const char *file;
	const char *output;
};

/**
 * struct rewrite - what is being done
 * @plan: as JSON
 * @origin: "click:FILE", as it names the file's state
 * @file: the file
 * @known: its classes
 * @changes: that are to be made, [n]
 */
struct rewrite {
	struct json_object *plan;
	char *origin;
	struct click_file file;
	struct click_known known;
	struct click_change *changes;
	unsigned int n;
};

static const struct argp_option table[] = {
	{ "output", 'o', "FILE", 0, "where the new file goes; - is standard output (the default)",
	  0 },
	{ 0 }
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "'%s' is one too many", arg);
		if (state->arg_num)
			o->file = arg;
		else
			o->plan = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "which plan, and which Click file?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Does the plan say that all packets of an entry come to one queue? */
static bool is_private(const struct rewrite *r, const char *map)
{
	struct json_object *list, *o, *v;
	bool found = false;
	size_t i;

	if (!json_object_object_get_ex(r->plan, "state", &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(json_text(o, "map"), map) || strcmp(json_text(o, "origin"), r->origin))
			continue;
		found = true;
		if (!json_object_object_get_ex(o, "private", &v) || !json_object_get_boolean(v))
			return false;
	}
	return found;
}

/* Has it state that may be private, and all of that is? */
static bool all_private(const struct rewrite *r, const struct fm_function *fn)
{
	unsigned int i, n = 0;

	for (i = 0; i < fn->n_maps; i++) {
		if (fn->maps[i].class != FM_PACKET_KEY && fn->maps[i].class != FM_SHARED)
			continue;
		if (!is_private(r, fn->maps[i].name))
			return false;
		n++;
	}
	return n;
}

static bool has_state(const struct fm_function *fn)
{
	unsigned int i;

	for (i = 0; i < fn->n_maps; i++)
		if (fn->maps[i].class == FM_PACKET_KEY || fn->maps[i].class == FM_SHARED)
			return true;
	return false;
}

static struct click_change *find(struct rewrite *r, const struct click_item *item,
				 const char *keyword)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (r->changes[i].item->end == item->end && !strcmp(r->changes[i].keyword, keyword))
			return &r->changes[i];
	return NULL;
}

static struct click_change *add(struct rewrite *r, const struct click_item *item,
				const char *keyword, const char *value)
{
	r->changes = click_grow(r->changes, r->n, sizeof(*r->changes));
	r->changes[r->n] = (struct click_change){ item, keyword, value };
	return &r->changes[r->n++];
}

static const struct click_element *element_of(const struct rewrite *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < r->file.n_elements; i++)
		if (!strcmp(r->file.elements[i].name, name))
			return &r->file.elements[i];
	return NULL;
}

/* One declaration may stand for several elements: it is private if all of them are. */
static void share(struct rewrite *r, const struct click_step *steps, const struct fm_analysis *all)
{
	const struct click_element *e;
	const struct click_facts *facts;
	struct click_change *change;
	bool private;
	unsigned int i;

	for (i = 0; i < all->n; i++) {
		e = element_of(r, all->functions[i].name);
		facts = steps[e - r->file.elements].facts;
		if (!has_state(&all->functions[i]) ||
		    !(facts->shared_keyword || click_keyword(e->config, "SHARED").n))
			continue;
		private = all_private(r, &all->functions[i]);
		change = find(r, e->item, "SHARED");
		if (!change)
			add(r, e->item, "SHARED", private ? "false" : "true");
		else if (!private)
			change->value = "true";
	}
}

/* Fields of a key that are whole, and which a device hashes; for both families one bit each. */
static uint32_t fields_of(const struct fm_key *key)
{
	static const struct {
		enum fm_field field, as;
	} hashed[] = {
		{ FM_SRC_ADDR4, FM_SRC_ADDR4 }, { FM_DST_ADDR4, FM_DST_ADDR4 },
		{ FM_SRC_ADDR6, FM_SRC_ADDR4 }, { FM_DST_ADDR6, FM_DST_ADDR4 },
		{ FM_SRC_PORT, FM_SRC_PORT }, { FM_DST_PORT, FM_DST_PORT },
	};
	uint32_t set = 0;
	unsigned int i, k;

	for (i = 0; i < key->n_parts; i++)
		for (k = 0; k < ARRAY_SIZE(hashed) && key->parts[i].kind == FM_PART_FIELD; k++)
			if (key->parts[i].slices->field == hashed[k].field)
				set |= 1u << hashed[k].as;
	return set;
}

/* The value of HASHFUNC for what a receiver's packets meet: NULL: no private state; "": none. */
static const char *hashed(struct rewrite *r, const struct fm_analysis *all)
{
	static const enum fm_field order[] = { FM_SRC_ADDR4, FM_DST_ADDR4, FM_SRC_PORT,
					       FM_DST_PORT };
	uint32_t set = ALL_FIELDS;
	const struct fm_map *map;
	const char *text = "";
	bool both = true;
	unsigned int i, m, k;

	for (i = 0; i < all->n; i++)
		for (m = 0; m < all->functions[i].n_maps; m++) {
			map = &all->functions[i].maps[m];
			if (map->class != FM_PACKET_KEY || !is_private(r, map->name))
				continue;
			for (k = 0; k < map->n_keys; k++)
				set &= fields_of(&map->keys[k]);
			both &= !map->symmetric;
		}
	if (set == ALL_FIELDS)
		return NULL;
	/* of a symmetric key both ends, or none */
	if (!both && (!(set >> FM_SRC_ADDR4 & 1) || !(set >> FM_DST_ADDR4 & 1)))
		return "";
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (set >> order[i] & 1)
			text = click_format(&r->file, "%s%s%s", text, *text ? "," : "",
					    click_field_name(order[i]));
	return *text ? click_format(&r->file, "\"%s\"", text) : "";
}

static int hash_receiver(struct rewrite *r, const struct click_element *e)
{
	struct fm_analysis all = { 0 };
	struct click_step *steps;
	const char *value;
	char why[300];

	steps = click_follow(&r->file, &r->known, e->name, why, sizeof(why));
	if (!steps)
		return complain("%s", why);
	click_functions(&r->file, steps, r->file.path, false, &all);
	free(steps);
	value = hashed(r, &all);
	fm_analysis_free(&all);
	if (value && !*value)
		return complain(
			"%s: \"%s\": no hashed fields do for all of its private state: leave it to the key",
			r->file.path, e->name);
	if (value && !find(r, e->item, "HASHFUNC"))
		add(r, e->item, "HASHFUNC", value);
	return 0;
}

static int hash_receivers(struct rewrite *r, const struct click_step *steps,
			  const char *output)
{
	const struct click_element *e;
	unsigned int i;

	for (i = 0; i < r->file.n_elements; i++) {
		e = &r->file.elements[i];
		if (!steps[i].facts->receiver)
			continue;
		if (!steps[i].facts->hash_keyword && !click_keyword(e->config, "HASHFUNC").n) {
			if (strcmp(output, "-"))
				printf("%s: it knows no HASHFUNC: set its device's key and table\n",
				       e->name);
		} else if (hash_receiver(r, e)) {
			return EXIT_OTHER;
		}
	}
	return 0;
}

static int write_result(struct rewrite *r, const char *output)
{
	char why[400], *text;
	unsigned int i;
	int ret;

	if (!r->n)
		return complain("%s: nothing in it knows SHARED or HASHFUNC", r->file.path);
	text = click_edit(&r->file, r->changes, r->n, why, sizeof(why));
	if (!text)
		return complain("%s", why);
	ret = write_file(output, text, strlen(text));
	free(text);
	for (i = 0; i < r->n && !ret && strcmp(output, "-"); i++)
		printf("%s: %s %s\n", r->changes[i].item->name, r->changes[i].keyword,
		       r->changes[i].value);
	return ret;
}

/* The plan has to be about this file. */
static int check_plan(const struct rewrite *r, const struct options *o, const struct plan *plan)
{
	unsigned int i;

	if (plan_check_files(o->plan, plan))
		return EXIT_OTHER;
	for (i = 0; i < plan->n_files; i++)
		if (!strcmp(plan->files[i].path, r->file.path))
			return 0;
	return complain("%s: it is not of the plan %s", o->file, o->plan);
}

static int rewrite(struct rewrite *r, const struct options *o, const struct plan *plan)
{
	struct fm_analysis all = { 0 };
	struct click_step *steps;
	char why[400];
	int ret;

	if (check_plan(r, o, plan))
		return EXIT_OTHER;
	steps = click_follow(&r->file, &r->known, NULL, why, sizeof(why));
	if (!steps)
		return *why ? complain("%s", why) : EXIT_OTHER;
	click_functions(&r->file, steps, r->file.path, false, &all);
	share(r, steps, &all);
	fm_analysis_free(&all);
	ret = hash_receivers(r, steps, o->output);
	free(steps);
	return ret ? ret : write_result(r, o->output);
}

int cmd_rewrite(int argc, char **argv)
{
	static const struct argp argp = {
		table,
		option,
		"PLAN FILE",
		"Put a plan into a Click file: SHARED per element, HASHFUNC for receivers that know it. "
		"All else stays byte for byte.",
		NULL,
		NULL,
		NULL
	};
	struct options o = { .output = "-" };
	struct rewrite r = { 0 };
	struct plan plan;
	char why[400], *text;
	int ret = EXIT_OTHER;
	size_t n;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	text = read_file(o.file, CLICK_MAX_FILE, &n);
	if (!text)
		return EXIT_OTHER;
	if (click_parse(&r.file, o.file, text, n, why, sizeof(why))) {
		complain("%s", why);
	} else if (!plan_read(o.plan, &plan)) {
		r.plan = json_read(o.plan);
		if (asprintf(&r.origin, "click:%s", o.file) < 0)
			err(EXIT_OTHER, "out of memory");
		ret = r.plan ? rewrite(&r, &o, &plan) : EXIT_OTHER;
		plan_free(&plan);
	}
	json_object_put(r.plan);
	click_known_free(&r.known);
	click_free(&r.file);
	free(r.changes);
	free(r.origin);
	free(text);
	return ret;
}
