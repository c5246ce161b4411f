// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>
#include "gen.h"
#include "testmodel.h"

uint64_t gen_state;
struct plan plans[N_SOCKS];

/* -- numbers ------------------------------------------------------------- */

/* xorshift64* */
static uint64_t rnd64(void)
{
	gen_state ^= gen_state >> 12;
	gen_state ^= gen_state << 25;
	gen_state ^= gen_state >> 27;
	return gen_state * 0x2545f4914f6cdd1dULL;
}

uint32_t rnd(uint32_t below)
{
	return (rnd64() >> 32) * below >> 32;
}

bool one_in(uint32_t n)
{
	return !rnd(n);
}

/* Numbers that programs trip over. */
static uint64_t edge(void)
{
	static const int64_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 33, 62, 63, 64, 65, 127, 128, 255, 256, 1023,
		1024, 1025, 4096, 32767, 32768, 65535, 65536, 1 << 20, (1 << 20) + 1, INT32_MAX,
		UINT32_MAX, INT32_MIN, -1, -2, INT64_MAX, INT64_MIN,
	};

	return edges[rnd(sizeof(edges) / sizeof(edges[0]))];
}

static uint32_t any(void)
{
	return one_in(2) ? edge() : rnd64();
}

/* Mostly what is sensible, sometimes anything. */
static uint32_t mostly(uint32_t below)
{
	return one_in(24) ? any() : rnd(below);
}

struct o_app *gen_some_app(void)
{
	struct o_app *app, *chosen = NULL;
	uint32_t n = 0;

	for (app = apps; app; app = app->next)
		if (app->alive && one_in(++n))
			chosen = app;
	return chosen;
}

/* -- models -------------------------------------------------------------- */

static void put(uint8_t *at, uint64_t v, size_t bytes)
{
	memcpy(at, &v, bytes);
}

/* Overwrite a number somewhere in the part that is not weights. */
static void mutate_field(uint8_t *blob, size_t len)
{
	const struct liteflow_blob_header *h = (const void *)blob;
	size_t front = sizeof(*h) + h->n_in * sizeof(struct liteflow_blob_feature) +
		       h->n_out * sizeof(struct liteflow_blob_output) +
		       h->n_layers * sizeof(struct liteflow_blob_layer);
	size_t bytes = 1 << rnd(4), at;

	if (front > len)
		front = len;
	if (one_in(3))
		front = sizeof(*h) < len ? sizeof(*h) : len;
	if (front < bytes)
		return;
	at = rnd(front - bytes + 1) & ~(bytes - 1);
	put(blob + at, one_in(2) ? edge() : rnd64(), bytes);
}

/* One layer's or one scale's numbers, where the proofs are. */
static void mutate_scale(uint8_t *blob, size_t len)
{
	const struct liteflow_blob_header *h = (const void *)blob;
	size_t outputs = sizeof(*h) + h->n_in * sizeof(struct liteflow_blob_feature);
	size_t layers = outputs + h->n_out * sizeof(struct liteflow_blob_output);
	size_t at;

	switch (rnd(3)) {
	case 0:
		at = sizeof(*h) + rnd(h->n_in + 1) * sizeof(struct liteflow_blob_feature) +
		     offsetof(struct liteflow_blob_feature, lo) + 4 * rnd(5);
		break;
	case 1:
		at = outputs + rnd(h->n_out + 1) * sizeof(struct liteflow_blob_output) +
		     offsetof(struct liteflow_blob_output, lo) + 4 * rnd(5);
		break;
	default:
		at = layers + rnd(h->n_layers + 1) * sizeof(struct liteflow_blob_layer) + rnd(8);
	}
	if (at + 4 <= len)
		put(blob + at, one_in(2) ? edge() : rnd64(), one_in(2) ? 1 : 4);
}

/* Biases and weights as large as can be, or anything. */
static void mutate_params(uint8_t *blob, size_t len)
{
	size_t n = 1 + rnd(64), at;

	for (at = len / 2 & ~7UL; n && at + 8 <= len; at += 8, n--)
		put(blob + at, edge(), 8);
}

