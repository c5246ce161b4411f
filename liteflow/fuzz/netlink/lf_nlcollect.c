// SPDX-License-Identifier: GPL-2.0
/*
 * lf_nlcollect: collect the records of an app that is being asked, as
 * "insmod lf_torture.ko mode=flows app=demo" does, while its models change, and
 * check each of them: is the output what the library computes from the input,
 * with the model of that version? And is whatever is missing counted as lost?
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include <linux/liteflow_engine.h>
#include <linux/liteflow_record.h>
#include "client.h"
#include "testmodel.h"

#define N_MODELS	4096
#define N_FLOWS		(1 << 20)

/* places of a flow's records: 2 * seq for a query, one more for its reward */
struct flow {
	int64_t first, last;
	uint64_t n;
};

static unsigned int n_in, n_out, every = 1;
static char units[LITEFLOW_NAME_LEN];
static struct client client = { .app = "demo" };

static struct lf_model *models[N_MODELS];
static struct flow *flows;
static uint64_t queries, rewards, joined, strangers, wrong, lost, batches, skipped, disorder;
static uint32_t next_batch;

static void get_app(int fd)
{
	const char *tag;
	size_t size;

	client_begin(&client, LITEFLOW_CMD_APP_GET);
	client_must(&client, fd, "app-get");
	n_in = nl_find_uint(client.answer.reply, client.answer.reply_len, LITEFLOW_A_APP_N_IN);
	n_out = nl_find_uint(client.answer.reply, client.answer.reply_len, LITEFLOW_A_APP_N_OUT);
	tag = nl_find(client.answer.reply, client.answer.reply_len, LITEFLOW_A_APP_UNITS, &size);
	snprintf(units, sizeof(units), "%s", tag ? tag : "");
}

static void take_slot(void *arg, const void *attrs, size_t len)
{
	if (nl_find_uint(attrs, len, LITEFLOW_A_MODEL_STATE) == LITEFLOW_STATE_ACTIVE)
		*(unsigned int *)arg = nl_find_uint(attrs, len, LITEFLOW_A_MODEL_SLOT);
}

/* The active slot; 0 if there is none. */
static unsigned int active_slot(int fd)
{
	unsigned int slot = 0;

	nl_begin(&client.msg, client.family, NLM_F_ACK | NLM_F_DUMP, LITEFLOW_CMD_SLOT_GET);
	nl_add_str(&client.msg, LITEFLOW_A_APP_NAME, client.app);
	nl_end(&client.msg);
	nl_exchange(fd, client.msg.data, client.msg.len, &client.answer, take_slot, &slot);
	return slot;
}

/* Model number @i, installed and active; the answer's version tells which it is. */
static void switch_model(int fd, unsigned int i)
{
	const struct lf_testmodel_spec spec = {
		.n_in = n_in,
		.n_out = n_out,
		.act = LF_TESTMODEL_ANY,
		.last = LF_TESTMODEL_ANY,
		.units = units[0] ? units : NULL,
	};
	static uint8_t blob[LITEFLOW_DATA_MAX];
	struct lf_error why = {};
	struct lf_model *model;
	uint32_t version;
	size_t len;

	len = lf_testmodel(i, &spec, blob, sizeof(blob));
	if (!len || lf_model_parse(blob, len, NULL, &model, &why))
		errx(1, "model %u: %s", i, why.msg);
	client_install(&client, fd, blob, len, i % 2);
	version = nl_find_uint(client.answer.reply, client.answer.reply_len, LITEFLOW_A_MODEL_VERSION);
	if (version >= N_MODELS)
		errx(1, "version %u: load the app's module anew", version);
	models[version] = model;
	client_begin(&client, LITEFLOW_CMD_MODEL_ACTIVATE);
	nl_add_u32(&client.msg, LITEFLOW_A_MODEL_SLOT, i % 2);
	client_must(&client, fd, "model-activate");
}

static void take_record(const struct liteflow_record *rec)
{
	static s16 scratch[2 * LITEFLOW_MAX_WIDTH];
	static s32 out[LITEFLOW_MAX_WIDTH];
	int64_t place = 2 * (int64_t)rec->seq + (rec->kind == LITEFLOW_RECORD_REWARD);
	struct flow *f;

	if (rec->flow >= N_FLOWS || rec->kind > LITEFLOW_RECORD_REWARD) {
		wrong++;
		return;
	}
	f = &flows[rec->flow];
	if (!f->n++)
		f->first = place;
	else if (place <= f->last)
		disorder++;
	if (rec->kind == LITEFLOW_RECORD_REWARD) {
		rewards++;
		joined += f->n > 1 && f->last == place - 1;
	} else {
		queries++;
		/* flows may still hold a model of before */
		if (rec->version >= N_MODELS || !models[rec->version]) {
			strangers++;
		} else {
			lf_model_run(models[rec->version], rec->values, out, scratch);
			wrong += memcmp(out, rec->values + n_in, n_out * sizeof(s32)) != 0;
		}
	}
	if (place > f->last)
		f->last = place;
}

