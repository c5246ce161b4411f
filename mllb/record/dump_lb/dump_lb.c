// SPDX-License-Identifier: GPL-2.0
/*
 * dump_lb - record what the load balancer decides, and what then happens
 */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "record.h"
#include "util.h"
#include "tool.h"

TOOL_ABOUT("dump_lb");

enum {
	EXIT_NO_ROWS	= 3,
	EXIT_COMMAND	= 4,
};

enum {
	KEY_OLD = 256,
	KEY_OUTCOMES,
	KEY_HORIZON,
	KEY_BUFFER,
	KEY_BENCH,
	KEY_CONVERT,
	KEY_COLUMNS,
};

struct options {
	const char *tag;
	const char *output;
	const char *workload;
	const char *convert;
	bool append, old, outcomes, quiet, bench, columns;
	double seconds;
	long horizon_ms;
	size_t buffer;
	char **command;
};

static const char doc[] =
	"Record what the load balancer decides into raw_TAG.csv, until Ctrl-C, for SECONDS, or while COMMAND runs.\n"
	"\vraw_TAG.json, beside the CSV file, tells machine, rows and losses; --columns lists the columns. "
	"For training, record with the model off (kernel.sched_jc = 0).\n"
	"\n"
	"Example: dump_lb -t mixed -w messaging -d 20 -- mllb/loads/workloads run messaging 20\n"
	"\n"
	"Exit status:\n"
	"  0  recorded\n"
	"  1  an error, named on standard error; the spool is kept and its name printed\n"
	"  2  wrong usage\n"
	"  3  nothing to record was seen\n"
	"  4  recorded, but COMMAND failed\n";

static const struct argp_option option_table[] = {
	{ "tag", 't', "TAG", 0, "tag in the names of the files", 0 },
	{ "output", 'o', "FILE", 0, "the CSV file, or a folder for it (default: raw_TAG.csv here)", 0 },
	{ "append", 'a', NULL, 0, "add to the file, if there is one", 0 },
	{ "duration", 'd', "SECONDS", 0, "stop after this time", 0 },
	{ "old", KEY_OLD, NULL, 0,
	  "a kernel without JC_SCHED: watch can_migrate_task() instead of the tracepoint", 0 },
	{ "workload", 'w', "NAME", 0, "for the column `workload' (default: COMMAND's name, or none)", 0 },
	{ "outcomes", KEY_OUTCOMES, NULL, 0, "also record what happened within the horizon", 0 },
	{ "horizon", KEY_HORIZON, "MS", 0, "horizon of --outcomes (50); implies it", 0 },
	{ "buffer", KEY_BUFFER, "SIZE", 0,
	  "ring buffer shared by all CPUs: MiB (16), or KiB as in 64K; a power of two", 0 },
	{ "quiet", 'q', NULL, 0, "print only errors, no progress", 0 },
	{ "bench", KEY_BENCH, "SECONDS", 0,
	  "measure the rate of synthetic decisions; prints NAME VALUE UNIT", 1 },
	{ "convert", KEY_CONVERT, "SPOOL", 0, "only convert this spool, left by a recording that failed", 1 },
	{ "columns", KEY_COLUMNS, NULL, 0, "print the names of the columns", 1 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted++;
}

static bool plain_name(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._+-", *s))
			return false;
	return true;
}

static double a_number(struct argp_state *state, const char *text, double max, const char *what)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (errno || end == text || *end || !(v > 0) || v > max)
		argp_error(state, "%s is '%s', but must be a number above 0 and at most %.0f",
			   what, text, max);
	return v;
}