void gen_mutate(uint8_t *blob, size_t *len)
{
	size_t by, at;

	if (*len < sizeof(struct liteflow_blob_header))
		return;
	switch (rnd(8)) {
	case 0:
		at = rnd(*len);
		blob[at] ^= 1 << rnd(8);
		break;
	case 1:
		by = one_in(2) ? 8 * (1 + rnd(8)) : 1 + rnd(*len);
		*len = by < *len ? *len - by : 1;
		break;
	case 2:
		by = one_in(2) ? 8 * (1 + rnd(8)) : 1 + rnd(64);
		if (*len + by > LITEFLOW_MAX_BLOB)
			by = LITEFLOW_MAX_BLOB - *len;
		memset(blob + *len, one_in(2) ? 0 : rnd(256), by);
		*len += by;
		break;
	case 3:
		/* a part of it somewhere else */
		by = 1 + rnd(*len / 2);
		memmove(blob + rnd(*len - by + 1), blob + rnd(*len - by + 1), by);
		break;
	case 4:
		mutate_params(blob, *len);
		break;
	case 5:
		mutate_field(blob, *len);
		break;
	default:
		mutate_scale(blob, *len);
	}
}

/* A model for @app, sound one time in six; false: this one did not work out. */
bool gen_blob(struct plan *p, const struct o_app *app)
{
	struct lf_testmodel_spec spec = {
		.n_in = app->n_in,
		.n_out = app->n_out,
		.act = LF_TESTMODEL_ANY,
		.last = LF_TESTMODEL_ANY,
		.weight_bits = rnd(16),
		.units = app->units[0] ? app->units : NULL,
	};
	unsigned int changes = one_in(6) ? 0 : 1 + rnd(3);

	if (one_in(50))
		spec.n_in = 1 + rnd(80);
	if (one_in(50))
		spec.n_out = 1 + rnd(80);
	if (one_in(40))
		spec.width = 1 + rnd(300);
	if (one_in(40))
		spec.n_layers = 1 + rnd(LITEFLOW_MAX_LAYERS);
	if (one_in(50))
		spec.units = "other";
	if (spec.last == LITEFLOW_ACT_ARGMAX && spec.n_out != 1)
		return false;
	p->len = lf_testmodel(rnd64(), &spec, p->blob, LITEFLOW_MAX_BLOB);
	if (!p->len)
		return false;
	while (changes--) {
		gen_mutate(p->blob, &p->len);
		/* without that, the checksum hides what is behind it */
		if (!one_in(8) && p->len >= sizeof(struct liteflow_blob_header))
			lf_testmodel_fix(p->blob, p->len);
	}
	return true;
}

static void add_app(struct message *m, uint32_t id)
{
	const struct o_app *app = oracle_app(id, NULL);

	if (!app || !one_in(3))
		nl_add_u32(m, LITEFLOW_A_APP_ID, id);
	if (app && one_in(2))
		nl_add_str(m, LITEFLOW_A_APP_NAME, app->name);
}

static void plan_begin(struct message *m, struct plan *p, uint16_t family)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(p->blob, p->len, digest);
	if (one_in(20))
		digest[rnd(sizeof(digest))] ^= 1 << rnd(8);
	nl_begin(m, family, NLM_F_ACK, LITEFLOW_CMD_MODEL_BEGIN);
	add_app(m, p->app_id);
	nl_add_u32(m, LITEFLOW_A_MODEL_SLOT, p->slot);
	nl_add_u32(m, LITEFLOW_A_MODEL_LENGTH, one_in(60) ? any() : p->len);
	nl_add(m, LITEFLOW_A_MODEL_DIGEST, digest, one_in(60) ? rnd(33) : sizeof(digest));
}

/* The next message of a plan: begin, data in pieces of any size, commit. */
void gen_plan_step(struct message *m, struct plan *p, uint16_t family)
{
	size_t piece = p->len - p->sent;

	if (p->sent == p->len) {
		nl_begin(m, family, NLM_F_ACK, LITEFLOW_CMD_MODEL_COMMIT);
		p->going = false;
		return;
	}
	if (p->sent == SIZE_MAX) {
		plan_begin(m, p, family);
		p->sent = 0;
		return;
	}
	if (one_in(60)) {
		/* too early */
		nl_begin(m, family, NLM_F_ACK, LITEFLOW_CMD_MODEL_COMMIT);
		return;
	}
	if (piece > LITEFLOW_DATA_MAX && !one_in(30))
		piece = LITEFLOW_DATA_MAX;
	if (one_in(8))
		piece = 1 + rnd(piece);
	if (piece > 60000)
		piece = 60000;
	nl_begin(m, family, NLM_F_ACK, LITEFLOW_CMD_MODEL_DATA);
	nl_add_u32(m, LITEFLOW_A_MODEL_OFFSET, one_in(60) ? any() : p->sent);
	nl_add(m, LITEFLOW_A_MODEL_DATA, p->blob + p->sent, one_in(80) ? 0 : piece);
	p->sent += piece;
}

