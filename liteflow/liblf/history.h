/* SPDX-License-Identifier: GPL-2.0 */
/*
 * liblf: what was collected, on disk
 *
 * A history is a directory of segments, 00000001.lfh and so on. A segment has a header
 * that says all that is needed to read it, then entries: batches of records, gaps, and
 * the marks of a writer that ended. An entry counts once it is whole and
 * lf_history_sync() returned. What a kill or a full disk leaves behind the last whole
 * entry is cut off when the history is opened again. When it grows too large, the
 * oldest segments are deleted as a whole. A segment that cannot be used is set aside
 * under another name, never deleted.
 *
 * Functions return 0 or more, or a negative errno, and say why in one line. A writer or
 * reader is for one thread at a time.
 */
#ifndef _LIBLF_HISTORY_H
#define _LIBLF_HISTORY_H

#include <sys/types.h>
#include "liblf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LF_HISTORY_MAX_BYTES		(256ULL << 20)
#define LF_HISTORY_MIN_BYTES		(256ULL << 10)

/**
 * enum lf_gap_why - why records are missing
 * @LF_GAP_LOST: the kernel had no room for them
 * @LF_GAP_DOWN: nobody collected
 * @LF_GAP_UNWRITTEN: they could not be written: disk full, read-only or broken
 * @LF_GAP_DAMAGED: found when reading: bytes on disk are not as they were written
 */
enum lf_gap_why {
	LF_GAP_LOST = 1,
	LF_GAP_DOWN,
	LF_GAP_UNWRITTEN,
	LF_GAP_DAMAGED,
};

/** lf_gap_name() - "lost", "down", "unwritten", "damaged", or "?" */
const char *lf_gap_name(uint32_t why);

/* -- writing ---------------------------------------------------------------- */

struct lf_history;

/*
 * One line for people, about something that is mended or set aside already, or that does
 * not keep the history from being written.
 */
typedef void (*lf_history_say)(const char *line, void *data);

/**
 * struct lf_history_options - a history to write
 * @dir: the directory; made if it is not there, its parent is not
 * @app: name of the app
 * @n_in: inputs of a query
 * @n_out: outputs of one
 * @names: of the columns: @n_in + @n_out; NULL: in0..., out0...
 * @max_bytes: of all segments together, from LF_HISTORY_MIN_BYTES on; 0:
 *	LF_HISTORY_MAX_BYTES
 * @segment_bytes: of a segment, at most half of @max_bytes; 0: a sixteenth of it
 * @gid: group that may read it: of the directory and of all segments, whatever group the
 *	process is of; 0: as files are made
 * @say: told what was cut or set aside, and which group cannot be given; NULL: nobody is
 * @data: its argument
 */
struct lf_history_options {
	const char *dir;
	const char *app;
	uint32_t n_in;
	uint32_t n_out;
	const char (*names)[LF_NAME_LEN];
	uint64_t max_bytes;
	uint64_t segment_bytes;
	gid_t gid;
	lf_history_say say;
	void *data;
};

/**
 * lf_history_open() - go on with a history, or begin one
 * @h: where to put it; close it in any case, for its reason
 * @options: which; copied
 *
 * A torn tail is cut off. Segments of another app or shape, or whose header is
 * damaged, are renamed to NAME.set-aside. After a reboot, with other names of columns,
 * or behind damage, a new segment is begun.
 *
 * Return: 0; -EBUSY if another one writes there; -ENOMEM, then *@h is NULL; or
 * another negative errno, as of the directory.
 */
int lf_history_open(struct lf_history **h, const struct lf_history_options *options);

/**
 * lf_history_begin() - a collection begins
 *
 * The time since the last entry stands as a gap, LF_GAP_DOWN, and losses are counted
 * from 0 again. To be called after each lf_collect_start().
 */
int lf_history_begin(struct lf_history *h);

/**
 * lf_history_go_on() - in a collection that began before the history could be opened
 * @h: history, which was just opened
 * @since_ns: when it began, CLOCK_REALTIME
 * @missed: records that came since, and stand as a gap, LF_GAP_UNWRITTEN
 *
 * Instead of lf_history_begin(): LF_GAP_DOWN ends where the collection began.
 */
int lf_history_go_on(struct lf_history *h, int64_t since_ns, uint64_t missed);

/**
 * lf_history_append() - write a batch
 * @h: history
 * @batch: of the app, as a collection gives it. If it tells of losses that are new, a
 *	gap of them, LF_GAP_LOST, is written before it; a batch without records leaves
 *	only that
 *
 * It counts once lf_history_sync() has returned 0. After an error, as -ENOSPC, nothing
 * of it is written and all that was before it is as it was. Its records will stand as
 * a gap, LF_GAP_UNWRITTEN, unless the next call is with the same batch.
 *
 * Return: 0; -EINVAL if the records have another size; or another negative errno.
 */
int lf_history_append(struct lf_history *h, const struct lf_batch *batch);

/**
 * lf_history_sync() - fdatasync() of what was appended
 *
 * After an error what was appended since the last one does not count: it stands as a
 * gap, LF_GAP_UNWRITTEN, and a new segment begins.
 */
int lf_history_sync(struct lf_history *h);