static size_t a_buffer(struct argp_state *state, const char *text)
{
	unsigned long size;
	char *end;

	errno = 0;
	size = strtoul(text, &end, 10);
	if (errno || end == text || (*end && strcmp(end, "K")) || size > 1 << 20)
		argp_error(state, "the buffer is '%s', but must be a number of MiB, or of KiB as 64K",
			   text);
	size <<= *end ? 10 : 20;
	if (size < 4096 || size > 1UL << 30 || size & (size - 1))
		argp_error(state, "the buffer's size is a power of two from 4K to 1024");
	return size;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 't':
		if (!plain_name(arg))
			argp_error(state, "a tag consists of letters, digits and . _ + -");
		o->tag = arg;
		break;
	case 'o':
		o->output = arg;
		break;
	case 'a':
		o->append = true;
		break;
	case 'd':
		o->seconds = a_number(state, arg, 1e6, "the duration");
		break;
	case 'w':
		if (!plain_name(arg))
			argp_error(state, "a workload's name consists of letters, digits and . _ + -");
		o->workload = arg;
		break;
	case 'q':
		o->quiet = true;
		break;
	case KEY_OLD:
		o->old = true;
		break;
	case KEY_HORIZON:
		o->horizon_ms = a_number(state, arg, 10000, "the horizon in ms");
		if (!o->horizon_ms)
			argp_error(state, "the horizon is at least 1 ms");
		/* fall through */
	case KEY_OUTCOMES:
		o->outcomes = true;
		break;
	case KEY_BUFFER:
		o->buffer = a_buffer(state, arg);
		break;
	case KEY_BENCH:
		o->bench = true;
		o->seconds = a_number(state, arg, 600, "the duration");
		break;
	case KEY_CONVERT:
		o->convert = arg;
		break;
	case KEY_COLUMNS:
		o->columns = true;
		break;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		if (!o->tag && !o->columns && !o->bench)
			argp_error(state, "-t TAG is missing");
		if (o->bench && (o->old || o->outcomes || o->command || o->convert))
			argp_error(state, "--bench stands alone");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "[-- COMMAND [ARG]...]",
	.doc = doc,
};

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* a broken pipe and a file that may not grow are errors of write() */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

struct files {
	char *csv, *json, *spool;
};

static void name_files(struct files *f, const struct options *o)
{
	const char *out = o->output ? o->output : ".";
	struct stat st;
	char *slash;
	size_t n;

	if (!stat(out, &st) && S_ISDIR(st.st_mode))
		f->csv = format("%s/raw_%s.csv", out, o->tag);
	else
		f->csv = need(strdup(out));
	n = strlen(f->csv);
	if (n > 4 && !strcmp(f->csv + n - 4, ".csv"))
		n -= 4;
	f->json = format("%.*s.json", (int)n, f->csv);
	slash = strrchr(f->csv, '/');
	f->spool = format("%.*s.raw_%s.spool", slash ? (int)(slash - f->csv + 1) : 0, f->csv,
			  o->tag);
}

static void free_files(struct files *f)
{
	free(f->csv);
	free(f->json);
	free(f->spool);
}

