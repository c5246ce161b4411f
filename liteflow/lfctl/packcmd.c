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
#include "net.h"
#include "pack.h"

#define MAX_JSON	(64 << 20)
enum { OPT_FORCE = 256 };

#define BAD_ERROR	0.01	/* of the span: worth a warning */

struct pack_args {
	const char *in;
	const char *out;
	unsigned int check;
	unsigned long long seed;
	bool verbose;
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

static struct json_object *error_json(const struct pack_error *e)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "rows", json_object_new_int64(e->rows));
	json_object_object_add(o, "max", json_object_new_double(e->max));
	json_object_object_add(o, "mean", json_object_new_double(e->mean));
	json_object_object_add(o, "max_percent_of_span", json_object_new_double(100 * e->max_span));
	json_object_object_add(o, "mean_percent_of_span",
			       json_object_new_double(100 * e->mean_span));
	json_object_object_add(o, "other_answers", json_object_new_int64(e->differ));
	return o;
}

static void print_error(FILE *f, bool index, const char *where, const struct pack_error *e)
{
	if (index)
		fprintf(f, "check, %s: %u of %u answers differ\n", where, e->differ, e->rows);
	else
		fprintf(f, "check, %s: %u rows, error max %.4g units (%.4f %% of the span), "
			"mean %.4g (%.4f %%)\n", where, e->rows, e->max, 100 * e->max_span,
			e->mean, 100 * e->mean_span);
}

static int check(const struct pack_args *args, const struct net *net, const void *blob,
		 size_t len, FILE *f)
{
	bool index = net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
	struct pack_error uniform, near_zero;
	struct json_object *o;
	struct lf_model *model;
	struct lf_error err;

	if (lf_model_parse(blob, len, NULL, &model, &err))
		return complain("%s: %s", args->in, err.msg);
	pack_compare(net, model, PACK_UNIFORM, args->check, args->seed, &uniform);
	pack_compare(net, model, PACK_NEAR_ZERO, args->check, args->seed + 1, &near_zero);
	lf_model_free(model);
	if (!opt_json) {
		print_error(f, index, "all of the ranges", &uniform);
		print_error(f, index, "towards zero     ", &near_zero);
		return 0;
	}
	o = json_object_new_object();
	json_object_object_add(o, "name", json_object_new_string(net->name));
	json_object_object_add(o, "bytes", json_object_new_int64(len));
	if (!index) {
		json_object_object_add(o, "expected_percent_of_span",
				       json_object_new_double(100 * args->estimate.rms));
		json_object_object_add(o, "bound_percent_of_span",
				       json_object_new_double(100 * args->estimate.bound));
	}
	json_object_object_add(o, "uniform", error_json(&uniform));
	json_object_object_add(o, "towards_zero", error_json(&near_zero));
	print_json(o);
	return 0;
}

static int pack(struct pack_args *args, struct json_object *json, const char *out)
{
	bool to_stdout = !strcmp(out, "-");
	char err[256] = "";
	struct reason why = { err, sizeof(err) };
	struct net *net = net_read(json, &why);
	size_t len;
	void *blob;
	int ret;

	if (!net)
		return complain("%s: %s", args->in, err);
	args->opts.estimate = &args->estimate;
	if (args->verbose)
		args->opts.report = stderr;
	ret = lf_pack_net(net, &args->opts, &blob, &len, err, sizeof(err));
	if (ret) {
		ret = complain("%s: %s", args->in, err);
	} else if (args->estimate.seen > BAD_ERROR) {
		pack_describe_error(net, args->estimate.seen, &why);
		complain("%s: warning: %s: declare narrower ranges, or see -v", args->in, err);
	}
	if (!ret && args->check)
		ret = check(args, net, blob, len, to_stdout ? stderr : stdout);
	if (!ret)
		ret = write_file(out, blob, len);
	free(blob);
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
	struct pack_args args = { .seed = 1 };
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
