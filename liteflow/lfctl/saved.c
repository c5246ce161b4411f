// SPDX-License-Identifier: GPL-2.0
/*
 * What saving and restoring share: names of files, and what the kernel has.
 */
#include <stdio.h>
#include <string.h>
#include "lfctl.h"
#include "saved.h"

bool saved_parse(const char *file, struct saved_name *name)
{
	static const struct {
		const char *suffix;
		bool active;
		bool compiled;
	} kinds[] = {
		{ ".lfm", false, false },
		{ ".active.lfm", true, false },
		{ ".compiled", false, true },
		{ ".active.compiled", true, true },
	};
	unsigned int i;

	if (file[0] < '0' || file[0] >= '0' + SAVED_SLOTS)
		return false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(file + 1, kinds[i].suffix))
			continue;
		name->slot = file[0] - '0';
		name->active = kinds[i].active;
		name->compiled = kinds[i].compiled;
		return true;
	}
	return false;
}

void saved_format(const struct saved_name *name, char *file, size_t len)
{
	snprintf(file, len, "%u%s.%s", name->slot, name->active ? ".active" : "",
		 name->compiled ? "compiled" : "lfm");
}

bool saved_app_ok(const char *app)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t len = strlen(app);

	return len && len < LITEFLOW_NAME_LEN && strspn(app, allowed) == len;
}

static int on_slot(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *digest = tb[LITEFLOW_A_MODEL_DIGEST];
	struct slot_state *s = data;
	unsigned int slot = nl_uint(tb[LITEFLOW_A_MODEL_SLOT]);

	(void)nlh;
	if (!tb[LITEFLOW_A_MODEL_SLOT] || slot >= SAVED_SLOTS)
		return 0;
	s += slot;
	s->there = true;
	s->active = nl_uint(tb[LITEFLOW_A_MODEL_STATE]) == LITEFLOW_STATE_ACTIVE;
	s->compiled = nl_uint(tb[LITEFLOW_A_MODEL_KIND]) == LITEFLOW_KIND_COMPILED;
	snprintf(s->name, sizeof(s->name), "%s", nl_string(tb[LITEFLOW_A_MODEL_NAME]));
	if (digest && mnl_attr_get_payload_len(digest) == sizeof(s->digest))
		memcpy(s->digest, mnl_attr_get_payload(digest), sizeof(s->digest));
	return 0;
}

int slots_get(struct nl *nl, const char *app, struct slot_state *slots)
{
	memset(slots, 0, SAVED_SLOTS * sizeof(*slots));
	nl_put_app(nl_begin(nl, LITEFLOW_CMD_SLOT_GET, NLM_F_DUMP), app);
	return nl_ask(nl, app, on_slot, slots);
}
