// SPDX-License-Identifier: GPL-2.0
/*
 * From JSON to a network of floating-point layers. Every key is checked: a
 * mistyped one would silently change what the model does.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "net.h"
#include "netread.h"

static const char *const act_names[] = {
	[LITEFLOW_ACT_NONE] = "none",
	[LITEFLOW_ACT_RELU] = "relu",
	[LITEFLOW_ACT_TANH] = "tanh",
	[LITEFLOW_ACT_SIGMOID] = "sigmoid",
	[LITEFLOW_ACT_ARGMAX] = "argmax",
};

#define N_ACTS	((int)(sizeof(act_names) / sizeof(act_names[0])))

int refuse(struct reason *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->buf, why->len, fmt, args);
	va_end(args);
	return -1;
}

const char *act_name(int act)
{
	return act >= 0 && act < N_ACTS ? act_names[act] : "?";
}

/* The object at @key, of that type; NULL with a reason if it is not there. */
struct json_object *net_member(struct json_object *from, const char *where, const char *key,
			       enum json_type type, struct reason *why)
{
	struct json_object *o;

	if (!json_object_object_get_ex(from, key, &o)) {
		refuse(why, "%s: key \"%s\" is missing", where, key);
		return NULL;
	}
	if (json_object_get_type(o) != type) {
		refuse(why, "%s: \"%s\" must be of type %s, not %s", where, key,
		       json_type_to_name(type), json_type_to_name(json_object_get_type(o)));
		return NULL;
	}
	return o;
}

int net_known_keys(struct json_object *o, const char *where, const char *const *keys,
		   struct reason *why)
{
	const char *const *k;

	json_object_object_foreach(o, key, value) {
		(void)value;
		for (k = keys; *k; k++)
			if (!strcmp(*k, key))
				break;
		if (!*k)
			return refuse(why, "%s: unknown key \"%.40s\"", where, key);
	}
	return 0;
}

static int text(struct json_object *from, const char *where, const char *key,
		char out[LITEFLOW_NAME_LEN], struct reason *why)
{
	struct json_object *o = net_member(from, where, key, json_type_string, why);
	const char *s;
	size_t len;

	if (!o)
		return -1;
	s = json_object_get_string(o);
	len = json_object_get_string_len(o);
	if (len >= LITEFLOW_NAME_LEN)
		return refuse(why, "%s: \"%s\" has %zu bytes, at most %d fit", where, key, len,
			      LITEFLOW_NAME_LEN - 1);
	if (memchr(s, 0, len))
		return refuse(why, "%s: \"%s\" has a zero byte", where, key);
	memset(out, 0, LITEFLOW_NAME_LEN);
	memcpy(out, s, len);
	return 0;
}

/* json-c gives the nearest integer of 64 bits for one that does not fit, without a word. */
static bool saturated(struct json_object *o)
{
	return json_object_is_type(o, json_type_int) &&
	       (json_object_get_uint64(o) == UINT64_MAX || json_object_get_int64(o) == INT64_MIN);
}

/* @where names the number. */
static int finite_number(struct json_object *o, const char *where, double *value,
			 struct reason *why)
{
	static const char *const kinds[] = {
		[json_type_null] = "null", [json_type_boolean] = "a boolean",
		[json_type_object] = "an object", [json_type_array] = "an array",
	};
	enum json_type type = json_object_get_type(o);

	if (type == json_type_string)
		return refuse(why, "%s is the text \"%.20s\", must be a finite number", where,
			      json_object_get_string(o));
	if (type != json_type_double && type != json_type_int)
		return refuse(why, "%s is %s, must be a finite number", where, kinds[type]);
	if (saturated(o))
		return refuse(why, "%s is an integer of more than 64 bits: write it as 1e20",
			      where);
	*value = json_object_get_double(o);
	if (!isfinite(*value))
		return refuse(why, "%s is %s, must be a finite number", where,
			      isnan(*value) ? "NaN" : "infinite, or too large for a double");
	if (fabs(*value) > NET_MAX_NUMBER)
		return refuse(why, "%s is %g, must be a number within +-%g", where, *value,
			      NET_MAX_NUMBER);
	return 0;
}

