// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl stats: counters and times of queries.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <json-c/json.h>
#include "lfctl.h"
#include "netlink/netlink.h"
#include "quantile.h"

#define MAX_BUCKETS	64
#define MAX_APPS	4096

struct stats_args {
	const char *app;
	double watch;
};

/* What an app's counters are; of a watch also: what they were. */
struct counters {
	uint32_t id;
	uint64_t queries;
	uint64_t samples;
	uint64_t ns;
	unsigned int n;
	uint64_t hist[MAX_BUCKETS];
};

struct stats {
	const struct stats_args *args;
	struct json_object *list;
	double seconds;		/* since the last time; 0: there was none */
	unsigned int n;
	struct counters *was;
};

static void read_counters(struct nlattr **tb, struct counters *c)
{
	const struct nlattr *hist = tb[LITEFLOW_A_STATS_HISTOGRAM];

	memset(c, 0, sizeof(*c));
	c->id = nl_uint(tb[LITEFLOW_A_APP_ID]);
	c->queries = nl_uint(tb[LITEFLOW_A_STATS_QUERIES]);
	c->samples = nl_uint(tb[LITEFLOW_A_STATS_SAMPLES]);
	c->ns = nl_uint(tb[LITEFLOW_A_STATS_SAMPLES_NS]);
	if (!hist)
		return;
	c->n = mnl_attr_get_payload_len(hist) / sizeof(*c->hist);
	if (c->n > MAX_BUCKETS)
		c->n = MAX_BUCKETS;
	memcpy(c->hist, mnl_attr_get_payload(hist), c->n * sizeof(*c->hist));
}

/* What the app had when it was asked last, replaced by what it has now. */
static struct counters exchange(struct stats *s, const struct counters *now)
{
	struct counters was = { .id = now->id }, *slot;
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (s->was[i].id == now->id)
			break;
	if (i == MAX_APPS)
		return was;
	if (i == s->n) {
		slot = realloc(s->was, (s->n + 1) * sizeof(*s->was));
		if (!slot)
			return was;
		s->was = slot;
		s->n++;
	} else {
		was = s->was[i];
	}
	s->was[i] = *now;
	return was;
}

/* Upper end of the bucket in which this part of the samples is reached. */
static const char *percentile(const struct counters *c, double part, char *buf, size_t len)
{
	size_t b = quantile(c->hist, c->n, part);

	if (!c->hist[b])
		return "-";
	snprintf(buf, len, "%s%llu", b + 1 == c->n ? ">" : "<",
		 1ULL << (b + 1 == c->n ? b - 1 : b));
	return buf;
}

static struct json_object *stats_json(const struct stats *s, struct nlattr **tb,
				      const struct counters *now, double rate)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int b;

	json_put_uint(o, "app-id", tb[LITEFLOW_A_APP_ID]);
	json_put_string(o, "app-name", tb[LITEFLOW_A_APP_NAME]);
	json_put_uint(o, "queries", tb[LITEFLOW_A_STATS_QUERIES]);
	if (s->seconds > 0)
		json_object_object_add(o, "queries-per-second", json_object_new_double(rate));
	json_put_uint(o, "no-model", tb[LITEFLOW_A_STATS_NO_MODEL]);
	json_put_uint(o, "bad-context", tb[LITEFLOW_A_STATS_BAD_CONTEXT]);
	json_put_uint(o, "repins", tb[LITEFLOW_A_STATS_REPINS]);
	json_put_uint(o, "evictions", tb[LITEFLOW_A_STATS_EVICTIONS]);
	json_put_uint(o, "retired-bytes", tb[LITEFLOW_A_STATS_RETIRED_BYTES]);
	json_put_uint(o, "samples", tb[LITEFLOW_A_STATS_SAMPLES]);
	json_put_uint(o, "samples-ns", tb[LITEFLOW_A_STATS_SAMPLES_NS]);
	for (b = 0; b < now->n; b++)
		json_object_array_add(list, json_object_new_uint64(now->hist[b]));
	json_object_object_add(o, "histogram", list);
	return o;
}