/* -- other operations ---------------------------------------------------- */

static void add_number(struct message *m, unsigned int type, uint32_t below, uint32_t every)
{
	if (one_in(every))
		nl_add_u32(m, type, mostly(below));
}

static void add_some_app(struct message *m)
{
	const struct o_app *app = gen_some_app();

	if (one_in(30))
		return;
	if (one_in(30)) {
		nl_add_u32(m, LITEFLOW_A_APP_ID, any());
		return;
	}
	if (one_in(30)) {
		nl_add_str(m, LITEFLOW_A_APP_NAME, "nobody");
		return;
	}
	if (app)
		add_app(m, app->id);
}

static void add_name(struct message *m)
{
	static const char *const odd[] = {
		"", "a b", "x/y", "0123456789012345678901234567890", "\xff\xfe", "n\n",
		"01234567890123456789012345678901",
	};
	char name[32];

	if (one_in(16)) {
		nl_add_str(m, LITEFLOW_A_APP_NAME, odd[rnd(sizeof(odd) / sizeof(odd[0]))]);
		return;
	}
	snprintf(name, sizeof(name), "fuzz-%u", rnd(12));
	nl_add_str(m, LITEFLOW_A_APP_NAME, name);
}

static void add_shape(struct message *m)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 8, 30, 64, 65, 200, 1024 };

	if (!one_in(30))
		nl_add_u32(m, LITEFLOW_A_APP_N_IN, one_in(4) ? sizes[rnd(10)] : 1 + mostly(32));
	if (!one_in(30))
		nl_add_u32(m, LITEFLOW_A_APP_N_OUT, one_in(8) ? sizes[rnd(10)] : 1 + mostly(4));
}

static void op_app_add(struct message *m)
{
	static const char *const units[] = { "", "test", "bps", "0123456789012345678901234567890" };

	/* the lower ones are refused */
	if (one_in(4))
		nl_add_u32(m, LITEFLOW_A_APP_ID, (one_in(6) ? 0 : 256) + mostly(400));
	if (!one_in(30))
		add_name(m);
	add_shape(m);
	add_number(m, LITEFLOW_A_APP_CONTEXT, 2, 3);
	add_number(m, LITEFLOW_A_APP_POLICY, 2, 3);
	add_number(m, LITEFLOW_A_APP_AT_LIMIT, 2, 3);
	if (one_in(3))
		nl_add_u32(m, LITEFLOW_A_APP_N_SLOTS, 2 + mostly(7));
	if (one_in(3))
		nl_add_u32(m, LITEFLOW_A_APP_CAPABILITY, one_in(4) ? mostly(41) : one_in(2) ? 12 : 21);
	add_number(m, LITEFLOW_A_APP_MAX_MACS, 5000, 6);
	add_number(m, LITEFLOW_A_APP_MAX_BYTES, 200000, 6);
	add_number(m, LITEFLOW_A_APP_MAX_RETIRED, 200000, 6);
	if (one_in(3))
		nl_add_str(m, LITEFLOW_A_APP_UNITS, units[rnd(4)]);
	if (one_in(5))
		nl_add_u32(m, LITEFLOW_A_APP_MAX_STATE, one_in(10) ? 8193 : rnd(200));
}