/* A number at @key; @value stays as it is if the key is missing and @optional. */
int net_number(struct json_object *from, const char *where, const char *key, bool optional,
	       double *value, struct reason *why)
{
	struct json_object *o;
	char name[80];

	if (!json_object_object_get_ex(from, key, &o)) {
		if (optional)
			return 0;
		return refuse(why, "%s: key \"%s\" is missing", where, key);
	}
	snprintf(name, sizeof(name), "%s: \"%s\"", where, key);
	return finite_number(o, name, value, why);
}

static int to_integer(double value, double unit, int32_t *out)
{
	double q = round(value / unit);

	if (!(q >= INT32_MIN && q <= INT32_MAX))
		return -1;
	*out = (int32_t)q;
	return 0;
}

static int read_io(struct json_object *o, const char *where, bool input, struct net_io *io,
		   struct reason *why)
{
	static const char *const keys[] = {
		"name", "unit", "lo", "hi", "offset", "scale", NULL
	};

	if (!json_object_is_type(o, json_type_object))
		return refuse(why, "%s: must be an object", where);
	io->unit = 1;
	io->scale = 1;
	if (net_known_keys(o, where, keys, why) ||
	    text(o, where, "name", io->name, why) ||
	    net_number(o, where, "unit", true, &io->unit, why) ||
	    net_number(o, where, "lo", false, &io->lo, why) ||
	    net_number(o, where, "hi", false, &io->hi, why) ||
	    net_number(o, where, "offset", true, &io->offset, why) ||
	    net_number(o, where, "scale", true, &io->scale, why))
		return -1;
	if (!io->name[0])
		return refuse(why, "%s: its name is empty", where);
	if (io->unit <= 0)
		return refuse(why, "%s: \"unit\" must be above 0", where);
	if (io->unit < NET_LEAST_STEP)
		return refuse(why, "%s: \"unit\" is %g, must be at least %g", where, io->unit,
			      NET_LEAST_STEP);
	if (io->scale == 0)
		return refuse(why, "%s: \"scale\" is 0: %s", where,
			      input ? "leave the input out" : "the output would be constant");
	if (fabs(io->scale) < NET_LEAST_STEP)
		return refuse(why, "%s: \"scale\" is %g, must be at least %g in magnitude", where,
			      io->scale, NET_LEAST_STEP);
	if (to_integer(io->lo, io->unit, &io->ilo) || to_integer(io->hi, io->unit, &io->ihi))
		return refuse(why, "%s: lo..hi over unit does not fit 32 bits: take a coarser unit",
			      where);
	if (input ? io->ilo > io->ihi : io->ilo >= io->ihi)
		return refuse(why, "%s: \"lo\" must be below \"hi\", in steps of the unit", where);
	return 0;
}

static struct net_io *read_ios(struct json_object *json, const char *key, unsigned int *n,
			       struct reason *why)
{
	struct json_object *list = net_member(json, "model", key, json_type_array, why);
	struct net_io *ios;
	char where[64];
	size_t i, j;

	if (!list)
		return NULL;
	*n = json_object_array_length(list);
	if (*n < 1 || json_object_array_length(list) > LITEFLOW_MAX_WIDTH) {
		refuse(why, "%s: %zu of them, 1 to %d are possible", key,
		       json_object_array_length(list), LITEFLOW_MAX_WIDTH);
		return NULL;
	}
	ios = calloc(*n, sizeof(*ios));
	if (!ios) {
		refuse(why, "out of memory");
		return NULL;
	}
	for (i = 0; i < *n; i++) {
		snprintf(where, sizeof(where), "%s[%zu]", key, i);
		if (read_io(json_object_array_get_idx(list, i), where, *key == 'i', &ios[i], why))
			goto out;
		for (j = 0; j < i; j++) {
			if (strcmp(ios[i].name, ios[j].name))
				continue;
			refuse(why, "%s: the name \"%s\" is that of %s[%zu]", where, ios[i].name,
			       key, j);
			goto out;
		}
	}
	return ios;
out:
	free(ios);
	return NULL;
}

