// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl app: list, show, add, del, set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_model.h>
#include "kernel.h"
#include "lfctl.h"

/* -- showing ------------------------------------------------------------- */

struct json_object *app_json(const struct lf_app_info *info)
{
	struct json_object *o = json_object_new_object(), *list;
	unsigned int i;

	json_add_uint(o, "app-id", info->id);
	json_add_string(o, "app-name", info->name);
	json_add_uint(o, "n-in", info->n_in);
	json_add_uint(o, "n-out", info->n_out);
	json_add_string(o, "context", lf_context_name(info->context));
	json_add_string(o, "policy", lf_policy_name(info->policy));
	json_add_string(o, "at-limit", lf_at_limit_name(info->at_limit));
	json_add_uint(o, "n-slots", info->n_slots);
	json_add_string(o, "capability", lf_capability_name(info->capability));
	json_add_uint(o, "max-macs", info->max_macs);
	json_add_uint(o, "max-bytes", info->max_bytes);
	json_add_uint(o, "max-retired", info->max_retired);
	if (info->max_state)
		json_add_uint(o, "max-state", info->max_state);
	if (*info->units)
		json_add_string(o, "units", info->units);
	json_add_uint(o, "sample-shift", info->sample_shift);
	json_object_object_add(o, "user", json_object_new_boolean(info->user));
	if (!info->n_features)
		return o;
	list = json_object_new_array();
	json_object_object_add(o, "features", list);
	for (i = 0; i < info->n_features; i++)
		json_object_array_add(list, json_object_new_string(info->features[i]));
	return o;
}

static void list_header(void)
{
	static bool done;

	if (!done)
		printf("   ID  APP                    IN -> OUT   CONTEXT  POLICY  SLOTS  "
		       "NEEDS      UNITS\n");
	done = true;
}

static int on_list(const struct lf_app_info *info, void *data)
{
	if (opt_json) {
		json_object_array_add(data, app_json(info));
		return 0;
	}
	list_header();
	printf("%5u  %-20s %4u -> %-4u  %-7s  %-6s  %5u  %-9s  %s\n", info->id, info->name,
	       info->n_in, info->n_out, lf_context_name(info->context),
	       lf_policy_name(info->policy), info->n_slots,
	       lf_capability_name(info->capability), info->units);
	return 0;
}

static void show(const struct lf_app_info *info)
{
	unsigned int i;

	if (opt_json) {
		print_json(app_json(info));
		return;
	}
	printf("app          %s, number %u%s\n", info->name, info->id,
	       info->user ? ", added by a user" : "");
	printf("shape        %u inputs, %u outputs\n", info->n_in, info->n_out);
	printf("context      %s\n", lf_context_name(info->context));
	printf("policy       %s, at limit %s\n", lf_policy_name(info->policy),
	       lf_at_limit_name(info->at_limit));
	printf("slots        %u\n", info->n_slots);
	printf("capability   %s\n", lf_capability_name(info->capability));
	printf("max macs     %u\n", info->max_macs);
	printf("max bytes    %u\n", info->max_bytes);
	printf("max retired  %u bytes\n", info->max_retired);
	if (info->max_state)
		printf("max state    %u values\n", info->max_state);
	printf("timed        one query in 2^%u\n", info->sample_shift);
	if (*info->units)
		printf("units        %s\n", info->units);
	for (i = 0; i < info->n_features; i++)
		printf("input %-4u   %s\n", i, info->features[i]);
}

static void say_added(const char *name, uint32_t id)
{
	struct json_object *o;

	if (!opt_json) {
		printf("app %s has number %u\n", name, id);
		return;
	}
	o = json_object_new_object();
	json_add_uint(o, "app-id", id);
	json_add_string(o, "app-name", name);
	print_json(o);
}

/* -- commands ------------------------------------------------------------ */

enum {
	OPT_ID = 256, OPT_CONTEXT, OPT_POLICY, OPT_AT_LIMIT, OPT_SLOTS, OPT_CAPABILITY,
	OPT_MAX_MACS, OPT_MAX_BYTES, OPT_MAX_RETIRED, OPT_UNITS, OPT_SAMPLE,
	OPT_MAX_STATE,
};

static int named(struct argp_state *state, const char *what, const char *arg, int number,
		 const char *all)
{
	if (number < 0)
		argp_error(state, "%s is \"%s\", must be %s", what, arg, all);
	return number;
}

