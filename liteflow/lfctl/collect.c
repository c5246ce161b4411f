// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl collect: records of queries, as CSV or as lines of JSON.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include <linux/liteflow_record.h>
#include "app.h"
#include "lfctl.h"
#include "model.h"

/* More datagrams than a socket has room for, so that a writer cannot hold it up. */
#define MAX_TAKEN	4096

struct collect_args {
	const char *app;
	const char *out;
	const char *model;
	unsigned int every;
	unsigned int interval;
	unsigned int bytes;
	unsigned long long count;
};

struct collect {
	const struct collect_args *args;
	struct nl *nl;
	struct app_info info;
	char (*names)[LITEFLOW_NAME_LEN];	/* inputs, then outputs */
	FILE *f;
	unsigned long long records;
	unsigned long long lost;
	uint32_t batch;
	bool status;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static bool enough(const struct collect *c)
{
	return c->args->count && c->records >= c->args->count;
}

/* -- names of the columns ------------------------------------------------ */

static int names_of_model(struct collect *c)
{
	struct lf_model *model;
	struct lf_error err;
	void *blob;
	size_t len;
	int ret;

	blob = model_read(c->args->model, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = lf_model_parse(blob, len, NULL, &model, &err);
	free(blob);
	if (ret)
		return complain("%s: %s", c->args->model, err.msg);
	if (model->n_in != c->info.n_in || model->n_out != c->info.n_out) {
		ret = complain("%s: %u inputs and %u outputs, the app has %u and %u",
			       c->args->model, model->n_in, model->n_out, c->info.n_in,
			       c->info.n_out);
	} else {
		memcpy(c->names, model->in_names, model->n_in * sizeof(*c->names));
		memcpy(c->names + model->n_in, model->out_names,
		       model->n_out * sizeof(*c->names));
	}
	lf_model_free(model);
	return ret;
}

/* The model's, else the app's, else numbers. */
static int name_columns(struct collect *c)
{
	unsigned int n_in = c->info.n_in, i;

	c->names = calloc(n_in + c->info.n_out, sizeof(*c->names));
	if (!c->names)
		return complain("out of memory");
	if (c->args->model)
		return names_of_model(c);
	for (i = 0; i < n_in; i++) {
		if (c->info.n_features == n_in)
			memcpy(c->names[i], c->info.features[i], sizeof(*c->names));
		else
			snprintf(c->names[i], sizeof(*c->names), "in%u", i);
	}
	for (i = 0; i < c->info.n_out; i++)
		snprintf(c->names[n_in + i], sizeof(*c->names), "out%u", i);
	return 0;
}

/* A name may have commas and quotes in it. */
static void put_csv_name(FILE *f, const char *name)
{
	const char *p;

	if (!strpbrk(name, ",\" ")) {
		fprintf(f, ",%s", name);
		return;
	}
	fputs(",\"", f);
	for (p = name; *p; p++) {
		if (*p == '"')
			fputc('"', f);
		fputc(*p, f);
	}
	fputc('"', f);
}

static void put_header(const struct collect *c)
{
	unsigned int i;

	if (opt_json)
		return;
	fputs("batch,kind,flow,seq,version,time_ns,cpu,reward", c->f);
	for (i = 0; i < c->info.n_in + c->info.n_out; i++)
		put_csv_name(c->f, c->names[i]);
	fputc('\n', c->f);
}

/* -- records ------------------------------------------------------------- */

static void put_csv(const struct collect *c, const struct liteflow_record *r)
{
	unsigned int i, n = c->info.n_in + c->info.n_out;
	bool query = r->kind == LITEFLOW_RECORD_QUERY;

	fprintf(c->f, "%u,%s,%llu,%u,%u,%llu,%u,", c->batch, query ? "query" : "reward",
		(unsigned long long)r->flow, r->seq, r->version, (unsigned long long)r->time_ns,
		r->cpu);
	if (!query)
		fprintf(c->f, "%d", r->reward);
	for (i = 0; i < n; i++) {
		if (query)
			fprintf(c->f, ",%d", r->values[i]);
		else
			fputc(',', c->f);
	}
	fputc('\n', c->f);
}

static struct json_object *values(const struct collect *c, const struct liteflow_record *r,
				  unsigned int from, unsigned int n)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = from; i < from + n; i++)
		json_object_object_add(o, c->names[i], json_object_new_int(r->values[i]));
	return o;
}

