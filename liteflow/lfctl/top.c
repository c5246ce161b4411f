// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl top: what the apps do, again and again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "collected.h"
#include "counters.h"
#include "kernel.h"
#include "lfctl.h"

/* Of a terminal: to its upper left corner, and nothing below the cursor. */
#define HOME		"\033[H"
/* Long lines are cut, or they would move what is below. */
#define NO_WRAP		"\033[?7l"
#define WRAP		"\033[?7h"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"

struct top_args {
	const char *app;
	double interval;
	unsigned long long count;
	const char *status;
};

/* What is shown of an app. */
struct row {
	struct lf_stats now;
	struct lf_stats since;
	unsigned int flows;
	uint32_t version;	/* of the active model; 0: none is */
	char model[LF_NAME_LEN];
};

struct top {
	const struct top_args *args;
	struct lf *lf;
	struct counters counters;
	struct collected collected;
	double seconds;		/* since the last time */
	bool tty;
	struct row *rows;
	unsigned int n;
};

/* -- reading --------------------------------------------------------------- */

static bool wanted(const struct top *t, const struct lf_stats *stats)
{
	uint32_t id;

	if (!t->args->app)
		return true;
	return lf_app_number(t->args->app, &id) ? stats->app_id == id :
	       !strcmp(stats->app, t->args->app);
}

