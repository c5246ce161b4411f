// SPDX-License-Identifier: GPL-2.0
/*
 * Models in files.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_model.h>
#include "lfctl.h"
#include "model.h"

const struct lf_limits model_limits = { .max_state = LITEFLOW_MAX_STATE };

void *model_read(const char *path, size_t *len)
{
	char *blob = read_file(path, LITEFLOW_MAX_BLOB, len);

	if (!blob)
		return NULL;
	if (*len && blob[strspn(blob, " \t\r\n")] == '{') {
		complain("%s: this is JSON: make a model of it with lfctl model pack", path);
		free(blob);
		return NULL;
	}
	if (!*len) {
		complain("%s: empty", path);
		free(blob);
		return NULL;
	}
	return blob;
}