static void take_batch(const void *attrs, size_t len)
{
	static uint64_t copy[LITEFLOW_DATA_MAX / 8];
	uint32_t sequence = nl_find_uint(attrs, len, LITEFLOW_A_COLLECT_SEQUENCE);
	uint64_t now = nl_find_uint(attrs, len, LITEFLOW_A_COLLECT_LOST);
	size_t n = nl_find_uint(attrs, len, LITEFLOW_A_COLLECT_COUNT), size = 0, i;
	const void *records = nl_find(attrs, len, LITEFLOW_A_COLLECT_RECORDS, &size);
	size_t each = LITEFLOW_RECORD_SIZE(n_in, n_out);

	if (size != n * each || size > sizeof(copy) || now < lost || sequence < next_batch)
		errx(1, "a batch of %zu records, %zu bytes, number %u", n, size, sequence);
	if (sequence > next_batch && now == lost)
		errx(1, "batches are missing before %u, and nothing was lost", sequence);
	skipped += sequence - next_batch;
	next_batch = sequence + 1;
	lost = now;
	batches++;
	/* attributes are aligned to four bytes, records to eight */
	memcpy(copy, records, size);
	for (i = 0; i < n; i++)
		take_record((const void *)((const char *)copy + i * each));
}

static void receive(int fd)
{
	static uint32_t buf[NL_MAX / 4];
	const struct nlmsghdr *nlh = (const void *)buf;
	ssize_t n;
	int left;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		left = n;
		for (nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == client.family)
				take_batch((const char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN,
					   nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
			else if (nlh->nlmsg_type == NLMSG_ERROR)
				return;
	}
	if (n < 0 && errno != EAGAIN)
		err(1, "receive");
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned int bytes = 1 << 20, interval = 100, seconds = 5, room, slow_ms;

static void options(int argc, char **argv)
{
	static const struct {
		char name;
		unsigned int *value;
	} numbers[] = {
		{ 'b', &bytes }, { 'e', &every }, { 'i', &interval }, { 'r', &room },
		{ 's', &slow_ms }, { 't', &seconds },
	};
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "a:b:e:i:r:s:t:")) != -1) {
		if (opt == '?')
			errx(2, "usage: lf_nlcollect [-a app] [-b ring bytes] [-e every] %s",
			     "[-i interval ms] [-r receive buffer] [-s ms between reads] [-t s]");
		if (opt == 'a')
			client.app = optarg;
		for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (opt == numbers[i].name)
				*numbers[i].value = strtoul(optarg, NULL, 0);
	}
}

/* Collect for some seconds; the number of models in that time. */
static unsigned int run(int fd, int control)
{
	unsigned int first = active_slot(control) + 1, i = first;
	double end, change;

	switch_model(control, i);
	client_begin(&client, LITEFLOW_CMD_COLLECT_START);
	nl_add_u32(&client.msg, LITEFLOW_A_COLLECT_EVERY, every);
	nl_add_u32(&client.msg, LITEFLOW_A_COLLECT_INTERVAL_MS, interval);
	nl_add_u32(&client.msg, LITEFLOW_A_COLLECT_RING_BYTES, bytes);
	client_must(&client, fd, "collect-start");
	end = now_s() + seconds;
	change = now_s() + 0.2;
	while (now_s() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		poll(&p, 1, 20);
		usleep(slow_ms * 1000);
		receive(fd);
		if (now_s() > change) {
			switch_model(control, ++i);
			change += 0.2;
		}
	}
	/* what waits comes before the answer to this */
	receive(fd);
	nl_begin(&client.msg, client.family, NLM_F_ACK, LITEFLOW_CMD_COLLECT_STOP);
	nl_end(&client.msg);
	if (send(fd, client.msg.data, client.msg.len, 0) < 0)
		err(1, "collect-stop");
	receive(fd);
	return i - first + 1;
}

int main(int argc, char **argv)
{
	int fd = nl_open(), control = nl_open();
	uint64_t gaps = 0, f;
	unsigned int n;

	options(argc, argv);
	flows = calloc(N_FLOWS, sizeof(*flows));
	if (!flows)
		err(1, "flows");
	if (room)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	client.family = nl_family(control);
	get_app(control);
	n = run(fd, control);

	for (f = 0; f < N_FLOWS; f++)
		if (flows[f].n)
			gaps += flows[f].last - flows[f].first + 1 - flows[f].n;
	printf("lf_nlcollect: %llu batches, %llu skipped, %u models\n",
	       (unsigned long long)batches, (unsigned long long)skipped, n);
	printf("  %llu queries (%llu of models of before), %llu rewards, %llu behind their query\n",
	       (unsigned long long)queries, (unsigned long long)strangers,
	       (unsigned long long)rewards, (unsigned long long)joined);
	printf("  %llu lost, %llu missing within flows, %llu out of order, %llu wrong\n",
	       (unsigned long long)lost, (unsigned long long)gaps,
	       (unsigned long long)disorder, (unsigned long long)wrong);
	/* sampling leaves some out */
	if (every == 1 && gaps > lost)
		errx(1, "more is missing than was lost");
	return wrong || !queries || !rewards;
}