static int on_stats(const struct lf_stats *stats, void *data)
{
	struct top *t = data;
	struct row *more;

	if (!wanted(t, stats))
		return 0;
	more = realloc(t->rows, (t->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->rows = more;
	more += t->n++;
	memset(more, 0, sizeof(*more));
	more->now = *stats;
	counters_since(&t->counters, stats, &more->since);
	return 0;
}

static int on_model(const struct lf_model_info *info, void *data)
{
	struct top *t = data;
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		struct row *row = t->rows + i;

		if (row->now.app_id != info->app_id || strcmp(row->now.app, info->app))
			continue;
		row->flows += info->pins;
		if (info->state == LITEFLOW_STATE_ACTIVE) {
			row->version = info->version;
			memcpy(row->model, info->name, sizeof(row->model));
		}
	}
	return 0;
}

/* An app that comes or goes between the two is without a model once. */
static int read_rows(struct top *t)
{
	int ret;

	t->n = 0;
	ret = lf_for_each_stats(t->lf, NULL, on_stats, t);
	if (!ret)
		ret = lf_for_each_model(t->lf, NULL, on_model, t);
	collected_read(&t->collected);
	return ret;
}

/* -- showing --------------------------------------------------------------- */

static double per_second(const struct top *t, uint64_t n)
{
	return t->seconds > 0 ? (double)n / t->seconds : 0;
}

static uint64_t errors(const struct lf_stats *s)
{
	return s->no_model + s->bad_context;
}

static struct json_object *row_json(const struct top *t, const struct row *row)
{
	struct json_object *o = json_object_new_object();
	const struct lf_stats *s = &row->since;
	struct collected_rates rates;

	json_add_uint(o, "app-id", row->now.app_id);
	json_add_string(o, "app-name", row->now.app);
	json_add_uint(o, "queries", row->now.queries);
	json_object_object_add(o, "queries-per-second",
			       json_object_new_double(per_second(t, s->queries)));
	json_object_object_add(o, "errors-per-second",
			       json_object_new_double(per_second(t, errors(s))));
	if (s->samples)
		json_object_object_add(o, "mean-ns", json_object_new_double((double)s->samples_ns /
									    (double)s->samples));
	json_add_uint(o, "version", row->version);
	if (row->version)
		json_add_string(o, "model-name", row->model);
	json_add_uint(o, "flows", row->flows);
	if (collected_rates(&t->collected, row->now.app, &rates)) {
		json_object_object_add(o, "records-per-second",
				       json_object_new_double(rates.records));
		json_object_object_add(o, "lost-per-second", json_object_new_double(rates.lost));
	}
	return o;
}

static void show_json(const struct top *t)
{
	struct json_object *o = json_object_new_object(), *apps = json_object_new_array();
	struct timespec now;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_object_add(o, "time", json_object_new_double((double)now.tv_sec +
								  (double)now.tv_nsec * 1e-9));
	json_object_object_add(o, "seconds", json_object_new_double(t->seconds));
	for (i = 0; i < t->n; i++)
		json_object_array_add(apps, row_json(t, t->rows + i));
	json_object_object_add(o, "apps", apps);
	print_json_line(o);
}

static void show_row(const struct top *t, const struct row *row)
{
	char mean[24] = "-", p99[24], records[24] = "-", lost[24] = "-", version[12] = "-";
	const struct lf_stats *s = &row->since;
	struct collected_rates rates;

	if (s->samples)
		snprintf(mean, sizeof(mean), "%.0f", (double)s->samples_ns / (double)s->samples);
	if (row->version)
		snprintf(version, sizeof(version), "%u", row->version);
	if (collected_rates(&t->collected, row->now.app, &rates)) {
		snprintf(records, sizeof(records), "%.0f", rates.records);
		snprintf(lost, sizeof(lost), "%.0f", rates.lost);
	}
	printf("%-20s  %11.0f  %8.0f  %8s  %8s  %7u  %9s  %7s  %7s  %s", row->now.app,
	       per_second(t, s->queries), per_second(t, errors(s)), mean,
	       counters_percentile(s, 0.99, p99, sizeof(p99)), row->flows, records, lost, version,
	       row->model);
}

/* A line; on a terminal, what was there before is cleared. */
static void end_line(const struct top *t)
{
	fputs(t->tty ? CLEAR_LINE "\n" : "\n", stdout);
}

static unsigned int height(const struct top *t)
{
	struct winsize size;

	if (t->tty && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 4)
		return size.ws_row;
	return UINT16_MAX;
}

static void show_text(const struct top *t)
{
	unsigned int most = height(t) - 3, i;
	char text[16];
	struct tm tm;
	time_t now;

	now = time(NULL);
	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	if (t->tty)
		fputs(HOME NO_WRAP, stdout);
	printf("%s, %.1f s, %u apps", text, t->seconds, t->n);
	end_line(t);
	printf("%-20s  %11s  %8s  %8s  %8s  %7s  %9s  %7s  %7s  %s", "APP", "QUERIES/s",
	       "ERRORS/s", "MEAN ns", "P99 ns", "FLOWS", "RECORDS/s", "LOST/s", "VERSION", "MODEL");
	end_line(t);
	for (i = 0; i < t->n && i < most; i++) {
		show_row(t, t->rows + i);
		end_line(t);
	}
	if (i < t->n)
		printf("%u more", t->n - i);
	else if (!t->n && t->args->app)
		printf("app %s is not there", t->args->app);
	fputs(t->tty ? CLEAR_BELOW WRAP : "\n", stdout);
}

/* -- the command ----------------------------------------------------------- */

static void sleep_until(double when)
{
	struct timespec ts = { .tv_sec = (time_t)when };

	ts.tv_nsec = (long)((when - (double)ts.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* A list that changed each time, or a lost answer: the next one may come. */
static bool may_pass(int ret)
{
	return ret == -EBUSY || ret == -ENOBUFS || ret == -ETIMEDOUT;
}

static int watch(struct top *t)
{
	unsigned long long left = t->args->count;
	double last = now_seconds(), next = last, now;
	int ret;

	ret = read_rows(t);
	if (!ret && t->args->app && !t->n)
		return complain("top: there is no app %s: lfctl app list shows them", t->args->app);
	while (!ret || may_pass(ret)) {
		if (ret)
			failed(t->lf, ret, "top");
		next += t->args->interval;
		now = now_seconds();
		/* late, as after a suspend: go on from here */
		if (next < now)
			next = now + t->args->interval;
		sleep_until(next);
		ret = read_rows(t);
		if (ret)
			continue;
		now = now_seconds();
		t->seconds = now - last;
		last = now;
		if (opt_json)
			show_json(t);
		else
			show_text(t);
		fflush(stdout);
		if (ferror(stdout) || (left && !--left))
			return 0;
	}
	return failed(t->lf, ret, "top");
}

static error_t top_option(int key, char *arg, struct argp_state *state)
{
	struct top_args *args = state->input;

	switch (key) {
	case 'i':
		args->interval = tool_number(arg, 0.01, 1e6, state);
		return 0;
	case 'n':
		args->count = parse_number(state, "--count", arg, 1, ~0ULL);
		return 0;
	case 's':
		args->status = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->app)
			argp_error(state, "one app, or all");
		args->app = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_top(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interval", 'i', "SECONDS", 0, "time between two views (1)", 0 },
		{ "count", 'n', "N", 0, "stop after N views", 0 },
		{ "status", 's', "FILE", 0, "lfd's status, for what is collected ("
		  COLLECTED_FILE ")", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = top_option, .children = children,
		.args_doc = "[APP]",
		.doc = "Watch the apps: rates of the last interval, and the active models. With "
			"--json one object per interval.",
	};
	struct top_args args = { .interval = 1, .status = COLLECTED_FILE };
	struct top t = { .args = &args };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	t.tty = isatty(STDOUT_FILENO) && !opt_json;
	t.collected.path = args.status;
	ret = kernel_open(&t.lf, args.app);
	if (!ret)
		ret = watch(&t);
	counters_free(&t.counters);
	collected_free(&t.collected);
	free(t.rows);
	lf_close(t.lf);
	return ret;
}