static void op_eval(struct message *m)
{
	static int32_t in[LITEFLOW_DATA_MAX / 4 + 64], state[4];
	const struct o_app *app = gen_some_app();
	uint32_t rows, max, i, n;

	if (!app)
		return;
	max = LITEFLOW_DATA_MAX / 4 / (app->n_in > app->n_out ? app->n_in : app->n_out);
	rows = 1 + rnd(one_in(20) ? max : max < 4 ? max : 4);
	n = rows * app->n_in;
	for (i = 0; i < n; i++)
		in[i] = one_in(4) ? edge() : rnd64();
	if (one_in(24))
		n = rnd(n + 32);
	add_app(m, app->id);
	nl_add_u32(m, LITEFLOW_A_EVAL_SLOT, mostly(app->n_slots));
	nl_add_u32(m, LITEFLOW_A_EVAL_ROWS, one_in(24) ? any() : rows);
	nl_add(m, LITEFLOW_A_EVAL_INPUTS, in, n * 4 + (one_in(40) ? rnd(4) : 0));
	if (one_in(4)) {
		/* a version that may be the slot's, and too few values, or too many */
		state[0] = rnd(4);
		nl_add(m, LITEFLOW_A_EVAL_STATE, state, one_in(3) ? 0 : 4 * (1 + rnd(3)) +
		       (one_in(20) ? 1 : 0));
	}
}

static void add_attributes(struct message *m, unsigned int cmd)
{
	switch (cmd) {
	case LITEFLOW_CMD_APP_ADD:
		op_app_add(m);
		return;
	case LITEFLOW_CMD_EVAL:
		op_eval(m);
		return;
	case LITEFLOW_CMD_MODEL_COMMIT:
	case LITEFLOW_CMD_COLLECT_STOP:
		return;
	case LITEFLOW_CMD_MODEL_DATA:
		add_number(m, LITEFLOW_A_MODEL_OFFSET, 2, 1);
		nl_add(m, LITEFLOW_A_MODEL_DATA, m, rnd(40));
		return;
	}
	add_some_app(m);
	switch (cmd) {
	case LITEFLOW_CMD_APP_SET:
		add_number(m, LITEFLOW_A_APP_POLICY, 2, 2);
		add_number(m, LITEFLOW_A_APP_AT_LIMIT, 2, 2);
		add_number(m, LITEFLOW_A_APP_MAX_RETIRED, 1 << 20, 2);
		add_number(m, LITEFLOW_A_APP_SAMPLE_SHIFT, 31, 2);
		break;
	case LITEFLOW_CMD_MODEL_BEGIN:
		add_number(m, LITEFLOW_A_MODEL_SLOT, 8, 1);
		add_number(m, LITEFLOW_A_MODEL_LENGTH, 100, 1);
		nl_add(m, LITEFLOW_A_MODEL_DIGEST, m, 32);
		break;
	case LITEFLOW_CMD_COMPILED_INSTALL:
		add_number(m, LITEFLOW_A_MODEL_SLOT, 4, 1);
		nl_add_str(m, LITEFLOW_A_MODEL_NAME, one_in(2) ? "none" : "");
		break;
	case LITEFLOW_CMD_MODEL_ACTIVATE:
		add_number(m, LITEFLOW_A_MODEL_SLOT, 4, 1);
		break;
	case LITEFLOW_CMD_MODEL_REMOVE:
		add_number(m, LITEFLOW_A_MODEL_SLOT, 4, 1);
		add_number(m, LITEFLOW_A_MODEL_REMOVE_FLAGS, 5, 2);
		break;
	case LITEFLOW_CMD_COLLECT_START:
		if (one_in(2))
			nl_add_u32(m, LITEFLOW_A_COLLECT_EVERY, one_in(4) ? any() : 1U << rnd(31));
		add_number(m, LITEFLOW_A_COLLECT_INTERVAL_MS, 1000, 2);
		if (!one_in(3))
			nl_add_u32(m, LITEFLOW_A_COLLECT_RING_BYTES, one_in(200) ? any() :
				   4000 + rnd(one_in(8) ? 200000 : 20000));
		break;
	}
}

void gen_op(struct message *m, uint16_t family)
{
	static const uint8_t often[] = {
		LITEFLOW_CMD_MODEL_ACTIVATE, LITEFLOW_CMD_MODEL_ROLLBACK, LITEFLOW_CMD_EVAL,
		LITEFLOW_CMD_EVAL, LITEFLOW_CMD_MODEL_REMOVE,
	};
	unsigned int cmd = one_in(2) ? often[rnd(sizeof(often))] : 1 + rnd(LITEFLOW_CMD_MAX);
	bool dump = rules_known(cmd, true) && !one_in(3);

	/* apps come and go, more often the former as long as there are few */
	if (cmd == LITEFLOW_CMD_APP_DEL && !one_in(3))
		cmd = LITEFLOW_CMD_APP_ADD;
	if (one_in(40))
		dump = !dump;
	nl_begin(m, family, NLM_F_ACK | (dump ? NLM_F_DUMP : 0), cmd);
	if (dump) {
		if (one_in(3))
			add_some_app(m);
		return;
	}
	add_attributes(m, cmd);
}

