// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl app: list, show, add, del, set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "app.h"
#include "lfctl.h"

const struct app_args app_args_none = {
	NULL, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, NULL
};

/* -- messages ------------------------------------------------------------ */

static void put_if(struct nlmsghdr *nlh, int type, int64_t v)
{
	if (v >= 0)
		mnl_attr_put_u32(nlh, type, (uint32_t)v);
}

int app_add(struct nl *nl, const struct app_args *args, nl_handler handler, void *data)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_APP_ADD, 0);

	nl_put_string(nlh, LITEFLOW_A_APP_NAME, args->name);
	put_if(nlh, LITEFLOW_A_APP_ID, args->id);
	put_if(nlh, LITEFLOW_A_APP_N_IN, args->n_in);
	put_if(nlh, LITEFLOW_A_APP_N_OUT, args->n_out);
	put_if(nlh, LITEFLOW_A_APP_CONTEXT, args->context);
	put_if(nlh, LITEFLOW_A_APP_POLICY, args->policy);
	put_if(nlh, LITEFLOW_A_APP_AT_LIMIT, args->at_limit);
	put_if(nlh, LITEFLOW_A_APP_N_SLOTS, args->n_slots);
	put_if(nlh, LITEFLOW_A_APP_CAPABILITY, args->capability);
	put_if(nlh, LITEFLOW_A_APP_MAX_MACS, args->max_macs);
	put_if(nlh, LITEFLOW_A_APP_MAX_BYTES, args->max_bytes);
	put_if(nlh, LITEFLOW_A_APP_MAX_RETIRED, args->max_retired);
	if (args->units)
		nl_put_string(nlh, LITEFLOW_A_APP_UNITS, args->units);
	return nl_ask(nl, "app add", handler, data);
}

static const char *feature_name(const struct nlattr *feature)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, feature)
		if (mnl_attr_get_type(attr) == LITEFLOW_A_FEATURE_NAME)
			return nl_string(attr);
	return "";
}

static int on_info(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct app_info *info = data;
	const struct nlattr *attr;

	info->id = nl_uint(tb[LITEFLOW_A_APP_ID]);
	info->n_in = nl_uint(tb[LITEFLOW_A_APP_N_IN]);
	info->n_out = nl_uint(tb[LITEFLOW_A_APP_N_OUT]);
	info->user = tb[LITEFLOW_A_APP_USER];
	info->features = calloc(info->n_in + 1, sizeof(*info->features));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != LITEFLOW_A_APP_FEATURE || !info->features ||
		    info->n_features == info->n_in)
			continue;
		snprintf(info->features[info->n_features++], sizeof(*info->features), "%s",
			 feature_name(attr));
	}
	return 0;
}

static int get_info(struct nl *nl, const char *app, struct app_info *info)
{
	char what[64];
	int ret;

	memset(info, 0, sizeof(*info));
	snprintf(what, sizeof(what), "app %.32s", app);
	ret = nl_ask(nl, what, on_info, info);
	if (!ret && (!info->n_in || !info->n_out || !info->features))
		ret = complain("%s: the kernel told no shape", what);
	return ret;
}

int app_get_info(struct nl *nl, const char *app, struct app_info *info)
{
	nl_put_app(nl_begin(nl, LITEFLOW_CMD_APP_GET, 0), app);
	return get_info(nl, app, info);
}

int app_get_info_by_name(struct nl *nl, const char *name, struct app_info *info)
{
	nl_put_string(nl_begin(nl, LITEFLOW_CMD_APP_GET, 0), LITEFLOW_A_APP_NAME, name);
	return get_info(nl, name, info);
}

void app_info_free(struct app_info *info)
{
	free(info->features);
	info->features = NULL;
}

/* -- showing ------------------------------------------------------------- */

