// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl history: what a history on disk has, as a list or as records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <json-c/json.h>
#include "history.h"
#include "lfctl.h"
#include "record.h"
#include "when.h"

/* Gaps that are listed; of more, the last ones. */
#define MAX_GAPS	20

struct history_args {
	const char *dir;
	const char *since;
	bool csv;
	bool list;
	unsigned long long last;
	int64_t since_ns;
};

/* Of a segment, or of all. */
struct counted {
	unsigned long long batches;
	unsigned long long records;
	int64_t from_ns;	/* 0: nothing was */
	int64_t to_ns;
};

/**
 * struct list - what is there
 * @segments: by the place of the segment
 * @all: of all
 * @gaps: all of them, in order
 * @n_gaps: how many
 * @missing: records that are known to be missing
 */
struct list {
	struct counted *segments;
	struct counted all;
	struct lf_entry *gaps;
	size_t n_gaps;
	unsigned long long missing;
};

static int reader_failed(struct lf_reader *r, int ret)
{
	return ret < 0 ? complain("%s", lf_reader_reason(r)) : 0;
}

static void count(struct counted *c, const struct lf_entry *e)
{
	c->batches++;
	c->records += e->batch.count;
	if (!c->from_ns)
		c->from_ns = e->realtime_ns;
	c->to_ns = e->realtime_ns;
}

static int add_gap(struct list *list, const struct lf_entry *e)
{
	struct lf_entry *more;

	/* by doubling */
	if (!(list->n_gaps & (list->n_gaps - 1))) {
		more = realloc(list->gaps, (2 * list->n_gaps + 1) * sizeof(*more));
		if (!more)
			return complain("out of memory");
		list->gaps = more;
	}
	list->gaps[list->n_gaps++] = *e;
	list->missing += e->missing;
	return 0;
}

static int read_list(struct lf_reader *r, const struct history_args *args, struct list *list)
{
	const struct lf_segment *segments;
	struct lf_entry e;
	size_t n;
	int ret;

	segments = lf_reader_segments(r, &n);
	list->segments = calloc(n, sizeof(*list->segments));
	if (!list->segments)
		return complain("out of memory");
	while ((ret = lf_reader_next(r, &e)) > 0) {
		if (e.realtime_ns < args->since_ns)
			continue;
		if (e.kind == LF_ENTRY_BATCH) {
			count(&list->segments[e.segment - segments], &e);
			count(&list->all, &e);
		} else if (e.kind == LF_ENTRY_GAP && add_gap(list, &e)) {
			return EXIT_OTHER;
		}
	}
	return reader_failed(r, ret);
}

/* -- as text --------------------------------------------------------------- */

static void say_gap(const struct lf_entry *e)
{
	char at[24], from[24];

	when_text(e->realtime_ns, at, sizeof(at));
	printf("gap %-9s  %s  ", lf_gap_name(e->why), at);
	switch (e->why) {
	case LF_GAP_DOWN:
		when_text(e->from_ns, from, sizeof(from));
		if (e->to_ns < e->from_ns)
			printf("nobody collected since %s: the clock was set back\n", from);
		else
			printf("nobody collected for %.3f s, since %s\n",
			       (double)(e->to_ns - e->from_ns) * 1e-9, from);
		break;
	case LF_GAP_DAMAGED:
		if (e->bytes)
			printf("%s: %llu bytes cannot be read\n", e->segment->file,
			       (unsigned long long)e->bytes);
		else
			printf("entries before %s are not there\n", e->segment->file);
		break;
	default:
		printf("%llu records are missing\n", (unsigned long long)e->missing);
	}
}

static void say_segment(const struct lf_segment *s, const struct counted *c)
{
	char from[24] = "-", to[24] = "-";

	if (c->batches) {
		when_text(c->from_ns, from, sizeof(from));
		when_text(c->to_ns, to, sizeof(to));
	}
	printf("%-14s  %10llu  %8llu  %10llu  %-19s  %s\n", s->file,
	       (unsigned long long)s->bytes, c->batches, c->records, from, to);
}