/* Numbers of a JSON array, exactly @n of them. */
int net_numbers(struct json_object *list, const char *where, unsigned int n, double *out,
		struct reason *why)
{
	char name[96];
	unsigned int i;

	if (!json_object_is_type(list, json_type_array))
		return refuse(why, "%s: must be an array of numbers", where);
	if (json_object_array_length(list) != n)
		return refuse(why, "%s: %zu numbers, not %u", where,
			      json_object_array_length(list), n);
	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		snprintf(name, sizeof(name), "%s[%u]", where, i);
		if (finite_number(o, name, &out[i], why))
			return -1;
	}
	return 0;
}

static int read_layer(struct json_object *o, unsigned int nth, unsigned int n_in,
		      struct net_layer *layer, struct reason *why)
{
	static const char *const keys[] = { "type", "activation", "weights", "bias", NULL };
	struct json_object *act, *weights, *bias;
	char where[80], name[32];
	unsigned int row;
	size_t n;

	snprintf(name, sizeof(name), "layers[%u]", nth);
	if (!json_object_is_type(o, json_type_object))
		return refuse(why, "%s: must be an object", name);
	if (net_known_keys(o, name, keys, why))
		return -1;
	act = net_member(o, name, "activation", json_type_string, why);
	weights = act ? net_member(o, name, "weights", json_type_array, why) : NULL;
	bias = weights ? net_member(o, name, "bias", json_type_array, why) : NULL;
	if (!bias)
		return -1;
	for (layer->act = 0; layer->act < N_ACTS; layer->act++)
		if (!strcmp(json_object_get_string(act), act_names[layer->act]))
			break;
	if (layer->act == N_ACTS)
		return refuse(why, "%s: no activation \"%.20s\": none, relu, tanh, sigmoid, argmax",
			      name, json_object_get_string(act));
	n = json_object_array_length(weights);
	if (n < 1 || n > LITEFLOW_MAX_WIDTH)
		return refuse(why, "%s: %zu rows of weights, 1 to %d are possible", name, n,
			      LITEFLOW_MAX_WIDTH);
	layer->n_in = n_in;
	layer->n_out = n;
	layer->w = calloc(n * n_in, sizeof(*layer->w));
	layer->b = calloc(n, sizeof(*layer->b));
	if (!layer->w || !layer->b)
		return refuse(why, "out of memory");
	for (row = 0; row < n; row++) {
		snprintf(where, sizeof(where), "%s.weights[%u]", name, row);
		if (net_numbers(json_object_array_get_idx(weights, row), where, n_in,
			     &layer->w[(size_t)row * n_in], why))
			return -1;
	}
	snprintf(where, sizeof(where), "%s.bias", name);
	return net_numbers(bias, where, n, layer->b, why);
}

static int read_layers(struct json_object *json, struct net *net, struct reason *why)
{
	struct json_object *list = net_member(json, "model", "layers", json_type_array, why);
	const struct net_layer *last;
	unsigned int i, n_in = net->n_in;
	size_t n;

	if (!list)
		return -1;
	n = json_object_array_length(list);
	if (n < 1 || n > LITEFLOW_MAX_LAYERS)
		return refuse(why, "layers: %zu of them, 1 to %d are possible", n,
			      LITEFLOW_MAX_LAYERS);
	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct net_layer *layer = &net->layers[net->n_layers];

		if (net_is_cell(o)) {
			if (net_read_cell(o, i, n_in, net, why))
				return -1;
			n_in = net->cells[i].n;
			continue;
		}
		net->n_layers++;
		if (read_layer(o, i, n_in, layer, why))
			return -1;
		n_in = layer->n_out;
		if (layer->act == LITEFLOW_ACT_ARGMAX && i + 1 < n)
			return refuse(why, "layers[%u]: argmax is for the last layer only", i);
	}
	if (!net->n_layers)
		return refuse(why, "layers: the last one must be dense, as outputs are made of it");
	last = &net->layers[net->n_layers - 1];
	if (last->act == LITEFLOW_ACT_ARGMAX) {
		if (net->n_out != 1)
			return refuse(why, "outputs: %u, but argmax makes 1", net->n_out);
		if (net->out[0].unit != 1)
			return refuse(why, "outputs[0]: \"unit\" must be 1 for argmax, an index");
	} else if (last->n_out != net->n_out) {
		return refuse(why, "outputs: %u, but the last layer has %u rows", net->n_out,
			      last->n_out);
	}
	return 0;
}

