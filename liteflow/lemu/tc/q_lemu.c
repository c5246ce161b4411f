// SPDX-License-Identifier: GPL-2.0
/*
 * q_lemu.so: the qdisc "lemu" for tc of iproute2.
 *
 * What it prints is exact, so that "tc qdisc show" gives the words that add the same
 * qdisc again; tc's own functions for sizes, rates and times round.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pkt_sched_lemu.h>

#include "tc.h"

#define MESSAGE_ROOM	1024

static void explain(FILE *f)
{
	fprintf(f,
		"Usage: ... lemu capacity RATE queue SIZE [ delay TIME ] [ app NAME | noapp ]\n"
		"                [ ecn | noecn ] [ limit PACKETS | limit auto ]\n"
		"RATE:  8kbit to 8tbit\n"
		"SIZE:  the device's MTU and its header, to 1gb\n"
		"TIME:  0 to 3600s\n"
		"NAME:  an app of LiteFlow whose model is asked: %s, or one of another module\n"
		"In a change, what is left out stays as it is.\n", LEMU_APP);
}

/* One line: the option, the word, what to give. */
static int wrong(const char *option, const char *word, const char *range)
{
	fprintf(stderr, "lemu: %s \"%s\": give %s\n", option, word, range);
	return -1;
}

static int parse_capacity(const char *word, struct nlmsghdr *n)
{
	__u64 capacity;

	if (get_rate64(&capacity, word) || capacity < LEMU_MIN_CAPACITY ||
	    capacity > LEMU_MAX_CAPACITY)
		return wrong("capacity", word, "8kbit to 8tbit");
	return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_CAPACITY, &capacity, sizeof(capacity));
}

static int parse_queue(const char *word, struct nlmsghdr *n)
{
	unsigned int queue;

	/* how large a packet is, the kernel knows */
	if (word[0] == '-' || get_size(&queue, word) || !queue || queue > LEMU_MAX_QUEUE)
		return wrong("queue", word, "a packet to 1gb");
	return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_QUEUE, &queue, sizeof(queue));
}

static int parse_delay(const char *word, struct nlmsghdr *n)
{
	__s64 delay;

	if (get_time64(&delay, word) || delay < 0 || (__u64)delay > LEMU_MAX_DELAY)
		return wrong("delay", word, "0 to 3600s");
	return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_DELAY, &delay, sizeof(delay));
}

static int parse_limit(const char *word, struct nlmsghdr *n)
{
	__u32 limit = 0;

	if (strcmp(word, "auto") && (get_u32(&limit, word, 10) || !limit))
		return wrong("limit", word, "1 to 4294967295 packets, or \"auto\"");
	return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_LIMIT, &limit, sizeof(limit));
}

static int parse_app(const char *word, struct nlmsghdr *n)
{
	if (!*word || strlen(word) >= 32)
		return wrong("app", word, "a name of 1 to 31 characters");
	return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_APP, word, strlen(word) + 1);
}

static const struct {
	const char *word;
	int (*parse)(const char *word, struct nlmsghdr *n);
} valued[] = {
	{ "capacity", parse_capacity },
	{ "queue", parse_queue },
	{ "delay", parse_delay },
	{ "limit", parse_limit },
	{ "app", parse_app },
};

/* 1: it is none of them */
static int parse_plain(const char *word, struct nlmsghdr *n)
{
	__u8 ecn = !strcmp(word, "ecn");

	if (ecn || !strcmp(word, "noecn"))
		return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_ECN, &ecn, sizeof(ecn));
	if (!strcmp(word, "noapp"))
		return addattr_l(n, MESSAGE_ROOM, TCA_LEMU_APP, "", 1);
	return 1;
}

/* 1: it is none of them */
static int parse_valued(int argc, char **argv, struct nlmsghdr *n)
{
	size_t i;

	for (i = 0; i < sizeof(valued) / sizeof(*valued); i++) {
		if (strcmp(*argv, valued[i].word))
			continue;
		if (argc < 2) {
			fprintf(stderr, "lemu: %s: its value is missing\n", *argv);
			return -1;
		}
		return valued[i].parse(argv[1], n);
	}
	return 1;
}

/* Every option once. */
static int check_twice(int argc, char **argv)
{
	int i, j;

	for (i = 0; i < argc; i++)
		for (j = 0; j < i; j++)
			if (!strcmp(argv[i], argv[j])) {
				fprintf(stderr, "lemu: %s: given twice\n", argv[i]);
				return -1;
			}
	return 0;
}

static int parse_qopt(struct qdisc_util *qu, int argc, char **argv, struct nlmsghdr *n,
		      const char *dev)
{
	char *seen[16];
	struct rtattr *nest;
	int n_seen = 0, ret;

	(void)qu;
	(void)dev;
	nest = addattr_nest(n, MESSAGE_ROOM, TCA_OPTIONS | NLA_F_NESTED);
	while (argc > 0) {
		if (!strcmp(*argv, "help")) {
			explain(stderr);
			return -1;
		}
		if (n_seen < (int)(sizeof(seen) / sizeof(*seen)))
			seen[n_seen++] = *argv;
		if (check_twice(n_seen, seen))
			return -1;
		ret = parse_plain(*argv, n);
		if (ret > 0) {
			ret = parse_valued(argc, argv, n);
			if (!ret) {
				argc--;
				argv++;
			}
		}
		if (ret > 0) {
			fprintf(stderr, "lemu: \"%s\" is no option\n", *argv);
			explain(stderr);
		}
		if (ret)
			return -1;
		argc--;
		argv++;
	}
	addattr_nest_end(n, nest);
	return 0;
}

