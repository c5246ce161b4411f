// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl monitor: what changes, as it happens.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <json-c/json.h>
#include "kernel.h"
#include "lfctl.h"

struct monitor_args {
	const char *app;
	unsigned long long count;
	bool done;
};

static error_t monitor_option(int key, char *arg, struct argp_state *state)
{
	struct monitor_args *args = state->input;

	switch (key) {
	case 'n':
		args->count = parse_number(state, "--count", arg, 1, ~0ULL);
		return 0;
	case ARGP_KEY_ARG:
		if (args->app)
			argp_error(state, "one app, or all");
		args->app = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void show_json(const struct lf_event *event, const struct timespec *ts)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time", json_object_new_double((double)ts->tv_sec +
								  (double)ts->tv_nsec * 1e-9));
	json_add_string(o, "event", lf_event_name(event->event));
	json_add_uint(o, "app-id", event->app_id);
	json_add_string(o, "app-name", event->app);
	if (event->slot >= 0)
		json_add_uint(o, "slot", event->slot);
	json_add_uint(o, "version", event->version);
	print_json_line(o);
}

static void show(const struct lf_event *event)
{
	struct timespec ts;
	struct tm tm;
	char text[16];

	clock_gettime(CLOCK_REALTIME, &ts);
	if (opt_json) {
		show_json(event, &ts);
		return;
	}
	localtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("%s.%03ld  %-11s  app %s", text, ts.tv_nsec / 1000000,
	       lf_event_name(event->event), event->app);
	if (event->slot >= 0)
		printf(", slot %d", event->slot);
	if (event->version)
		printf(", version %u", event->version);
	else if (event->event == LITEFLOW_EVENT_ACTIVATED)
		printf(", no model");
	printf("\n");
}

static bool wanted(const struct monitor_args *args, const struct lf_event *event)
{
	uint32_t id;

	if (!args->app)
		return true;
	if (lf_app_number(args->app, &id))
		return event->app_id == id;
	return !strcmp(args->app, event->app);
}

/* Nonzero ends it. */
static int on_event(const struct lf_event *event, void *data)
{
	struct monitor_args *args = data;

	if (!wanted(args, event))
		return 0;
	show(event);
	fflush(stdout);
	if (!ferror(stdout) && (!args->count || --args->count))
		return 0;
	args->done = true;
	return 1;
}

static int listen_to(struct lf *lf, struct monitor_args *args)
{
	int ret;

	ret = failed(lf, lf_monitor_start(lf, on_event, args), "monitor");
	while (!ret && !args->done) {
		ret = lf_take(lf, -1);
		if (ret == -ENOBUFS)
			complain("monitor: %s", lf_reason(lf));
		ret = ret < 0 && ret != -ENOBUFS && ret != -EINTR ? failed(lf, ret, "monitor") : 0;
	}
	return ret;
}

int cmd_monitor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "count", 'n', "N", 0, "stop after N notifications", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = monitor_option, .children = children,
		.args_doc = "[APP]",
		.doc = "Show changes as they happen; with --json one object per line.",
	};
	struct monitor_args args = { 0 };
	struct lf *lf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = kernel_open(&lf, NULL);
	if (!ret)
		ret = listen_to(lf, &args);
	lf_close(lf);
	return ret;
}
