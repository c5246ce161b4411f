// SPDX-License-Identifier: GPL-2.0
/*
 * A hook of tests. What it is called by says what it does wrong: hook-VERB-FAULT does so
 * when it is asked for that verb. Apart from that it is a good one: it reads the slope off
 * the last records' signal, which is stable once the records are all of one world.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "history.h"

#define LAST	4000	/* queries that it looks at */

static struct json_object *request;
static char fault[32];

static const char *text_of(const char *key)
{
	return json_object_get_string(json_object_object_get(request, key));
}

static void answer(const char *format, double value)
{
	printf(format, value);
	fflush(stdout);
}

/* -- what a good one does ---------------------------------------------------------- */

static double slope_of_records(void)
{
	static double signal[LAST];
	struct lf_reader *reader;
	struct lf_entry entry;
	unsigned long n = 0, i;
	double sum = 0;

	if (lf_reader_open(&reader, text_of("history"))) {
		fprintf(stderr, "history: %s\n", lf_reader_reason(reader));
		exit(1);
	}
	while (lf_reader_next(reader, &entry) > 0)
		for (i = 0; entry.kind == LF_ENTRY_BATCH && i < entry.batch.count; i++) {
			const struct liteflow_record *r = lf_batch_record(&entry.batch, i);

			if (r->kind == LITEFLOW_RECORD_QUERY)
				signal[n++ % LAST] = r->values[1] / 1000.0;
		}
	lf_reader_close(reader);
	if (n > LAST)
		n = LAST;
	for (i = 0; i < n; i++)
		sum += signal[i] / n;
	/* coarse, so that noise alone makes no new model */
	return round(sum * 100) / 100;
}

static void remember(double slope)
{
	FILE *f = fopen("slope", "w");

	if (!f || fprintf(f, "%.9f\n", slope) < 0 || fclose(f))
		exit(1);
}

static double remembered(void)
{
	FILE *f = fopen("slope", "r");
	double slope;

	if (!f || fscanf(f, "%lf", &slope) != 1)
		exit(1);
	fclose(f);
	return slope;
}

static FILE *open_model(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", text_of("folder"), name);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	return f;
}

static void write_model(const char *name, double slope, const char *weights, const char *tail)
{
	FILE *f = open_model(name);

	fprintf(f,
		"{ \"format\": \"liteflow-model\", \"version\": 1, \"name\": \"slope\", "
		"\"units\": \"t\", \"inputs\": [ { \"name\": \"x\", \"lo\": -1000, \"hi\": 1000 },"
		" { \"name\": \"signal\", \"lo\": -2000, \"hi\": 2000 } ],"
		"\"outputs\": [ { \"name\": \"y\", \"unit\": 1, \"lo\": -2000, \"hi\": 2000 } ],"
		"\"layers\": [ { \"activation\": \"none\", \"weights\": [[");
	fprintf(f, weights, slope);
	fprintf(f, "]], \"bias\": [0] } ] }%s", tail);
	if (fclose(f))
		exit(1);
}

/*
 * Always the same, but what is packed depends on the signals: they all but cancel each other
 * behind a layer that has no range of its own.
 */
static void write_hidden(const char *name)
{
	write_model(name, -0.5137,
		    "%.9f, 1.2391], [0.4871, 1.2173]], \"bias\": [0, 0] }, "
		    "{ \"activation\": \"none\", \"weights\": [[1.0132, -1.0313", "");
}

/* -- what bad ones do -------------------------------------------------------------- */

static void make_no_file(const char *name)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/%s", text_of("folder"), name);
	if (!strcmp(fault, "link"))
		err = symlink("/etc/passwd", path);
	else if (!strcmp(fault, "fifo"))
		err = mkfifo(path, 0666);
	else
		err = mkdir(path, 0777);
	if (err)
		exit(1);
}

static void write_garbage(const char *name)
{
	FILE *f = open_model(name);
	int i;

	fputs("LFNN", f);
	for (i = 0; i < 500; i++)
		fputc(i * 7, f);
	if (fclose(f))
		exit(1);
}

