// SPDX-License-Identifier: GPL-2.0
/*
 * lf_nlfuzz: messages of all kinds to LiteFlow's netlink family, each of which
 * the oracle has judged before. The kernel has to accept what the oracle accepts
 * and to refuse what it refuses, with an explanation; and what it says about
 * apps and slots must be what the oracle thinks.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/sha.h>
#include "gen.h"
#include "testmodel.h"

#define PROGRESS	100000	/* messages */

static uint16_t family;
static uint64_t seed = 1;
static unsigned long mismatches, untold, no_memory, checks;
static struct answer answer;

static const char *const verdicts[] = { "ignored", "refused", "accepted" };

static const char *const ops[LITEFLOW_CMD_MAX + 1] = {
	"-", "app-get", "app-add", "app-del", "app-set", "slot-get", "stats-get",
	"model-begin", "model-data", "model-commit", "compiled-install",
	"model-activate", "model-rollback", "model-remove", "eval", "collect-start",
	"collect-stop", "collect-batch", "notice",
};

static void complain(const struct message *m, unsigned int cmd, const char *what)
{
	size_t i, n = m->len < 96 ? m->len : 96;

	if (mismatches++ >= 20)
		return;
	printf("message %lu (%s, %zu bytes): %s\n ", tally.messages, ops[cmd], m->len, what);
	for (i = 0; i < n; i++)
		printf(" %02x", ((const uint8_t *)m->data)[i]);
	printf("\n");
}

/* -- apps that the kernel brings, of which the oracle knows nothing --------- */

#define MOST_OTHERS	8

static struct {
	uint32_t id;
	char name[LITEFLOW_NAME_LEN];
} others[MOST_OTHERS];
static unsigned int n_others;

static bool other(uint32_t id, const char *name, size_t size)
{
	unsigned int i;

	for (i = 0; i < n_others; i++)
		if (others[i].id == id || (name && size == strlen(others[i].name) + 1 &&
					   !memcmp(others[i].name, name, size)))
			return true;
	return false;
}

static void add_other(void *arg, const void *attrs, size_t len)
{
	size_t size;
	const char *name = nl_find(attrs, len, LITEFLOW_A_APP_NAME, &size);

	(void)arg;
	if (!name || n_others == MOST_OTHERS)
		errx(1, "more apps than %u are there already", MOST_OTHERS);
	others[n_others].id = nl_find_uint(attrs, len, LITEFLOW_A_APP_ID);
	snprintf(others[n_others++].name, LITEFLOW_NAME_LEN, "%s", name);
}

static void find_others(int fd)
{
	static struct message m;

	nl_begin(&m, family, NLM_F_ACK | NLM_F_DUMP, LITEFLOW_CMD_APP_GET);
	nl_end(&m);
	nl_exchange(fd, m.data, m.len, &answer, add_other, NULL);
	if (answer.error)
		errx(1, "app-get: %s", strerror(-answer.error));
}

static bool to_other(const struct message *m)
{
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	const uint8_t *attrs = (const uint8_t *)m->data + head;
	const char *name;
	size_t size;

	if (m->len < head)
		return false;
	name = nl_find(attrs, m->len - head, LITEFLOW_A_APP_NAME, &size);
	return other(nl_find_uint(attrs, m->len - head, LITEFLOW_A_APP_ID), name, size);
}

