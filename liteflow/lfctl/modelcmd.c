// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model: install, activate, rollback, remove, show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_model.h>
#include "kernel.h"
#include "lfctl.h"
#include "model.h"

struct model_args {
	const char *app;
	int slot;
	const char *file;
	const char *compiled;
	bool activate;
	const char *slot_word;	/* may be given in place of a number, */
	int slot_by;		/* and means this */
	unsigned int remove;
	unsigned int n_words;
	unsigned int max_words;
};

/* model_args::slot: none given, slot 0 or else 1, the active one */
enum { SLOT_NONE = -1, SLOT_AUTO = -2, SLOT_ACTIVE = -3 };

enum { OPT_ACTIVATE = 256, OPT_COMPILED, OPT_FORCE, OPT_EVICT };

static error_t model_option(int key, char *arg, struct argp_state *state)
{
	struct model_args *args = state->input;

	switch (key) {
	case OPT_ACTIVATE:
		args->activate = true;
		return 0;
	case OPT_COMPILED:
		args->compiled = arg;
		return 0;
	case OPT_FORCE:
		args->remove |= LITEFLOW_REMOVE_FLAGS_FORCE;
		return 0;
	case OPT_EVICT:
		args->remove |= LITEFLOW_REMOVE_FLAGS_EVICT;
		return 0;
	case ARGP_KEY_ARG:
		if (args->n_words == args->max_words)
			argp_error(state, "too many arguments, from \"%s\" on", arg);
		switch (args->n_words++) {
		case 0:
			args->app = arg;
			return 0;
		case 1:
			if (args->slot_word && !strcmp(arg, args->slot_word))
				args->slot = args->slot_by;
			else
				args->slot = parse_number(state, "SLOT", arg, 0, LITEFLOW_SLOTS_MAX - 1);
			return 0;
		default:
			args->file = arg;
			return 0;
		}
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };

static void need(bool there, const char *what)
{
	if (there)
		return;
	complain("%s is missing, see --help", what);
	exit(EXIT_USAGE);
}

/* What was done, on one line, or as one JSON object. */
static void say(const char *app, int slot, const char *state, uint32_t version, uint64_t ns)
{
	struct json_object *o;

	if (!opt_json) {
		printf("app %s", app);
		if (slot >= 0)
			printf(", slot %d", slot);
		printf(": version %u is %s", version, state);
		if (ns)
			printf(", %.1f us", (double)ns / 1000);
		printf("\n");
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "app", json_object_new_string(app));
	if (slot >= 0)
		json_object_object_add(o, "slot", json_object_new_int(slot));
	json_object_object_add(o, "version", json_object_new_int64(version));
	json_object_object_add(o, "state", json_object_new_string(state));
	if (ns)
		json_object_object_add(o, "op-ns", json_object_new_uint64(ns));
	print_json(o);
}

/* A slot that was given by what is in it becomes a number. */
static int resolve_slot(struct lf *lf, struct model_args *args)
{
	struct lf_model_info slots[LITEFLOW_SLOTS_MAX];
	int active, ret;

	if (args->slot >= 0)
		return 0;
	ret = failed(lf, lf_get_slots(lf, args->app, slots), "%s", args->app);
	if (ret)
		return ret;
	active = lf_active_slot(slots);
	if (args->slot == SLOT_ACTIVE && active < 0) {
		complain("%s: no model is active: see lfctl model show", args->app);
		return EXIT_OTHER;
	}
	args->slot = args->slot == SLOT_ACTIVE ? active : !active;
	return 0;
}

static int slot_failed(struct lf *lf, int ret, const struct model_args *args)
{
	return failed(lf, ret, "app %.32s, slot %d", args->app, args->slot);
}

/* @blob: what is in the file; NULL: a compiled model is meant */
static int install(struct lf *lf, struct model_args *args, const void *blob, size_t len,
		   uint32_t *version)
{
	int ret;

	ret = resolve_slot(lf, args);
	if (ret)
		return ret;
	if (blob)
		ret = lf_install(lf, args->app, args->slot, blob, len, version);
	else
		ret = lf_install_compiled(lf, args->app, args->slot, args->compiled, version);
	return slot_failed(lf, ret, args);
}

static int activate(struct lf *lf, const struct model_args *args, uint32_t *version, uint64_t *ns)
{
	return slot_failed(lf, lf_activate(lf, args->app, args->slot, version, ns), args);
}

int cmd_model_install(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "activate", OPT_ACTIVATE, NULL, 0, "also make it active", 0 },
		{ "compiled", OPT_COMPILED, "NAME", 0, "a compiled model that a module registered, "
		  "in place of FILE", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options, .parser = model_option, .children = children,
		.args_doc = "APP SLOT FILE\nAPP SLOT --compiled NAME",
		.doc = "Put a model into a slot, on standby. SLOT \"auto\" is 0, or 1 if a model "
			"is active in 0.",
	};
	struct model_args args = {
		.slot = SLOT_NONE, .max_words = 3, .slot_word = "auto", .slot_by = SLOT_AUTO
	};
	uint32_t version = 0;
	void *blob = NULL;
	uint64_t ns = 0;
	struct lf *lf;
	size_t len = 0;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot != SLOT_NONE, "APP SLOT");
	need(!args.file != !args.compiled, "either FILE or --compiled NAME");
	/* before the kernel: a file that is no model is none with any */
	if (args.file)
		blob = model_read(args.file, &len);
	if (args.file && !blob)
		return EXIT_OTHER;
	ret = kernel_open(&lf, args.app);
	if (!ret)
		ret = install(lf, &args, blob, len, &version);
	if (!ret && args.activate)
		ret = activate(lf, &args, &version, &ns);
	if (!ret)
		say(args.app, args.slot, args.activate ? "active" : "on standby", version, ns);
	free(blob);
	lf_close(lf);
	return ret;
}