static void write_large(const char *name)
{
	FILE *f = open_model(name);

	if (ftruncate(fileno(f), 32 << 20) || fclose(f))
		exit(1);
}

static void leave_children(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (fork())
			continue;
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (!fork()) {
			setsid();
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static char state_of(pid_t pid)
{
	char path[40], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d %*s %c", &state) != 1)
		exit(1);
	fclose(f);
	return state;
}

/* A process that looks like a zombie, as its first thread ended, and is none. */
static void leave_thread(void)
{
	pid_t child = fork();
	pthread_t thread;

	if (child < 0)
		exit(1);
	if (child) {
		while (state_of(child) != 'Z')
			usleep(1000);
		return;
	}
	setsid();
	if (pthread_create(&thread, NULL, wait_for_ever, NULL))
		_exit(1);
	pthread_exit(NULL);
}

/* One that goes on and on about it, and stays when nobody hears it. */
static void leave_talker(void)
{
	if (fork())
		return;
	setsid();
	signal(SIGPIPE, SIG_IGN);
	while (write(2, "still here\n", 11) > 0)
		;
	wait_for_ever(NULL);
}

static void privileges(void)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");
	bool none = true, nnp = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "CapPrm:", 7) || !strncmp(line, "CapEff:", 7) ||
		    !strncmp(line, "CapInh:", 7) || !strncmp(line, "CapAmb:", 7))
			none &= !strtoull(line + 7, NULL, 16);
		if (!strncmp(line, "NoNewPrivs:", 11))
			nnp = atoi(line + 11);
	}
	if (!geteuid() || !none || !nnp || getsid(0) != getpid() || getenv("SECRET") ||
	    access("/proc/self/fd/4", F_OK) == 0)
		exit(9);
}

/* What does not come back, or comes back to the good way. */
static void misbehave(void)
{
	static const struct {
		const char *name;
		const char *says;
	} answers[] = {
		{ "half", "{ \"stability\": 1" },
		{ "list", "[ 1, 2 ]" },
		{ "text", "all is well\n" },
		{ "null", "{ \"stability\": null }" },
		{ "nan", "{ \"stability\": NaN }" },
		{ "infinite", "{ \"stability\": 1e999 }" },
		{ "word", "{ \"stability\": \"good\" }" },
		{ "unknown", "{ \"stabilty\": 1 }" },
		{ "twice", "{ \"stability\": 1, \"stability\": 2 }" },
		{ "nothing", "" },
		{ "outside", "{ \"model\": \"../state.json\" }" },
		{ "absolute", "{ \"model\": \"/etc/passwd\" }" },
		{ "missing", "{ \"model\": \"nothing.json\" }" },
		{ "early", "{ \"stability\": 1, \"model\": \"a.json\" }" },
	};
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (!strcmp(fault, answers[i].name)) {
			fputs(answers[i].says, stdout);
			exit(0);
		}
	if (!strcmp(fault, "crash"))
		abort();
	if (!strcmp(fault, "status"))
		exit(3);
	if (!strcmp(fault, "pair"))
		fork();
	if (!strcmp(fault, "hang") || !strcmp(fault, "pair"))
		for (;;)
			pause();
	if (!strcmp(fault, "spin"))
		for (;;)
			;
	if (!strcmp(fault, "bomb"))
		for (;;)
			fork();
	if (!strcmp(fault, "children"))
		leave_children();
	if (!strcmp(fault, "thread"))
		leave_thread();
	if (!strcmp(fault, "talker"))
		leave_talker();
	if (!strcmp(fault, "privileges"))
		privileges();
	while (!strcmp(fault, "flood"))
		puts("{ \"stability\": 1, \"stability\": 2, \"stability\": 3 }");
	if (!strcmp(fault, "noise"))
		for (i = 0; i < 200000; i++)
			fputs("something that goes on and on\n", stderr);
	if (!strcmp(fault, "latin"))
		fputs("\xe9t\xe9 is no UTF-8\n", stderr);
	while (!strcmp(fault, "memory"))
		if (!malloc(1 << 20))
			abort();
	if (!strcmp(fault, "file")) {
		FILE *f = fopen("large", "w");

		while (f)
			if (fprintf(f, "%1000s", "") < 0)
				abort();
	}
}