/* Send one datagram with one message, and compare; neither sees one to another's app. */
static void try(struct o_sock *s, const struct message *m)
{
	const struct nlmsghdr *nlh = (const void *)m->data;
	char what[400], bad[160] = "";
	enum verdict want;
	unsigned int cmd;
	bool accepted, right;

	tally.messages++;
	if (to_other(m))
		return;
	want = oracle(s, (const void *)m->data, m->len, family, &cmd);
	nl_exchange(s->fd, m->data, m->len, &answer, NULL, NULL);
	if (answer.error == -ENOMEM && want == ACCEPTED) {
		no_memory++;
		oracle_refused(s);
		return;
	}
	/* without NLM_F_ACK, silence is consent */
	accepted = !answer.error &&
		   (answer.answers || !(nlh->nlmsg_flags & NLM_F_ACK) || want == IGNORED);
	right = accepted ? want != REFUSED : want == REFUSED;
	if (!right) {
		snprintf(what, sizeof(what), "kernel: %s (%s), oracle: %s (%s)",
			 accepted ? "accepted" : strerror(-answer.error), answer.text,
			 verdicts[want], oracle_why);
		complain(m, cmd, what);
		return;
	}
	if (want == ACCEPTED) {
		tally.accepted[cmd]++;
		oracle_apply(s, (const void *)m->data, answer.reply, answer.reply_len, bad);
		if (bad[0])
			complain(m, cmd, bad);
	} else if (want == REFUSED && cmd) {
		tally.refused[cmd]++;
		oracle_refused(s);
		if (!answer.text[0] && !untold++)
			printf("message %lu (%s): refused without a reason: %s\n",
			       tally.messages, ops[cmd], strerror(-answer.error));
	}
}

/* -- comparing what is there ---------------------------------------------- */

static unsigned int seen;

static void check_slot(void *arg, const void *attrs, size_t len)
{
	uint32_t slot = nl_find_uint(attrs, len, LITEFLOW_A_MODEL_SLOT);
	const struct o_slot *want;
	const struct o_app *app;
	const void *digest, *name;
	size_t size, name_size;

	app = oracle_app(nl_find_uint(attrs, len, LITEFLOW_A_APP_ID), NULL);
	digest = nl_find(attrs, len, LITEFLOW_A_MODEL_DIGEST, &size);
	name = nl_find(attrs, len, LITEFLOW_A_MODEL_NAME, &name_size);
	seen++;
	want = app && slot < app->n_slots ? &app->slots[slot] : NULL;
	if (!want || !want->model || !digest || size != LITEFLOW_DIGEST_LEN || !name ||
	    memcmp(digest, want->digest, size) || strcmp(name, want->model->name) ||
	    nl_find_uint(attrs, len, LITEFLOW_A_MODEL_VERSION) != want->version ||
	    nl_find_uint(attrs, len, LITEFLOW_A_MODEL_STATE) != want->state ||
	    nl_find_uint(attrs, len, LITEFLOW_A_MODEL_MACS) != want->model->macs ||
	    nl_find_uint(attrs, len, LITEFLOW_A_MODEL_WIDTH) != want->model->width)
		complain(arg, LITEFLOW_CMD_SLOT_GET, "a slot is not what the oracle thinks");
}

/* numbers of an app that are not what they should be */
static unsigned int app_differs(const struct o_app *app, const void *attrs, size_t len)
{
	const struct {
		uint16_t type;
		uint32_t want;
	} numbers[] = {
		{ LITEFLOW_A_APP_N_IN, app->n_in },
		{ LITEFLOW_A_APP_N_OUT, app->n_out },
		{ LITEFLOW_A_APP_CONTEXT, app->context },
		{ LITEFLOW_A_APP_POLICY, app->policy },
		{ LITEFLOW_A_APP_AT_LIMIT, app->at_limit },
		{ LITEFLOW_A_APP_N_SLOTS, app->n_slots },
		{ LITEFLOW_A_APP_CAPABILITY, app->capability },
		{ LITEFLOW_A_APP_MAX_MACS, app->limits.max_macs },
		{ LITEFLOW_A_APP_MAX_BYTES, app->limits.max_bytes },
		{ LITEFLOW_A_APP_MAX_RETIRED, app->max_retired },
		{ LITEFLOW_A_APP_MAX_STATE, app->limits.max_state },
		{ LITEFLOW_A_APP_SAMPLE_SHIFT, app->sample_shift },
	};
	unsigned int i, bad = 0;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bad += nl_find_uint(attrs, len, numbers[i].type) != numbers[i].want;
	return bad;
}

static void check_app(void *arg, const void *attrs, size_t len)
{
	const struct o_app *app;
	const char *name;
	size_t size;

	app = oracle_app(nl_find_uint(attrs, len, LITEFLOW_A_APP_ID), NULL);
	name = nl_find(attrs, len, LITEFLOW_A_APP_NAME, &size);
	if (other(nl_find_uint(attrs, len, LITEFLOW_A_APP_ID), NULL, 0))
		return;
	seen++;
	if (!app || !name || strcmp(app->name, name) || app_differs(app, attrs, len))
		complain(arg, LITEFLOW_CMD_APP_GET, "an app is not what the oracle thinks");
}

