// SPDX-License-Identifier: GPL-2.0
/*
 * From JSON to recurrent layers: parameters in PyTorch's shapes and order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"
#include "netread.h"

static const struct {
	const char *name;
	int type;
} types[] = {
	{ "rnn", LITEFLOW_LAYER_RNN },
	{ "gru", LITEFLOW_LAYER_GRU },
	{ "lstm", LITEFLOW_LAYER_LSTM },
};

/* Whatever names a type that is not "dense"; without one it is. */
bool net_is_cell(struct json_object *o)
{
	struct json_object *type;

	return json_object_is_type(o, json_type_object) &&
	       json_object_object_get_ex(o, "type", &type) &&
	       strcmp(json_object_get_string(type) ?: "", "dense");
}

static int read_type(struct json_object *o, const char *name, struct net_cell *cell,
		     struct reason *why)
{
	struct json_object *type = net_member(o, name, "type", json_type_string, why);
	size_t i;

	if (!type)
		return -1;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(json_object_get_string(type), types[i].name))
			cell->type = types[i].type;
	if (!cell->type)
		return refuse(why, "%s: no type \"%.20s\": dense, rnn, gru, lstm", name,
			      json_object_get_string(type));
	return 0;
}

static int read_activation(struct json_object *o, const char *name, struct net_cell *cell,
			   struct reason *why)
{
	struct json_object *act;
	const char *text;

	cell->act = LITEFLOW_ACT_TANH;
	if (cell->type != LITEFLOW_LAYER_RNN) {
		if (json_object_object_get_ex(o, "activation", &act))
			return refuse(why, "%s: \"activation\" is for an rnn only", name);
		return 0;
	}
	act = net_member(o, name, "activation", json_type_string, why);
	if (!act)
		return -1;
	text = json_object_get_string(act);
	if (strcmp(text, "relu") && strcmp(text, "tanh"))
		return refuse(why, "%s: activation \"%.20s\" is not for an rnn: relu, tanh", name,
			      text);
	if (*text == 'r')
		cell->act = LITEFLOW_ACT_RELU;
	return 0;
}

static int read_state(struct json_object *o, const char *name, struct net_cell *cell,
		      struct reason *why)
{
	bool relu = cell->act == LITEFLOW_ACT_RELU, lstm = cell->type == LITEFLOW_LAYER_LSTM;
	double bits = 16, most = 1;
	struct json_object *given;

	if (net_number(o, name, "state_bits", true, &bits, why) ||
	    net_number(o, name, "state_max", true, &most, why))
		return -1;
	if (bits != 16 && !(relu && bits == 32))
		return refuse(why, "%s: \"state_bits\" is %g, must be 16%s", name, bits,
			      relu ? " or 32" : ", as only a relu may have 32");
	cell->state_bits = bits;
	if (!json_object_object_get_ex(o, "state_max", &given))
		return 0;
	if (!relu && !lstm)
		return refuse(why, "%s: \"state_max\" is for a relu or an lstm, others keep to 1",
			      name);
	if (most < NET_LEAST_STEP)
		return refuse(why, "%s: \"state_max\" is %g, must be above 0", name, most);
	cell->state_max = most;
	return 0;
}

/* A matrix of @rows rows; NULL with a reason. */
static double *read_matrix(struct json_object *o, const char *name, const char *key,
			   unsigned int rows, unsigned int cols, struct reason *why)
{
	struct json_object *list = net_member(o, name, key, json_type_array, why);
	char where[80];
	unsigned int row;
	double *w;

	if (!list)
		return NULL;
	if (json_object_array_length(list) != rows) {
		refuse(why, "%s: \"%s\" has %zu rows, not %u: gates times units", name, key,
		       json_object_array_length(list), rows);
		return NULL;
	}
	w = calloc((size_t)rows * cols, sizeof(*w));
	if (!w)
		refuse(why, "out of memory");
	for (row = 0; w && row < rows; row++) {
		snprintf(where, sizeof(where), "%s.%s[%u]", name, key, row);
		if (!net_numbers(json_object_array_get_idx(list, row), where, cols,
				 w + (size_t)row * cols, why))
			continue;
		free(w);
		w = NULL;
	}
	return w;
}

static double *read_bias(struct json_object *o, const char *name, const char *key,
			 unsigned int rows, struct reason *why)
{
	struct json_object *list = net_member(o, name, key, json_type_array, why);
	char where[80];
	double *b;

	if (!list)
		return NULL;
	b = calloc(rows, sizeof(*b));
	if (!b) {
		refuse(why, "out of memory");
		return NULL;
	}
	snprintf(where, sizeof(where), "%s.%s", name, key);
	if (!net_numbers(list, where, rows, b, why))
		return b;
	free(b);
	return NULL;
}

static int read_parameters(struct json_object *o, const char *name, struct net_cell *cell,
			   struct reason *why)
{
	struct json_object *first = net_member(o, name, "w_h", json_type_array, why);
	unsigned int gates = net_gates(cell), rows;
	size_t n;

	if (!first)
		return -1;
	n = json_object_array_length(first);
	if (n < gates || n % gates || n / gates > LITEFLOW_MAX_WIDTH)
		return refuse(why, "%s: \"w_h\" has %zu rows: %u for each of 1 to %d units", name,
			      n, gates, LITEFLOW_MAX_WIDTH);
	rows = n;
	cell->n = rows / gates;
	cell->w_x = read_matrix(o, name, "w_x", rows, cell->n_in, why);
	cell->w_h = cell->w_x ? read_matrix(o, name, "w_h", rows, cell->n, why) : NULL;
	cell->b_x = cell->w_h ? read_bias(o, name, "b_x", rows, why) : NULL;
	cell->b_h = cell->b_x ? read_bias(o, name, "b_h", rows, why) : NULL;
	return cell->b_h ? 0 : -1;
}

int net_read_cell(struct json_object *o, unsigned int nth, unsigned int n_in, struct net *net,
		  struct reason *why)
{
	static const char *const keys[] = {
		"type", "activation", "state_bits", "state_max", "w_x", "w_h", "b_x", "b_h", NULL
	};
	struct net_cell *cell;
	char name[32];

	snprintf(name, sizeof(name), "layers[%u]", nth);
	if (net->n_layers)
		return refuse(why, "%s: a recurrent layer must come before all dense ones", name);
	if (nth == LITEFLOW_MAX_RECURRENT)
		return refuse(why, "%s: at most %d recurrent layers are possible", name,
			      LITEFLOW_MAX_RECURRENT);
	cell = &net->cells[nth];
	cell->n_in = n_in;
	net->n_cells = nth + 1;
	if (net_known_keys(o, name, keys, why) || read_type(o, name, cell, why) ||
	    read_activation(o, name, cell, why) || read_state(o, name, cell, why) ||
	    read_parameters(o, name, cell, why))
		return -1;
	if (nth && net->cells[nth - 1].state_bits > cell->state_bits)
		return refuse(why, "%s: state of 16 bits above one of 32: give that one 16, or this "
			      "one 32", name);
	net->state_len += cell->type == LITEFLOW_LAYER_LSTM ? 2 * cell->n : cell->n;
	return 0;
}

void net_free_cell(struct net_cell *cell)
{
	free(cell->w_x);
	free(cell->w_h);
	free(cell->b_x);
	free(cell->b_h);
}
