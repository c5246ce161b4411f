// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a model for the shell tests: lfcc_model steady|short >FILE
 */
#include "lfcc.h"

int main(int argc, char **argv)
{
	const struct lfcc_model *model;
	static char buf[LF_BLOB_ROOM];
	size_t len;

	if (argc == 2 && !strcmp(argv[1], lfcc_steady.name)) {
		model = &lfcc_steady;
	} else if (argc == 2 && !strcmp(argv[1], lfcc_short.name)) {
		model = &lfcc_short;
	} else {
		fprintf(stderr, "usage: lfcc_model steady|short >FILE\n");
		return 2;
	}
	len = lfcc_blob(buf, model);
	return fwrite(buf, 1, len, stdout) != len || fflush(stdout);
}
