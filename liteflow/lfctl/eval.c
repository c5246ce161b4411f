// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl eval: what the model of a slot answers, computed by the kernel.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "kernel.h"
#include "lfctl.h"
#include "rows.h"

struct eval_args {
	const char *app;
	int slot;
	const char *file;
	bool sequence;
	unsigned int n_words;
};

struct eval {
	const struct eval_args *args;
	struct lf *lf;
	struct lf_app_info info;
	struct lf_sequence *seq;	/* NULL: rows are none */
	int32_t *outputs;
};

enum { OPT_SEQUENCE = 256 };

static const struct argp_option eval_options[] = {
	{ "sequence", OPT_SEQUENCE, NULL, 0, "the rows are a sequence: a model that remembers keeps "
	  "its state from row to row. Otherwise each row begins with zeroes", 0 },
	{ 0 }
};

static error_t eval_option(int key, char *arg, struct argp_state *state)
{
	struct eval_args *args = state->input;

	if (key == OPT_SEQUENCE) {
		args->sequence = true;
		return 0;
	}
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

static int ask(struct rows *rows)
{
	struct eval *e = rows->priv;
	int ret;

	ret = failed(e->lf, lf_eval_sequence(e->lf, &e->info, e->args->slot, e->seq, rows->n,
					     rows->inputs, e->outputs), "eval");
	if (!ret)
		rows_print(rows, e->outputs);
	return ret;
}

static int eval(struct eval *e)
{
	struct rows rows = { .ask = ask, .priv = e };
	int ret;

	ret = failed(e->lf, lf_app_get(e->lf, e->args->app, &e->info), "app %.32s", e->args->app);
	if (ret)
		return ret;
	rows.n_in = e->info.n_in;
	rows.n_out = e->info.n_out;
	rows.max = LITEFLOW_DATA_MAX /
		   ((rows.n_in > rows.n_out ? rows.n_in : rows.n_out) * sizeof(int32_t));
	e->outputs = calloc((size_t)rows.max * rows.n_out, sizeof(*e->outputs));
	ret = e->outputs ? rows_run(&rows, e->args->file) : complain("eval: out of memory");
	free(e->outputs);
	return ret;
}

int cmd_eval(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = eval_options, .parser = eval_option, .children = children,
		.args_doc = "APP SLOT [FILE]",
		.doc = "Let the kernel compute what the model of a slot answers. A line of FILE "
			"(- or nothing: standard input) is a row of inputs.",
	};
	static struct lf_sequence seq;
	struct eval_args args = { .slot = -1 };
	struct eval e = { .args = &args };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.slot < 0) {
		complain("APP SLOT is missing, see --help");
		return EXIT_USAGE;
	}
	if (args.sequence)
		e.seq = &seq;
	ret = kernel_open(&e.lf, args.app);
	if (!ret)
		ret = eval(&e);
	lf_app_info_free(&e.info);
	lf_close(e.lf);
	return ret;
}