/* Larger than what is read of JSON, smaller than what was. */
static void write_long(const char *name, double slope)
{
	static char blanks[5 << 20];

	memset(blanks, ' ', sizeof(blanks) - 1);
	write_model(name, slope, "%.9f, 0", blanks);
}

/* A layer that remembers, on the way to one that is well. */
static void write_state(const char *name)
{
	FILE *f = open_model(name);

	fprintf(f,
		"{ \"format\": \"liteflow-model\", \"version\": 1, \"name\": \"state\", "
		"\"units\": \"t\", \"inputs\": [ { \"name\": \"x\", \"lo\": -1000, \"hi\": 1000 },"
		" { \"name\": \"signal\", \"lo\": -2000, \"hi\": 2000 } ],"
		"\"outputs\": [ { \"name\": \"y\", \"unit\": 1, \"lo\": -2000, \"hi\": 2000 } ],"
		"\"layers\": [ { \"type\": \"rnn\", \"activation\": \"tanh\", \"w_x\": [[0.001, 0]], "
		"\"w_h\": [[0.5]], \"b_x\": [0], \"b_h\": [0] }, { \"activation\": \"none\", "
		"\"weights\": [[1]], \"bias\": [0] } ] }");
	if (fclose(f))
		exit(1);
}

/* The first bytes of a file that PyTorch exported. */
static void write_onnx(const char *name)
{
	FILE *f = open_model(name);

	fputs("\x08\x07\x12\x07pytorch\x1a\x06" "1.13.1", f);
	if (fclose(f))
		exit(1);
}

static void freeze(double slope)
{
	if (!strcmp(fault, "shape"))
		write_model("net.json", slope, "%.9f, 0, 0", "");
	else if (!strcmp(fault, "weight"))
		write_model("net.json", slope, "NaN, %.9f", "");
	else if (!strcmp(fault, "torn"))
		write_model("net.json", slope, "%.9f, 0", "{");
	else if (!strcmp(fault, "worse"))
		write_model("net.json", -slope, "%.9f, 0", "");
	else if (!strcmp(fault, "hidden"))
		write_hidden("net.json");
	else if (!strcmp(fault, "link") || !strcmp(fault, "fifo") || !strcmp(fault, "folder"))
		make_no_file("net.json");
	else if (!strcmp(fault, "garbage"))
		write_garbage("net.json");
	else if (!strcmp(fault, "state"))
		write_state("net.json");
	else if (!strcmp(fault, "onnx"))
		write_onnx("net.json");
	else if (!strcmp(fault, "large"))
		write_large("net.json");
	else if (!strcmp(fault, "long"))
		write_long("net.json", slope);
	else if (!strcmp(fault, "old"))
		fprintf(stderr, "there is one already\n");
	else
		write_model("net.json", slope, "%.9f, 0", "");
	answer("{ \"model\": \"net.json\" }", 0);
}

int main(int argc, char **argv)
{
	static char text[65536];
	char *name = strrchr(argv[0], '/'), verb[16] = "";
	size_t n = fread(text, 1, sizeof(text) - 1, stdin);

	if (argc != 2 || !name || !n)
		return 2;
	request = json_tokener_parse(text);
	if (!request || strcmp(text_of("verb"), argv[1]))
		return 2;
	if (sscanf(name, "/hook-%15[a-z]-%31s", verb, fault) != 2 || strcmp(verb, argv[1]))
		fault[0] = 0;
	misbehave();
	if (!strcmp(argv[1], "adapt")) {
		remember(slope_of_records());
		answer("{ \"note\": \"refitted\" }", 0);
	} else if (!strcmp(argv[1], "evaluate")) {
		answer("{ \"stability\": %.9f }", remembered());
	} else if (!strcmp(argv[1], "freeze")) {
		freeze(remembered());
	} else {
		return 2;
	}
	return 0;
}
