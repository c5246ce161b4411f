// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model run: what a model answers, without a kernel but with its code, so
 * bit for bit the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "lfctl.h"
#include "model.h"
#include "rows.h"

struct run_args {
	const char *model;
	const char *file;
	bool sequence;
};

struct run {
	const struct lf_model *model;
	bool sequence;
	int32_t state[LITEFLOW_MAX_STATE];
};

enum { OPT_SEQUENCE = 256 };

static const struct argp_option run_options[] = {
	{ "sequence", OPT_SEQUENCE, NULL, 0, "the rows are a sequence: a model that remembers keeps its state "
	  "from row to row. Otherwise each row begins with zeroes", 0 },
	{ 0 }
};

static error_t run_option(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case OPT_SEQUENCE:
		args->sequence = true;
		return 0;
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
	int32_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t out[LITEFLOW_MAX_WIDTH];
	struct run *run = rows->priv;

	if (!run->sequence)
		memset(run->state, 0, sizeof(run->state));
	lf_model_step(run->model, rows->inputs, out, run->state, scratch);
	rows_print(rows, out);
	return 0;
}

int cmd_model_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = run_options, .parser = run_option, .children = children,
		.args_doc = "MODEL [FILE]",
		.doc = "Compute what a model answers, as the kernel would. A line of FILE (- or "
			"nothing: standard input) is a row of inputs.",
	};
	struct rows rows = { .max = 1, .ask = ask };
	static struct run run;
	struct run_args args = { 0 };
	struct lf_model *model;
	struct lf_error err;
	size_t len;
	void *blob;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	blob = model_read(args.model, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = lf_model_parse(blob, len, &model_limits, &model, &err);
	free(blob);
	if (ret)
		return complain("%s: %s", args.model, err.msg[0] ? err.msg : "out of memory");
	rows.n_in = model->n_in;
	rows.n_out = model->n_out;
	rows.names = model->in_names;
	run.model = model;
	run.sequence = args.sequence;
	rows.priv = &run;
	ret = rows_run(&rows, args.file);
	lf_model_free(model);
	return ret;
}
