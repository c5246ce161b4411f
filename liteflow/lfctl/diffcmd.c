// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model diff: how far the answers of two models are apart. The mean of it, as
 * part of the outputs' span, is the fidelity loss by which LiteFlow judges whether
 * a new model is worth installing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include "kind.h"
#include "lfctl.h"
#include "model.h"
#include "net.h"
#include "pack.h"
#include "rows.h"

#define MAX_JSON	(64 << 20)

struct diff_args {
	const char *file[2];
	const char *rows;
	unsigned int count;
	unsigned long long seed;
};

/* A model, or the JSON of one: then its answers are those of double arithmetic. */
struct side {
	const char *file;
	struct lf_model *model;
	struct net *net;
	const char *units;
	bool index;
	unsigned int n_in;
	unsigned int n_out;
	double net_state[LITEFLOW_MAX_STATE];
	int32_t state[LITEFLOW_MAX_STATE];
};

struct output_diff {
	double sum;
	double most;
};

struct diff {
	struct side side[2];
	unsigned int rows;
	unsigned int differ;	/* rows with any other answer */
	struct output_diff out[LITEFLOW_MAX_WIDTH];
};

static const struct argp_option diff_options[] = {
	{ "count", 'n', "N", 0, "without ROWS: N random inputs (10000)", 0 },
	{ "seed", 's', "N", 0, "seed of those inputs (1)", 0 },
	{ 0 }
};