struct json_object *app_json(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	struct json_object *o = json_object_new_object(), *list = NULL;
	const struct nlattr *attr;

	json_put_uint(o, "app-id", tb[LITEFLOW_A_APP_ID]);
	json_put_string(o, "app-name", tb[LITEFLOW_A_APP_NAME]);
	json_put_uint(o, "n-in", tb[LITEFLOW_A_APP_N_IN]);
	json_put_uint(o, "n-out", tb[LITEFLOW_A_APP_N_OUT]);
	json_object_object_add(o, "context",
			       json_object_new_string(context_name(tb[LITEFLOW_A_APP_CONTEXT])));
	json_object_object_add(o, "policy",
			       json_object_new_string(policy_name(tb[LITEFLOW_A_APP_POLICY])));
	json_object_object_add(o, "at-limit",
			       json_object_new_string(at_limit_name(tb[LITEFLOW_A_APP_AT_LIMIT])));
	json_put_uint(o, "n-slots", tb[LITEFLOW_A_APP_N_SLOTS]);
	json_object_object_add(o, "capability",
			       json_object_new_string(capability_name(tb[LITEFLOW_A_APP_CAPABILITY])));
	json_put_uint(o, "max-macs", tb[LITEFLOW_A_APP_MAX_MACS]);
	json_put_uint(o, "max-bytes", tb[LITEFLOW_A_APP_MAX_BYTES]);
	json_put_uint(o, "max-retired", tb[LITEFLOW_A_APP_MAX_RETIRED]);
	json_put_string(o, "units", tb[LITEFLOW_A_APP_UNITS]);
	json_put_uint(o, "sample-shift", tb[LITEFLOW_A_APP_SAMPLE_SHIFT]);
	json_object_object_add(o, "user", json_object_new_boolean(!!tb[LITEFLOW_A_APP_USER]));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != LITEFLOW_A_APP_FEATURE)
			continue;
		if (!list) {
			list = json_object_new_array();
			json_object_object_add(o, "features", list);
		}
		json_object_array_add(list, json_object_new_string(feature_name(attr)));
	}
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

static int on_list(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	if (opt_json) {
		json_object_array_add(data, app_json(nlh, tb));
		return 0;
	}
	list_header();
	printf("%5u  %-20s %4u -> %-4u  %-7s  %-6s  %5u  %-9s  %s\n",
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_ID]), nl_string(tb[LITEFLOW_A_APP_NAME]),
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_IN]),
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_OUT]), context_name(tb[LITEFLOW_A_APP_CONTEXT]),
	       policy_name(tb[LITEFLOW_A_APP_POLICY]), (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_SLOTS]),
	       capability_name(tb[LITEFLOW_A_APP_CAPABILITY]), nl_string(tb[LITEFLOW_A_APP_UNITS]));
	return 0;
}

static int on_show(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *attr;
	unsigned int i = 0;

	(void)data;
	if (opt_json) {
		print_json(app_json(nlh, tb));
		return 0;
	}
	printf("app          %s, number %u%s\n", nl_string(tb[LITEFLOW_A_APP_NAME]),
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_ID]),
	       tb[LITEFLOW_A_APP_USER] ? ", added by a user" : "");
	printf("shape        %u inputs, %u outputs\n", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_IN]),
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_OUT]));
	printf("context      %s\n", context_name(tb[LITEFLOW_A_APP_CONTEXT]));
	printf("policy       %s, at limit %s\n", policy_name(tb[LITEFLOW_A_APP_POLICY]),
	       at_limit_name(tb[LITEFLOW_A_APP_AT_LIMIT]));
	printf("slots        %u\n", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_N_SLOTS]));
	printf("capability   %s\n", capability_name(tb[LITEFLOW_A_APP_CAPABILITY]));
	printf("max macs     %u\n", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_MAX_MACS]));
	printf("max bytes    %u\n", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_MAX_BYTES]));
	printf("max retired  %u bytes\n", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_MAX_RETIRED]));
	printf("timed        one query in 2^%u\n",
	       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_SAMPLE_SHIFT]));
	if (tb[LITEFLOW_A_APP_UNITS])
		printf("units        %s\n", nl_string(tb[LITEFLOW_A_APP_UNITS]));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == LITEFLOW_A_APP_FEATURE)
			printf("input %-4u   %s\n", i++, feature_name(attr));
	return 0;
}