static void header(bool watch)
{
	printf("%-20s  %12s  %10s  %8s  %8s  %7s  %9s  %9s  %8s  %8s  %8s\n", "APP", "QUERIES",
	       watch ? "PER SECOND" : "TIMED", "NO MODEL", "CONTEXT", "REPINS", "EVICTIONS",
	       "RETIRED B", "MEAN ns", "P50 ns", "P99 ns");
}

static void header_once(void)
{
	static bool done;

	if (!done)
		header(false);
	done = true;
}

static int on_stats(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	char mean[24] = "-", p50[24], p99[24];
	struct counters now, was, d;
	struct stats *s = data;
	double rate = 0;
	unsigned int b;

	(void)nlh;
	read_counters(tb, &now);
	was = exchange(s, &now);
	d = now;
	if (s->seconds > 0) {
		rate = (double)(now.queries - was.queries) / s->seconds;
		d.samples -= was.samples;
		d.ns -= was.ns;
		for (b = 0; b < now.n; b++)
			d.hist[b] -= was.hist[b];
	}
	if (opt_json) {
		struct json_object *o = stats_json(s, tb, &now, rate);

		if (s->list)
			json_object_array_add(s->list, o);
		else
			print_json_line(o);
		return 0;
	}
	if (!s->args->watch)
		header_once();
	if (d.samples)
		snprintf(mean, sizeof(mean), "%.0f", (double)d.ns / (double)d.samples);
	printf("%-20s  %12llu  %10.0f  %8llu  %8llu  %7llu  %9llu  %9llu  %8s  %8s  %8s\n",
	       nl_string(tb[LITEFLOW_A_APP_NAME]), (unsigned long long)now.queries,
	       s->args->watch > 0 ? rate : (double)now.samples,
	       (unsigned long long)nl_uint(tb[LITEFLOW_A_STATS_NO_MODEL]),
	       (unsigned long long)nl_uint(tb[LITEFLOW_A_STATS_BAD_CONTEXT]),
	       (unsigned long long)nl_uint(tb[LITEFLOW_A_STATS_REPINS]),
	       (unsigned long long)nl_uint(tb[LITEFLOW_A_STATS_EVICTIONS]),
	       (unsigned long long)nl_uint(tb[LITEFLOW_A_STATS_RETIRED_BYTES]), mean,
	       percentile(&d, 0.5, p50, sizeof(p50)), percentile(&d, 0.99, p99, sizeof(p99)));
	return 0;
}

static error_t stats_option(int key, char *arg, struct argp_state *state)
{
	struct stats_args *args = state->input;
	char *end;

	switch (key) {
	case 'w':
		args->watch = 1;
		if (!arg)
			return 0;
		args->watch = strtod(arg, &end);
		if (*end || !*arg || !(args->watch >= 0.01 && args->watch <= 1e6))
			argp_error(state, "--watch is \"%s\", must be seconds from 0.01 on", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->app)
			argp_error(state, "one app, or all");
		args->app = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int once(struct nl *nl, struct stats *s)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_STATS_GET, NLM_F_DUMP);

	if (s->args->app)
		nl_put_app(nlh, s->args->app);
	return nl_ask(nl, "stats", on_stats, s);
}

static int watch(struct nl *nl, struct stats *s)
{
	double last = now_seconds(), t, whole;
	struct timespec pause;
	int ret, lines = 0;

	pause.tv_nsec = (long)(modf(s->args->watch, &whole) * 1e9);
	pause.tv_sec = (time_t)whole;
	for (;;) {
		if (!opt_json && lines++ % 20 == 0)
			header(true);
		ret = once(nl, s);
		fflush(stdout);
		if (ret || ferror(stdout))
			return ret;
		nanosleep(&pause, NULL);
		t = now_seconds();
		s->seconds = t - last;
		last = t;
	}
}

int cmd_stats(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "repeat every SECONDS (1)", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = stats_option, .children = children,
		.args_doc = "[APP]",
		.doc = "Show how many queries were answered, and how long they took.",
	};
	struct stats_args args = { 0 };
	struct stats s = { .args = &args };
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (ret)
		goto out;
	if (args.watch > 0) {
		ret = watch(&nl, &s);
		goto out;
	}
	if (opt_json)
		s.list = json_object_new_array();
	ret = once(&nl, &s);
	finish_list(ret, s.list, header_once);
out:
	free(s.was);
	nl_close(&nl);
	return ret;
}
