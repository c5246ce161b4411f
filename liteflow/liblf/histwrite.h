/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside liblf: the writer of a history.
 */
#ifndef _LIBLF_HISTWRITE_H
#define _LIBLF_HISTWRITE_H

#include "histfile.h"

/**
 * struct due - what is not told yet
 * @down: a collection began, after a time in which nobody collected
 * @from_ns: when that was
 * @to_ns: when it began
 * @unwritten: records that could not be written
 */
struct due {
	bool down;
	int64_t from_ns;
	int64_t to_ns;
	uint64_t unwritten;
};

/**
 * struct lf_history - a writer
 * @dir: the directory
 * @lock: its lock file
 * @fd: the segment that is written; -1: none, one is begun by the next entry
 * @header: what segments begin with; of the current one if @fd is open
 * @max_bytes: of all segments
 * @segment_bytes: of a segment
 * @gid: group of the directory and of segments; 0: as they are made
 * @say: told what was cut or set aside; or NULL
 * @data: its argument
 * @numbers: segments on disk, oldest first
 * @sizes: their bytes
 * @n: how many
 * @number: highest one that was ever seen
 * @end: where the next entry goes
 * @sequence: of the next entry
 * @last_ns: CLOCK_REALTIME of the last sign of life; 0: there was none
 * @collection: records were or may be appended since the last end
 * @told: losses of this collection that stand in the history
 * @due: to be told before the next batch
 * @failed: the last append failed, and these are its batch and its records
 * @failed_batch: number of the batch
 * @failed_count: records of it
 * @synced_end: as @end, of what was synced
 * @synced_sequence: as @sequence, of what was synced
 * @synced_told: as @told, of what was synced
 * @unsynced: records that were appended since
 * @unsynced_batches: batches that were
 * @unsynced_due: what was due and is told in what was appended since
 * @state: for lf_history_get_state()
 * @reason: of the last failure
 */
struct lf_history {
	int dir;
	int lock;
	int fd;
	struct hist_header *header;
	uint64_t max_bytes;
	uint64_t segment_bytes;
	gid_t gid;
	lf_history_say say;
	void *data;
	uint32_t *numbers;
	uint64_t *sizes;
	size_t n;
	uint32_t number;
	uint64_t end;
	uint64_t sequence;
	int64_t last_ns;
	bool collection;
	uint64_t told;
	struct due due;
	bool failed;
	uint32_t failed_batch;
	uint32_t failed_count;
	uint64_t synced_end;
	uint64_t synced_sequence;
	uint64_t synced_told;
	uint64_t unsynced;
	uint64_t unsynced_batches;
	struct due unsynced_due;
	struct lf_history_state state;
	char reason[LF_REASON_LEN];
};

/* Keeps the reason; -@error */
__attribute__((format(printf, 3, 4)))
int hist_fail(struct lf_history *h, int error, const char *fmt, ...);

/* Another one at the end of the list. */
int hist_add_segment(struct lf_history *h, uint32_t number, uint64_t size);

/* Delete the oldest until @more bytes would fit; never the one that is written. */
int hist_make_room(struct lf_history *h, uint64_t more);

/* What is there to tell, if somebody wants to know. */
__attribute__((format(printf, 2, 3)))
void hist_say(struct lf_history *h, const char *fmt, ...);

/*
 * Give an open file to the group that may read it; where that fails it is said, and the
 * history is written all the same.
 */
void hist_give(struct lf_history *h, int fd, const char *file, mode_t mode);

void hist_close_segment(struct lf_history *h);

#endif /* _LIBLF_HISTWRITE_H */
