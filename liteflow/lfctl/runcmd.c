// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model run: what a model answers, without a kernel but with its code, so
 * bit for bit the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/liteflow_engine.h>
#include "lfctl.h"
#include "model.h"
#include "rows.h"

struct run_args {
	const char *model;
	const char *file;
};

static error_t run_option(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!args->model)
			args->model = arg;
		else if (!args->file)
			args->file = arg;
		else
			argp_error(state, "too many arguments, from \"%s\" on", arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which model?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int ask(struct rows *rows)
{
	int16_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t out[LITEFLOW_MAX_WIDTH];

	lf_model_run(rows->priv, rows->inputs, out, scratch);
	rows_print(rows, out);
	return 0;
}

int cmd_model_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.parser = run_option, .children = children, .args_doc = "MODEL [FILE]",
		.doc = "Compute what a model answers, as the kernel would. A line of FILE (- or "
			"nothing: standard input) is a row of inputs.",
	};
	struct rows rows = { .max = 1, .ask = ask };
	struct run_args args = { NULL, NULL };
	struct lf_model *model;
	struct lf_error err;
	size_t len;
	void *blob;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	blob = model_read(args.model, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = lf_model_parse(blob, len, NULL, &model, &err);
	free(blob);
	if (ret)
		return complain("%s: %s", args.model, err.msg[0] ? err.msg : "out of memory");
	rows.n_in = model->n_in;
	rows.n_out = model->n_out;
	rows.names = model->in_names;
	rows.priv = model;
	ret = rows_run(&rows, args.file);
	lf_model_free(model);
	return ret;
}