static void put_json(const struct collect *c, const struct liteflow_record *r)
{
	struct json_object *o = json_object_new_object();
	bool query = r->kind == LITEFLOW_RECORD_QUERY;

	json_object_object_add(o, "batch", json_object_new_int64(c->batch));
	json_object_object_add(o, "kind", json_object_new_string(query ? "query" : "reward"));
	json_object_object_add(o, "flow", json_object_new_uint64(r->flow));
	json_object_object_add(o, "seq", json_object_new_int64(r->seq));
	json_object_object_add(o, "version", json_object_new_int64(r->version));
	json_object_object_add(o, "time-ns", json_object_new_uint64(r->time_ns));
	json_object_object_add(o, "cpu", json_object_new_int(r->cpu));
	if (query) {
		json_object_object_add(o, "inputs", values(c, r, 0, c->info.n_in));
		json_object_object_add(o, "outputs", values(c, r, c->info.n_in, c->info.n_out));
	} else {
		json_object_object_add(o, "reward", json_object_new_int(r->reward));
	}
	fprint_json_line(c->f, o);
}

static int on_batch(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *attr = tb[LITEFLOW_A_COLLECT_RECORDS];
	struct collect *c = data;
	size_t size = LITEFLOW_RECORD_SIZE(c->info.n_in, c->info.n_out);
	uint64_t buf[(sizeof(struct liteflow_record) + 4 * 2 * 1024 + 8) / 8];
	const char *at;
	size_t n;

	if (nl_cmd(nlh) != LITEFLOW_CMD_COLLECT_BATCH)
		return 0;
	if (tb[LITEFLOW_A_COLLECT_LOST])
		c->lost = nl_uint(tb[LITEFLOW_A_COLLECT_LOST]);
	c->batch = nl_uint(tb[LITEFLOW_A_COLLECT_SEQUENCE]);
	if (!attr)
		return 0;
	n = nl_uint(tb[LITEFLOW_A_COLLECT_COUNT]);
	if (size > sizeof(buf) || n * size != mnl_attr_get_payload_len(attr))
		return complain("collect: records of %u bytes do not fit this program",
				mnl_attr_get_payload_len(attr));
	for (at = mnl_attr_get_payload(attr); n && !enough(c); n--, at += size, c->records++) {
		/* records are aligned to 8 bytes, payloads to 4 */
		memcpy(buf, at, size);
		if (opt_json)
			put_json(c, (const void *)buf);
		else
			put_csv(c, (const void *)buf);
	}
	fflush(c->f);
	if (c->status)
		fprintf(stderr, "\rlfctl: %llu records, %llu lost ", c->records, c->lost);
	return ferror(c->f) ? complain("%s: write error", c->args->out) : 0;
}

/*
 * Take what is there. Records that found no room are counted by the kernel; an
 * ENOBUFS is of something else.
 */
static int take(struct collect *c)
{
	int ret = nl_listen(c->nl, "collect", false, on_batch, c);

	return c->nl->error == EAGAIN || c->nl->error == ENOBUFS ? 0 : ret;
}

/*
 * What waits in the socket goes first: the answer needs room. If that is lost all
 * the same, all records came, and closing the socket ends the collection.
 */
static int end(struct collect *c)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < MAX_TAKEN; i++) {
		ret = take(c);
		if (c->nl->error == EAGAIN)
			break;
	}
	if (ret)
		return ret;
	nl_begin(c->nl, LITEFLOW_CMD_COLLECT_STOP, 0);
	c->nl->quiet = ENOBUFS;
	ret = nl_ask(c->nl, "collect", on_batch, c);
	c->nl->quiet = 0;
	return c->nl->error == ENOBUFS ? 0 : ret;
}

