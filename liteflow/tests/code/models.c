// SPDX-License-Identifier: GPL-2.0
/*
 * models FOLDER N [STATE]: writes N random models, 0.lfm and so on. Of eight in turn, three
 * are anything; the others are argmax, 16 layers, wide layers, large weights, and as
 * small as can be. Then STATE random ones that remember.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/liteflow_engine.h>
#include "testcell.h"
#include "testmodel.h"

static unsigned char blob[LITEFLOW_MAX_BLOB];

static const struct lf_testmodel_spec specs[8] = {
	[0 ... 2] = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY },
	[3] = { .act = LF_TESTMODEL_ANY, .last = LITEFLOW_ACT_ARGMAX, .n_out = 1 },
	[4] = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY, .n_layers = LITEFLOW_MAX_LAYERS },
	[5] = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY, .n_in = 99, .width = 150 },
	[6] = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY, .weight_bits = 15 },
	[7] = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY, .n_in = 1, .n_out = 1,
		.width = 1 },
};

int main(int argc, char **argv)
{
	unsigned int i, n, more;
	char path[4096];
	size_t len;
	FILE *f;

	if (argc != 3 && argc != 4)
		errx(2, "usage: models FOLDER N [STATE]");
	n = atoi(argv[2]);
	more = argc == 4 ? atoi(argv[3]) : 0;
	for (i = 0; i < n + more; i++) {
		len = i < n ? lf_testmodel(i, &specs[i % 8], blob, sizeof(blob)) :
			      lf_testcell(i - n, blob, sizeof(blob));
		if (!len)
			errx(1, "model %u does not fit", i);
		snprintf(path, sizeof(path), "%s/%u.lfm", argv[1], i);
		f = fopen(path, "w");
		if (!f || fwrite(blob, 1, len, f) != len || fclose(f))
			err(1, "%s", path);
	}
	return 0;
}
