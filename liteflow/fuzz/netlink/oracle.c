// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/sha.h>
#include <linux/genetlink.h>
#include <linux/liteflow_record.h>
#include <linux/netlink.h>
#include "nl.h"
#include "oracle.h"

#define CAP_NET_ADMIN	12
#define CAP_SYS_ADMIN	21
#define FIRST_FREE_ID	256
#define ATOMIC_WIDTH	64
#define ATOMIC_MACS	4096
#define MAX_BYTES	(4U << 20)
#define MAX_EVAL_MACS	(1U << 26)
#define MAX_STATE	8192

struct o_sock socks[N_SOCKS];
char oracle_why[160];
/* the last message was a commit of a complete model, so that is gone now */
static bool oracle_whole;
struct o_app *apps;
struct tally tally;

/* -- apps ---------------------------------------------------------------- */

static uint32_t number(const struct attrs *a, unsigned int type, uint32_t otherwise)
{
	uint32_t v;

	if (!a->at[type])
		return otherwise;
	memcpy(&v, a->at[type], sizeof(v));
	return v;
}

static const char *text(const struct attrs *a, unsigned int type)
{
	return (const char *)a->at[type];
}

/* By number, else by name; NULL: there is none. */
struct o_app *oracle_app(uint32_t id, const char *name)
{
	struct o_app *app;

	for (app = apps; app; app = app->next)
		if (app->alive && (id ? app->id == id : name && !strcmp(app->name, name)))
			return app;
	return NULL;
}

static struct o_app *find(const struct attrs *a)
{
	const char *name = text(a, LITEFLOW_A_APP_NAME);
	uint32_t id = number(a, LITEFLOW_A_APP_ID, 0);
	struct o_app *app;

	if (!id && !name)
		return NULL;
	app = oracle_app(id, name);
	return app && (!name || !strcmp(app->name, name)) ? app : NULL;
}

static struct o_slot *find_slot(struct o_app *app, const struct attrs *a)
{
	uint32_t slot = number(a, LITEFLOW_A_MODEL_SLOT, UINT32_MAX);

	return app && slot < app->n_slots ? &app->slots[slot] : NULL;
}

static bool name_valid(const char *name)
{
	const char *p;

	if (!*name || strlen(name) >= LITEFLOW_NAME_LEN)
		return false;
	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return false;
	return name[strspn(name, "0123456789")];
}

static bool may_add(const struct attrs *a)
{
	const char *name = text(a, LITEFLOW_A_APP_NAME), *units;
	uint32_t capability = number(a, LITEFLOW_A_APP_CAPABILITY, CAP_NET_ADMIN);
	uint32_t id = number(a, LITEFLOW_A_APP_ID, 0);
	uint32_t n_in = number(a, LITEFLOW_A_APP_N_IN, 0), n_out = number(a, LITEFLOW_A_APP_N_OUT, 0);
	uint32_t max_state = number(a, LITEFLOW_A_APP_MAX_STATE, 0);
	bool atomic = number(a, LITEFLOW_A_APP_CONTEXT, LITEFLOW_CONTEXT_SOFTIRQ) ==
		      LITEFLOW_CONTEXT_ATOMIC;

	if (!name || !name_valid(name) || !n_in || !n_out)
		return false;
	if (capability != CAP_NET_ADMIN && capability != CAP_SYS_ADMIN)
		return false;
	if (atomic && (n_in > ATOMIC_WIDTH || n_out > ATOMIC_WIDTH ||
		       number(a, LITEFLOW_A_APP_MAX_MACS, 0) > ATOMIC_MACS))
		return false;
	if (number(a, LITEFLOW_A_APP_MAX_BYTES, 0) > MAX_BYTES)
		return false;
	if (max_state > MAX_STATE || (max_state && atomic))
		return false;
	if (id && id < FIRST_FREE_ID)
		return false;
	for (units = text(a, LITEFLOW_A_APP_UNITS); units && *units; units++)
		if (*units < ' ' || *units > '~')
			return false;
	return !oracle_app(0, name) && (!id || !oracle_app(id, NULL));
}

/* what is not there stays as it is */
static void app_settings(struct o_app *app, const struct attrs *a)
{
	app->policy = number(a, LITEFLOW_A_APP_POLICY, app->policy);
	app->at_limit = number(a, LITEFLOW_A_APP_AT_LIMIT, app->at_limit);
	app->max_retired = number(a, LITEFLOW_A_APP_MAX_RETIRED, app->max_retired);
	app->sample_shift = number(a, LITEFLOW_A_APP_SAMPLE_SHIFT, app->sample_shift);
}