int cmd_model_activate(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = model_option, .children = children, .args_doc = "APP SLOT",
		.doc = "Make the model of a slot active.",
	};
	struct model_args args = { .slot = SLOT_NONE, .max_words = 2 };
	uint32_t version = 0;
	uint64_t ns = 0;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot >= 0, "APP SLOT");
	ret = kernel_open(&lf, args.app);
	if (!ret)
		ret = activate(lf, &args, &version, &ns);
	if (!ret)
		say(args.app, args.slot, "active", version, ns);
	lf_close(lf);
	return ret;
}

int cmd_model_rollback(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = model_option, .children = children, .args_doc = "APP",
		.doc = "Make the previously active model active again.",
	};
	struct model_args args = { .max_words = 1 };
	uint32_t version = 0;
	uint64_t ns = 0;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.app, "APP");
	ret = kernel_open(&lf, args.app);
	if (!ret)
		ret = failed(lf, lf_rollback(lf, args.app, &version, &ns), "model rollback");
	if (!ret)
		say(args.app, -1, "active", version, ns);
	lf_close(lf);
	return ret;
}

int cmd_model_remove(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "force", OPT_FORCE, NULL, 0, "also remove the active model; the app then has none",
		  0 },
		{ "evict", OPT_EVICT, NULL, 0, "take it from the flows that it serves", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options, .parser = model_option, .children = children,
		.args_doc = "APP SLOT",
		.doc = "Empty a slot. SLOT \"active\" is that of the active model.",
	};
	struct model_args args = {
		.slot = SLOT_NONE, .max_words = 2, .slot_word = "active", .slot_by = SLOT_ACTIVE
	};
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot != SLOT_NONE, "APP SLOT");
	ret = kernel_open(&lf, args.app);
	if (!ret)
		ret = resolve_slot(lf, &args);
	if (!ret)
		ret = failed(lf, lf_remove(lf, args.app, args.slot, args.remove), "model remove");
	lf_close(lf);
	return ret;
}

static void digest_of(const struct lf_model_info *m, char *hex)
{
	*hex = 0;
	if (m->has_digest)
		to_hex(m->digest, LF_DIGEST_LEN, hex);
}

static struct json_object *model_json(const struct lf_model_info *m)
{
	struct json_object *o = json_object_new_object();
	char digest[2 * LF_DIGEST_LEN + 1];

	json_add_uint(o, "app-id", m->app_id);
	json_add_string(o, "app-name", m->app);
	if (m->slot >= 0)
		json_add_uint(o, "slot", m->slot);
	if (m->version)
		json_add_uint(o, "version", m->version);
	json_add_string(o, "state", lf_state_name(m->state));
	json_add_string(o, "kind", lf_kind_name(m->kind));
	json_add_string(o, "model-name", m->name);
	digest_of(m, digest);
	if (*digest)
		json_add_string(o, "digest", digest);
	if (m->version) {
		json_add_uint(o, "bytes", m->bytes);
		json_add_uint(o, "macs", m->macs);
		json_add_uint(o, "width", m->width);
		json_add_uint(o, "pins", m->pins);
		json_add_uint(o, "queries", m->queries);
	}
	if (*m->provenance)
		json_add_string(o, "provenance", m->provenance);
	return o;
}

static void show_header(void)
{
	static bool done;

	if (!done)
		printf("%-20s  SLOT  STATE       VERSION    FLOWS       QUERIES    MACS  "
		       "DIGEST            MODEL\n", "APP");
	done = true;
}

static int on_model(const struct lf_model_info *m, void *data)
{
	char digest[2 * LF_DIGEST_LEN + 1], slot[12] = "-";

	if (opt_json) {
		json_object_array_add(data, model_json(m));
		return 0;
	}
	show_header();
	digest_of(m, digest);
	if (m->slot >= 0)
		snprintf(slot, sizeof(slot), "%d", m->slot);
	printf("%-20s  %4s  %-10s  ", m->app, slot, lf_state_name(m->state));
	if (m->version)
		printf("%7u  %7u  %12llu  %6u  ", m->version, m->pins,
		       (unsigned long long)m->queries, m->macs);
	else
		printf("%7s  %7s  %12s  %6s  ", "-", "-", "-", "-");
	printf("%-16.12s  %s\n", *digest ? digest : lf_kind_name(m->kind), m->name);
	return 0;
}

int cmd_model_show(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = model_option, .children = children, .args_doc = "[APP]",
		.doc = "Show the models in slots, those that only flows hold, and compiled ones "
			"that could be installed.",
	};
	struct model_args args = { .max_words = 1 };
	struct json_object *list = NULL;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, args.app);
	if (ret)
		goto out;
	if (opt_json)
		list = json_object_new_array();
	ret = failed(lf, lf_for_each_model(lf, args.app, on_model, list), "model show");
	finish_list(ret, list, show_header);
out:
	lf_close(lf);
	return ret;
}