/* -- damage -------------------------------------------------------------- */

static void spoil_attribute(struct message *m)
{
	uint8_t *data = (uint8_t *)m->data;
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN, chosen = 0, n = 0, step;
	struct nlattr *attr;

	for (; at + sizeof(*attr) <= m->len; at += step) {
		attr = (void *)(data + at);
		if (one_in(++n))
			chosen = at;
		step = NLA_ALIGN(attr->nla_len);
		if (step < sizeof(*attr))
			break;
	}
	if (!n)
		return;
	attr = (void *)(data + chosen);
	switch (rnd(5)) {
	case 0:
		attr->nla_len = any();
		break;
	case 1:
		attr->nla_len += rnd(9) - 4;
		break;
	case 2:
		attr->nla_type = any();
		break;
	case 3:
		attr->nla_type ^= one_in(2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		break;
	default:
		attr->nla_type = 1 + rnd(ATTRS_MAX + 1);
	}
}

/* Attributes in attributes in attributes. */
static void spoil_nest(struct message *m)
{
	uint8_t buf[512] = {};
	struct nlattr *attr;
	size_t at = 0;

	while (at + 2 * sizeof(*attr) < sizeof(buf)) {
		attr = (void *)(buf + at);
		attr->nla_len = one_in(20) ? any() : sizeof(buf) - at;
		attr->nla_type = rnd(ATTRS_MAX + 2) | (one_in(4) ? 0 : NLA_F_NESTED);
		at += sizeof(*attr) * (1 + rnd(2));
	}
	nl_add(m, rnd(ATTRS_MAX + 2) | NLA_F_NESTED, buf, sizeof(buf));
}

/* After that only the oracle knows whether it still is in order. */
void gen_spoil(struct message *m)
{
	struct nlmsghdr *nlh = (void *)m->data;
	uint8_t *data = (uint8_t *)m->data;
	unsigned int n = 1 + rnd(4);
	size_t by;

	while (n--) {
		switch (rnd(8)) {
		case 0:
			data[rnd(m->len)] ^= 1 << rnd(8);
			break;
		case 1:
			by = rnd(m->len - NLMSG_HDRLEN + 1);
			m->len -= by < 64 ? by : 1 + rnd(8);
			if (m->len < NLMSG_HDRLEN)
				m->len = NLMSG_HDRLEN;
			break;
		case 2:
			by = 1 + rnd(12);
			if (m->len + by <= sizeof(m->data)) {
				memset(data + m->len, one_in(2) ? 0 : rnd(256), by);
				m->len += by;
			}
			break;
		case 3:
			spoil_nest(m);
			break;
		case 4:
			nlh->nlmsg_flags ^= 1 << rnd(16);
			break;
		default:
			spoil_attribute(m);
		}
	}
	/* bit flips must not make it another family's, which may do anything */
	nlh->nlmsg_len = m->len;
}

/* Noise with a header that leads it to the family. */
void gen_raw(struct message *m, uint16_t family)
{
	struct genlmsghdr *genl = (void *)(m->data + NLMSG_HDRLEN / 4);
	struct nlmsghdr *nlh = (void *)m->data;
	size_t len = rnd(one_in(20) ? 4000 : 120), i;

	nl_begin(m, family, NLM_F_ACK, rnd(LITEFLOW_CMD_MAX + 3));
	for (i = 0; i < len; i++)
		((uint8_t *)m->data)[m->len + i] = one_in(3) ? 0 : rnd64();
	m->len += len;
	if (one_in(8))
		genl->reserved = any();
	genl->version = any();
	if (one_in(4))
		nlh->nlmsg_flags = any();
	if (one_in(8))
		m->len = NLMSG_HDRLEN + rnd(GENL_HDRLEN + 1);
	nlh->nlmsg_len = one_in(16) ? any() : m->len;
	/* what is left of a datagram would be another message */
	if (nlh->nlmsg_len >= NLMSG_HDRLEN && nlh->nlmsg_len < m->len)
		nlh->nlmsg_len = m->len;
}