/* A state has room for the activations of one query. */
static uint32_t state_width(const struct o_app *app)
{
	uint32_t width = LF_STACK_WIDTH;

	width = app->limits.max_state > width ? app->limits.max_state : width;
	width = app->n_in > width ? app->n_in : width;
	width = app->n_out > width ? app->n_out : width;
	return width < LITEFLOW_MAX_WIDTH ? width : LITEFLOW_MAX_WIDTH;
}

static struct o_app *app_new(const struct attrs *a)
{
	const char *units = text(a, LITEFLOW_A_APP_UNITS);
	struct o_app *app = calloc(1, sizeof(*app));
	uint32_t macs = number(a, LITEFLOW_A_APP_MAX_MACS, 0);
	uint32_t bytes = number(a, LITEFLOW_A_APP_MAX_BYTES, 0);
	bool atomic;

	if (!app)
		err(1, "an app");
	app->id = number(a, LITEFLOW_A_APP_ID, 0);
	if (!app->id)
		for (app->id = FIRST_FREE_ID; oracle_app(app->id, NULL); app->id++)
			;
	strcpy(app->name, text(a, LITEFLOW_A_APP_NAME));
	app->n_in = number(a, LITEFLOW_A_APP_N_IN, 0);
	app->n_out = number(a, LITEFLOW_A_APP_N_OUT, 0);
	app->context = number(a, LITEFLOW_A_APP_CONTEXT, LITEFLOW_CONTEXT_SOFTIRQ);
	app->n_slots = number(a, LITEFLOW_A_APP_N_SLOTS, 4);
	app->capability = number(a, LITEFLOW_A_APP_CAPABILITY, CAP_NET_ADMIN);
	app->reader = -1;
	atomic = app->context == LITEFLOW_CONTEXT_ATOMIC;
	if (units) {
		strcpy(app->units, units);
		app->limits.units = app->units;
	}
	app->limits.n_in = app->n_in;
	app->limits.n_out = app->n_out;
	app->limits.max_width = atomic ? ATOMIC_WIDTH : LITEFLOW_MAX_WIDTH;
	app->limits.max_macs = macs ? macs : atomic ? ATOMIC_MACS : LITEFLOW_MAX_BLOB / 2;
	app->limits.max_bytes = bytes ? bytes : MAX_BYTES;
	app->limits.max_state = number(a, LITEFLOW_A_APP_MAX_STATE, 0);
	if (app->limits.max_state)
		app->limits.max_width = state_width(app);
	app_settings(app, a);
	if (atomic)
		app->policy = LITEFLOW_POLICY_FOLLOW;
	if (!app->max_retired)
		app->max_retired = 4 * app->limits.max_bytes;
	app->sample_shift = 10;
	app->alive = true;
	app->next = apps;
	apps = app;
	return app;
}

static void slot_clear(struct o_slot *slot)
{
	lf_model_free(slot->model);
	memset(slot, 0, sizeof(*slot));
}

static void app_delete(struct o_app *app)
{
	unsigned int i;

	for (i = 0; i < app->n_slots; i++)
		if (app->slots[i].model)
			slot_clear(&app->slots[i]);
	app->alive = false;
	app->reader = -1;
}

/* An app that is gone stays as long as a socket knows it, or for ever. */
static void apps_sweep(void)
{
	struct o_app **at = &apps, *app;
	unsigned int i;

	while ((app = *at)) {
		bool known = app->alive;

		for (i = 0; i < N_SOCKS; i++)
			known |= socks[i].up == app || socks[i].collects == app;
		if (known) {
			at = &app->next;
			continue;
		}
		*at = app->next;
		free(app);
	}
}

/* -- models -------------------------------------------------------------- */

static void upload_drop(struct o_sock *s)
{
	free(s->blob);
	s->blob = NULL;
	s->up = NULL;
}

static bool may_send(const struct o_sock *s, const struct attrs *a)
{
	size_t len = a->len[LITEFLOW_A_MODEL_DATA];

	return a->at[LITEFLOW_A_MODEL_OFFSET] && a->at[LITEFLOW_A_MODEL_DATA] && s->up &&
	       number(a, LITEFLOW_A_MODEL_OFFSET, 0) == s->received && len &&
	       len <= LITEFLOW_DATA_MAX && len <= s->length - s->received;
}

/* Is the complete model sound, and is there a place for it? */
static struct lf_model *commit_parse(const struct o_sock *s)
{
	uint8_t digest[LITEFLOW_DIGEST_LEN];
	struct lf_model *model = NULL;
	struct lf_error why = {};

