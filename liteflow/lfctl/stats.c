// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl stats: counters and times of queries.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <json-c/json.h>
#include "counters.h"
#include "kernel.h"
#include "lfctl.h"

struct stats_args {
	const char *app;
	double watch;
};

struct stats {
	const struct stats_args *args;
	struct json_object *list;
	double seconds;		/* since the last time; 0: there was none */
	struct counters counters;
};

static struct json_object *stats_json(const struct stats *s, const struct lf_stats *now,
				      double rate)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int b;

	json_add_uint(o, "app-id", now->app_id);
	json_add_string(o, "app-name", now->app);
	json_add_uint(o, "queries", now->queries);
	if (s->seconds > 0)
		json_object_object_add(o, "queries-per-second", json_object_new_double(rate));
	json_add_uint(o, "no-model", now->no_model);
	json_add_uint(o, "bad-context", now->bad_context);
	json_add_uint(o, "repins", now->repins);
	json_add_uint(o, "evictions", now->evictions);
	json_add_uint(o, "retired-bytes", now->retired_bytes);
	json_add_uint(o, "samples", now->samples);
	json_add_uint(o, "samples-ns", now->samples_ns);
	for (b = 0; b < now->n_buckets; b++)
		json_object_array_add(list, json_object_new_uint64(now->histogram[b]));
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

static int on_stats(const struct lf_stats *now, void *data)
{
	char mean[24] = "-", p50[24], p99[24];
	struct stats *s = data;
	struct lf_stats d;
	double rate = 0;

	counters_since(&s->counters, now, &d);
	if (s->seconds > 0)
		rate = (double)d.queries / s->seconds;
	if (opt_json) {
		struct json_object *o = stats_json(s, now, rate);

		if (s->list)
			json_object_array_add(s->list, o);
		else
			print_json_line(o);
		return 0;
	}
	if (!s->args->watch)
		header_once();
	if (d.samples)
		snprintf(mean, sizeof(mean), "%.0f", (double)d.samples_ns / (double)d.samples);
	printf("%-20s  %12llu  %10.0f  %8llu  %8llu  %7llu  %9llu  %9llu  %8s  %8s  %8s\n",
	       now->app, (unsigned long long)now->queries,
	       s->args->watch > 0 ? rate : (double)now->samples,
	       (unsigned long long)now->no_model, (unsigned long long)now->bad_context,
	       (unsigned long long)now->repins, (unsigned long long)now->evictions,
	       (unsigned long long)now->retired_bytes, mean,
	       counters_percentile(&d, 0.5, p50, sizeof(p50)),
	       counters_percentile(&d, 0.99, p99, sizeof(p99)));
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

static int once(struct lf *lf, struct stats *s)
{
	return failed(lf, lf_for_each_stats(lf, s->args->app, on_stats, s), "stats");
}

static int watch(struct lf *lf, struct stats *s)
{
	double last = now_seconds(), t, whole;
	struct timespec pause;
	int ret, lines = 0;

	pause.tv_nsec = (long)(modf(s->args->watch, &whole) * 1e9);
	pause.tv_sec = (time_t)whole;
	for (;;) {
		if (!opt_json && lines++ % 20 == 0)
			header(true);
		ret = once(lf, s);
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
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, args.app);
	if (ret)
		goto out;
	if (args.watch > 0) {
		ret = watch(lf, &s);
		goto out;
	}
	if (opt_json)
		s.list = json_object_new_array();
	ret = once(lf, &s);
	finish_list(ret, s.list, header_once);
out:
	counters_free(&s.counters);
	lf_close(lf);
	return ret;
}