/* -- the command --------------------------------------------------------- */

static int start(struct collect *c)
{
	const struct collect_args *args = c->args;
	struct nlmsghdr *nlh = nl_begin(c->nl, LITEFLOW_CMD_COLLECT_START, 0);

	nl_put_app(nlh, args->app);
	if (args->every)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_EVERY, args->every);
	if (args->interval)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_INTERVAL_MS, args->interval);
	if (args->bytes)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_RING_BYTES, args->bytes);
	return nl_ask(c->nl, "collect", on_batch, c);
}

/* Not before the collection has begun: a failure leaves the old file as it is. */
static int open_output(struct collect *c)
{
	c->f = stdout;
	if (!strcmp(c->args->out, "-"))
		return 0;
	c->f = fopen(c->args->out, "we");
	c->status = isatty(STDERR_FILENO);
	return c->f ? 0 : complain("%s: %s", c->args->out, strerror(errno));
}

/* A signal ends the collection, but what waits in the kernel still comes. */
static int collect(struct collect *c)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct pollfd pfd = { .fd = mnl_socket_get_fd(c->nl->sock), .events = POLLIN };
	sigset_t block, old;
	int ret;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	ret = start(c);
	if (!ret)
		ret = open_output(c);
	if (ret)
		return ret;
	put_header(c);
	fflush(c->f);
	while (!ret && !stop && !enough(c))
		if (ppoll(&pfd, 1, NULL, &old) > 0)
			ret = take(c);
	if (!ret)
		ret = end(c);
	if (c->status)
		fputc('\r', stderr);
	fprintf(stderr, "lfctl: %llu records, %llu lost\n", c->records, c->lost);
	return ret;
}

static error_t collect_option(int key, char *arg, struct argp_state *state)
{
	struct collect_args *args = state->input;

	switch (key) {
	case 'e':
		args->every = parse_number(state, "--every", arg, 1, 1 << 30);
		if (args->every & (args->every - 1))
			argp_error(state, "--every is %u, must be a power of two", args->every);
		return 0;
	case 'i':
		args->interval = parse_number(state, "--interval", arg, 1, 60000);
		return 0;
	case 'b':
		args->bytes = parse_number(state, "--bytes", arg, 4096, 64 << 20);
		return 0;
	case 'o':
		args->out = arg;
		return 0;
	case 'm':
		args->model = arg;
		return 0;
	case 'n':
		args->count = parse_number(state, "--count", arg, 1, ~0ULL);
		return 0;
	case ARGP_KEY_ARG:
		if (args->app)
			argp_error(state, "one app at a time");
		args->app = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which app?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "every", 'e', "N", 0, "one query in N, a power of two (1)", 0 },
	{ "interval", 'i', "MS", 0, "longest time between deliveries, in milliseconds (100)", 0 },
	{ "bytes", 'b', "N", 0, "memory for records that wait in the kernel (1 MiB)", 0 },
	{ "count", 'n', "N", 0, "stop after N records", 0 },
	{ "model", 'm', "FILE", 0, "name the columns after this model's inputs and outputs "
	  "(default: the app's names, or numbers)", 0 },
	{ "output", 'o', "FILE", 0, "output file (standard output)", 0 },
	{ 0 }
};

int cmd_collect(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = collect_option, .children = children,
		.args_doc = "APP",
		.doc = "Collect an app's queries and its model's answers until interrupted, as "
			"CSV, or as lines of JSON with --json.",
	};
	struct collect_args args = { .out = "-" };
	struct nl nl;
	struct collect c = { .args = &args, .nl = &nl };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = nl_open(&nl);
	if (!ret)
		ret = app_get_info(&nl, args.app, &c.info);
	if (!ret)
		ret = name_columns(&c);
	if (!ret)
		ret = collect(&c);
	if (c.f && c.f != stdout && fclose(c.f) && !ret)
		ret = complain("%s: %s", args.out, strerror(errno));
	free(c.names);
	app_info_free(&c.info);
	nl_close(&nl);
	return ret;
}
