// SPDX-License-Identifier: GPL-2.0
/*
 * Models: what is in slots, sending, activating, and what they answer.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_model.h>
#include "netlink.h"

_Static_assert(LF_DIGEST_LEN == LITEFLOW_DIGEST_LEN && LF_NAME_LEN == LITEFLOW_NAME_LEN,
	       "as in models");

/* Bytes of a model in one message. */
#define PIECE	LITEFLOW_DATA_MAX

/* -- slots --------------------------------------------------------------- */

struct each_model {
	lf_model_fn fn;
	void *data;
};

static int on_model(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *digest = tb[LITEFLOW_A_MODEL_DIGEST];
	struct each_model *each = data;
	struct lf_model_info info = {
		.app_id = lf_nl_uint(tb[LITEFLOW_A_MODEL_APP_ID]),
		.slot = lf_nl_slot(tb[LITEFLOW_A_MODEL_SLOT]),
		.version = lf_nl_uint(tb[LITEFLOW_A_MODEL_VERSION]),
		.state = lf_nl_uint(tb[LITEFLOW_A_MODEL_STATE]),
		.kind = lf_nl_uint(tb[LITEFLOW_A_MODEL_KIND]),
		.bytes = lf_nl_uint(tb[LITEFLOW_A_MODEL_BYTES]),
		.macs = lf_nl_uint(tb[LITEFLOW_A_MODEL_MACS]),
		.width = lf_nl_uint(tb[LITEFLOW_A_MODEL_WIDTH]),
		.pins = lf_nl_uint(tb[LITEFLOW_A_MODEL_PINS]),
		.queries = lf_nl_uint(tb[LITEFLOW_A_MODEL_QUERIES]),
	};

	(void)lf;
	(void)nlh;
	lf_nl_copy(info.app, sizeof(info.app), tb[LITEFLOW_A_MODEL_APP_NAME]);
	lf_nl_copy(info.name, sizeof(info.name), tb[LITEFLOW_A_MODEL_NAME]);
	lf_nl_copy(info.provenance, sizeof(info.provenance), tb[LITEFLOW_A_MODEL_PROVENANCE]);
	if (digest && mnl_attr_get_payload_len(digest) == LF_DIGEST_LEN) {
		info.has_digest = true;
		memcpy(info.digest, mnl_attr_get_payload(digest), LF_DIGEST_LEN);
	}
	return each->fn(&info, each->data);
}

int lf_for_each_model(struct lf *lf, const char *app, lf_model_fn fn, void *data)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_SLOT_GET, NLM_F_DUMP);
	struct each_model each = { fn, data };

	if (app)
		lf_nl_put_app(lf, nlh, app);
	return lf_nl_ask(lf, on_model, &each);
}

static int keep_slot(const struct lf_model_info *info, void *data)
{
	struct lf_model_info *slots = data;

	if (info->slot >= 0 && info->slot < LITEFLOW_SLOTS_MAX)
		slots[info->slot] = *info;
	return 0;
}

int lf_get_slots(struct lf *lf, const char *app, struct lf_model_info slots[LITEFLOW_SLOTS_MAX])
{
	int i;

	memset(slots, 0, LITEFLOW_SLOTS_MAX * sizeof(*slots));
	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		slots[i].slot = i;
	return lf_for_each_model(lf, app, keep_slot, slots);
}

int lf_active_slot(const struct lf_model_info slots[LITEFLOW_SLOTS_MAX])
{
	int i;

	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		if (slots[i].state == LITEFLOW_STATE_ACTIVE)
			return i;
	return -1;
}

/* -- changes ------------------------------------------------------------- */

struct answer {
	uint32_t *version;
	uint64_t *ns;
};

static int on_answer(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct answer *answer = data;

	(void)lf;
	(void)nlh;
	if (answer->version)
		*answer->version = lf_nl_uint(tb[LITEFLOW_A_MODEL_VERSION]);
	if (answer->ns)
		*answer->ns = lf_nl_uint(tb[LITEFLOW_A_MODEL_OP_NS]);
	return 0;
}

static struct nlmsghdr *begin(struct lf *lf, uint8_t cmd, const char *app, unsigned int slot)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, cmd, 0);

	lf_nl_put_app(lf, nlh, app);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_SLOT, slot);
	return nlh;
}

int lf_digest(const void *blob, size_t len, uint8_t digest[LF_DIGEST_LEN])
{
	return EVP_Digest(blob, len, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

static int send_piece(struct lf *lf, const char *blob, size_t at, size_t len)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_MODEL_DATA, 0);

	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_OFFSET, at);
	mnl_attr_put(nlh, LITEFLOW_A_MODEL_DATA, len, blob + at);
	return lf_nl_ask(lf, NULL, NULL);
}

int lf_install(struct lf *lf, const char *app, unsigned int slot, const void *blob, size_t len,
	       uint32_t *version)
{
	struct answer answer = { version, NULL };
	uint8_t digest[LF_DIGEST_LEN];
	struct nlmsghdr *nlh;
	size_t at, n;
	int ret;

	if (lf_digest(blob, len, digest))
		return lf_fail(lf, EIO, "no SHA-256 of the model can be computed");
	nlh = begin(lf, LITEFLOW_CMD_MODEL_BEGIN, app, slot);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_LENGTH, len);
	mnl_attr_put(nlh, LITEFLOW_A_MODEL_DIGEST, LF_DIGEST_LEN, digest);
	ret = lf_nl_ask(lf, NULL, NULL);
	for (at = 0; !ret && at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		ret = send_piece(lf, blob, at, n);
	}
	if (ret)
		return ret;
	lf_nl_begin(lf, LITEFLOW_CMD_MODEL_COMMIT, 0);
	return lf_nl_ask(lf, on_answer, &answer);
}

