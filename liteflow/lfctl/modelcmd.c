// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model: install, activate, rollback, remove, show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_model.h>
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

static int on_slot(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	int *active = data;

	(void)nlh;
	if (tb[LITEFLOW_A_MODEL_SLOT] && tb[LITEFLOW_A_MODEL_STATE] &&
	    nl_uint(tb[LITEFLOW_A_MODEL_STATE]) == LITEFLOW_STATE_ACTIVE)
		*active = nl_uint(tb[LITEFLOW_A_MODEL_SLOT]);
	return 0;
}

/* A slot that was given by what is in it becomes a number. */
static int resolve_slot(struct nl *nl, struct model_args *args)
{
	struct nlmsghdr *nlh;
	int active = -1, ret;

	if (args->slot >= 0)
		return 0;
	nlh = nl_begin(nl, LITEFLOW_CMD_SLOT_GET, NLM_F_DUMP);
	nl_put_app(nlh, args->app);
	ret = nl_ask(nl, args->app, on_slot, &active);
	if (ret)
		return ret;
	if (args->slot == SLOT_ACTIVE && active < 0) {
		complain("%s: no model is active: see lfctl model show", args->app);
		return EXIT_OTHER;
	}
	args->slot = args->slot == SLOT_ACTIVE ? active : !active;
	return 0;
}

static int install(struct nl *nl, struct model_args *args, uint32_t *version)
{
	size_t len;
	void *blob;
	int ret;

	ret = resolve_slot(nl, args);
	if (ret)
		return ret;
	if (args->compiled)
		return model_install_compiled(nl, args->app, args->slot, args->compiled, version);
	blob = model_read(args->file, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = model_send(nl, args->app, args->slot, blob, len, version);
	free(blob);
	return ret;
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
	uint64_t ns = 0;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot != SLOT_NONE, "APP SLOT");
	need(!args.file != !args.compiled, "either FILE or --compiled NAME");
	ret = nl_open(&nl);
	if (!ret)
		ret = install(&nl, &args, &version);
	if (!ret && args.activate)
		ret = model_activate(&nl, args.app, args.slot, &version, &ns);
	if (!ret)
		say(args.app, args.slot, args.activate ? "active" : "on standby", version, ns);
	nl_close(&nl);
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
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot >= 0, "APP SLOT");
	ret = nl_open(&nl);
	if (!ret)
		ret = model_activate(&nl, args.app, args.slot, &version, &ns);
	if (!ret)
		say(args.app, args.slot, "active", version, ns);
	nl_close(&nl);
	return ret;
}

static int on_rollback(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	(void)nlh;
	say(data, -1, "active", nl_uint(tb[LITEFLOW_A_MODEL_VERSION]), nl_uint(tb[LITEFLOW_A_MODEL_OP_NS]));
	return 0;
}

int cmd_model_rollback(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = model_option, .children = children, .args_doc = "APP",
		.doc = "Make the previously active model active again.",
	};
	struct model_args args = { .max_words = 1 };
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.app, "APP");
	ret = nl_open(&nl);
	if (!ret) {
		nl_put_app(nl_begin(&nl, LITEFLOW_CMD_MODEL_ROLLBACK, 0), args.app);
		ret = nl_ask(&nl, "model rollback", on_rollback, (void *)args.app);
	}
	nl_close(&nl);
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
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	need(args.slot != SLOT_NONE, "APP SLOT");
	ret = nl_open(&nl);
	if (!ret)
		ret = resolve_slot(&nl, &args);
	if (!ret) {
		nlh = nl_begin(&nl, LITEFLOW_CMD_MODEL_REMOVE, 0);
		nl_put_app(nlh, args.app);
		mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_SLOT, args.slot);
		if (args.remove)
			mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_REMOVE_FLAGS, args.remove);
		ret = nl_ask(&nl, "model remove", NULL, NULL);
	}
	nl_close(&nl);
	return ret;
}

