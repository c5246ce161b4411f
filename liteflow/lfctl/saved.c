// SPDX-License-Identifier: GPL-2.0
/*
 * What saving and restoring share: names of files.
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

	if (file[0] < '0' || file[0] >= '0' + LITEFLOW_SLOTS_MAX)
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

	return len && len < LF_NAME_LEN && strspn(app, allowed) == len;
}
