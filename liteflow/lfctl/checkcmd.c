// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model check: what a model is, without a kernel.
 */
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include "lfctl.h"
#include "model.h"
#include "net.h"

struct check_args {
	const char *file;
};

static error_t check_option(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one file at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which file?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static struct json_object *scales_json(const struct lf_scale *s,
				       const char (*names)[LITEFLOW_NAME_LEN], unsigned int n)
{
	struct json_object *list = json_object_new_array_ext(n), *o;

	for (; n; n--, s++, names++) {
		o = json_object_new_object();
		json_object_object_add(o, "name", json_object_new_string(*names));
		json_object_object_add(o, "lo", json_object_new_int(s->lo));
		json_object_object_add(o, "hi", json_object_new_int(s->hi));
		json_object_object_add(o, "offset", json_object_new_int(s->offset));
		json_object_object_add(o, "mult", json_object_new_int(s->mult));
		json_object_object_add(o, "shift", json_object_new_int(s->shift));
		json_object_array_add(list, o);
	}
	return list;
}

static const char *type_name(int type)
{
	return type == LITEFLOW_LAYER_RNN ? "rnn" : type == LITEFLOW_LAYER_GRU ? "gru" : "lstm";
}

static struct json_object *cell_json(const struct lf_cell *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "type", json_object_new_string(type_name(c->type)));
	json_object_object_add(o, "inputs", json_object_new_int(c->n_in));
	json_object_object_add(o, "outputs", json_object_new_int(c->n_out));
	json_object_object_add(o, "activation", json_object_new_string(act_name(c->act)));
	json_object_object_add(o, "sum_bits", json_object_new_int(c->wide ? 64 : 32));
	json_object_object_add(o, "state_bits", json_object_new_int(c->state_bits));
	json_object_object_add(o, "shift", json_object_new_int(c->shift));
	return o;
}

static struct json_object *layers_json(const struct lf_model *m)
{
	struct json_object *list = json_object_new_array_ext(m->n_cells + m->n_layers), *o;
	const struct lf_layer *l;
	unsigned int i;

	for (i = 0; i < m->n_cells; i++)
		json_object_array_add(list, cell_json(&m->cells[i]));

	for (l = m->layers; l < m->layers + m->n_layers; l++) {
		o = json_object_new_object();
		json_object_object_add(o, "inputs", json_object_new_int(l->n_in));
		json_object_object_add(o, "outputs", json_object_new_int(l->n_out));
		json_object_object_add(o, "activation", json_object_new_string(act_name(l->act)));
		json_object_object_add(o, "sum_bits", json_object_new_int(l->wide ? 64 : 32));
		json_object_object_add(o, "shift", json_object_new_int(l->shift));
		json_object_array_add(list, o);
	}
	return list;
}

static void show_json(const struct lf_model *m, size_t len, const char *digest)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(m->name));
	json_object_object_add(o, "units", json_object_new_string(m->units));
	json_object_object_add(o, "provenance", json_object_new_string(m->provenance));
	json_object_object_add(o, "bytes", json_object_new_int64(len));
	json_object_object_add(o, "memory", json_object_new_int64(m->bytes));
	json_object_object_add(o, "macs", json_object_new_int64(m->macs));
	json_object_object_add(o, "width", json_object_new_int(m->width));
	json_object_object_add(o, "state", json_object_new_int(m->state_len));
	json_object_object_add(o, "sha256", json_object_new_string(digest));
	json_object_object_add(o, "inputs", scales_json(m->in, m->in_names, m->n_in));
	json_object_object_add(o, "outputs", scales_json(m->out, m->out_names, m->n_out));
	json_object_object_add(o, "layers", layers_json(m));
	print_json(o);
}

static void show_scales(const char *what, const struct lf_scale *s,
			const char (*names)[LITEFLOW_NAME_LEN], unsigned int n)
{
	unsigned int i;

	printf("%s:\n", what);
	for (i = 0; i < n; i++, s++)
		printf("  %4u  %-31s  %d .. %d\n", i, names[i], s->lo, s->hi);
}

static void show(const struct lf_model *m, size_t len, const char *digest)
{
	const struct lf_layer *l;
	unsigned int i;

	printf("name        %s\n", m->name);
	printf("units       %s\n", m->units[0] ? m->units : "(none)");
	printf("shape       %u", m->n_in);
	for (i = 0; i < m->n_cells; i++)
		printf("-%u", m->cells[i].n_out);
	for (i = 0; i < m->n_layers; i++)
		printf("-%u", m->layers[i].n_out);
	printf(", %u inputs, %u outputs\n", m->n_in, m->n_out);
	printf("work        %u multiply-adds, width %u\n", m->macs, m->width);
	if (m->state_len)
		printf("state       %u values\n", m->state_len);
	printf("size        %zu bytes, %u in memory\n", len, m->bytes);
	printf("sha256      %s\n", digest);
	if (m->provenance[0])
		printf("provenance  %s\n", m->provenance);
	show_scales("inputs, in the app's units", m->in, m->in_names, m->n_in);
	printf("layers:\n");
	for (i = 0; i < m->n_cells; i++)
		printf("  %4u  %u -> %u, %s, %s, %d-bit sums, state of %u bits, shift %u\n", i,
		       m->cells[i].n_in, m->cells[i].n_out, type_name(m->cells[i].type),
		       act_name(m->cells[i].act), m->cells[i].wide ? 64 : 32,
		       m->cells[i].state_bits, m->cells[i].shift);
	for (i = 0, l = m->layers; i < m->n_layers; i++, l++)
		printf("  %4u  %u -> %u, %s, %d-bit sums, shift %u\n", m->n_cells + i, l->n_in, l->n_out,
		       act_name(l->act), l->wide ? 64 : 32, l->shift);
	show_scales("outputs, in the app's units", m->out, m->out_names, m->n_out);
}

int cmd_model_check(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.parser = check_option, .args_doc = "FILE",
		.doc = "Check a model as the kernel would, and show what it is.",
		.children = children,
	};
	char digest[2 * LITEFLOW_DIGEST_LEN + 1];
	uint8_t sum[EVP_MAX_MD_SIZE];
	struct check_args args = { 0 };
	struct lf_model *model;
	struct lf_error err;
	size_t len;
	char *blob;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	blob = model_read(args.file, &len);
	if (!blob)
		return EXIT_OTHER;
	if (lf_model_parse(blob, len, &model_limits, &model, &err)) {
		free(blob);
		return complain("%s: %s", args.file, err.msg[0] ? err.msg : "out of memory");
	}
	EVP_Digest(blob, len, sum, NULL, EVP_sha256(), NULL);
	free(blob);
	to_hex(sum, LITEFLOW_DIGEST_LEN, digest);
	if (opt_json)
		show_json(model, len, digest);
	else
		show(model, len, digest);
	lf_model_free(model);
	return 0;
}
