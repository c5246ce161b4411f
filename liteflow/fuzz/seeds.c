// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the corpus: small models of every kind, and damaged ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_model.h>
#include "testmodel.h"

static void save(const char *dir, const char *name, const void *blob, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!len || !f || fwrite(blob, 1, len, f) != len || fclose(f)) {
		fprintf(stderr, "%s: not written\n", path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "none", "relu", "tanh", "sigmoid", "argmax" };
	static const struct lf_testmodel_spec small = {
		.n_in = 2, .n_out = 1, .n_layers = 1,
		.act = LITEFLOW_ACT_TANH, .last = LITEFLOW_ACT_TANH,
	};
	unsigned char blob[4096];
	char name[64];
	size_t len;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	for (int last = LITEFLOW_ACT_NONE; last <= LITEFLOW_ACT_ARGMAX; last++) {
		for (int bits = 5; bits <= 15; bits += 10) {
			struct lf_testmodel_spec spec = {
				.n_in = 2, .n_out = 1, .n_layers = 1, .width = 3, .last = last,
				.weight_bits = bits,
			};

			len = lf_testmodel(bits, &spec, blob, sizeof(blob));
			snprintf(name, sizeof(name), "one-%s-%d", names[last], bits);
			save(argv[1], name, blob, len);
			spec.n_layers = 3;
			spec.act = last == LITEFLOW_ACT_ARGMAX ? LITEFLOW_ACT_TANH : last;
			spec.width = 9;
			spec.provenance = "seed";
			len = lf_testmodel(bits, &spec, blob, sizeof(blob));
			snprintf(name, sizeof(name), "three-%s-%d", names[last], bits);
			save(argv[1], name, blob, len);
		}
	}
	len = lf_testmodel_constant(42, &small, blob, sizeof(blob));
	save(argv[1], "constant", blob, len);
	save(argv[1], "cut", blob, len / 2);
	save(argv[1], "header", blob, sizeof(struct liteflow_blob_header));
	blob[len - 1] ^= 1;
	save(argv[1], "checksum", blob, len);
	return 0;
}
