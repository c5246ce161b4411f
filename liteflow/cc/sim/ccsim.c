// SPDX-License-Identifier: GPL-2.0
/*
 * ccsim - one scenario in the simulator, its result as JSON
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <linux/types.h>

#include "batch.h"
#include "tool.h"

TOOL_ABOUT("ccsim");

#define TRACE_ROOM	1000000
#define N_FEATURES	30

enum { KEY_LOSS = 256, KEY_BURSTS, KEY_POLICE, KEY_JITTER, KEY_STALL, KEY_THIN, KEY_STAGGER, KEY_STEP, KEY_DRAW, KEY_RULE, KEY_TRACE, KEY_RATE };

static const char *const kinds[SIM_KINDS] = {
	[SIM_LITEFLOW] = "liteflow", [SIM_FIXED] = "fixed", [SIM_RENO] = "reno",
	[SIM_CUBIC] = "cubic",
};

static struct {
	const char *model;
	bool trace;
	bool drawn;
	double capacity, rtt, buffer, stagger, rate;
	struct sim_scenario s;
} opts = {
	.capacity = 50e6, .rtt = 0.04, .buffer = 1, .rate = 10e6,
	.s = {
		.seed = 1, .duration = 30, .n_steps = 1, .n_flows = 1,
		.preferences = { 1.0 / 3, 1.0 / 3, 1.0 / 3 },
	},
};

static const struct argp_option options[] = {
	{ "capacity", 'c', "MBIT", 0, "capacity of the link (50)", 0 },
	{ "rtt", 'r', "MS", 0, "round-trip time without a queue (40)", 0 },
	{ "buffer", 'b', "BDP", 0, "buffer in bandwidth-delay products (1), at least 10 packets", 0 },
	{ "loss", KEY_LOSS, "PERCENT", 0, "random loss (0)", 0 },
	{ "loss-bursts", KEY_BURSTS, "PACKETS", 0, "mean length of bursts of random loss (independent)", 0 },
	{ "police", KEY_POLICE, "MBIT:KB", 0, "policer in front of the link: rate, and what it passes at once", 0 },
	{ "jitter", KEY_JITTER, "MS", 0, "ACKs are late by this on average, in their order (0)", 0 },
	{ "stall", KEY_STALL, "MS:MS", 0, "no ACK arrives for the first, each time after the second; "
	  "10:10 is a batch every 10 ms", 0 },
	{ "thin", KEY_THIN, "N", 0, "one ACK of N arrives (each)", 0 },
	{ "time", 't', "SECONDS", 0, "duration (30)", 0 },
	{ "flows", 'f', "KIND,...", 0, "kinds of flows: liteflow, reno, cubic, fixed (liteflow)", 0 },
	{ "rate", KEY_RATE, "MBIT", 0, "rate of fixed flows (10)", 0 },
	{ "stagger", KEY_STAGGER, "SECONDS", 0, "time between the starts of flows (0)", 0 },
	{ "step", KEY_STEP, "SECONDS:MBIT", 0, "change the capacity at this time (repeatable)", 0 },
	{ "seed", 's', "N", 0, "seed of the random loss (1)", 0 },
	{ "draw", KEY_DRAW, "SEED", 0, "draw a scenario as training does", 0 },
	{ "model", 'm', "FILE.json", 0, "model that decides (default: the expert that training imitates)", 0 },
	{ "rule", KEY_RULE, "pull|aurora", 0, "meaning of an action (pull)", 0 },
	{ "trace", KEY_TRACE, NULL, 0, "print every interval as well", 0 },
	{ 0 }
};

static void parse_flows(struct argp_state *state, char *arg)
{
	char *save, *name;
	int kind;

	opts.s.n_flows = 0;
	for (name = strtok_r(arg, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		for (kind = 0; kind < SIM_KINDS; kind++)
			if (!strcmp(name, kinds[kind]))
				break;
		if (kind == SIM_KINDS)
			argp_error(state, "'%s' is no kind of flow", name);
		if (opts.s.n_flows == SIM_MAX_FLOWS)
			argp_error(state, "more than %d flows", SIM_MAX_FLOWS);
		opts.s.flow[(int)opts.s.n_flows++].kind = kind;
	}
	if (!opts.s.n_flows)
		argp_error(state, "no flows");
}

/* Ends "A:B" behind A; B. */
static char *split(struct argp_state *state, char *arg, const char *form)
{
	char *colon = strchr(arg, ':');

	if (!colon)
		argp_error(state, "'%s' is not %s", arg, form);
	*colon = 0;
	return colon + 1;
}