	SHA256(s->blob, s->length, digest);
	if (!s->up->alive)
		strcpy(oracle_why, "app gone");
	else if (s->up->slots[s->slot].state == LITEFLOW_STATE_ACTIVE)
		strcpy(oracle_why, "slot active");
	else if (memcmp(digest, s->digest, sizeof(digest)))
		strcpy(oracle_why, "digest");
	else if (lf_model_parse(s->blob, s->length, &s->up->limits, &model, &why))
		snprintf(oracle_why, sizeof(oracle_why), "%s", why.msg);
	return model;
}

static bool may_commit(const struct o_sock *s)
{
	struct lf_model *model;

	if (!s->up || s->received != s->length)
		return false;
	oracle_whole = true;
	model = commit_parse(s);
	if (!model)
		return false;
	lf_model_free(model);
	return true;
}

static struct o_slot *previous(struct o_app *app)
{
	struct o_slot *best = NULL;
	unsigned int i;

	for (i = 0; i < app->n_slots; i++)
		if (app->slots[i].state == LITEFLOW_STATE_RETIRED &&
		    (!best || app->slots[i].activated > best->activated))
			best = &app->slots[i];
	return best;
}

static void activate(struct o_app *app, struct o_slot *slot)
{
	unsigned int i;

	if (slot->state == LITEFLOW_STATE_ACTIVE)
		return;
	for (i = 0; i < app->n_slots; i++)
		if (app->slots[i].state == LITEFLOW_STATE_ACTIVE)
			app->slots[i].state = LITEFLOW_STATE_RETIRED;
	slot->state = LITEFLOW_STATE_ACTIVE;
	slot->activated = ++app->activations;
}

/* -- the verdict --------------------------------------------------------- */

/*
 * The state that a sequence goes on with: zeroes, or what the request has. False: it is
 * none of this slot's.
 */
static bool eval_state(const struct o_app *app, const struct o_slot *slot, const struct attrs *a,
		       s32 *state)
{
	const uint8_t *at = a->at[LITEFLOW_A_EVAL_STATE];
	size_t len = a->len[LITEFLOW_A_EVAL_STATE];
	uint32_t version = 0;

	memset(state, 0, slot->model->state_len * sizeof(*state));
	if (!at)
		return true;
	if (len % 4 || len > 4 * (1 + app->limits.max_state))
		return false;
	if (len)
		memcpy(&version, at, 4);
	if (!version || !app->limits.max_state)
		return true;
	if (version != slot->version || len != 4 * (1 + (size_t)slot->model->state_len))
		return false;
	memcpy(state, at + 4, len - 4);
	return lf_state_sound(slot->model, state);
}

static bool may_eval(struct o_app *app, const struct attrs *a)
{
	struct o_slot *slot = find_slot(app, a);
	uint32_t rows = number(a, LITEFLOW_A_EVAL_ROWS, 0);
	static s32 state[MAX_STATE];
	uint32_t n;

	if (!slot || !slot->model || !rows || !a->at[LITEFLOW_A_EVAL_INPUTS])
		return false;
	if (!eval_state(app, slot, a, state))
		return false;
	n = app->n_in > app->n_out ? app->n_in : app->n_out;
	if ((uint64_t)rows * slot->model->macs > MAX_EVAL_MACS)
		return false;
	return (uint64_t)rows * n * 4 <= LITEFLOW_DATA_MAX &&
	       a->len[LITEFLOW_A_EVAL_INPUTS] == rows * app->n_in * 4;
}

static bool may_collect(const struct o_sock *s, const struct o_app *app, const struct attrs *a)
{
	uint32_t every = number(a, LITEFLOW_A_COLLECT_EVERY, 1);
	uint64_t bytes = number(a, LITEFLOW_A_COLLECT_RING_BYTES, 1 << 20);

	if (!app || s->collects || app->reader >= 0 || (every & (every - 1)))
		return false;
	bytes /= sysconf(_SC_NPROCESSORS_ONLN);
	return bytes / (LITEFLOW_RECORD_SIZE(app->n_in, app->n_out) + sizeof(long)) >= 8;
}

