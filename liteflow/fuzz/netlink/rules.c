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
static const struct rule {
	enum kind kind;
	uint32_t low, high;
} rules[LITEFLOW_A_MAX + 1] = {
	[LITEFLOW_A_APP_ID] = { NUMBER, 1, 65535 },
	[LITEFLOW_A_APP_NAME] = { TEXT, 0, 31 },
	[LITEFLOW_A_N_IN] = { NUMBER, 1, 1024 },
	[LITEFLOW_A_N_OUT] = { NUMBER, 1, 1024 },
	[LITEFLOW_A_CONTEXT] = { NUMBER, 0, 1 },
	[LITEFLOW_A_POLICY] = { NUMBER, 0, 1 },
	[LITEFLOW_A_AT_LIMIT] = { NUMBER, 0, 1 },
	[LITEFLOW_A_N_SLOTS] = { NUMBER, 2, 8 },
	[LITEFLOW_A_CAPABILITY] = { NUMBER, 0, 63 },
	[LITEFLOW_A_MAX_MACS] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_MAX_BYTES] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_MAX_RETIRED] = { NUMBER, 0, UINT32_MAX },
	[LITEFLOW_A_UNITS] = { TEXT, 0, 31 },
	[LITEFLOW_A_SAMPLE_SHIFT] = { NUMBER, 0, 30 },
	[LITEFLOW_A_SLOT] = { NUMBER, 0, 7 },
	[LITEFLOW_A_MODEL_NAME] = { TEXT, 0, 31 },
	[LITEFLOW_A_DIGEST] = { BYTES, 32, 0 },
	[LITEFLOW_A_LENGTH] = { NUMBER, 1, 1 << 20 },
	[LITEFLOW_A_OFFSET] = { NUMBER, 0, (1 << 20) - 1 },
	[LITEFLOW_A_DATA] = { BYTES, 0, 0 },
	[LITEFLOW_A_REMOVE_FLAGS] = { NUMBER, 0, 3 },
	[LITEFLOW_A_ROWS] = { NUMBER, 1, 8192 },
	[LITEFLOW_A_INPUTS] = { BYTES, 0, 0 },
	[LITEFLOW_A_EVERY] = { NUMBER, 1, 1 << 30 },
	[LITEFLOW_A_INTERVAL_MS] = { NUMBER, 1, 60000 },
	[LITEFLOW_A_RING_BYTES] = { NUMBER, 4096, 64 << 20 },
};

#define A(name)	(1ULL << LITEFLOW_A_##name)
#define APP	(A(APP_ID) | A(APP_NAME))

static const struct op {
	bool does, dumps;
	uint64_t takes;
} ops[LITEFLOW_CMD_MAX + 1] = {
	[LITEFLOW_CMD_APP_GET] = { true, true, APP },
	[LITEFLOW_CMD_APP_ADD] = { true, false,
		APP | A(N_IN) | A(N_OUT) | A(CONTEXT) | A(POLICY) | A(AT_LIMIT) | A(N_SLOTS) |
		A(CAPABILITY) | A(MAX_MACS) | A(MAX_BYTES) | A(MAX_RETIRED) | A(UNITS) },
	[LITEFLOW_CMD_APP_DEL] = { true, false, APP },
	[LITEFLOW_CMD_APP_SET] = { true, false,
		APP | A(POLICY) | A(AT_LIMIT) | A(MAX_RETIRED) | A(SAMPLE_SHIFT) },
	[LITEFLOW_CMD_SLOT_GET] = { false, true, APP },
	[LITEFLOW_CMD_STATS_GET] = { false, true, APP },
	[LITEFLOW_CMD_MODEL_BEGIN] = { true, false, APP | A(SLOT) | A(LENGTH) | A(DIGEST) },
	[LITEFLOW_CMD_MODEL_DATA] = { true, false, A(OFFSET) | A(DATA) },
	[LITEFLOW_CMD_MODEL_COMMIT] = { true, false, 0 },
	[LITEFLOW_CMD_COMPILED_INSTALL] = { true, false, APP | A(SLOT) | A(MODEL_NAME) },
	[LITEFLOW_CMD_MODEL_ACTIVATE] = { true, false, APP | A(SLOT) },
	[LITEFLOW_CMD_MODEL_ROLLBACK] = { true, false, APP },
	[LITEFLOW_CMD_MODEL_REMOVE] = { true, false, APP | A(SLOT) | A(REMOVE_FLAGS) },
	[LITEFLOW_CMD_EVAL] = { true, false, APP | A(SLOT) | A(ROWS) | A(INPUTS) },
	[LITEFLOW_CMD_COLLECT_START] = { true, false,
		APP | A(EVERY) | A(INTERVAL_MS) | A(RING_BYTES) },
	[LITEFLOW_CMD_COLLECT_STOP] = { true, false, 0 },
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
		if (type > LITEFLOW_A_MAX || !(takes & (1ULL << type)))
			return false;
		if (attr->nla_type & NLA_F_NESTED)
			return false;
		if (!fits(&rules[type], data + sizeof(*attr), attr->nla_len - sizeof(*attr)))
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