static void digest_of(struct nlattr **tb, char *hex)
{
	const struct nlattr *attr = tb[LITEFLOW_A_MODEL_DIGEST];

	*hex = 0;
	if (attr && mnl_attr_get_payload_len(attr) == LITEFLOW_DIGEST_LEN)
		to_hex(mnl_attr_get_payload(attr), LITEFLOW_DIGEST_LEN, hex);
}

static struct json_object *model_json(struct nlattr **tb)
{
	struct json_object *o = json_object_new_object();
	char digest[2 * LITEFLOW_DIGEST_LEN + 1];

	json_put_uint(o, "app-id", tb[LITEFLOW_A_APP_ID]);
	json_put_string(o, "app-name", tb[LITEFLOW_A_APP_NAME]);
	json_put_uint(o, "slot", tb[LITEFLOW_A_MODEL_SLOT]);
	json_put_uint(o, "version", tb[LITEFLOW_A_MODEL_VERSION]);
	json_object_object_add(o, "state",
			       json_object_new_string(state_name(tb[LITEFLOW_A_MODEL_STATE])));
	json_object_object_add(o, "kind", json_object_new_string(kind_name(tb[LITEFLOW_A_MODEL_KIND])));
	json_put_string(o, "model-name", tb[LITEFLOW_A_MODEL_NAME]);
	digest_of(tb, digest);
	if (*digest)
		json_object_object_add(o, "digest", json_object_new_string(digest));
	json_put_uint(o, "bytes", tb[LITEFLOW_A_MODEL_BYTES]);
	json_put_uint(o, "macs", tb[LITEFLOW_A_MODEL_MACS]);
	json_put_uint(o, "width", tb[LITEFLOW_A_MODEL_WIDTH]);
	json_put_uint(o, "pins", tb[LITEFLOW_A_MODEL_PINS]);
	json_put_uint(o, "queries", tb[LITEFLOW_A_MODEL_QUERIES]);
	json_put_string(o, "provenance", tb[LITEFLOW_A_MODEL_PROVENANCE]);
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

static int on_model(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	char digest[2 * LITEFLOW_DIGEST_LEN + 1], slot[8] = "-";

	(void)nlh;
	if (opt_json) {
		json_object_array_add(data, model_json(tb));
		return 0;
	}
	show_header();
	digest_of(tb, digest);
	if (tb[LITEFLOW_A_MODEL_SLOT])
		snprintf(slot, sizeof(slot), "%u", (unsigned int)nl_uint(tb[LITEFLOW_A_MODEL_SLOT]));
	printf("%-20s  %4s  %-10s  ", nl_string(tb[LITEFLOW_A_APP_NAME]), slot,
	       state_name(tb[LITEFLOW_A_MODEL_STATE]));
	if (tb[LITEFLOW_A_MODEL_VERSION])
		printf("%7u  %7u  %12llu  %6u  ", (unsigned int)nl_uint(tb[LITEFLOW_A_MODEL_VERSION]),
		       (unsigned int)nl_uint(tb[LITEFLOW_A_MODEL_PINS]),
		       (unsigned long long)nl_uint(tb[LITEFLOW_A_MODEL_QUERIES]),
		       (unsigned int)nl_uint(tb[LITEFLOW_A_MODEL_MACS]));
	else
		printf("%7s  %7s  %12s  %6s  ", "-", "-", "-", "-");
	printf("%-16.12s  %s\n", *digest ? digest : kind_name(tb[LITEFLOW_A_MODEL_KIND]),
	       nl_string(tb[LITEFLOW_A_MODEL_NAME]));
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
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (ret)
		goto out;
	nlh = nl_begin(&nl, LITEFLOW_CMD_SLOT_GET, NLM_F_DUMP);
	if (args.app)
		nl_put_app(nlh, args.app);
	if (opt_json)
		list = json_object_new_array();
	ret = nl_ask(&nl, "model show", on_model, list);
	finish_list(ret, list, show_header);
out:
	nl_close(&nl);
	return ret;
}