static bool may_do(const struct o_sock *s, unsigned int cmd, bool dump, const struct attrs *a)
{
	struct o_app *app = find(a);
	struct o_slot *slot = find_slot(app, a);

	if (dump)
		return app || (!a->at[LITEFLOW_A_APP_ID] && !a->at[LITEFLOW_A_APP_NAME]);
	switch (cmd) {
	case LITEFLOW_CMD_APP_GET:
	case LITEFLOW_CMD_APP_DEL:
		return app;
	case LITEFLOW_CMD_APP_ADD:
		return may_add(a);
	case LITEFLOW_CMD_APP_SET:
		return app && !(app->context == LITEFLOW_CONTEXT_ATOMIC &&
				number(a, LITEFLOW_A_APP_POLICY, LITEFLOW_POLICY_FOLLOW) ==
				LITEFLOW_POLICY_PIN);
	case LITEFLOW_CMD_MODEL_BEGIN:
		return slot && a->at[LITEFLOW_A_MODEL_LENGTH] && a->at[LITEFLOW_A_MODEL_DIGEST];
	case LITEFLOW_CMD_MODEL_DATA:
		return may_send(s, a);
	case LITEFLOW_CMD_MODEL_COMMIT:
		return may_commit(s);
	case LITEFLOW_CMD_MODEL_ACTIVATE:
		return slot && slot->model;
	case LITEFLOW_CMD_MODEL_ROLLBACK:
		return app && previous(app);
	case LITEFLOW_CMD_MODEL_REMOVE:
		return slot && slot->model &&
		       (slot->state != LITEFLOW_STATE_ACTIVE ||
			(number(a, LITEFLOW_A_MODEL_REMOVE_FLAGS, 0) & LITEFLOW_REMOVE_FLAGS_FORCE));
	case LITEFLOW_CMD_EVAL:
		return may_eval(app, a);
	case LITEFLOW_CMD_COLLECT_START:
		return may_collect(s, app, a);
	case LITEFLOW_CMD_COLLECT_STOP:
		return s->collects;
	default:
		/* there are no compiled models here */
		return false;
	}
}

