// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a model for the shell tests: lf_blob NUMBER INPUTS UNITS >FILE
 */
#include <stdio.h>
#include <stdlib.h>

#include "lf_blob.h"

int main(int argc, char **argv)
{
	static char buf[LF_BLOB_ROOM];
	size_t len;

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > LITEFLOW_MAX_WIDTH) {
		fprintf(stderr, "usage: lf_blob NUMBER INPUTS UNITS >FILE\n");
		return 2;
	}
	len = lf_blob_make(buf, atoi(argv[1]), atoi(argv[2]), argv[3]);
	return fwrite(buf, 1, len, stdout) != len || fflush(stdout);
}