static error_t app_option(int key, char *arg, struct argp_state *state)
{
	struct lf_app_desc *args = state->input;

	switch (key) {
	case 'i':
		args->n_in = parse_number(state, "--inputs", arg, 1, LITEFLOW_WIDTH_MAX);
		return 0;
	case 'o':
		args->n_out = parse_number(state, "--outputs", arg, 1, LITEFLOW_WIDTH_MAX);
		return 0;
	case OPT_ID:
		args->id = parse_number(state, "--id", arg, 256, 65535);
		return 0;
	case OPT_CONTEXT:
		args->context = named(state, "--context", arg, lf_context_number(arg),
				      "atomic or softirq");
		return 0;
	case OPT_POLICY:
		args->policy = named(state, "--policy", arg, lf_policy_number(arg), "pin or follow");
		return 0;
	case OPT_AT_LIMIT:
		args->at_limit = named(state, "--at-limit", arg, lf_at_limit_number(arg),
				       "repin or refuse");
		return 0;
	case OPT_SLOTS:
		args->n_slots = parse_number(state, "--slots", arg, LITEFLOW_SLOTS_MIN,
					     LITEFLOW_SLOTS_MAX);
		return 0;
	case OPT_CAPABILITY:
		args->capability = named(state, "--capability", arg, lf_capability_number(arg),
					 "net_admin or sys_admin");
		return 0;
	case OPT_MAX_MACS:
		args->max_macs = parse_number(state, "--max-macs", arg, 0, UINT32_MAX);
		return 0;
	case OPT_MAX_BYTES:
		args->max_bytes = parse_number(state, "--max-bytes", arg, 0, UINT32_MAX);
		return 0;
	case OPT_MAX_RETIRED:
		args->max_retired = parse_number(state, "--max-retired", arg, 0, UINT32_MAX);
		return 0;
	case OPT_MAX_STATE:
		args->max_state = parse_number(state, "--max-state", arg, 0, LITEFLOW_MAX_STATE);
		return 0;
	case OPT_UNITS:
		args->units = arg;
		return 0;
	case OPT_SAMPLE:
		args->sample_shift = parse_number(state, "--sample-shift", arg, 0,
						  LITEFLOW_SAMPLE_SHIFT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (args->name)
			argp_error(state, "one app at a time");
		args->name = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which app?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };

static const struct argp_option add_options[] = {
	{ "inputs", 'i', "N", 0, "inputs of a query", 0 },
	{ "outputs", 'o', "N", 0, "outputs of a query", 0 },
	{ "id", OPT_ID, "N", 0, "number of the app (default: the next free one from 256)", 0 },
	{ "context", OPT_CONTEXT, "CONTEXT", 0, "atomic or softirq (softirq)", 0 },
	{ "policy", OPT_POLICY, "POLICY", 0, "pin or follow (pin)", 0 },
	{ "at-limit", OPT_AT_LIMIT, "WHAT", 0, "repin or refuse (repin)", 0 },
	{ "slots", OPT_SLOTS, "N", 0, "2 to 8 (4)", 0 },
	{ "capability", OPT_CAPABILITY, "CAP", 0, "required for changes: net_admin or sys_admin "
	  "(net_admin)", 0 },
	{ "max-macs", OPT_MAX_MACS, "N", 0, "limit of multiply-adds of a model", 0 },
	{ "max-bytes", OPT_MAX_BYTES, "N", 0, "memory limit of a model, in bytes", 0 },
	{ "max-retired", OPT_MAX_RETIRED, "N", 0, "memory limit of models that only flows hold", 0 },
	{ "max-state", OPT_MAX_STATE, "N", 0, "most values that a model may remember from query to "
	  "query (0: none)", 0 },
	{ "units", OPT_UNITS, "TAG", 0, "tag that models must carry", 0 },
	{ 0 }
};

static const struct argp_option set_options[] = {
	{ "policy", OPT_POLICY, "POLICY", 0, "pin or follow", 0 },
	{ "at-limit", OPT_AT_LIMIT, "WHAT", 0, "repin or refuse", 0 },
	{ "max-retired", OPT_MAX_RETIRED, "N", 0, "memory limit of models that only flows hold", 0 },
	{ "sample-shift", OPT_SAMPLE, "N", 0, "time one query in 2^N, N at most 30", 0 },
	{ 0 }
};

int cmd_app_list(int argc, char **argv)
{
	static const struct argp argp = { .doc = "List the apps.", .children = children };
	struct json_object *list = NULL;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	ret = kernel_open(&lf, NULL);
	if (ret)
		goto out;
	if (opt_json)
		list = json_object_new_array();
	ret = failed(lf, lf_for_each_app(lf, on_list, list), "app list");
	finish_list(ret, list, list_header);
out:
	lf_close(lf);
	return ret;
}

int cmd_app_show(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = app_option, .args_doc = "APP", .children = children,
		.doc = "Show an app, named by its name or number.",
	};
	struct lf_app_desc args = LF_APP_DESC_NONE;
	struct lf_app_info info;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, args.name);
	if (!ret) {
		ret = failed(lf, lf_app_get(lf, args.name, &info), "app show");
		if (!ret)
			show(&info);
		lf_app_info_free(&info);
	}
	lf_close(lf);
	return ret;
}

int cmd_app_add(int argc, char **argv)
{
	static const struct argp argp = {
		.options = add_options, .parser = app_option, .args_doc = "NAME",
		.doc = "Add an app, to try models out with eval: no code in the kernel queries it. "
			"--inputs and --outputs are required.",
		.children = children,
	};
	struct lf_app_desc args = LF_APP_DESC_NONE;
	uint32_t number;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.n_in < 0 || args.n_out < 0) {
		complain("app add: --inputs and --outputs are required");
		return EXIT_USAGE;
	}
	if (lf_app_number(args.name, &number)) {
		complain("app add: \"%s\" would be taken for the number of an app: a name needs a "
			 "letter", args.name);
		return EXIT_USAGE;
	}
	ret = kernel_open(&lf, NULL);
	if (!ret)
		ret = failed(lf, lf_app_add(lf, &args, &number), "app add");
	if (!ret)
		say_added(args.name, number);
	lf_close(lf);
	return ret;
}

int cmd_app_del(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = app_option, .args_doc = "APP", .children = children,
		.doc = "Delete an app that a user added, with its models.",
	};
	struct lf_app_desc args = LF_APP_DESC_NONE;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, args.name);
	if (!ret)
		ret = failed(lf, lf_app_del(lf, args.name), "app del");
	lf_close(lf);
	return ret;
}

int cmd_app_set(int argc, char **argv)
{
	static const struct argp argp = {
		.options = set_options, .parser = app_option, .args_doc = "APP",
		.doc = "Change an app; other settings stay as they are.", .children = children,
	};
	struct lf_app_desc args = LF_APP_DESC_NONE;
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, args.name);
	if (!ret)
		ret = failed(lf, lf_app_set(lf, args.name, &args), "app set");
	lf_close(lf);
	return ret;
}
