// SPDX-License-Identifier: GPL-2.0
/*
 * Names of the netlink family's numbers, those of its YAML spec.
 */
#include <ctype.h>
#include <strings.h>
#include <json-c/json.h>
#include "lfctl.h"
#include "netlink.h"

static const char *const attrs[] = {
	[LITEFLOW_A_APP_ID] = "app-id",
	[LITEFLOW_A_APP_NAME] = "app-name",
	[LITEFLOW_A_N_IN] = "n-in",
	[LITEFLOW_A_N_OUT] = "n-out",
	[LITEFLOW_A_CONTEXT] = "context",
	[LITEFLOW_A_POLICY] = "policy",
	[LITEFLOW_A_AT_LIMIT] = "at-limit",
	[LITEFLOW_A_N_SLOTS] = "n-slots",
	[LITEFLOW_A_CAPABILITY] = "capability",
	[LITEFLOW_A_MAX_MACS] = "max-macs",
	[LITEFLOW_A_MAX_BYTES] = "max-bytes",
	[LITEFLOW_A_MAX_RETIRED] = "max-retired",
	[LITEFLOW_A_UNITS] = "units",
	[LITEFLOW_A_FEATURE] = "feature",
	[LITEFLOW_A_SAMPLE_SHIFT] = "sample-shift",
	[LITEFLOW_A_USER] = "user",
	[LITEFLOW_A_SLOT] = "slot",
	[LITEFLOW_A_VERSION] = "version",
	[LITEFLOW_A_STATE] = "state",
	[LITEFLOW_A_KIND] = "kind",
	[LITEFLOW_A_MODEL_NAME] = "model-name",
	[LITEFLOW_A_DIGEST] = "digest",
	[LITEFLOW_A_BYTES] = "bytes",
	[LITEFLOW_A_MACS] = "macs",
	[LITEFLOW_A_WIDTH] = "width",
	[LITEFLOW_A_PINS] = "pins",
	[LITEFLOW_A_QUERIES] = "queries",
	[LITEFLOW_A_PROVENANCE] = "provenance",
	[LITEFLOW_A_LENGTH] = "length",
	[LITEFLOW_A_OFFSET] = "offset",
	[LITEFLOW_A_DATA] = "data",
	[LITEFLOW_A_REMOVE_FLAGS] = "remove-flags",
	[LITEFLOW_A_OP_NS] = "op-ns",
	[LITEFLOW_A_ROWS] = "rows",
	[LITEFLOW_A_INPUTS] = "inputs",
	[LITEFLOW_A_OUTPUTS] = "outputs",
	[LITEFLOW_A_NO_MODEL] = "no-model",
	[LITEFLOW_A_BAD_CONTEXT] = "bad-context",
	[LITEFLOW_A_REPINS] = "repins",
	[LITEFLOW_A_EVICTIONS] = "evictions",
	[LITEFLOW_A_RETIRED_BYTES] = "retired-bytes",
	[LITEFLOW_A_SAMPLES] = "samples",
	[LITEFLOW_A_SAMPLES_NS] = "samples-ns",
	[LITEFLOW_A_HISTOGRAM] = "histogram",
	[LITEFLOW_A_EVERY] = "every",
	[LITEFLOW_A_INTERVAL_MS] = "interval-ms",
	[LITEFLOW_A_RING_BYTES] = "ring-bytes",
	[LITEFLOW_A_RECORDS] = "records",
	[LITEFLOW_A_COUNT] = "count",
	[LITEFLOW_A_LOST] = "lost",
	[LITEFLOW_A_SEQUENCE] = "sequence",
	[LITEFLOW_A_EVENT] = "event",
};

/* A list of names by number; one that is missing here is newer than this program. */
struct names {
	unsigned int n;
	const char *const *name;
};

#define NAMES(...)	{ ARRAY_SIZE(((const char *const []){ __VA_ARGS__ })), \
			  (const char *const []){ __VA_ARGS__ } }

static const struct names contexts = NAMES("atomic", "softirq");
static const struct names policies = NAMES("pin", "follow");
static const struct names at_limits = NAMES("repin", "refuse");
static const struct names states = NAMES("empty", "standby", "active", "retired", "registered");
static const struct names kinds = NAMES("data", "compiled");
static const struct names events = NAMES("app-added", "app-removed", "installed", "activated",
					 "removed", "evicted");

/* of linux/capability.h */
static const struct {
	const char *name;
	unsigned int number;
} capabilities[] = {
	{ "net_admin", 12 },
	{ "sys_admin", 21 },
};

static const char *name_of(const struct names *names, const struct nlattr *attr)
{
	uint64_t v = nl_uint(attr);

	return attr && v < names->n ? names->name[v] : "?";
}

static int number_of(const struct names *names, const char *name)
{
	unsigned int i;

	for (i = 0; i < names->n; i++)
		if (!strcasecmp(names->name[i], name))
			return i;
	return -1;
}

const char *attr_name(unsigned int type)
{
	return type < ARRAY_SIZE(attrs) && attrs[type] ? attrs[type] : "?";
}

const char *context_name(const struct nlattr *attr)
{
	return name_of(&contexts, attr);
}

const char *policy_name(const struct nlattr *attr)
{
	return name_of(&policies, attr);
}

const char *at_limit_name(const struct nlattr *attr)
{
	return name_of(&at_limits, attr);
}

const char *state_name(const struct nlattr *attr)
{
	return name_of(&states, attr);
}

const char *kind_name(const struct nlattr *attr)
{
	return name_of(&kinds, attr);
}

const char *event_name(const struct nlattr *attr)
{
	return name_of(&events, attr);
}

const char *capability_name(const struct nlattr *attr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].number == nl_uint(attr))
			return capabilities[i].name;
	return "?";
}

int context_number(const char *name)
{
	return number_of(&contexts, name);
}

int policy_number(const char *name)
{
	return number_of(&policies, name);
}

int at_limit_number(const char *name)
{
	return number_of(&at_limits, name);
}

int capability_number(const char *name)
{
	unsigned int i;

	if (!strncasecmp(name, "cap_", 4))
		name += 4;
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (!strcasecmp(capabilities[i].name, name))
			return capabilities[i].number;
	return -1;
}

void json_put_uint(struct json_object *o, struct nlattr **tb, int type)
{
	if (tb[type])
		json_object_object_add(o, attr_name(type),
				       json_object_new_uint64(nl_uint(tb[type])));
}

void json_put_string(struct json_object *o, struct nlattr **tb, int type)
{
	if (tb[type])
		json_object_object_add(o, attr_name(type),
				       json_object_new_string(nl_string(tb[type])));
}
