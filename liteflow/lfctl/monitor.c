// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl monitor: what changes, as it happens.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <json-c/json.h>
#include "lfctl.h"
#include "netlink/netlink.h"

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

static void show_json(struct nlattr **tb, const struct timespec *ts)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time", json_object_new_double((double)ts->tv_sec +
								  (double)ts->tv_nsec * 1e-9));
	json_object_object_add(o, "event",
			       json_object_new_string(event_name(tb[LITEFLOW_A_NOTICE_EVENT])));
	json_put_uint(o, "app-id", tb[LITEFLOW_A_APP_ID]);
	json_put_string(o, "app-name", tb[LITEFLOW_A_APP_NAME]);
	json_put_uint(o, "slot", tb[LITEFLOW_A_NOTICE_SLOT]);
	json_put_uint(o, "version", tb[LITEFLOW_A_NOTICE_VERSION]);
	print_json_line(o);
}

static void show(struct nlattr **tb)
{
	struct timespec ts;
	struct tm tm;
	char text[16];

	clock_gettime(CLOCK_REALTIME, &ts);
	if (opt_json) {
		show_json(tb, &ts);
		return;
	}
	localtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("%s.%03ld  %-11s  app %s", text, ts.tv_nsec / 1000000,
	       event_name(tb[LITEFLOW_A_NOTICE_EVENT]), nl_string(tb[LITEFLOW_A_APP_NAME]));
	if (tb[LITEFLOW_A_NOTICE_SLOT])
		printf(", slot %u", (unsigned int)nl_uint(tb[LITEFLOW_A_NOTICE_SLOT]));
	if (nl_uint(tb[LITEFLOW_A_NOTICE_VERSION]))
		printf(", version %u", (unsigned int)nl_uint(tb[LITEFLOW_A_NOTICE_VERSION]));
	else if (nl_uint(tb[LITEFLOW_A_NOTICE_EVENT]) == LITEFLOW_EVENT_ACTIVATED)
		printf(", no model");
	printf("\n");
}

static bool wanted(const struct monitor_args *args, struct nlattr **tb)
{
	uint32_t id;

	if (!args->app)
		return true;
	if (nl_app_number(args->app, &id))
		return nl_uint(tb[LITEFLOW_A_APP_ID]) == id;
	return !strcmp(args->app, nl_string(tb[LITEFLOW_A_APP_NAME]));
}

/* Nonzero ends it. */
static int on_notice(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct monitor_args *args = data;

	if (nl_cmd(nlh) != LITEFLOW_CMD_NOTICE || !wanted(args, tb))
		return 0;
	show(tb);
	fflush(stdout);
	if (!ferror(stdout) && (!args->count || --args->count))
		return 0;
	args->done = true;
	return EXIT_OTHER;
}

static int listen_to(struct nl *nl, struct monitor_args *args)
{
	int ret;

	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->notice,
				  sizeof(nl->notice)) < 0)
		return complain("monitor: %s", strerror(errno));
	do {
		ret = nl_listen(nl, "monitor", true, on_notice, args);
		if (nl->error == ENOBUFS)
			complain("monitor: notices were lost");
	} while (!args->done && (!ret || nl->error == ENOBUFS));
	return args->done ? 0 : ret;
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
	struct nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (!ret)
		ret = listen_to(&nl, &args);
	nl_close(&nl);
	return ret;
}