/* A dump of everything: neither more nor less than what the oracle has. */
static void check_all(struct o_sock *s)
{
	static struct message m;
	unsigned int n_apps = 0, n_slots = 0, i;
	const struct o_app *app;

	for (app = apps; app; app = app->next) {
		n_apps += app->alive;
		for (i = 0; app->alive && i < app->n_slots; i++)
			n_slots += !!app->slots[i].model;
	}
	seen = 0;
	nl_begin(&m, family, NLM_F_ACK | NLM_F_DUMP, LITEFLOW_CMD_APP_GET);
	nl_end(&m);
	nl_exchange(s->fd, m.data, m.len, &answer, check_app, &m);
	if (answer.error || seen != n_apps)
		complain(&m, LITEFLOW_CMD_APP_GET, "not the apps that the oracle knows");
	seen = 0;
	nl_begin(&m, family, NLM_F_ACK | NLM_F_DUMP, LITEFLOW_CMD_SLOT_GET);
	nl_end(&m);
	nl_exchange(s->fd, m.data, m.len, &answer, check_slot, &m);
	if (answer.error || seen != n_slots)
		complain(&m, LITEFLOW_CMD_SLOT_GET, "not the models that the oracle knows");
	tally.messages += 2;
	checks++;
}

/* -- the corpus of the parser's fuzzer ------------------------------------ */

static size_t load(const char *dir, const char *name, uint8_t *to)
{
	char path[4096];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (f) {
		n = fread(to, 1, BLOB_ROOM, f);
		fclose(f);
	}
	return n <= LITEFLOW_MAX_BLOB ? n : 0;
}

/* One blob to an app of its own shape, as it is and then with a change or two. */
static void corpus_one(struct o_sock *s, struct plan *p, unsigned int changes)
{
	static struct message m;
	const struct liteflow_blob_header *h = (const void *)p->blob;
	uint32_t n_in = 1, n_out = 1;

	if (p->len >= sizeof(*h) && h->n_in && h->n_in <= LITEFLOW_MAX_WIDTH && h->n_out &&
	    h->n_out <= LITEFLOW_MAX_WIDTH) {
		n_in = h->n_in;
		n_out = h->n_out;
	}
	while (changes--) {
		gen_mutate(p->blob, &p->len);
		if (p->len >= sizeof(*h))
			lf_testmodel_fix(p->blob, p->len);
	}
	nl_begin(&m, family, NLM_F_ACK, LITEFLOW_CMD_APP_ADD);
	nl_add_u32(&m, LITEFLOW_A_APP_ID, 65535);
	nl_add_str(&m, LITEFLOW_A_APP_NAME, "corpus");
	nl_add_u32(&m, LITEFLOW_A_APP_N_IN, n_in);
	nl_add_u32(&m, LITEFLOW_A_APP_N_OUT, n_out);
	nl_end(&m);
	try(s, &m);
	p->app_id = 65535;
	p->slot = 0;
	p->sent = SIZE_MAX;
	p->going = true;
	while (p->going) {
		gen_plan_step(&m, p, family);
		nl_end(&m);
		try(s, &m);
	}
	nl_begin(&m, family, NLM_F_ACK, LITEFLOW_CMD_APP_DEL);
	nl_add_u32(&m, LITEFLOW_A_APP_ID, 65535);
	nl_end(&m);
	try(s, &m);
}

static unsigned long corpus(const char *dir)
{
	struct plan *p = &plans[0];
	unsigned long files = 0;
	struct dirent *e;
	DIR *d = opendir(dir);
	unsigned int i;

	if (!d)
		err(1, "%s", dir);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		for (i = 0; i < 4; i++) {
			p->len = load(dir, e->d_name, p->blob);
			if (p->len)
				corpus_one(&socks[0], p, i);
		}
		files++;
	}
	closedir(d);
	return files;
}

