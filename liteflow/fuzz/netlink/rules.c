// SPDX-License-Identifier: GPL-2.0
/*
 * Which attributes each operation takes, and what they may be: after the YAML
 * specification, as strict validation of generic netlink reads it.
 */
#include <string.h>
#include <linux/netlink.h>
#include "oracle.h"

enum kind { NOTHING, NUMBER, TEXT, BYTES };

/* Numbers: from low to high; text: up to high bytes; bytes: low of them, 0: any. */
struct rule {
	enum kind kind;
	uint32_t low, high;
};

#define APP_RULES \
	[LITEFLOW_A_APP_ID] = { NUMBER, 1, 65535 }, \
	[LITEFLOW_A_APP_NAME] = { TEXT, 0, 31 }

static const struct rule app_rules[ATTRS_MAX + 1] = {
	APP_RULES,
	[LITEFLOW_A_APP_N_IN] = { NUMBER, 1, 1024 },
	[LITEFLOW_A_APP_N_OUT] = { NUMBER, 1, 1024 },
	[LITEFLOW_A_APP_CONTEXT] = { NUMBER, 0, 1 },
	[LITEFLOW_A_APP_POLICY] = { NUMBER, 0, 1 },
	[LITEFLOW_A_APP_AT_LIMIT] = { NUMBER, 0, 1 },
	[LITEFLOW_A_APP_N_SLOTS] = { NUMBER, 2, 8 },
	[LITEFLOW_A_APP_CAPABILITY] = { NUMBER, 0, 63 },
	[LITEFLOW_A_APP_MAX_MACS] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_APP_MAX_BYTES] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_APP_MAX_RETIRED] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_APP_UNITS] = { TEXT, 0, 31 },
	[LITEFLOW_A_APP_MAX_STATE] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_APP_SAMPLE_SHIFT] = { NUMBER, 0, 30 },
};

static const struct rule model_rules[ATTRS_MAX + 1] = {
	APP_RULES,
	[LITEFLOW_A_MODEL_SLOT] = { NUMBER, 0, 7 },
	[LITEFLOW_A_MODEL_NAME] = { TEXT, 0, 31 },
	[LITEFLOW_A_MODEL_DIGEST] = { BYTES, 32, 0 },
	[LITEFLOW_A_MODEL_LENGTH] = { NUMBER, 1, 1 << 20 },
	[LITEFLOW_A_MODEL_OFFSET] = { NUMBER, 0, (1 << 20) - 1 },
	[LITEFLOW_A_MODEL_DATA] = { BYTES, 0, 0 },
	[LITEFLOW_A_MODEL_REMOVE_FLAGS] = { NUMBER, 0, 3 },
};

static const struct rule stats_rules[ATTRS_MAX + 1] = {
	APP_RULES,
};

static const struct rule eval_rules[ATTRS_MAX + 1] = {
	APP_RULES,
	[LITEFLOW_A_EVAL_SLOT] = { NUMBER, 0, 7 },
	[LITEFLOW_A_EVAL_ROWS] = { NUMBER, 1, 8192 },
	[LITEFLOW_A_EVAL_INPUTS] = { BYTES, 0, 0 },
	[LITEFLOW_A_EVAL_STATE] = { BYTES, 0, 0 },
};

static const struct rule collect_rules[ATTRS_MAX + 1] = {
	APP_RULES,
	[LITEFLOW_A_COLLECT_EVERY] = { NUMBER, 1, 1 << 30 },
	[LITEFLOW_A_COLLECT_INTERVAL_MS] = { NUMBER, 1, 60000 },
	[LITEFLOW_A_COLLECT_RING_BYTES] = { NUMBER, 4096, 64 << 20 },
};

_Static_assert(ATTRS_MAX < 64, "an operation's attributes are bits of a number");
_Static_assert(ATTRS_MAX >= (int)LITEFLOW_A_APP_MAX && ATTRS_MAX >= (int)LITEFLOW_A_STATS_MAX &&
	       ATTRS_MAX >= (int)LITEFLOW_A_EVAL_MAX &&
	       ATTRS_MAX >= (int)LITEFLOW_A_COLLECT_MAX,
	       "no set is larger");
_Static_assert((int)LITEFLOW_A_EVAL_SLOT == (int)LITEFLOW_A_MODEL_SLOT, "one number");

#define A(name)	(1ULL << LITEFLOW_A_##name)
#define APP	(A(APP_ID) | A(APP_NAME))

