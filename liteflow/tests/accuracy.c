// SPDX-License-Identifier: GPL-2.0
/*
 * accuracy MODEL.json [MOST]: packs a net of Aurora's shape and compares its
 * answers with those of double arithmetic, computed here from the JSON itself
 *
 * 10,000 inputs: half of them anywhere in the declared ranges; half histories as
 * a sender sees them at a bottleneck: its rate wanders and jumps, a queue fills
 * and empties. Fails if an error is above MOST (0.001) of the output span, which
 * is what the model declares; errors in parts of the span that was seen are
 * printed as well.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <linux/liteflow_engine.h>

#include "../lfctl/pack.h"

#define NR_INPUTS	10000
#define MAX_WIDTH	64

struct net {
	int n_in;
	int n_layers;
	double lo[MAX_WIDTH], hi[MAX_WIDTH], unit[MAX_WIDTH];
	double out_lo, out_hi, out_unit;
	int n_out[LITEFLOW_MAX_LAYERS];
	bool curve[LITEFLOW_MAX_LAYERS];
	double bias[LITEFLOW_MAX_LAYERS][MAX_WIDTH];
	double weight[LITEFLOW_MAX_LAYERS][MAX_WIDTH][MAX_WIDTH];
};

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v)) {
		fprintf(stderr, "no \"%s\"\n", key);
		exit(1);
	}
	return v;
}

static double number(struct json_object *o, const char *key)
{
	return json_object_get_double(get(o, key));
}

static double nth(struct json_object *array, int i)
{
	return json_object_get_double(json_object_array_get_idx(array, i));
}

static void read_net(struct json_object *json, struct net *net)
{
	struct json_object *inputs = get(json, "inputs"), *layers = get(json, "layers");
	struct json_object *out = json_object_array_get_idx(get(json, "outputs"), 0);
	int n = json_object_array_length(inputs);

	net->n_in = n;
	net->n_layers = json_object_array_length(layers);
	if (n % 3 || n > MAX_WIDTH || net->n_layers > LITEFLOW_MAX_LAYERS) {
		fprintf(stderr, "not of Aurora's shape\n");
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		struct json_object *in = json_object_array_get_idx(inputs, i);

		net->lo[i] = number(in, "lo");
		net->hi[i] = number(in, "hi");
		net->unit[i] = number(in, "unit");
	}
	net->out_lo = number(out, "lo");
	net->out_hi = number(out, "hi");
	net->out_unit = number(out, "unit");
	for (int k = 0; k < net->n_layers; k++) {
		struct json_object *layer = json_object_array_get_idx(layers, k);
		struct json_object *bias = get(layer, "bias"), *weights = get(layer, "weights");
		const char *act = json_object_get_string(get(layer, "activation"));

		net->curve[k] = !strcmp(act, "tanh");
		net->n_out[k] = json_object_array_length(bias);
		if ((!net->curve[k] && strcmp(act, "none")) || net->n_out[k] > MAX_WIDTH) {
			fprintf(stderr, "layer %d: neither tanh nor none, or too wide\n", k);
			exit(1);
		}
		for (int row = 0; row < net->n_out[k]; row++) {
			struct json_object *w = json_object_array_get_idx(weights, row);

			net->bias[k][row] = nth(bias, row);
			for (int i = 0; i < n; i++)
				net->weight[k][row][i] = nth(w, i);
		}
		n = net->n_out[k];
	}
}

/* In units of the output. */
static double reference(const struct net *net, const s32 *in)
{
	double x[MAX_WIDTH], y[MAX_WIDTH];
	int n = net->n_in;

	for (int i = 0; i < n; i++)
		x[i] = in[i] * net->unit[i];
	for (int k = 0; k < net->n_layers; k++) {
		for (int row = 0; row < net->n_out[k]; row++) {
			double a = net->bias[k][row];

			for (int i = 0; i < n; i++)
				a += net->weight[k][row][i] * x[i];
			y[row] = net->curve[k] ? tanh(a) : a;
		}
		n = net->n_out[k];
		memcpy(x, y, sizeof(x));
	}
	return fmin(fmax(x[0], net->out_lo), net->out_hi) / net->out_unit;
}

static double uniform(double lo, double hi)
{
	static u64 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return lo + (hi - lo) * (state >> 11) * 0x1p-53;
}

static void put(const struct net *net, s32 *in, int i, double v)
{
	in[i] = lround(fmin(fmax(v, net->lo[i]), net->hi[i]) / net->unit[i]);
}

/* Rates in parts of the bottleneck's, the queue in parts of the base RTT. */
static void history(const struct net *net, s32 *in)
{
	double rate = uniform(0.3, 1.6), queue = uniform(0, 1) < 0.5 ? 0 : uniform(0, 3);

	for (int i = 0; i < net->n_in; i += 3) {
		double before = queue;

		rate *= uniform(0, 1) < 0.05 ? uniform(0.5, 2) : uniform(0.95, 1.05);
		/* an interval is half an RTT */
		queue = fmin(fmax(queue + (rate - 1) * 0.5, 0), 4);
		put(net, in, i, (queue - before) * 2 + uniform(-0.02, 0.02));
		put(net, in, i + 1, 1 + queue + uniform(0, 0.05));
		put(net, in, i + 2, queue > 0 ? fmax(rate, 1) : uniform(0.98, 1.02));
	}
}

int main(int argc, char **argv)
{
	double most = argc > 2 ? atof(argv[2]) : 0.001, span, worst[2] = { 0 }, sum = 0;
	double least_seen = INFINITY, most_seen = -INFINITY;
	static struct net net;
	struct json_object *json;
	struct lf_model *model;
	s32 in[MAX_WIDTH], out;
	s16 scratch[2 * MAX_WIDTH];
	struct lf_error err;
	char why[256];
	void *blob;
	size_t len;

	json = argc > 1 ? json_object_from_file(argv[1]) : NULL;
	if (!json) {
		fprintf(stderr, "usage: accuracy MODEL.json [MOST]\n");
		return 2;
	}
	read_net(json, &net);
	if (lf_pack(json, &blob, &len, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", argv[1], why);
		return 1;
	}
	if (lf_model_parse(blob, len, NULL, &model, &err)) {
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
		return 1;
	}
	for (int n = 0; n < NR_INPUTS; n++) {
		double want, e;

		if (n & 1) {
			history(&net, in);
		} else {
			for (int i = 0; i < net.n_in; i++)
				put(&net, in, i, uniform(net.lo[i], net.hi[i]));
		}
		lf_model_run(model, in, &out, scratch);
		want = reference(&net, in);
		e = fabs(out - want);
		worst[n & 1] = fmax(worst[n & 1], e);
		sum += e;
		least_seen = fmin(least_seen, want);
		most_seen = fmax(most_seen, want);
	}
	span = (net.out_hi - net.out_lo) / net.out_unit;
	printf("error at most %.4f %% of the span anywhere, %.4f %% on histories, mean %.4f %%",
	       worst[0] / span * 100, worst[1] / span * 100, sum / NR_INPUTS / span * 100);
	for (int k = 0; k < model->n_layers; k++)
		printf("%s %s", k ? "," : "; sums", model->layers[k].wide ? "64" : "32");
	printf("; span %.0f, seen %.0f to %.0f, of that %.4f %%\n", span, least_seen, most_seen,
	       fmax(worst[0], worst[1]) / (most_seen - least_seen) * 100);
	lf_model_free(model);
	free(blob);
	json_object_put(json);
	return fmax(worst[0], worst[1]) > most * span;
}