/* -- the run -------------------------------------------------------------- */

static void reopen(struct o_sock *s)
{
	if (s->fd >= 0)
		close(s->fd);
	oracle_close(s);
	plans[s - socks].going = false;
	s->fd = nl_open();
}

static void step(struct o_sock *s)
{
	static struct message m;
	struct plan *p = &plans[s - socks];
	uint32_t kind = rnd(100);
	struct o_app *app;

	if (one_in(500)) {
		reopen(s);
		return;
	}
	if (one_in(2000))
		check_all(s);
	if (kind < 60) {
		app = gen_some_app();
		if (!p->going && app && gen_blob(p, app)) {
			p->app_id = app->id;
			p->slot = one_in(40) ? rnd(9) : rnd(app->n_slots);
			p->sent = SIZE_MAX;
			p->going = true;
		}
		if (!p->going)
			return;
		gen_plan_step(&m, p, family);
		nl_end(&m);
	} else if (kind < 94) {
		gen_op(&m, family);
		nl_end(&m);
	} else {
		gen_raw(&m, family);
	}
	if (kind < 94 && one_in(kind < 60 ? 40 : 8))
		gen_spoil(&m);
	/* noise must not become an order to another family */
	((struct nlmsghdr *)m.data)->nlmsg_type = family;
	try(s, &m);
}

static void report(unsigned long files)
{
	unsigned int i;

	printf("lf_nlfuzz: seed %llu, %lu messages, %lu files of a corpus\n",
	       (unsigned long long)seed, tally.messages, files);
	printf("  %-24s %10s %10s\n", "", "accepted", "refused");
	for (i = 1; i <= LITEFLOW_CMD_MAX; i++)
		if (tally.accepted[i] || tally.refused[i])
			printf("  %-24s %10lu %10lu\n", ops[i], tally.accepted[i],
			       tally.refused[i]);
	printf("  not even an operation: %lu refused, %lu ignored; bad attributes: %lu\n",
	       tally.headers, tally.ignored, tally.attributes);
	printf("  complete models: %lu, installed %lu, refused %lu\n", tally.whole,
	       tally.installed, tally.unsound);
	printf("  evaluated and equal to the library: %lu rows in %lu messages\n", tally.rows,
	       tally.evals);
	printf("  everything compared: %lu times; no memory: %lu\n", checks, no_memory);
	printf("lf_nlfuzz: %lu wrong, %lu refused without a reason\n", mismatches, untold);
}

int main(int argc, char **argv)
{
	unsigned long n = 1000000, files = 0, shown = 0;
	const char *dir = NULL;
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:c:")) != -1) {
		if (opt == 'n')
			n = strtoul(optarg, NULL, 0);
		else if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 'c')
			dir = optarg;
		else
			errx(2, "usage: lf_nlfuzz [-n messages] [-s seed] [-c corpus directory]");
	}
	gen_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < N_SOCKS; i++) {
		socks[i].fd = -1;
		reopen(&socks[i]);
		plans[i].blob = malloc(BLOB_ROOM);
		if (!plans[i].blob)
			err(1, "a model");
	}
	family = nl_family(socks[0].fd);
	find_others(socks[0].fd);
	if (dir)
		files = corpus(dir);
	while (tally.messages < n && mismatches < 20) {
		step(&socks[rnd(N_SOCKS)]);
		if (tally.messages / PROGRESS > shown) {
			shown = tally.messages / PROGRESS;
			printf("  %lu messages\n", tally.messages);
		}
	}
	check_all(&socks[0]);
	/* leave nothing behind */
	while (apps) {
		static struct message m;
		struct o_app *app = gen_some_app();

		for (i = 0; i < N_SOCKS; i++)
			reopen(&socks[i]);
		if (!app)
			break;
		nl_begin(&m, family, NLM_F_ACK, LITEFLOW_CMD_APP_DEL);
		nl_add_u32(&m, LITEFLOW_A_APP_ID, app->id);
		nl_end(&m);
		try(&socks[0], &m);
	}
	report(files);
	return mismatches || untold || no_memory > n / 1000;
}