/* Only the last part of a path, and only what may stand in the column. */
static char *label_of(const struct options *o)
{
	const char *from = o->workload;
	char *label, *c;

	if (!from && o->command)
		from = strrchr(o->command[0], '/') ? strrchr(o->command[0], '/') + 1 :
						     o->command[0];
	label = need(strdup(from ? from : "none"));
	for (c = label; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._+-", *c))
			*c = '_';
	return label;
}

static int make_csv(const struct options *o, const struct files *f, const char *spool,
		    struct conversion *c)
{
	*c = (struct conversion) {
		.spool = spool, .csv = f->csv, .json = f->json, .append = o->append,
		.interrupted = &interrupted, .quiet = o->quiet || o->bench,
	};
	interrupted = !!interrupted;
	if (!convert(c))
		return 0;
	if (o->convert)
		return -1;
	say("the recording is whole in %s: make room, then  dump_lb -t %s%s%s%s --convert %s",
	    spool, o->tag, o->output ? " -o " : "", o->output ? o->output : "",
	    o->append ? " -a" : "", spool);
	return -1;
}

static void print_bench(const struct recording *r, const struct conversion *c, double total)
{
	printf("dump_lb_rate %.0f per_s\n", c->rows / total);
	printf("dump_lb_rate_spool %.0f per_s\n", c->rows / r->took);
	printf("dump_lb_bench_rows %llu rows\n", c->rows);
	printf("dump_lb_bench_lost %llu rows\n", c->lost);
}

static void sum_up(const struct recording *r, const struct conversion *c)
{
	if (c->lost)
		say("%llu decisions were lost (%.2f %%): take a larger --buffer", c->lost,
		    100.0 * c->lost / (c->lost + c->rows));
	if (r->sum.lost_further)
		say("%llu further events were lost: some outcomes are not what happened; take a larger --buffer",
		    r->sum.lost_further);
	if (c->unjudged)
		say("%llu rows have no answer of the stock code and cannot train a model of it: %s",
		    c->unjudged, r->probe.source == FROM_FUNCTION ?
		    "this kernel does not show what the rule said before it forced a move; kernel.sched_schedstats=1 helps" :
		    "switch the model off before recording (kernel.sched_jc = 0)");
	if (r->sum.contradicted)
		say("%llu of %llu refusals were hot or hard by schedstats, where the filters said otherwise; schedstats were believed",
		    r->sum.contradicted, r->sum.seen - r->sum.yes);
}

static int record_and_convert(const struct options *o)
{
	struct files f;
	struct recording r = {
		.probe = {
			.source = o->bench ? FROM_BENCH : o->old ? FROM_FUNCTION : FROM_TRACEPOINT,
			.outcomes = o->outcomes,
			.horizon_ns = o->outcomes ? o->horizon_ms * 1000000ULL : 0,
			.buffer = o->buffer,
		},
		.tag = o->tag, .command = o->command, .seconds = o->seconds, .quiet = o->quiet,
		.interrupted = &interrupted,
	};
	struct conversion c = {};
	double start = seconds();
	int status = EXIT_FAILURE;
	char *label = label_of(o);
	long model_on = 0;

	name_files(&f, o);
	r.workload = o->bench ? "bench" : label;
	r.spool = f.spool;
	if (o->append && csv_can_append(f.csv))
		goto out;
	if (o->old && read_number("/proc/sys/kernel/sched_jc", &model_on) && model_on > 0)
		say("WARNING: kernel.sched_jc is on: with --old its answers are taken for the stock code's");
	if (record(&r) < 0)
		goto out;
	if (r.disk_full)
		say("the disk is full: stopped after %llu decisions; making what there is into %s",
		    r.sum.rows, f.csv);
	if (make_csv(o, &f, f.spool, &c))
		goto out;
	unlink(f.spool);
	sum_up(&r, &c);
	if (o->bench)
		print_bench(&r, &c, seconds() - start);
	else if (!o->quiet)
		say("wrote %s: %llu rows, %llu lost", f.csv, c.rows, c.lost);
	if (o->bench && !o->output) {
		unlink(f.csv);
		unlink(f.json);
	}
	status = r.disk_full ? EXIT_FAILURE : 0;
	if (!status && !c.rows) {
		say("no decision was seen: is the load too light for the balancer to move anything, or does a sched_ext scheduler run?");
		status = EXIT_NO_ROWS;
	}
	if (!status && r.status > 0) {
		say("%s ended with status %d: the rows may be few, or of something else",
		    o->command[0], r.status);
		status = EXIT_COMMAND;
	}
out:
	free(label);
	free_files(&f);
	return status;
}

static int only_convert(const struct options *o)
{
	struct conversion c;
	struct files f;
	int status = EXIT_FAILURE;

	name_files(&f, o);
	if (!make_csv(o, &f, o->convert, &c)) {
		say("wrote %s: %llu rows, %llu lost; %s is no longer needed", f.csv, c.rows, c.lost,
		    o->convert);
		status = 0;
	}
	free_files(&f);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .horizon_ms = 50, .buffer = 16 << 20 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (o.columns) {
		puts(csv_header);
		return 0;
	}
	if (!o.tag)
		o.tag = "bench";
	catch_signals();
	return o.convert ? only_convert(&o) : record_and_convert(&o);
}
