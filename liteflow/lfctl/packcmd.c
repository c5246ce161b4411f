// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model pack: from JSON to a model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include "lfctl.h"
#include "model.h"
#include "net.h"
#include "pack.h"
#include "packsay.h"
#include "rows.h"
#include "tool.h"

#define MAX_JSON	(64 << 20)
enum { OPT_FORCE = 256, OPT_MARGIN };

#define BAD_ERROR	0.01	/* of the span: worth a warning */

struct pack_args {
	const char *in;
	const char *out;
	const char *data;
	unsigned int check;
	unsigned long long seed;
	bool verbose;
	struct pack_data rows;
	struct pack_options opts;
	struct pack_estimate estimate;
};

static const struct argp_option pack_options[] = {
	{ "output", 'o', "FILE", 0, "output file, - for standard output (default: IN with .lfm "
	  "for .json)", 0 },
	{ "check", 'c', "N", 0, "compare with double arithmetic on 2 x N random inputs", 0 },
	{ "seed", 's', "N", 0, "seed of those inputs (1)", 0 },
	{ "sums", 'b', "BITS", 0, "32, 64, or auto: as \"bits\" in the JSON says; by "
	  "default 32, and 64 for layers where that more than halves the error (auto)", 0 },
	{ "saturate", 'S', "SIGMAS", 0, "let hidden layers without tanh or sigmoid saturate "
	  "SIGMAS standard deviations from the mean of random inputs, for a finer resolution; "
	  "0: never (0)", 0 },
	{ "data", 'd', "ROWS", 0, "take the ranges of hidden layers without tanh or sigmoid from "
	  "these rows of inputs, as lfctl collect writes them or eval reads them; the last "
	  "quarter is held out, to see how good they are", 0 },
	{ "margin", OPT_MARGIN, "PERCENT", 0, "keep so much free beyond what the rows show (25)", 0 },
	{ "max-error", 'e', "PERCENT", 0, "refuse the model if an output is off by more than this "
	  "part of its span; argmax: if more answers differ (5, argmax: 50)", 0 },
	{ "force", OPT_FORCE, NULL, 0, "write the model even if its outputs are off by more than "
	  "5 % of their span (argmax: half of the answers)", 0 },
	{ "verbose", 'v', NULL, 0, "print the choices for each layer and the expected errors", 0 },
	{ 0 }
};