static void say_list(struct lf_reader *r, const struct list *list)
{
	const struct lf_segment *segments;
	unsigned long long bytes = 0;
	size_t n, i;

	segments = lf_reader_segments(r, &n);
	printf("app %s: %u inputs, %u outputs, records of %zu bytes\n", segments[n - 1].app,
	       segments[n - 1].n_in, segments[n - 1].n_out, segments[n - 1].size);
	printf("SEGMENT              BYTES   BATCHES     RECORDS  FROM                 TO\n");
	for (i = 0; i < n; i++) {
		say_segment(segments + i, list->segments + i);
		bytes += segments[i].bytes;
	}
	i = list->n_gaps > MAX_GAPS ? list->n_gaps - MAX_GAPS : 0;
	if (i)
		printf("%zu gaps before these:\n", i);
	for (; i < list->n_gaps; i++)
		say_gap(list->gaps + i);
	printf("%zu segments, %llu bytes, %llu batches, %llu records; %zu gaps, %llu records "
	       "missing\n", n, bytes, list->all.batches, list->all.records, list->n_gaps,
	       list->missing);
	if (lf_reader_torn(r))
		printf("%llu bytes at the end are not written yet, or were not to their end\n",
		       (unsigned long long)lf_reader_torn(r));
}

/* -- as JSON --------------------------------------------------------------- */

static struct json_object *seconds(int64_t ns)
{
	return json_object_new_double((double)ns * 1e-9);
}

static void add_counted(struct json_object *o, const struct counted *c)
{
	json_add_uint(o, "batches", c->batches);
	json_add_uint(o, "records", c->records);
	if (!c->batches)
		return;
	json_object_object_add(o, "from", seconds(c->from_ns));
	json_object_object_add(o, "to", seconds(c->to_ns));
}

static struct json_object *gap_json(const struct lf_entry *e)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "why", lf_gap_name(e->why));
	json_object_object_add(o, "time", seconds(e->realtime_ns));
	json_add_string(o, "file", e->segment->file);
	if (e->why == LF_GAP_DOWN) {
		json_object_object_add(o, "from", seconds(e->from_ns));
		json_object_object_add(o, "to", seconds(e->to_ns));
	} else if (e->why == LF_GAP_DAMAGED) {
		json_add_uint(o, "bytes", e->bytes);
	} else {
		json_add_uint(o, "missing", e->missing);
	}
	return o;
}

static void print_list_json(struct lf_reader *r, const struct list *list)
{
	struct json_object *o = json_object_new_object(), *a = json_object_new_array(), *item;
	const struct lf_segment *segments;
	size_t n, i;

	segments = lf_reader_segments(r, &n);
	json_add_string(o, "app-name", segments[n - 1].app);
	json_add_uint(o, "n-in", segments[n - 1].n_in);
	json_add_uint(o, "n-out", segments[n - 1].n_out);
	add_counted(o, &list->all);
	json_add_uint(o, "missing", list->missing);
	json_add_uint(o, "torn-bytes", lf_reader_torn(r));
	json_object_object_add(o, "segments", a);
	for (i = 0; i < n; i++) {
		item = json_object_new_object();
		json_add_string(item, "file", segments[i].file);
		json_add_uint(item, "bytes", segments[i].bytes);
		json_add_string(item, "boot-id", segments[i].boot_id);
		add_counted(item, list->segments + i);
		json_object_array_add(a, item);
	}
	a = json_object_new_array();
	json_object_object_add(o, "gaps", a);
	for (i = 0; i < list->n_gaps; i++)
		json_object_array_add(a, gap_json(list->gaps + i));
	print_json(o);
}

/* -- records --------------------------------------------------------------- */

/* When it was, by the clocks that its batch tells. */
static bool wanted(const struct history_args *args, const struct lf_entry *e,
		   const struct liteflow_record *r)
{
	return !args->since ||
	       e->realtime_ns - (e->monotonic_ns - (int64_t)r->time_ns) >= args->since_ns;
}