/**
 * struct lf_history_state - of a history that is being written
 * @bytes: of all segments
 * @segments: number of them
 * @batches: that this writer wrote and that count
 * @records: in them
 * @lost: that the kernel lost, as this writer was told
 * @unwritten: that could not be written
 */
struct lf_history_state {
	uint64_t bytes;
	uint64_t segments;
	uint64_t batches;
	uint64_t records;
	uint64_t lost;
	uint64_t unwritten;
};

void lf_history_get_state(const struct lf_history *h, struct lf_history_state *state);

/** lf_history_reason() - why the last call failed, one line; @h may be NULL */
const char *lf_history_reason(const struct lf_history *h);

/**
 * lf_history_close() - mark the end, sync and close; NULL is allowed
 *
 * Return: 0, or a negative errno if what was appended last may not be on disk.
 */
int lf_history_close(struct lf_history *h);

/* -- reading ---------------------------------------------------------------- */

/* Needs no lock: a history can be read while it is written. */
struct lf_reader;

/**
 * struct lf_segment - a segment, as its header says
 * @number: of its file's name
 * @file: its file's name
 * @app: name of the app
 * @n_in: inputs of a query
 * @n_out: outputs of one
 * @names: of the columns: @n_in + @n_out
 * @size: bytes of a record
 * @bytes: of the file
 * @boot_id: of the boot in which it was begun, as /proc/sys/kernel/random/boot_id
 * @realtime_ns: when it was begun, CLOCK_REALTIME
 * @monotonic_ns: at the same moment, CLOCK_MONOTONIC; records carry that clock
 */
struct lf_segment {
	uint32_t number;
	char file[24];
	char app[LF_NAME_LEN];
	uint32_t n_in;
	uint32_t n_out;
	const char (*names)[LF_NAME_LEN];
	size_t size;
	uint64_t bytes;
	char boot_id[37];
	int64_t realtime_ns;
	int64_t monotonic_ns;
};

/* What an entry of a history is. */
enum lf_entry_kind {
	LF_ENTRY_BATCH = 1,
	LF_ENTRY_GAP,
	LF_ENTRY_END,		/* a writer ended as it should */
};

/**
 * struct lf_entry - an entry of a history
 * @kind: LF_ENTRY_*
 * @sequence: number of the entry in the history, from 1; 0: of LF_GAP_DAMAGED
 * @realtime_ns: when it was written, CLOCK_REALTIME
 * @monotonic_ns: the same, CLOCK_MONOTONIC
 * @batch: of a batch: as it came; its @lost is that of its collection
 * @why: of a gap: enum lf_gap_why
 * @missing: of a gap: records that are missing; 0: nobody knows
 * @from_ns: of LF_GAP_DOWN: CLOCK_REALTIME of the last sign of life before
 * @to_ns: of LF_GAP_DOWN: when it was over
 * @bytes: of LF_GAP_DAMAGED: that cannot be read
 * @segment: where it is
 */
struct lf_entry {
	uint32_t kind;
	uint64_t sequence;
	int64_t realtime_ns;
	int64_t monotonic_ns;
	struct lf_batch batch;
	uint32_t why;
	uint64_t missing;
	int64_t from_ns;
	int64_t to_ns;
	uint64_t bytes;
	const struct lf_segment *segment;
};

/**
 * lf_reader_open() - read a history
 * @r: where to put the reader; close it in any case, for its reason
 * @dir: the directory
 *
 * Return: 0; -ENOENT if there is no such directory or no segment in it; -ENOMEM, then
 * *@r is NULL; -EINVAL if no segment can be read; or another negative errno.
 */
int lf_reader_open(struct lf_reader **r, const char *dir);

/**
 * lf_reader_next() - the next entry
 * @r: reader
 * @entry: gets it; valid until the next call
 *
 * Entries come as they were written. Of what a writer had begun when it was killed,
 * or writes just now, nothing is seen.
 *
 * Return: 1; 0 at the end; a negative errno if reading fails.
 */
int lf_reader_next(struct lf_reader *r, struct lf_entry *entry);

/** lf_reader_rewind() - from the first entry again */
int lf_reader_rewind(struct lf_reader *r);

/**
 * lf_reader_seek() - from the first entry of a segment
 * @r: reader
 * @segment: which of lf_reader_segments(), from 0
 *
 * Return: 0; -EINVAL if there is none.
 */
int lf_reader_seek(struct lf_reader *r, size_t segment);

/** lf_reader_segments() - the segments that are read, oldest first, and their number */
const struct lf_segment *lf_reader_segments(const struct lf_reader *r, size_t *n);

/**
 * lf_reader_aside() - files that are no part of the history: set aside, or not to be
 * read by this reader
 * @r: reader
 * @i: which, from 0
 *
 * Return: "NAME: why", or NULL behind the last.
 */
const char *lf_reader_aside(const struct lf_reader *r, size_t i);

/** lf_reader_torn() - bytes behind the last whole entry of the newest segment */
uint64_t lf_reader_torn(const struct lf_reader *r);

/** lf_reader_reason() - why the last call failed, one line; @r may be NULL */
const char *lf_reader_reason(const struct lf_reader *r);

void lf_reader_close(struct lf_reader *r);

#ifdef __cplusplus
}
#endif

#endif /* _LIBLF_HISTORY_H */
