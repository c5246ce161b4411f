// SPDX-License-Identifier: GPL-2.0
/*
 * What lfctl model pack says of a model that it made.
 */
#include <stdio.h>
#include <json-c/json.h>
#include "data.h"
#include "lfctl.h"
#include "packsay.h"

enum { FITTED, HELD };

static bool is_index(const struct net *net)
{
	return net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
}

static double percent(unsigned long long part, unsigned long long of)
{
	return of ? 100.0 * part / of : 0;
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

static struct json_object *data_json(const struct pack_said *said)
{
	const struct pack_seen *seen = &said->estimate->data;
	struct json_object *o = json_object_new_object();
	struct json_object *layers = json_object_new_array(), *layer;
	unsigned int l;

	json_object_object_add(o, "decided", json_object_new_boolean(seen->decided));
	json_object_object_add(o, "margin_percent", json_object_new_double(100 * said->data->margin));
	json_object_object_add(o, "fitted", error_json(&seen->error[FITTED]));
	json_object_object_add(o, "held_out", error_json(&seen->error[HELD]));
	json_object_object_add(o, "clamped_inputs", json_object_new_int64(seen->clamped));
	for (l = 0; l < said->net->n_layers; l++) {
		if (!data_decides(said->net, l))
			continue;
		layer = json_object_new_object();
		json_object_object_add(layer, "layer", json_object_new_int(l));
		json_object_object_add(layer, "saturated_percent", json_object_new_double(
			percent(seen->layers[l].saturated[FITTED], seen->layers[l].values[FITTED])));
		json_object_object_add(layer, "held_out_saturated_percent", json_object_new_double(
			percent(seen->layers[l].saturated[HELD], seen->layers[l].values[HELD])));
		json_object_array_add(layers, layer);
	}
	json_object_object_add(o, "layers", layers);
	json_object_object_add(o, "anywhere_percent", json_object_new_double(
		(is_index(said->net) ? 1000 : 100) * said->estimate->anywhere));
	return o;
}

static void say_json(const struct pack_said *said)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(said->net->name));
	json_object_object_add(o, "bytes", json_object_new_int64(said->bytes));
	if (!is_index(said->net)) {
		json_object_object_add(o, "expected_percent_of_span",
				       json_object_new_double(100 * said->estimate->rms));
		json_object_object_add(o, "bound_percent_of_span",
				       json_object_new_double(100 * said->estimate->bound));
	}
	if (said->data)
		json_object_object_add(o, "data", data_json(said));
	if (said->uniform.rows) {
		json_object_object_add(o, "uniform", error_json(&said->uniform));
		json_object_object_add(o, "towards_zero", error_json(&said->near_zero));
	}
	print_json(o);
}

static void say_error(FILE *f, bool index, const char *where, const struct pack_error *e)
{
	if (index)
		fprintf(f, "%s: %u of %u answers differ\n", where, e->differ, e->rows);
	else
		fprintf(f, "%s: %u rows, error max %.4g units (%.4f %% of the span), "
			"mean %.4g (%.4f %%)\n", where, e->rows, e->max, 100 * e->max_span,
			e->mean, 100 * e->mean_span);
}

/* Has a recurrent layer its range from the rows? */
static bool state_decides(const struct net *net)
{
	const struct net_cell *c;

	for (c = net->cells; c < net->cells + net->n_cells; c++)
		if (!c->state_max && (c->act == LITEFLOW_ACT_RELU || c->type == LITEFLOW_LAYER_LSTM))
			return true;
	return false;
}

static void say_data(FILE *f, const struct pack_said *said)
{
	const struct pack_seen *seen = &said->estimate->data;
	bool index = is_index(said->net), open = false;
	unsigned long long n, of;
	unsigned int l, part;

	for (l = 0; l < said->net->n_layers; l++)
		open |= data_decides(said->net, l);
	if (state_decides(said->net))
		fprintf(f, "data: the range of the state comes from the rows, as a sequence\n");
	else if (!open)
		fprintf(f, "data: no hidden layer is without tanh or sigmoid, so no range comes from "
			"the rows\n");
	if (open && !seen->decided)
		fprintf(f, "data: ranges from the rows are no better than the worst case, so that "
			"is kept\n");
	for (l = 0; l < said->net->n_layers && seen->decided; l++) {
		if (!data_decides(said->net, l))
			continue;
		fprintf(f, "data, layer %u: saturated", l);
		for (part = FITTED; part <= HELD; part++) {
			n = seen->layers[l].saturated[part];
			of = seen->layers[l].values[part];
			fprintf(f, " %llu of %llu values (%.3g %%)%s", n, of, percent(n, of),
				part == FITTED ? "; rows held out:" : "\n");
		}
	}
	say_error(f, index, "data, rows used    ", &seen->error[FITTED]);
	say_error(f, index, "data, rows held out", &seen->error[HELD]);
	if (seen->clamped)
		fprintf(f, "data: %llu of %llu inputs are beyond their \"lo\" and \"hi\", and were "
			"clamped\n", seen->clamped,
			(unsigned long long)said->data->n * said->net->n_in);
	fprintf(f, "random inputs, all of the ranges: %s %.3g %%%s\n",
		index ? "other answers" : "error up to",
		(index ? 1000 : 100) * said->estimate->anywhere, index ? "" : " of the span");
}

void pack_say(FILE *f, const struct pack_said *said)
{
	bool index = is_index(said->net);

	if (opt_json) {
		say_json(said);
		return;
	}
	if (said->data)
		say_data(f, said);
	if (!said->uniform.rows)
		return;
	say_error(f, index, "check, all of the ranges", &said->uniform);
	say_error(f, index, "check, towards zero     ", &said->near_zero);
}