static error_t pack_option(int key, char *arg, struct argp_state *state)
{
	struct pack_args *args = state->input;
	char *end;

	switch (key) {
	case 'o':
		args->out = arg;
		return 0;
	case 'c':
		args->check = parse_number(state, "--check", arg, 1, 100000000);
		return 0;
	case 's':
		args->seed = parse_number(state, "--seed", arg, 0, ~0ULL);
		return 0;
	case 'b':
		if (strcmp(arg, "auto") && strcmp(arg, "32") && strcmp(arg, "64"))
			argp_error(state, "--sums is \"%s\", must be 32, 64 or auto", arg);
		args->opts.bits = *arg == 'a' ? 0 : atoi(arg);
		return 0;
	case 'S':
		args->opts.sigmas = strtod(arg, &end);
		if (*end || !*arg || !(args->opts.sigmas >= 0 && args->opts.sigmas <= 1e6))
			argp_error(state, "--saturate is \"%s\", must be a number from 0 on", arg);
		return 0;
	case 'd':
		args->data = arg;
		return 0;
	case OPT_MARGIN:
		args->rows.margin = tool_number(arg, 0, 1000, state) / 100;
		return 0;
	case 'e':
		args->opts.max_error = tool_number(arg, 1e-9, 100, state) / 100;
		return 0;
	case OPT_FORCE:
		args->opts.force = true;
		return 0;
	case 'v':
		args->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->in)
			argp_error(state, "one file at a time");
		args->in = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which file?");
		return 0;
	case ARGP_KEY_END:
		if (args->opts.max_error && args->opts.force)
			argp_error(state, "--max-error refuses, --force does not: give one");
		if (args->data && args->opts.sigmas)
			argp_error(state, "--data and --saturate both set ranges: give one");
		if (args->data && !strcmp(args->data, "-") && !strcmp(args->in, "-"))
			argp_error(state, "both IN.json and ROWS from standard input");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static char *output_name(const struct pack_args *args)
{
	size_t len = strlen(args->in);
	char *name;

	if (args->out)
		return strdup(args->out);
	if (!strcmp(args->in, "-"))
		return strdup("-");
	if (len > 5 && !strcmp(args->in + len - 5, ".json"))
		len -= 5;
	name = malloc(len + 5);
	if (name)
		sprintf(name, "%.*s.lfm", (int)len, args->in);
	return name;
}

static int check(const struct pack_args *args, const struct net *net, const void *blob,
		 size_t len, struct pack_said *said)
{
	struct lf_model *model;
	struct lf_error err;

	if (lf_model_parse(blob, len, &model_limits, &model, &err))
		return complain("%s: %s", args->in, err.msg[0] ? err.msg : "out of memory");
	pack_compare(net, model, PACK_UNIFORM, args->check, args->seed, &said->uniform);
	pack_compare(net, model, PACK_NEAR_ZERO, args->check, args->seed + 1, &said->near_zero);
	lf_model_free(model);
	return 0;
}

static int read_data(struct pack_args *args, const struct net *net)
{
	char (*names)[LITEFLOW_NAME_LEN];
	int32_t *rows;
	unsigned int i;
	int ret;

	names = calloc(net->n_in, sizeof(*names));
	if (!names)
		return complain("out of memory");
	for (i = 0; i < net->n_in; i++)
		memcpy(names[i], net->in[i].name, sizeof(*names));
	ret = rows_read(args->data, net->n_in, (const char (*)[LITEFLOW_NAME_LEN])names, &rows,
			&args->rows.n);
	free(names);
	if (ret)
		return ret;
	args->rows.rows = rows;
	args->opts.data = &args->rows;
	return 0;
}

static void warn(const struct pack_args *args, const struct net *net)
{
	char text[100];
	struct reason why = { text, sizeof(text) };

	pack_describe_error(net, args->estimate.seen, &why);
	if (args->estimate.seen > BAD_ERROR)
		complain("%s: warning: %s: declare narrower ranges, or see -v", args->in, text);
}

static int write_model(struct pack_args *args, const struct net *net, const char *out)
{
	struct pack_said said = { .net = net, .estimate = &args->estimate, .data = args->opts.data };
	bool to_stdout = !strcmp(out, "-");
	char err[256] = "";
	void *blob;
	int ret;

	args->opts.estimate = &args->estimate;
	if (args->verbose)
		args->opts.report = stderr;
	if (lf_pack_net(net, &args->opts, &blob, &said.bytes, err, sizeof(err)))
		return complain("%s: %s", args->in, err);
	warn(args, net);
	ret = args->check ? check(args, net, blob, said.bytes, &said) : 0;
	if (!ret && (args->check || args->data))
		pack_say(to_stdout ? stderr : stdout, &said);
	if (!ret)
		ret = write_file(out, blob, said.bytes);
	free(blob);
	return ret;
}

static int pack(struct pack_args *args, struct json_object *json, const char *out)
{
	char err[256] = "";
	struct reason why = { err, sizeof(err) };
	struct net *net = net_read(json, &why);
	int ret;

	if (!net)
		return complain("%s: %s", args->in, err);
	ret = args->data ? read_data(args, net) : 0;
	if (!ret)
		ret = write_model(args, net, out);
	free((void *)args->rows.rows);
	net_free(net);
	return ret;
}

int cmd_model_pack(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = pack_options, .parser = pack_option, .args_doc = "IN.json",
		.doc = "Make a model from the JSON of a network's layers and ranges.\v"
			"IN.json may be - for standard input. See lfctl(8) for the form.",
		.children = children,
	};
	struct pack_args args = { .seed = 1, .rows.margin = PACK_MARGIN };
	struct json_object *json;
	char err[256] = "";
	char *text, *out;
	size_t len;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	text = read_file(args.in, MAX_JSON, &len);
	if (!text)
		return EXIT_OTHER;
	json = json_parse_strictly(text, len, err, sizeof(err));
	free(text);
	if (!json)
		return complain("%s: %s", args.in, err);
	out = output_name(&args);
	ret = out ? pack(&args, json, out) : complain("out of memory");
	free(out);
	json_object_put(json);
	return ret;
}
