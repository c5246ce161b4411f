/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories for tests: batches whose records follow from their numbers.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "history.h"

#define N_IN		5
#define N_OUT		2
#define SIZE		LITEFLOW_RECORD_SIZE(N_IN, N_OUT)
#define MOST		(LITEFLOW_DATA_MAX / SIZE)

/*
 * A folder of its own: in the environment's TMPDIR; or in memory, as no test depends on what
 * a sync takes; or in /tmp.
 */
void sample_dir(char *dir, size_t room);
void sample_remove(const char *dir);

/* Of app "test", with 5 inputs and 2 outputs, 4 MiB in segments of 256 KiB. */
struct lf_history_options sample_options(const char *dir);

/* Batch @number with @count records in @room; valid until the next call. */
const struct lf_batch *sample_batch(uint32_t number, uint32_t count);

/* Is it? */
bool sample_good(const struct lf_batch *batch);

/**
 * struct sample_seen - what a reader found
 * @batches: batches that are as they were written
 * @records: in them
 * @wrong: batches that are not
 * @first: number of the first batch
 * @last: number of the last one
 * @order: batches that do not follow the one before them
 * @gaps: by reason
 * @missing: records missing in them
 * @bytes: damaged
 * @ends: marks of writers that ended
 */
struct sample_seen {
	unsigned int batches;
	unsigned int records;
	unsigned int wrong;
	unsigned int order;
	uint32_t first;
	uint32_t last;
	unsigned int gaps[LF_GAP_DAMAGED + 1];
	uint64_t missing;
	uint64_t bytes;
	unsigned int ends;
};

/* 0, or what the reader failed with. */
int sample_read(const char *dir, struct sample_seen *seen);

#endif /* SAMPLE_H */