int lf_install_compiled(struct lf *lf, const char *app, unsigned int slot, const char *name,
			uint32_t *version)
{
	struct nlmsghdr *nlh = begin(lf, LITEFLOW_CMD_COMPILED_INSTALL, app, slot);
	struct answer answer = { version, NULL };

	lf_nl_put_string(lf, nlh, LITEFLOW_A_MODEL_NAME, name);
	return lf_nl_ask(lf, on_answer, &answer);
}

int lf_activate(struct lf *lf, const char *app, unsigned int slot, uint32_t *version,
		uint64_t *ns)
{
	struct answer answer = { version, ns };

	begin(lf, LITEFLOW_CMD_MODEL_ACTIVATE, app, slot);
	return lf_nl_ask(lf, on_answer, &answer);
}

int lf_rollback(struct lf *lf, const char *app, uint32_t *version, uint64_t *ns)
{
	struct answer answer = { version, ns };

	lf_nl_put_app(lf, lf_nl_begin(lf, LITEFLOW_CMD_MODEL_ROLLBACK, 0), app);
	return lf_nl_ask(lf, on_answer, &answer);
}

int lf_remove(struct lf *lf, const char *app, unsigned int slot, unsigned int flags)
{
	struct nlmsghdr *nlh = begin(lf, LITEFLOW_CMD_MODEL_REMOVE, app, slot);

	if (flags)
		mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_REMOVE_FLAGS, flags);
	return lf_nl_ask(lf, NULL, NULL);
}

/* -- what a model answers ------------------------------------------------ */

struct eval {
	int32_t *outputs;
	size_t bytes;
	struct lf_sequence *seq;
	bool done;
};

/* Of requests: what is left of the message beside the state. */
#define SEQUENCE_ROOM	(LITEFLOW_DATA_MAX + 8192)

_Static_assert(LF_STATE_VALUES == 1 + LITEFLOW_MAX_STATE, "any state fits");

static int on_state(struct lf *lf, const struct nlattr *attr, struct lf_sequence *seq)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (!len || len % sizeof(*seq->value) || len > sizeof(seq->value))
		return lf_fail(lf, EPROTO, "the kernel told no state");
	memcpy(seq->value, mnl_attr_get_payload(attr), len);
	seq->n = len / sizeof(*seq->value);
	return 0;
}

static int on_outputs(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *attr = tb[LITEFLOW_A_EVAL_OUTPUTS];
	struct eval *eval = data;

	(void)nlh;
	if (!attr || mnl_attr_get_payload_len(attr) != eval->bytes)
		return lf_fail(lf, EPROTO, "the kernel's answer has another size");
	memcpy(eval->outputs, mnl_attr_get_payload(attr), eval->bytes);
	eval->done = true;
	return eval->seq ? on_state(lf, tb[LITEFLOW_A_EVAL_STATE], eval->seq) : 0;
}

static int eval_some(struct lf *lf, const struct lf_app_info *info, unsigned int slot,
		     struct lf_sequence *seq, size_t rows, const int32_t *inputs, int32_t *outputs)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_EVAL, 0);
	struct eval eval = { outputs, rows * info->n_out * sizeof(*outputs), seq, false };
	int ret;

	/* by number: a name may look like one */
	mnl_attr_put_u32(nlh, LITEFLOW_A_EVAL_APP_ID, info->id);
	mnl_attr_put_u32(nlh, LITEFLOW_A_EVAL_SLOT, slot);
	mnl_attr_put_u32(nlh, LITEFLOW_A_EVAL_ROWS, rows);
	mnl_attr_put(nlh, LITEFLOW_A_EVAL_INPUTS, rows * info->n_in * sizeof(*inputs), inputs);
	if (seq)
		mnl_attr_put(nlh, LITEFLOW_A_EVAL_STATE, seq->n * sizeof(*seq->value), seq->value);
	ret = lf_nl_ask(lf, on_outputs, &eval);
	return ret || eval.done ? ret : lf_fail(lf, EPROTO, "the kernel answered nothing");
}

int lf_eval_sequence(struct lf *lf, const struct lf_app_info *info, unsigned int slot,
		     struct lf_sequence *seq, size_t rows, const int32_t *inputs, int32_t *outputs)
{
	uint32_t widest = info->n_in > info->n_out ? info->n_in : info->n_out;
	size_t room = SEQUENCE_ROOM - (seq ? (1 + info->max_state) * sizeof(int32_t) : 0);
	size_t most, at, n;
	int ret = 0;

	/* at least one row of 1024 values, whatever the state */
	if (room > LITEFLOW_DATA_MAX)
		room = LITEFLOW_DATA_MAX;
	most = room / (widest * sizeof(int32_t));

	for (at = 0; !ret && at < rows; at += n) {
		n = rows - at < most ? rows - at : most;
		ret = eval_some(lf, info, slot, seq, n, inputs + at * info->n_in,
				outputs + at * info->n_out);
	}
	return ret;
}

int lf_eval(struct lf *lf, const struct lf_app_info *info, unsigned int slot, size_t rows,
	    const int32_t *inputs, int32_t *outputs)
{
	return lf_eval_sequence(lf, info, slot, NULL, rows, inputs, outputs);
}