/* An attribute of that length; else NULL. */
static const void *value(struct rtattr *const *tb, int type, size_t len)
{
	return tb[type] && RTA_PAYLOAD(tb[type]) >= len ? RTA_DATA(tb[type]) : NULL;
}

static __u32 value_u32(struct rtattr *const *tb, int type)
{
	const void *data = value(tb, type, sizeof(__u32));
	__u32 v = 0;

	if (data)
		memcpy(&v, data, sizeof(v));
	return v;
}

static __u64 value_u64(struct rtattr *const *tb, int type)
{
	const void *data = value(tb, type, sizeof(__u64));
	__u64 v = 0;

	if (data)
		memcpy(&v, data, sizeof(v));
	return v;
}

/* The largest of the units, each 1000 times the one before, that has no fraction. */
static void print_exact(const char *key, __u64 v, const char *const *units)
{
	char text[64];

	while (units[1] && v && v % 1000 == 0) {
		v /= 1000;
		units++;
	}
	snprintf(text, sizeof(text), "%s %llu%s ", key, (unsigned long long)v, *units);
	print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s", text);
}

static int print_qopt(struct qdisc_util *qu, FILE *f, struct rtattr *opt)
{
	static const char *const rates[] = { "bit", "Kbit", "Mbit", "Gbit", "Tbit", NULL };
	static const char *const times[] = { "ns", "us", "ms", "s", NULL };
	struct rtattr *tb[TCA_LEMU_MAX + 1];
	__u64 capacity, delay;
	const char *app, *ecn;
	__u32 limit;

	(void)qu;
	(void)f;
	if (!opt)
		return 0;
	parse_rtattr_flags(tb, TCA_LEMU_MAX, RTA_DATA(opt), RTA_PAYLOAD(opt), NLA_F_NESTED);
	app = value(tb, TCA_LEMU_APP, 2);
	if (app && !app[RTA_PAYLOAD(tb[TCA_LEMU_APP]) - 1])
		print_color_string(PRINT_ANY, COLOR_NONE, "app", "app %s ", app);

	capacity = value_u64(tb, TCA_LEMU_CAPACITY);
	print_exact("capacity", capacity * 8, rates);
	print_color_u64(PRINT_JSON, COLOR_NONE, "capacity", NULL, capacity);
	print_color_uint(PRINT_ANY, COLOR_NONE, "queue", "queue %ub ", value_u32(tb, TCA_LEMU_QUEUE));
	delay = value_u64(tb, TCA_LEMU_DELAY);
	print_exact("delay", delay, times);
	print_color_u64(PRINT_JSON, COLOR_NONE, "delay", NULL, delay);

	ecn = value(tb, TCA_LEMU_ECN, 1);
	if (ecn && *ecn)
		print_color_string(PRINT_FP, COLOR_NONE, NULL, "ecn ", NULL);
	print_color_bool(PRINT_JSON, COLOR_NONE, "ecn", NULL, ecn && *ecn);
	limit = value_u32(tb, TCA_LEMU_LIMIT);
	if (limit)
		print_color_uint(PRINT_ANY, COLOR_NONE, "limit", "limit %u ", limit);
	return 0;
}

static const char *source(__u32 number)
{
	static const char *const names[] = {
		[LEMU_SOURCE_QUEUE] = "queue",
		[LEMU_SOURCE_NO_MODEL] = "no-model",
		[LEMU_SOURCE_FAILED] = "failed",
		[LEMU_SOURCE_COST] = "too-costly",
		[LEMU_SOURCE_MODEL] = "model",
	};

	return number < sizeof(names) / sizeof(*names) ? names[number] : "unknown";
}

static void print_u64(const char *key, const char *fmt, __u64 v)
{
	print_color_u64(PRINT_ANY, COLOR_NONE, key, fmt, v);
}

static void print_u32(const char *key, const char *fmt, __u32 v)
{
	print_color_uint(PRINT_ANY, COLOR_NONE, key, fmt, v);
}

static int print_xstats(struct qdisc_util *qu, FILE *f, struct rtattr *xstats)
{
	struct tc_lemu_xstats st = {};
	size_t len;

	(void)qu;
	(void)f;
	if (!xstats)
		return 0;
	/* of an older kernel, or a newer one */
	len = RTA_PAYLOAD(xstats);
	memcpy(&st, RTA_DATA(xstats), len < sizeof(st) ? len : sizeof(st));

	print_u64("arrived", "  arrived %llu", st.packets);
	print_u64("lost", " lost %llu", st.lost);
	print_u64("marked", " marked %llu", st.marked);
	print_u64("over_limit", " over_limit %llu", st.over_limit);
	print_u32("packet_limit", " of %u", st.limit);
	print_u64("fallback", " fallback %llu", st.fallback);
	print_u64("clamped", " clamped %llu\n", st.clamped);
	print_color_string(PRINT_ANY, COLOR_NONE, "source", "  source %s", source(st.source));
	print_u32("version", " version %u", st.version);
	print_u32("emulated_backlog", " emulated_backlog %ub", st.backlog);
	print_u64("query_ns", " query_ns %llu", st.query_ns);
	print_u64("switches", " switches %llu", st.switches);
	print_u32("jump", " jump %ub", st.jump);
	print_u32("max_jump", " max_jump %ub", st.max_jump);
	if (st.refused) {
		print_u32("refused_version", "\n  refused version %u", st.refused);
		print_u32("refused_ns", ": a query takes %u ns", st.refused_ns);
	}
	return 0;
}

struct qdisc_util lemu_qdisc_util = {
	.id = "lemu",
	.parse_qopt = parse_qopt,
	.print_qopt = print_qopt,
	.print_xstats = print_xstats,
};