static int on_added(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct json_object *o;

	(void)nlh;
	(void)data;
	if (!opt_json) {
		printf("app %s has number %u\n", nl_string(tb[LITEFLOW_A_APP_NAME]),
		       (unsigned int)nl_uint(tb[LITEFLOW_A_APP_ID]));
		return 0;
	}
	o = json_object_new_object();
	json_put_uint(o, "app-id", tb[LITEFLOW_A_APP_ID]);
	json_put_string(o, "app-name", tb[LITEFLOW_A_APP_NAME]);
	print_json(o);
	return 0;
}

/* -- commands ------------------------------------------------------------ */

enum {
	OPT_ID = 256, OPT_CONTEXT, OPT_POLICY, OPT_AT_LIMIT, OPT_SLOTS, OPT_CAPABILITY,
	OPT_MAX_MACS, OPT_MAX_BYTES, OPT_MAX_RETIRED, OPT_UNITS, OPT_SAMPLE,
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
	struct app_args *args = state->input;

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
		args->context = named(state, "--context", arg, context_number(arg),
				      "atomic or softirq");
		return 0;
	case OPT_POLICY:
		args->policy = named(state, "--policy", arg, policy_number(arg), "pin or follow");
		return 0;
	case OPT_AT_LIMIT:
		args->at_limit = named(state, "--at-limit", arg, at_limit_number(arg),
				       "repin or refuse");
		return 0;
	case OPT_SLOTS:
		args->n_slots = parse_number(state, "--slots", arg, LITEFLOW_SLOTS_MIN,
					     LITEFLOW_SLOTS_MAX);
		return 0;
	case OPT_CAPABILITY:
		args->capability = named(state, "--capability", arg, capability_number(arg),
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
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	ret = nl_open(&nl);
	if (ret)
		goto out;
	nl_begin(&nl, LITEFLOW_CMD_APP_GET, NLM_F_DUMP);
	if (opt_json)
		list = json_object_new_array();
	ret = nl_ask(&nl, "app list", on_list, list);
	finish_list(ret, list, list_header);
out:
	nl_close(&nl);
	return ret;
}

int cmd_app_show(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = app_option, .args_doc = "APP", .children = children,
		.doc = "Show an app, named by its name or number.",
	};
	struct app_args args = app_args_none;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (!ret) {
		nl_put_app(nl_begin(&nl, LITEFLOW_CMD_APP_GET, 0), args.name);
		ret = nl_ask(&nl, "app show", on_show, NULL);
	}
	nl_close(&nl);
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
	struct app_args args = app_args_none;
	uint32_t number;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.n_in < 0 || args.n_out < 0) {
		complain("app add: --inputs and --outputs are required");
		return EXIT_USAGE;
	}
	if (nl_app_number(args.name, &number)) {
		complain("app add: \"%s\" would be taken for the number of an app: a name needs a "
			 "letter", args.name);
		return EXIT_USAGE;
	}
	ret = nl_open(&nl);
	if (!ret)
		ret = app_add(&nl, &args, on_added, NULL);
	nl_close(&nl);
	return ret;
}

int cmd_app_del(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = app_option, .args_doc = "APP", .children = children,
		.doc = "Delete an app that a user added, with its models.",
	};
	struct app_args args = app_args_none;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (!ret) {
		nl_put_app(nl_begin(&nl, LITEFLOW_CMD_APP_DEL, 0), args.name);
		ret = nl_ask(&nl, "app del", NULL, NULL);
	}
	nl_close(&nl);
	return ret;
}

int cmd_app_set(int argc, char **argv)
{
	static const struct argp argp = {
		.options = set_options, .parser = app_option, .args_doc = "APP",
		.doc = "Change an app; other settings stay as they are.", .children = children,
	};
	struct app_args args = app_args_none;
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_begin(&nl, LITEFLOW_CMD_APP_SET, 0);
		nl_put_app(nlh, args.name);
		put_if(nlh, LITEFLOW_A_APP_POLICY, args.policy);
		put_if(nlh, LITEFLOW_A_APP_AT_LIMIT, args.at_limit);
		put_if(nlh, LITEFLOW_A_APP_MAX_RETIRED, args.max_retired);
		put_if(nlh, LITEFLOW_A_APP_SAMPLE_SHIFT, args.sample_shift);
		ret = nl_ask(&nl, "app set", NULL, NULL);
	}
	nl_close(&nl);
	return ret;
}