static void parse_step(struct argp_state *state, char *arg)
{
	char *mbit = split(state, arg, "SECONDS:MBIT");
	int n = opts.s.n_steps;

	if (n == SIM_MAX_STEPS)
		argp_error(state, "more than %d steps", SIM_MAX_STEPS - 1);
	opts.s.step_time[n] = tool_number(arg, n > 1 ? opts.s.step_time[n - 1] : 0, 1e6, state);
	opts.s.step_rate[n] = tool_number(mbit, 0.01, 1e5, state) * 1e6;
	opts.s.n_steps++;
}

/* "A:B" with these limits */
static void parse_pair(struct argp_state *state, char *arg, const char *form, double least,
		       double pair[2])
{
	char *second = split(state, arg, form);

	pair[0] = tool_number(arg, least, 1e5, state);
	pair[1] = tool_number(second, least, 1e5, state);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	double pair[2];

	switch (key) {
	case 'c':
		opts.capacity = tool_number(arg, 0.01, 1e5, state) * 1e6;
		break;
	case 'r':
		opts.rtt = tool_number(arg, 0.01, 1e4, state) / 1e3;
		break;
	case 'b':
		opts.buffer = tool_number(arg, 0, 1000, state);
		break;
	case 't':
		opts.s.duration = tool_number(arg, 0.001, 1e5, state);
		break;
	case 'f':
		parse_flows(state, arg);
		break;
	case 's':
		opts.s.seed = tool_number(arg, 0, 1e15, state);
		break;
	case 'm':
		opts.model = arg;
		break;
	case KEY_LOSS:
		opts.s.loss = tool_number(arg, 0, 99, state) / 100;
		break;
	case KEY_BURSTS:
		opts.s.loss_burst = tool_number(arg, 1, 1e4, state);
		break;
	case KEY_POLICE:
		parse_pair(state, arg, "MBIT:KB", 0.01, pair);
		opts.s.police_rate = pair[0] * 1e6;
		opts.s.police_bucket = fmax(pair[1] * 1e3, SIM_WIRE);
		break;
	case KEY_JITTER:
		opts.s.jitter = tool_number(arg, 0, 1e4, state) / 1e3;
		break;
	case KEY_STALL:
		parse_pair(state, arg, "MS:MS", 0.01, pair);
		if (pair[0] > pair[1])
			argp_error(state, "a stall of %g ms cannot come every %g ms", pair[0], pair[1]);
		opts.s.stall = pair[0] / 1e3;
		opts.s.stall_every = pair[1] / 1e3;
		break;
	case KEY_THIN:
		opts.s.thin = tool_number(arg, 1, 1000, state);
		break;
	case KEY_RATE:
		opts.rate = tool_number(arg, 0.001, 1e5, state) * 1e6;
		break;
	case KEY_STAGGER:
		opts.stagger = tool_number(arg, 0, 1e5, state);
		break;
	case KEY_STEP:
		parse_step(state, arg);
		break;
	case KEY_DRAW:
		sim_draw(tool_number(arg, 0, 1e15, state), 0, NULL, &opts.s);
		opts.drawn = true;
		break;
	case KEY_RULE:
		if (strcmp(arg, "pull") && strcmp(arg, "aurora"))
			argp_error(state, "'%s' is neither pull nor aurora", arg);
		opts.s.rule = !strcmp(arg, "aurora");
		break;
	case KEY_TRACE:
		opts.trace = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void fill_scenario(void)
{
	struct sim_scenario *s = &opts.s;
	int i;

	s->buffer = fmax(opts.buffer * opts.capacity / 8 * opts.rtt, 10 * SIM_WIRE);
	s->step_rate[0] = opts.capacity;
	for (i = 0; i < (int)s->n_flows; i++) {
		s->flow[i].rtt = opts.rtt;
		s->flow[i].rate = opts.rate;
		s->flow[i].start = i * opts.stagger;
		s->flow[i].stop = 1e9;
	}
}

/* A row's numbers to places @step apart; how many, or -1. */
static int read_row(struct json_object *row, float *to, int step, int room)
{
	int i, n = row && json_object_is_type(row, json_type_array) ?
		   json_object_array_length(row) : 0;

	if (n < 1 || n > room)
		return -1;
	for (i = 0; i < n; i++)
		to[i * step] = json_object_get_double(json_object_array_get_idx(row, i));
	return n;
}

/* Inputs of the network, or of the linear policy, or -1. */
static int read_layers(struct json_object *layers, float *params, int linear)
{
	static const int network[] = { SIM_HIDDEN1, SIM_HIDDEN2, 1 }, one[] = { 1 };
	const int *outs = linear ? one : network;
	int n_in = N_FEATURES, first = 0, n, i, row;

	for (i = 0; i < (linear ? 1 : 3); i++) {
		struct json_object *layer = json_object_array_get_idx(layers, i), *w, *b;

		if (!json_object_object_get_ex(layer, "weights", &w) ||
		    !json_object_object_get_ex(layer, "bias", &b) ||
		    !json_object_is_type(w, json_type_array) ||
		    json_object_array_length(w) != (size_t)outs[i])
			return -1;
		for (row = 0; row < outs[i]; row++) {
			n = read_row(json_object_array_get_idx(w, row), params + row, outs[i],
				     N_FEATURES + SIM_PREFERENCES);
			if (!i && !row)
				first = n_in = n;
			if (n != n_in || (first != N_FEATURES &&
					  first != N_FEATURES + SIM_PREFERENCES))
				return -1;
		}
		params += n_in * outs[i];
		if (read_row(b, params, 1, outs[i]) != outs[i])
			return -1;
		params += outs[i];
		n_in = outs[i];
	}
	return first;
}

/* A number of the i-th input or output. */
static double io_number(struct json_object *json, const char *list, int i, const char *key,
			double preset)
{
	struct json_object *ios, *v;

	if (json_object_object_get_ex(json, list, &ios) &&
	    json_object_is_type(ios, json_type_array) &&
	    json_object_object_get_ex(json_object_array_get_idx(ios, i), key, &v))
		return json_object_get_double(v);
	return preset;
}

/* What the file does to inputs goes into the first layer. */
static void take_inputs(struct json_object *json, float *params, int n_in, int n_out)
{
	int i, o;

	for (i = 0; i < n_in; i++) {
		double offset = io_number(json, "inputs", i, "offset", 0);
		double scale = io_number(json, "inputs", i, "scale", 1);

		for (o = 0; o < n_out; o++) {
			params[i * n_out + o] *= scale;
			params[n_in * n_out + o] -= offset * params[i * n_out + o];
		}
	}
}

/* What it does to the output goes into the last one, whose bias is @bias; false: it cannot. */
static bool take_output(struct json_object *json, float *bias, int n_in)
{
	double scale = io_number(json, "outputs", 0, "scale", 1);
	int i;

	if (!isnormal(scale))
		return false;
	for (i = 0; i <= n_in; i++)
		bias[-i] /= scale;
	*bias += io_number(json, "outputs", 0, "offset", 0);
	return true;
}

static bool take_affine(struct json_object *json, float *params, int n_in, bool linear)
{
	float *bias = params + (linear ? n_in + 1 : POLICY_PARAMS(n_in)) - 1;

	take_inputs(json, params, n_in, linear ? 1 : SIM_HIDDEN1);
	return take_output(json, bias, linear ? n_in : SIM_HIDDEN2);
}

static void load_model(struct policy *policy, float *params)
{
	struct json_object *json = json_object_from_file(opts.model), *layers;
	int n = 0;

	if (!json) {
		fprintf(stderr, "ccsim: %s", json_util_get_last_err());
		exit(1);
	}
	policy->n_in = -1;
	if (json_object_object_get_ex(json, "layers", &layers) &&
	    json_object_is_type(layers, json_type_array))
		n = json_object_array_length(layers);
	policy->linear = n == 1;
	if (n == 1 || n == 3)
		policy->n_in = read_layers(layers, params, policy->linear);
	if (policy->n_in > 0 && !take_affine(json, params, policy->n_in, policy->linear)) {
		fprintf(stderr, "ccsim: %s: the output's scale cannot be divided by\n", opts.model);
		exit(1);
	}
	json_object_put(json);
	if (policy->n_in < 0) {
		fprintf(stderr, "ccsim: %s: not a model of %d or %d inputs, tanh %d, tanh %d, 1, nor a linear one\n",
			opts.model, N_FEATURES, N_FEATURES + SIM_PREFERENCES, SIM_HIDDEN1,
			SIM_HIDDEN2);
		exit(1);
	}
	policy->params = params;
}

static void add(struct json_object *o, const char *key, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", v);
	json_object_object_add(o, key, json_object_new_double_s(v, text));
}

static struct json_object *to_json(const struct sim_result *r, const struct sim_trace *t)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *f;
	int i;

	add(o, "utilisation", r->utilisation);
	add(o, "queue_mean_s", r->queue_mean);
	add(o, "queue_p50_s", r->queue_p50);
	add(o, "queue_p95_s", r->queue_p95);
	add(o, "queue_p95_rtt", r->queue_p95_rtt);
	add(o, "buffer_loss", r->loss);
	add(o, "jain", r->jain);
	add(o, "score", r->score);
	add(o, "reward", r->reward);
	add(o, "decisions", r->decisions);
	add(o, "events", r->events);
	if (r->up >= 0)
		add(o, "recovery_up_rtt", r->up);
	if (r->down >= 0)
		add(o, "recovery_down_rtt", r->down);
	json_object_object_add(o, "flows", list);
	for (i = 0; i < (int)opts.s.n_flows; i++) {
		f = json_object_new_object();
		json_object_array_add(list, f);
		json_object_object_add(f, "kind",
				       json_object_new_string(kinds[(int)opts.s.flow[i].kind]));
		add(f, "goodput_bit_s", r->goodput[i]);
		add(f, "late_bit_s", r->late[i]);
		add(f, "sent", r->sent[i]);
		add(f, "lost", r->lost[i]);
	}
	if (!opts.trace)
		return o;
	list = json_object_new_array();
	json_object_object_add(o, "trace", list);
	for (i = 0; i < t->n; i++) {
		const struct sim_sample *x = &t->sample[i];

		f = json_object_new_object();
		json_object_array_add(list, f);
		add(f, "time", x->time);
		add(f, "flow", x->flow);
		add(f, "rate_bit_s", x->rate);
		add(f, "action", x->action);
		add(f, "inflation", x->feature[0]);
		add(f, "ratio", x->feature[1]);
		add(f, "send", x->feature[2]);
		add(f, "queue_s", x->queue);
		add(f, "mode", x->mode);
	}
	return o;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, NULL,
		"Simulates flows at one bottleneck; prints the results as JSON.",
		NULL, NULL, NULL };
	static float params[POLICY_PARAMS(N_FEATURES + SIM_PREFERENCES)];
	static const float gains[] = EXPERT_GAINS;
	struct policy policy = { .n_in = N_FEATURES, .gains = gains };
	struct sim_trace trace = { .room = 0 };
	struct json_object *o;
	struct sim_result result;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!opts.drawn)
		fill_scenario();
	if (opts.model)
		load_model(&policy, params);
	if (opts.trace) {
		trace.sample = calloc(TRACE_ROOM, sizeof(*trace.sample));
		trace.room = trace.sample ? TRACE_ROOM : 0;
	}
	err = sim_run(&opts.s, &policy, &result, &trace);
	if (err) {
		fprintf(stderr, "ccsim: %s\n", err == -1 ? "this scenario makes no sense" :
							   "out of memory");
		return 1;
	}
	o = to_json(&result, &trace);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	free(trace.sample);
	return 0;
}
