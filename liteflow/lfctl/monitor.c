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
#include "netlink.h"

struct monitor_args {
	const char *app;
	unsigned long long count;
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
			       json_object_new_string(event_name(tb[LITEFLOW_A_EVENT])));
	json_put_uint(o, tb, LITEFLOW_A_APP_ID);
	json_put_string(o, tb, LITEFLOW_A_APP_NAME);
	json_put_uint(o, tb, LITEFLOW_A_SLOT);
	json_put_uint(o, tb, LITEFLOW_A_VERSION);
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
	       event_name(tb[LITEFLOW_A_EVENT]), nl_string(tb[LITEFLOW_A_APP_NAME]));
	if (tb[LITEFLOW_A_SLOT])
		printf(", slot %u", (unsigned int)nl_uint(tb[LITEFLOW_A_SLOT]));
	if (nl_uint(tb[LITEFLOW_A_VERSION]))
		printf(", version %u", (unsigned int)nl_uint(tb[LITEFLOW_A_VERSION]));
	else if (nl_uint(tb[LITEFLOW_A_EVENT]) == LITEFLOW_EVENT_ACTIVATED)
		printf(", no model");
	printf("\n");
}

static bool wanted(const struct monitor_args *args, const struct nlmsghdr *nlh,
		   struct nlattr **tb)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	char id[16];

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl) || nl_parse(nlh, tb) ||
	    genl->cmd != LITEFLOW_CMD_NOTICE)
		return false;
	if (!args->app)
		return true;
	snprintf(id, sizeof(id), "%u", (unsigned int)nl_uint(tb[LITEFLOW_A_APP_ID]));
	return !strcmp(args->app, id) ||
	       !strcmp(args->app, nl_string(tb[LITEFLOW_A_APP_NAME]));
}

static int listen_to(struct nl *nl, struct monitor_args *args)
{
	struct nlattr *tb[LITEFLOW_A_MAX + 1];
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len;

	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->notice,
				  sizeof(nl->notice)) < 0)
		return complain("monitor: %s", strerror(errno));
	for (;;) {
		got = mnl_socket_recvfrom(nl->sock, nl->reply, 2 * NL_BUFFER);
		if (got < 0 && errno == ENOBUFS) {
			complain("monitor: notices were lost");
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return complain("monitor: %s", strerror(errno));
		len = (int)got;
		for (nlh = (void *)nl->reply; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type != nl->family || !wanted(args, nlh, tb))
				continue;
			show(tb);
			fflush(stdout);
			if (ferror(stdout) || (args->count && !--args->count))
				return 0;
		}
	}
}

int cmd_monitor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "count", 'n', "N", 0, "end after N notifications", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = monitor_option, .children = children,
		.args_doc = "[APP]",
		.doc = "Show what changes, as it happens; with --json a line each.",
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
