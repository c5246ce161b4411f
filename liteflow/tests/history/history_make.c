// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a history for the tests of its readers, see test_read.py: batch i of 0 to N - 1
 * has COUNT records, and behind batch 1 the kernel has lost three.
 *
 *	history_make DIR N COUNT [SEGMENT-BYTES]
 */
#include <stdio.h>
#include <stdlib.h>
#include "sample.h"

int main(int argc, char **argv)
{
	static const char names[N_IN + N_OUT][LF_NAME_LEN] = {
		"a", "b, \"c\"", "d", "e", "f", "x", "y",
	};
	struct lf_history_options options;
	struct lf_history *h;
	uint32_t i, n;

	if (argc < 4) {
		fprintf(stderr, "usage: history_make DIR N COUNT [SEGMENT-BYTES]\n");
		return 2;
	}
	options = sample_options(argv[1]);
	options.names = names;
	if (argc > 4)
		options.segment_bytes = atoi(argv[4]);
	n = atoi(argv[2]);
	if (lf_history_open(&h, &options) || lf_history_begin(h))
		goto failed;
	for (i = 0; i < n; i++) {
		struct lf_batch batch = *sample_batch(i, atoi(argv[3]));

		batch.lost = i > 1 ? 3 : 0;
		if (lf_history_append(h, &batch) || lf_history_sync(h))
			goto failed;
	}
	return lf_history_close(h) ? 1 : 0;
failed:
	fprintf(stderr, "history_make: %s\n", lf_history_reason(h));
	return 1;
}