static bool is_dump(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* One message in a datagram of @len bytes, at least a header's. */
enum verdict oracle(struct o_sock *s, const uint8_t *msg, size_t len, uint16_t family,
		    unsigned int *cmd)
{
	const struct nlmsghdr *nlh = (const void *)msg;
	const struct genlmsghdr *genl = (const void *)(nlh + 1);
	unsigned int flags = nlh->nlmsg_flags;
	struct attrs a;

	*cmd = 0;
	oracle_why[0] = 0;
	oracle_whole = false;
	if (len < NLMSG_HDRLEN || nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > len ||
	    !(flags & NLM_F_REQUEST) || nlh->nlmsg_type < NLMSG_MIN_TYPE) {
		tally.ignored++;
		return IGNORED;
	}
	if (is_dump(nlh))
		flags &= ~NLM_F_DUMP;
	if (nlh->nlmsg_type != family || nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN ||
	    genl->reserved || (flags & ~(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)) ||
	    !rules_known(genl->cmd, is_dump(nlh))) {
		tally.headers++;
		return REFUSED;
	}
	*cmd = genl->cmd;
	if (!rules_parse(*cmd, is_dump(nlh), msg + NLMSG_HDRLEN + GENL_HDRLEN,
			 nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, &a)) {
		tally.attributes++;
		return REFUSED;
	}
	return may_do(s, *cmd, is_dump(nlh), &a) ? ACCEPTED : REFUSED;
}

/* -- the consequences ---------------------------------------------------- */

static void check(char bad[160], const char *what, uint64_t want, const void *reply, size_t len,
		  uint16_t type)
{
	uint64_t got = nl_find_uint(reply, len, type);

	if (got != want)
		snprintf(bad, 160, "%s: answered %llu instead of %llu", what,
			 (unsigned long long)got, (unsigned long long)want);
}

static void apply_begin(struct o_sock *s, struct o_app *app, const struct attrs *a)
{
	upload_drop(s);
	s->up = app;
	s->slot = number(a, LITEFLOW_A_MODEL_SLOT, 0);
	s->length = number(a, LITEFLOW_A_MODEL_LENGTH, 0);
	s->received = 0;
	memcpy(s->digest, a->at[LITEFLOW_A_MODEL_DIGEST], sizeof(s->digest));
	/* no byte more, so that a sanitizer sees who reads beyond */
	s->blob = malloc(s->length);
	if (!s->blob)
		err(1, "a model");
}

static void apply_commit(struct o_sock *s, const void *reply, size_t len, char bad[160])
{
	struct o_slot *slot = &s->up->slots[s->slot];

	if (slot->model)
		slot_clear(slot);
	slot->model = commit_parse(s);
	memcpy(slot->digest, s->digest, sizeof(slot->digest));
	slot->version = ++s->up->versions;
	slot->state = LITEFLOW_STATE_STANDBY;
	check(bad, "model-commit", slot->version, reply, len, LITEFLOW_A_MODEL_VERSION);
	upload_drop(s);
	tally.whole++;
	tally.installed++;
}

static void apply_eval(struct o_app *app, const struct attrs *a, const void *reply, size_t len,
		       char bad[160])
{
	static s32 scratch[2 * LITEFLOW_MAX_WIDTH], state[1 + MAX_STATE];
	static s32 in[LITEFLOW_MAX_WIDTH], out[LITEFLOW_MAX_WIDTH];
	const struct o_slot *slot = find_slot(app, a);
	const struct lf_model *model = slot->model;
	bool sequence = a->at[LITEFLOW_A_EVAL_STATE];
	uint32_t i, rows = number(a, LITEFLOW_A_EVAL_ROWS, 0);
	size_t size = 0, row = app->n_out * 4;
	const uint8_t *got = nl_find(reply, len, LITEFLOW_A_EVAL_OUTPUTS, &size);

	if (!got || size != rows * row) {
		snprintf(bad, 160, "eval: %zu bytes of outputs instead of %zu", size, rows * row);
		return;
	}
	eval_state(app, slot, a, state + 1);
	for (i = 0; i < rows; i++) {
		if (!sequence)
			memset(state + 1, 0, model->state_len * sizeof(*state));
		memcpy(in, a->at[LITEFLOW_A_EVAL_INPUTS] + i * app->n_in * 4, app->n_in * 4);
		lf_model_step(model, in, out, state + 1, scratch);
		if (memcmp(out, got + i * row, row))
			snprintf(bad, 160, "eval: row %u differs from the library's", i);
	}
	got = nl_find(reply, len, LITEFLOW_A_EVAL_STATE, &size);
	state[0] = slot->version;
	row = (1 + (app->limits.max_state ? model->state_len : 0)) * 4;
	if (!sequence ? !!got : !got || size != row || memcmp(got, state, row))
		snprintf(bad, 160, "eval: the state is not the library's");
	tally.evals++;
	tally.rows += rows;
}

void oracle_apply(struct o_sock *s, const uint8_t *msg, const void *reply, size_t reply_len,
		  char bad[160])
{
	const struct nlmsghdr *nlh = (const void *)msg;
	unsigned int cmd = ((const struct genlmsghdr *)(nlh + 1))->cmd;
	struct o_slot *slot;
	struct o_app *app;
	struct attrs a;

	if (is_dump(nlh))
		return;
	rules_parse(cmd, false, msg + NLMSG_HDRLEN + GENL_HDRLEN,
		    nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, &a);
	app = find(&a);
	slot = find_slot(app, &a);
	switch (cmd) {
	case LITEFLOW_CMD_APP_ADD:
		app = app_new(&a);
		/* fall through */
	case LITEFLOW_CMD_APP_GET:
		check(bad, "app", app->id, reply, reply_len, LITEFLOW_A_APP_ID);
		break;
	case LITEFLOW_CMD_APP_SET:
		app_settings(app, &a);
		break;
	case LITEFLOW_CMD_APP_DEL:
		app_delete(app);
		apps_sweep();
		break;
	case LITEFLOW_CMD_MODEL_BEGIN:
		apply_begin(s, app, &a);
		break;
	case LITEFLOW_CMD_MODEL_DATA:
		memcpy(s->blob + s->received, a.at[LITEFLOW_A_MODEL_DATA], a.len[LITEFLOW_A_MODEL_DATA]);
		s->received += a.len[LITEFLOW_A_MODEL_DATA];
		break;
	case LITEFLOW_CMD_MODEL_COMMIT:
		apply_commit(s, reply, reply_len, bad);
		break;
	case LITEFLOW_CMD_MODEL_ROLLBACK:
		slot = previous(app);
		/* fall through */
	case LITEFLOW_CMD_MODEL_ACTIVATE:
		activate(app, slot);
		check(bad, "switch", slot->version, reply, reply_len, LITEFLOW_A_MODEL_VERSION);
		break;
	case LITEFLOW_CMD_MODEL_REMOVE:
		slot_clear(slot);
		break;
	case LITEFLOW_CMD_EVAL:
		apply_eval(app, &a, reply, reply_len, bad);
		break;
	case LITEFLOW_CMD_COLLECT_START:
		s->collects = app;
		app->reader = s - socks;
		break;
	case LITEFLOW_CMD_COLLECT_STOP:
		s->collects->reader = -1;
		s->collects = NULL;
		apps_sweep();
		break;
	}
}

void oracle_refused(struct o_sock *s)
{
	if (!oracle_whole)
		return;
	tally.whole++;
	tally.unsound++;
	upload_drop(s);
}

void oracle_close(struct o_sock *s)
{
	upload_drop(s);
	if (s->collects)
		s->collects->reader = -1;
	s->collects = NULL;
	apps_sweep();
}
