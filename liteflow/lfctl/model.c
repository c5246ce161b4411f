// SPDX-License-Identifier: GPL-2.0
/*
 * Models in files.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_model.h>
#include "kind.h"
#include "lfctl.h"
#include "model.h"

const struct lf_limits model_limits = { .max_state = LITEFLOW_MAX_STATE };

void *model_read(const char *path, size_t *len)
{
	char *blob = read_file(path, LITEFLOW_MAX_BLOB, len), text[200];
	struct reason why = { text, sizeof(text) };

	if (!blob)
		return NULL;
	if (*len && !kind_refuse(blob, *len, KIND_MODEL, &why))
		return blob;
	complain("%s: %s", path, *len ? text : "empty");
	free(blob);
	return NULL;
}