/* How many bits the sums may take, and which checksum the model will have. */
static int read_promises(struct json_object *json, struct net *net, struct reason *why)
{
	double bits = 0;
	struct json_object *o;
	const char *text;
	size_t len;

	if (net_number(json, "model", "bits", true, &bits, why))
		return -1;
	if (json_object_object_get_ex(json, "bits", &o) && bits != 32 && bits != 64)
		return refuse(why, "model: \"bits\" is %g, must be 32 or 64", bits);
	net->bits = bits;
	if (!json_object_object_get_ex(json, "checksum", &o))
		return 0;
	text = json_object_is_type(o, json_type_string) ? json_object_get_string(o) : "";
	len = strlen(text);
	if (len != 10 || strncmp(text, "0x", 2) || strspn(text + 2, "0123456789abcdef") != len - 2)
		return refuse(why, "model: \"checksum\" must be text as \"0x00c0ffee\"");
	net->checksum = strtoul(text, NULL, 16);
	net->has_checksum = true;
	return 0;
}

static int read_header(struct json_object *json, struct net *net, struct reason *why)
{
	static const char *const keys[] = {
		"format", "version", "name", "units", "provenance", "bits", "checksum", "inputs",
		"outputs", "layers", NULL
	};
	char format[LITEFLOW_NAME_LEN];
	struct json_object *o;
	double version = 0;

	if (text(json, "model", "format", format, why))
		return -1;
	if (strcmp(format, "liteflow-model"))
		return refuse(why, "model: \"format\" is \"%s\", not \"liteflow-model\"", format);
	if (net_number(json, "model", "version", false, &version, why))
		return -1;
	if (version != 1)
		return refuse(why, "model: \"version\" is %g; this program reads 1", version);
	if (net_known_keys(json, "model", keys, why) ||
	    text(json, "model", "name", net->name, why) ||
	    text(json, "model", "units", net->units, why))
		return -1;
	if (!net->name[0])
		return refuse(why, "model: its name is empty");
	if (read_promises(json, net, why))
		return -1;
	if (!json_object_object_get_ex(json, "provenance", &o))
		return 0;
	if (!json_object_is_type(o, json_type_string))
		return refuse(why, "model: \"provenance\" must be of type string");
	if (json_object_get_string_len(o) > LITEFLOW_MAX_PROVENANCE)
		return refuse(why, "model: \"provenance\" has %d bytes, at most %d fit",
			      json_object_get_string_len(o), LITEFLOW_MAX_PROVENANCE);
	if (strlen(json_object_get_string(o)) != (size_t)json_object_get_string_len(o))
		return refuse(why, "model: \"provenance\" has a zero byte");
	net->provenance = strdup(json_object_get_string(o));
	return net->provenance ? 0 : refuse(why, "out of memory");
}

struct net *net_read(struct json_object *json, struct reason *why)
{
	struct net *net;

	if (!json_object_is_type(json, json_type_object)) {
		refuse(why, "the model must be a JSON object");
		return NULL;
	}
	net = calloc(1, sizeof(*net));
	if (!net) {
		refuse(why, "out of memory");
		return NULL;
	}
	if (read_header(json, net, why))
		goto out;
	net->in = read_ios(json, "inputs", &net->n_in, why);
	if (!net->in)
		goto out;
	net->out = read_ios(json, "outputs", &net->n_out, why);
	if (!net->out || read_layers(json, net, why) || net_fold_outputs(net, why))
		goto out;
	return net;
out:
	net_free(net);
	return NULL;
}

void net_free(struct net *net)
{
	unsigned int i;

	if (!net)
		return;
	for (i = 0; i < net->n_layers; i++) {
		free(net->layers[i].w);
		free(net->layers[i].b);
	}
	for (i = 0; i < net->n_cells; i++)
		net_free_cell(&net->cells[i]);
	free(net->in);
	free(net->out);
	free(net->provenance);
	free(net);
}