static error_t diff_option(int key, char *arg, struct argp_state *state)
{
	struct diff_args *args = state->input;

	switch (key) {
	case 'n':
		args->count = parse_number(state, "--count", arg, 1, 100000000);
		return 0;
	case 's':
		args->seed = parse_number(state, "--seed", arg, 0, ~0ULL);
		return 0;
	case ARGP_KEY_ARG:
		if (!args->file[0])
			args->file[0] = arg;
		else if (!args->file[1])
			args->file[1] = arg;
		else if (!args->rows)
			args->rows = arg;
		else
			argp_error(state, "too many arguments, from \"%s\" on", arg);
		return 0;
	case ARGP_KEY_END:
		if (!args->file[1])
			argp_error(state, "which two models?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int read_json(struct side *side, const char *text, size_t len)
{
	char err[256] = "";
	struct reason why = { err, sizeof(err) };
	struct json_object *json = json_parse_strictly(text, len, err, sizeof(err));

	if (json)
		side->net = net_read(json, &why);
	json_object_put(json);
	if (!side->net)
		return complain("%s: %s", side->file, err);
	side->units = side->net->units;
	side->index = side->net->layers[side->net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
	side->n_in = side->net->n_in;
	side->n_out = side->net->n_out;
	return 0;
}

static int read_side(struct side *side)
{
	char told[200], *text;
	struct reason why = { told, sizeof(told) };
	struct lf_error err;
	size_t len;
	int ret = 0;

	text = read_file(side->file, MAX_JSON, &len);
	if (!text)
		return EXIT_OTHER;
	if (kind_is_json(text)) {
		ret = read_json(side, text, len);
	} else if (kind_refuse(text, len, KIND_MODEL, &why)) {
		ret = complain("%s: %s", side->file, told);
	} else if (lf_model_parse(text, len, &model_limits, &side->model, &err)) {
		ret = complain("%s: %s", side->file, err.msg[0] ? err.msg : "out of memory");
	} else {
		const struct lf_model *m = side->model;

		side->units = m->units;
		side->index = m->layers[m->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
		side->n_in = m->n_in;
		side->n_out = m->n_out;
	}
	free(text);
	return ret;
}

static const char *input_name(const struct side *s, unsigned int i)
{
	return s->model ? s->model->in_names[i] : s->net->in[i].name;
}

static const char *output_name(const struct side *s, unsigned int i)
{
	return s->model ? s->model->out_names[i] : s->net->out[i].name;
}

static void input_range(const struct side *s, unsigned int i, int32_t *lo, int32_t *hi)
{
	*lo = s->model ? s->model->in[i].lo : s->net->in[i].ilo;
	*hi = s->model ? s->model->in[i].hi : s->net->in[i].ihi;
}

static double output_span(const struct side *s, unsigned int i)
{
	if (s->model)
		return (double)s->model->out[i].hi - s->model->out[i].lo;
	return (double)s->net->out[i].ihi - s->net->out[i].ilo;
}

/* Of two apps, or of two orders of inputs, the difference would mean nothing. */
static int comparable(const struct side *a, const struct side *b)
{
	unsigned int i;

	if (a->n_in != b->n_in || a->n_out != b->n_out)
		return complain("%s has %u inputs and %u outputs, %s has %u and %u: they answer "
				"different questions", a->file, a->n_in, a->n_out, b->file,
				b->n_in, b->n_out);
	if (strcmp(a->units, b->units))
		return complain("the units of %s are \"%s\", those of %s \"%s\"", a->file,
				a->units, b->file, b->units);
	if (a->index != b->index)
		return complain("the answer of %s is an index (argmax), that of %s is none",
				a->index ? a->file : b->file, a->index ? b->file : a->file);
	for (i = 0; i < a->n_in; i++)
		if (strcmp(input_name(a, i), input_name(b, i)))
			return complain("input %u is \"%s\" in %s, \"%s\" in %s", i,
					input_name(a, i), a->file, input_name(b, i), b->file);
	for (i = 0; i < a->n_out; i++)
		if (output_span(a, i) <= 0)
			return complain("%s: output \"%s\" is constant: of what would the difference "
					"be a part?", a->file, output_name(a, i));
	return 0;
}

static void ask(struct side *s, const int32_t *in, double *out)
{
	int32_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t answer[LITEFLOW_MAX_WIDTH];
	unsigned int i;

	if (s->net) {
		net_run(s->net, in, s->net_state, out);
		return;
	}
	lf_model_step(s->model, in, answer, s->state, scratch);
	for (i = 0; i < s->n_out; i++)
		out[i] = answer[i];
}

/* Where another sequence begins, for models that remember. */
static void forget(struct diff *d)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memset(d->side[i].net_state, 0, sizeof(d->side[i].net_state));
		memset(d->side[i].state, 0, sizeof(d->side[i].state));
	}
}

static void add_row(struct diff *d, const int32_t *in)
{
	double a[LITEFLOW_MAX_WIDTH], b[LITEFLOW_MAX_WIDTH], e;
	bool differ = false;
	unsigned int i;

	ask(&d->side[0], in, a);
	ask(&d->side[1], in, b);
	for (i = 0; i < d->side[0].n_out; i++) {
		e = fabs(a[i] - b[i]);
		differ |= e != 0;
		/* one wrong class is as wrong as another */
		if (d->side[0].index)
			e = e != 0 ? output_span(&d->side[0], i) : 0;
		d->out[i].sum += e;
		d->out[i].most = fmax(d->out[i].most, e);
	}
	d->differ += differ;
	d->rows++;
}

static int ask_rows(struct rows *rows)
{
	add_row(rows->priv, rows->inputs);
	return 0;
}

static int from_file(struct diff *d, const struct diff_args *args)
{
	struct rows rows = { .n_in = d->side[0].n_in, .max = 1, .ask = ask_rows, .priv = d };
	char (*names)[LITEFLOW_NAME_LEN] = calloc(rows.n_in, sizeof(*names));
	unsigned int i;
	int ret;

	if (!names)
		return complain("out of memory");
	for (i = 0; i < rows.n_in; i++)
		memcpy(names[i], input_name(&d->side[0], i), sizeof(*names));
	rows.names = (const char (*)[LITEFLOW_NAME_LEN])names;
	ret = rows_run(&rows, args->rows);
	free(names);
	if (!ret && !d->rows)
		ret = complain("%s: no rows of inputs in it", args->rows);
	return ret;
}

static void at_random(struct diff *d, const struct diff_args *args)
{
	int32_t in[LITEFLOW_MAX_WIDTH], lo, hi;
	uint64_t state = args->seed;
	unsigned int i;

	while (d->rows < args->count) {
		if (!(d->rows % PACK_SEQUENCE))
			forget(d);
		for (i = 0; i < d->side[0].n_in; i++) {
			input_range(&d->side[0], i, &lo, &hi);
			in[i] = (int32_t)(lo + floor(((double)hi - lo + 1) * pack_random(&state)));
		}
		add_row(d, in);
	}
}

static void show_json(const struct diff *d, double mean, double most)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *out;
	const struct side *a = &d->side[0];
	unsigned int i;

	json_object_object_add(o, "rows", json_object_new_int64(d->rows));
	json_object_object_add(o, "differing_rows", json_object_new_int64(d->differ));
	json_object_object_add(o, "mean_percent_of_span", json_object_new_double(mean));
	json_object_object_add(o, "max_percent_of_span", json_object_new_double(most));
	for (i = 0; i < a->n_out; i++) {
		out = json_object_new_object();
		json_object_object_add(out, "name", json_object_new_string(output_name(a, i)));
		json_object_object_add(out, "span", json_object_new_double(output_span(a, i)));
		json_object_object_add(out, "mean", json_object_new_double(d->out[i].sum / d->rows));
		json_object_object_add(out, "max", json_object_new_double(d->out[i].most));
		json_object_array_add(list, out);
	}
	json_object_object_add(o, "outputs", list);
	print_json(o);
}

static void show(const struct diff *d, const struct diff_args *args)
{
	const struct side *a = &d->side[0];
	double mean = 0, most = 0, span;
	unsigned int i;

	for (i = 0; i < a->n_out; i++) {
		span = output_span(a, i);
		mean += 100 * d->out[i].sum / d->rows / span / a->n_out;
		most = fmax(most, 100 * d->out[i].most / span);
	}
	if (opt_json) {
		show_json(d, mean, most);
		return;
	}
	if (args->rows)
		printf("%u rows of %s", d->rows, args->rows);
	else
		printf("%u random inputs, seed %llu", d->rows, args->seed);
	printf(": %u with another answer\n", d->differ);
	if (a->index) {
		printf("fidelity loss %.4g %% of the answers\n", mean);
		return;
	}
	printf("%-31s  %12s  %8s  %12s  %8s\n", "OUTPUT", "MEAN", "% SPAN", "LARGEST", "% SPAN");
	for (i = 0; i < a->n_out; i++) {
		span = output_span(a, i);
		printf("%-31s  %12.6g  %8.4f  %12.6g  %8.4f\n", output_name(a, i),
		       d->out[i].sum / d->rows, 100 * d->out[i].sum / d->rows / span,
		       d->out[i].most, 100 * d->out[i].most / span);
	}
	printf("fidelity loss %.4f %% of the span, largest difference %.4f %%\n", mean, most);
}

int cmd_model_diff(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = diff_options, .parser = diff_option, .args_doc = "A B [ROWS]",
		.doc = "Show how far the answers of two models are apart: the mean difference and "
			"the largest one, as parts of the span of A's outputs.\vA and B are models, "
			"or the JSON that models are made of, which is computed in floating point. "
			"Without ROWS (- is standard input) the inputs are random, from A's ranges.",
		.children = children,
	};
	struct diff_args args = { .count = 10000, .seed = 1 };
	static struct diff d;
	unsigned int i;
	int ret = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	for (i = 0; i < ARRAY_SIZE(d.side) && !ret; i++) {
		d.side[i].file = args.file[i];
		ret = read_side(&d.side[i]);
	}
	if (!ret)
		ret = comparable(&d.side[0], &d.side[1]);
	if (!ret && args.rows)
		ret = from_file(&d, &args);
	else if (!ret)
		at_random(&d, &args);
	if (!ret)
		show(&d, &args);
	for (i = 0; i < ARRAY_SIZE(d.side); i++) {
		lf_model_free(d.side[i].model);
		net_free(d.side[i].net);
	}
	return ret;
}
