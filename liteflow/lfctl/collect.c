// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl collect: records of queries, as CSV or as lines of JSON.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/liteflow_engine.h>
#include "kernel.h"
#include "lfctl.h"
#include "model.h"
#include "record.h"

struct collect_args {
	const char *app;
	const char *out;
	const char *model;
	struct lf_collect_options how;
	unsigned long long count;
};

/**
 * struct collect - a collection
 * @failed: an exit status: the callback complained
 */
struct collect {
	const struct collect_args *args;
	struct lf *lf;
	struct lf_app_info info;
	char (*names)[LF_NAME_LEN];	/* inputs, then outputs */
	struct record_form form;
	unsigned long long records;
	unsigned long long lost;
	bool status;
	int failed;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static bool enough(const struct collect *c)
{
	return c->args->count && c->records >= c->args->count;
}

/* -- names of the columns ------------------------------------------------ */

static int names_of_model(struct collect *c)
{
	struct lf_model *model;
	struct lf_error err;
	void *blob;
	size_t len;
	int ret;

	blob = model_read(c->args->model, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = lf_model_parse(blob, len, &model_limits, &model, &err);
	free(blob);
	if (ret)
		return complain("%s: %s", c->args->model, err.msg);
	if (model->n_in != c->info.n_in || model->n_out != c->info.n_out) {
		ret = complain("%s: %u inputs and %u outputs, the app has %u and %u",
			       c->args->model, model->n_in, model->n_out, c->info.n_in,
			       c->info.n_out);
	} else {
		memcpy(c->names, model->in_names, model->n_in * sizeof(*c->names));
		memcpy(c->names + model->n_in, model->out_names,
		       model->n_out * sizeof(*c->names));
	}
	lf_model_free(model);
	return ret;
}

/* The model's, else the app's, else numbers. */
static int name_columns(struct collect *c)
{
	unsigned int n = c->info.n_in + c->info.n_out, i;

	c->names = calloc(n, sizeof(*c->names));
	if (!c->names)
		return complain("out of memory");
	if (c->args->model)
		return names_of_model(c);
	for (i = 0; i < n; i++)
		lf_app_column(&c->info, i, c->names[i]);
	return 0;
}

/* -- records ------------------------------------------------------------- */

/* Not before the collection has begun: a failure leaves the old file as it is. */
static int open_output(struct collect *c)
{
	c->form = (struct record_form){
		.f = stdout, .json = opt_json, .n_in = c->info.n_in, .n_out = c->info.n_out,
		.names = (const char (*)[LF_NAME_LEN])c->names,
	};
	if (strcmp(c->args->out, "-")) {
		c->form.f = fopen(c->args->out, "we");
		c->status = isatty(STDERR_FILENO);
	}
	if (!c->form.f)
		return complain("%s: %s", c->args->out, strerror(errno));
	record_header(&c->form);
	fflush(c->form.f);
	return 0;
}

static void put_records(struct collect *c, const struct lf_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count && !enough(c); i++, c->records++)
		record_print(&c->form, batch->sequence, lf_batch_record(batch, i));
	fflush(c->form.f);
	c->lost = batch->lost;
	if (c->status)
		fprintf(stderr, "\rlfctl: %llu records, %llu lost ", c->records, c->lost);
}

/* A signal ends the collection, but what waits in the kernel still comes. */
static int on_batch(const struct lf_batch *batch, void *data)
{
	struct collect *c = data;

	if (!c->form.f && !c->failed)
		c->failed = open_output(c);
	if (batch && !c->failed) {
		put_records(c, batch);
		if (ferror(c->form.f))
			c->failed = complain("%s: write error", c->args->out);
	}
	if (c->failed)
		return -ECANCELED;
	return stop || enough(c);
}

/* -- the command --------------------------------------------------------- */

static int collect(struct collect *c)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t block, old;
	int ret;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	ret = lf_collect(c->lf, c->args->app, &c->args->how, &old, on_batch, c);
	if (c->status)
		fputc('\r', stderr);
	ret = c->failed ? c->failed : failed(c->lf, ret, "collect");
	if (c->form.f)
		fprintf(stderr, "lfctl: %llu records, %llu lost\n", c->records, c->lost);
	return ret;
}

static error_t collect_option(int key, char *arg, struct argp_state *state)
{
	struct collect_args *args = state->input;

	switch (key) {
	case 'e':
		args->how.every = parse_number(state, "--every", arg, 1, 1 << 30);
		if (args->how.every & (args->how.every - 1))
			argp_error(state, "--every is %u, must be a power of two",
				   args->how.every);
		return 0;
	case 'i':
		args->how.interval_ms = parse_number(state, "--interval", arg, 1, 60000);
		return 0;
	case 'b':
		args->how.ring_bytes = parse_number(state, "--bytes", arg, 4096, 64 << 20);
		return 0;
	case 'o':
		args->out = arg;
		return 0;
	case 'm':
		args->model = arg;
		return 0;
	case 'n':
		args->count = parse_number(state, "--count", arg, 1, ~0ULL);
		return 0;
	case ARGP_KEY_ARG:
		if (args->app)
			argp_error(state, "one app at a time");
		args->app = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which app?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "every", 'e', "N", 0, "one query in N, a power of two (1)", 0 },
	{ "interval", 'i', "MS", 0, "longest time between deliveries, in milliseconds (100)", 0 },
	{ "bytes", 'b', "N", 0, "memory for records that wait in the kernel (1 MiB)", 0 },
	{ "count", 'n', "N", 0, "stop after N records", 0 },
	{ "model", 'm', "FILE", 0, "name the columns after this model's inputs and outputs "
	  "(default: the app's names, or numbers)", 0 },
	{ "output", 'o', "FILE", 0, "output file (standard output)", 0 },
	{ 0 }
};

int cmd_collect(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = collect_option, .children = children,
		.args_doc = "APP",
		.doc = "Collect an app's queries and its model's answers until interrupted, as "
			"CSV, or as lines of JSON with --json.",
	};
	struct collect_args args = { .out = "-" };
	struct collect c = { .args = &args };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&c.lf, args.app);
	if (!ret)
		ret = failed(c.lf, lf_app_get(c.lf, args.app, &c.info), "app %.32s", args.app);
	if (!ret)
		ret = name_columns(&c);
	if (!ret)
		ret = collect(&c);
	if (c.form.f && c.form.f != stdout && fclose(c.form.f) && !ret)
		ret = complain("%s: %s", args.out, strerror(errno));
	free(c.names);
	lf_app_info_free(&c.info);
	lf_close(c.lf);
	return ret;
}
