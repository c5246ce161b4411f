// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl eval: what the model of a slot answers, computed by the kernel.
 */
#include <stdio.h>
#include "app.h"
#include "lfctl.h"
#include "rows.h"

struct eval_args {
	const char *app;
	int slot;
	const char *file;
	unsigned int n_words;
};

struct eval {
	const struct eval_args *args;
	struct nl nl;
};

static error_t eval_option(int key, char *arg, struct argp_state *state)
{
	struct eval_args *args = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	switch (args->n_words++) {
	case 0:
		args->app = arg;
		return 0;
	case 1:
		args->slot = parse_number(state, "SLOT", arg, 0, LITEFLOW_SLOTS_MAX - 1);
		return 0;
	case 2:
		args->file = arg;
		return 0;
	}
	argp_error(state, "too many arguments, from \"%s\" on", arg);
	return 0;
}

static int on_outputs(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *attr = tb[LITEFLOW_A_EVAL_OUTPUTS];
	const struct rows *rows = data;

	(void)nlh;
	if (!attr || mnl_attr_get_payload_len(attr) !=
	    (size_t)rows->n * rows->n_out * sizeof(int32_t))
		return complain("eval: the kernel's answer has another size");
	rows_print(rows, mnl_attr_get_payload(attr));
	return 0;
}

static int ask(struct rows *rows)
{
	struct eval *e = rows->priv;
	struct nlmsghdr *nlh = nl_begin(&e->nl, LITEFLOW_CMD_EVAL, 0);

	nl_put_app(nlh, e->args->app);
	mnl_attr_put_u32(nlh, LITEFLOW_A_EVAL_SLOT, e->args->slot);
	mnl_attr_put_u32(nlh, LITEFLOW_A_EVAL_ROWS, rows->n);
	mnl_attr_put(nlh, LITEFLOW_A_EVAL_INPUTS, (size_t)rows->n * rows->n_in * sizeof(int32_t),
		     rows->inputs);
	return nl_ask(&e->nl, "eval", on_outputs, rows);
}

static int eval(struct eval *e)
{
	struct rows rows = { .ask = ask, .priv = e };
	struct app_info info;
	int ret;

	ret = app_get_info(&e->nl, e->args->app, &info);
	if (!ret) {
		rows.n_in = info.n_in;
		rows.n_out = info.n_out;
		rows.max = LITEFLOW_DATA_MAX /
			   ((info.n_in > info.n_out ? info.n_in : info.n_out) * sizeof(int32_t));
		ret = rows_run(&rows, e->args->file);
	}
	app_info_free(&info);
	return ret;
}

int cmd_eval(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.parser = eval_option, .children = children, .args_doc = "APP SLOT [FILE]",
		.doc = "Let the kernel compute what the model of a slot answers. A line of FILE "
			"(- or nothing: standard input) is a row of inputs.",
	};
	struct eval_args args = { .slot = -1 };
	struct eval e = { .args = &args };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.slot < 0) {
		complain("APP SLOT is missing, see --help");
		return EXIT_USAGE;
	}
	ret = nl_open(&e.nl);
	if (!ret)
		ret = eval(&e);
	nl_close(&e.nl);
	return ret;
}