static const struct op {
	const struct rule *rules;
	bool does, dumps;
	uint64_t takes;
} ops[LITEFLOW_CMD_MAX + 1] = {
	[LITEFLOW_CMD_APP_GET] = { app_rules, true, true, APP },
	[LITEFLOW_CMD_APP_ADD] = { app_rules, true, false,
		APP | A(APP_N_IN) | A(APP_N_OUT) | A(APP_CONTEXT) | A(APP_POLICY) |
		A(APP_AT_LIMIT) | A(APP_N_SLOTS) | A(APP_CAPABILITY) | A(APP_MAX_MACS) |
		A(APP_MAX_BYTES) | A(APP_MAX_RETIRED) | A(APP_UNITS) |
		A(APP_MAX_STATE) },
	[LITEFLOW_CMD_APP_DEL] = { app_rules, true, false, APP },
	[LITEFLOW_CMD_APP_SET] = { app_rules, true, false,
		APP | A(APP_POLICY) | A(APP_AT_LIMIT) | A(APP_MAX_RETIRED) | A(APP_SAMPLE_SHIFT) },
	[LITEFLOW_CMD_SLOT_GET] = { model_rules, false, true, APP },
	[LITEFLOW_CMD_STATS_GET] = { stats_rules, false, true, APP },
	[LITEFLOW_CMD_MODEL_BEGIN] = { model_rules, true, false,
		APP | A(MODEL_SLOT) | A(MODEL_LENGTH) | A(MODEL_DIGEST) },
	[LITEFLOW_CMD_MODEL_DATA] = { model_rules, true, false, A(MODEL_OFFSET) | A(MODEL_DATA) },
	[LITEFLOW_CMD_MODEL_COMMIT] = { model_rules, true, false, 0 },
	[LITEFLOW_CMD_COMPILED_INSTALL] = { model_rules, true, false,
		APP | A(MODEL_SLOT) | A(MODEL_NAME) },
	[LITEFLOW_CMD_MODEL_ACTIVATE] = { model_rules, true, false, APP | A(MODEL_SLOT) },
	[LITEFLOW_CMD_MODEL_ROLLBACK] = { model_rules, true, false, APP },
	[LITEFLOW_CMD_MODEL_REMOVE] = { model_rules, true, false,
		APP | A(MODEL_SLOT) | A(MODEL_REMOVE_FLAGS) },
	[LITEFLOW_CMD_EVAL] = { eval_rules, true, false,
		APP | A(EVAL_SLOT) | A(EVAL_ROWS) | A(EVAL_INPUTS) | A(EVAL_STATE) },
	[LITEFLOW_CMD_COLLECT_START] = { collect_rules, true, false,
		APP | A(COLLECT_EVERY) | A(COLLECT_INTERVAL_MS) | A(COLLECT_RING_BYTES) },
	[LITEFLOW_CMD_COLLECT_STOP] = { collect_rules, true, false, 0 },
};

bool rules_known(unsigned int cmd, bool dump)
{
	return cmd <= LITEFLOW_CMD_MAX && (dump ? ops[cmd].dumps : ops[cmd].does);
}

static bool fits(const struct rule *rule, const uint8_t *data, size_t len)
{
	uint32_t number;

	switch (rule->kind) {
	case NUMBER:
		if (len != sizeof(number))
			return false;
		memcpy(&number, data, sizeof(number));
		return number >= rule->low && number <= rule->high;
	case TEXT:
		/* ends within the limit; what comes after the end does not count */
		if (len > rule->high + 1)
			len = rule->high + 1;
		return len && memchr(data, 0, len);
	case BYTES:
		return !rule->low || len == rule->low;
	default:
		return false;
	}
}

/* An operation's attributes; the last one of a type counts. */
bool rules_parse(unsigned int cmd, bool dump, const uint8_t *data, size_t len,
		 struct attrs *attrs)
{
	uint64_t takes = ops[cmd].takes;
	const struct nlattr *attr;
	unsigned int type;
	size_t step;

	memset(attrs, 0, sizeof(*attrs));
	if (cmd == LITEFLOW_CMD_APP_GET && dump)
		takes = 0;
	if (!takes)
		return !len;
	while (len >= sizeof(*attr)) {
		attr = (const void *)data;
		if (attr->nla_len < sizeof(*attr) || attr->nla_len > len)
			break;
		type = attr->nla_type & NLA_TYPE_MASK;
		if (type > ATTRS_MAX || !(takes & (1ULL << type)))
			return false;
		if (attr->nla_type & NLA_F_NESTED)
			return false;
		if (!fits(&ops[cmd].rules[type], data + sizeof(*attr), attr->nla_len - sizeof(*attr)))
			return false;
		attrs->at[type] = data + sizeof(*attr);
		attrs->len[type] = attr->nla_len - sizeof(*attr);
		step = NLA_ALIGN(attr->nla_len);
		if (step >= len)
			return true;
		data += step;
		len -= step;
	}
	return !len;
}
