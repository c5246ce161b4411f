// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage apply, and flowmage device.
 */
#include <string.h>
#include "apply.h"
#include "devquery.h"
#include "flowmage.h"

enum { OPT_DRY = 256, OPT_COMMIT, OPT_ROLLBACK, OPT_STATE };

struct options {
	int what;
	const char *state;
	const char *arg;
};

static const struct argp_option apply_options[] = {
	{ "dry-run", OPT_DRY, NULL, 0, "show what would be set", 0 },
	{ "commit", OPT_COMMIT, NULL, 0, "set it; what was there is kept", 0 },
	{ "rollback", OPT_ROLLBACK, NULL, 0,
	  "put a device back as it was before the first commit, or all devices", 0 },
	{ "state", OPT_STATE, "DIR", 0, "where that is kept (default " APPLY_STATE ")", 0 },
	{ 0 }
};

static error_t parse_apply(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_DRY:
	case OPT_COMMIT:
	case OPT_ROLLBACK:
		if (o->what)
			argp_error(state, "one of --dry-run, --commit and --rollback");
		o->what = key;
		break;
	case OPT_STATE:
		o->state = arg;
		break;
	case ARGP_KEY_ARG:
		if (o->arg)
			argp_error(state, "'%s' is one too many", arg);
		o->arg = arg;
		break;
	case ARGP_KEY_END:
		if (!o->what)
			argp_error(state, "one of --dry-run, --commit and --rollback");
		if (!o->arg && o->what != OPT_ROLLBACK)
			argp_error(state, "which plan?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp apply_argp = {
	.options = apply_options,
	.parser = parse_apply,
	.args_doc = "PLAN\n--rollback [DEVICE]",
	.doc = "Put a plan of flowmage solve on its devices: all of it, or nothing.",
};

/* What apply cannot set. */
static int settable(const char *path, const struct plan *plan)
{
	if (plan->way == WAY_CPUMAP)
		return complain("%s: the plan is an XDP program, which xdp-loader or libbpf loads; "
				"no device is set",
				path);
	return 0;
}

static int apply(const struct options *o, struct plan *plan)
{
	unsigned int i;

	if (plan_read(o->arg, plan))
		return EXIT_OTHER;
	if (plan->way == WAY_NONE)
		return 0;
	if (settable(o->arg, plan) || apply_check(o->arg, plan))
		return EXIT_OTHER;
	for (i = 0; i < plan->n_devices; i++) {
		device_warn(&plan->devices[i], "/sys");
		if (o->what == OPT_DRY)
			plan_print_commands(&plan->devices[i], &plan->devices[i].now,
					    &plan->set[i], &plan->context[i]);
	}
	return o->what == OPT_DRY ? 0 : apply_commit(plan, o->state);
}

int cmd_apply(int argc, char **argv)
{
	struct options o = { .state = APPLY_STATE };
	struct plan *plan;
	int ret;

	argp_parse(&apply_argp, argc, argv, 0, NULL, &o);
	if (o.what == OPT_ROLLBACK)
		return apply_rollback(o.arg, o.state);
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return complain("out of memory");
	ret = apply(&o, plan);
	plan_free(plan);
	free(plan);
	return ret;
}

static error_t parse_device(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == ARGP_KEY_ARG) {
		if (o->arg)
			argp_error(state, "'%s' is one too many", arg);
		o->arg = arg;
		return 0;
	}
	if (key == ARGP_KEY_END && !o->arg)
		argp_error(state, "which device?");
	return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp device_argp = {
	.parser = parse_device,
	.args_doc = "NAME",
	.doc = "Describe a device as JSON: what it can do and how it is set, for solve elsewhere.",
};

int cmd_device(int argc, char **argv)
{
	struct options o = { 0 };
	struct device *dev;
	int ret;

	argp_parse(&device_argp, argc, argv, 0, NULL, &o);
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return complain("out of memory");
	ret = device_load(dev, o.arg, NULL);
	if (!ret)
		print_json(device_json(dev));
	device_free(dev);
	free(dev);
	return ret;
}