/* Print those behind the first @skip, or only count them; below 0: complained. */
static long long records(struct lf_reader *r, const struct history_args *args,
			 const struct record_form *form, unsigned long long skip)
{
	unsigned long long n = 0;
	struct lf_entry e;
	size_t i;
	int ret;

	while ((ret = lf_reader_next(r, &e)) > 0) {
		for (i = 0; e.kind == LF_ENTRY_BATCH && i < e.batch.count; i++) {
			if (!wanted(args, &e, lf_batch_record(&e.batch, i)))
				continue;
			if (n++ >= skip && form)
				record_print(form, e.sequence, lf_batch_record(&e.batch, i));
		}
		if (form && ferror(form->f))
			return 0;
	}
	return reader_failed(r, ret) ? -1 : (long long)n;
}

static int dump(struct lf_reader *r, const struct history_args *args)
{
	const struct lf_segment *segments;
	unsigned long long skip = 0;
	struct record_form form;
	long long n;
	size_t count;

	segments = lf_reader_segments(r, &count);
	form = (struct record_form){
		.f = stdout, .json = !args->csv, .n_in = segments[count - 1].n_in,
		.n_out = segments[count - 1].n_out, .names = segments[count - 1].names,
	};
	if (args->last) {
		n = records(r, args, NULL, 0);
		if (n < 0)
			return EXIT_OTHER;
		if ((unsigned long long)n > args->last)
			skip = n - args->last;
		lf_reader_rewind(r);
	}
	record_header(&form);
	n = records(r, args, &form, skip);
	return n < 0 ? EXIT_OTHER : 0;
}

/* -- the command ----------------------------------------------------------- */

static error_t history_option(int key, char *arg, struct argp_state *state)
{
	struct history_args *args = state->input;
	struct timespec now;

	switch (key) {
	case 'c':
		args->csv = true;
		return 0;
	case 'l':
		args->list = true;
		return 0;
	case 's':
		clock_gettime(CLOCK_REALTIME, &now);
		args->since = arg;
		if (!when_parse(arg, now.tv_sec * 1000000000LL + now.tv_nsec, &args->since_ns))
			argp_error(state, "--since is \"%s\", must be as 90s, 10m, 2h, 3d, "
				   "2026-11-30, \"2026-11-30 19:00\" or @SECONDS", arg);
		return 0;
	case 'n':
		args->last = parse_number(state, "--last", arg, 1, ~0ULL);
		return 0;
	case ARGP_KEY_ARG:
		if (args->dir)
			argp_error(state, "one history at a time");
		args->dir = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which history? Give its directory");
		return 0;
	case ARGP_KEY_SUCCESS:
		if (args->list && args->csv)
			argp_error(state, "--list and --csv do not go together");
		if (args->last && !args->csv && (args->list || !opt_json))
			argp_error(state, "--last is of records: give --csv or --json");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "csv", 'c', NULL, 0, "the records, as lfctl collect prints them", 0 },
	{ "list", 'l', NULL, 0, "segments and gaps; with --json as one JSON object (without "
	  "--json and --csv it is the default)", 0 },
	{ "since", 's', "WHEN", 0, "from then on: 90s, 10m, 2h or 3d ago, 2026-11-30, "
	  "\"2026-11-30 19:00\", @SECONDS", 0 },
	{ "last", 'n', "N", 0, "the last N records", 0 },
	{ 0 }
};

static int history(const struct history_args *args)
{
	struct list list = { 0 };
	struct lf_reader *r;
	const char *aside;
	size_t i;
	int ret;

	ret = lf_reader_open(&r, args->dir);
	ret = reader_failed(r, ret);
	if (ret)
		goto out;
	for (i = 0; (aside = lf_reader_aside(r, i)); i++)
		fprintf(stderr, "lfctl: %s\n", aside);
	if (args->csv || (opt_json && !args->list)) {
		ret = dump(r, args);
		goto out;
	}
	ret = read_list(r, args, &list);
	if (!ret && opt_json)
		print_list_json(r, &list);
	else if (!ret)
		say_list(r, &list);
	free(list.segments);
	free(list.gaps);
out:
	lf_reader_close(r);
	return ret;
}

int cmd_history(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = history_option, .children = children,
		.args_doc = "DIR",
		.doc = "Show what a history of collected records on disk has. With --csv or "
			"--json, print its records as lfctl collect does. It may be written meanwhile.",
	};
	struct history_args args = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	return history(&args);
}
