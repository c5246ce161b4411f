/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside liblf: what a segment of a history is made of, for its writer and its reader.
 *
 * A header with names of columns, then entries, each a head with data behind it. All
 * of it is in the byte order of the machine that wrote it, and a multiple of 8 bytes.
 * Sums are the CRC-32 of IEEE 802.3, as of models. Those of entries go on from that of
 * their segment's header, so an entry of another segment is none.
 */
#ifndef _LIBLF_HISTFILE_H
#define _LIBLF_HISTFILE_H

#include "history.h"

/* A transfer that takes files for text would change it. */
#define HIST_MAGIC		"LFHIST\r\n"
#define HIST_ORDER		0x01020304
#define HIST_VERSION		1
#define HIST_ENTRY_MAGIC	0x7948464c	/* "LFHy" */

#define HIST_SUFFIX		".lfh"
#define HIST_ASIDE		".set-aside"
#define HIST_LOCK		"lock"
#define HIST_NEW		".new-segment"
#define HIST_MODE		0640

/* Neither a batch nor a segment can be larger. */
#define HIST_MAX_DATA		(16U << 20)
#define HIST_MAX_SEGMENT	(256ULL << 20)

/**
 * struct hist_header - begin of a segment
 * @magic: HIST_MAGIC without its zero byte
 * @order: HIST_ORDER, by which a reader sees the byte order
 * @version: HIST_VERSION
 * @head: bytes of an entry's head
 * @bytes: of this header, names included
 * @size: bytes of a record
 * @n_in: inputs of a query
 * @n_out: outputs
 * @number: of the segment
 * @crc: of the header and the names, with 0 in its place
 * @first: number of the first entry
 * @realtime_ns: when it was begun, CLOCK_REALTIME
 * @monotonic_ns: CLOCK_MONOTONIC at the same moment
 * @boot_id: as text
 * @app: name of the app
 * @names: of the columns, @n_in + @n_out
 */
struct hist_header {
	char magic[8];
	uint32_t order;
	uint16_t version;
	uint16_t head;
	uint32_t bytes;
	uint32_t size;
	uint32_t n_in;
	uint32_t n_out;
	uint32_t number;
	uint32_t crc;
	uint64_t first;
	int64_t realtime_ns;
	int64_t monotonic_ns;
	char boot_id[40];
	char app[LF_NAME_LEN];
	char names[][LF_NAME_LEN];
};

/**
 * struct hist_head - begin of an entry
 * @magic: HIST_ENTRY_MAGIC
 * @kind: enum lf_entry_kind
 * @why: of a gap: enum lf_gap_why
 * @length: bytes of data behind it
 * @count: records in them
 * @sequence: number of the entry
 * @realtime_ns: when it was written, CLOCK_REALTIME
 * @monotonic_ns: CLOCK_MONOTONIC at the same moment
 * @lost: of a batch: of its collection so far; of a gap: records that are missing
 * @from_ns: of LF_GAP_DOWN: CLOCK_REALTIME of the last sign of life
 * @batch: number of the batch in its collection
 * @crc: of this head, with 0 in its place
 * @data_crc: of the data
 * @zero: 0
 */
struct hist_head {
	uint32_t magic;
	uint16_t kind;
	uint16_t why;
	uint32_t length;
	uint32_t count;
	uint64_t sequence;
	int64_t realtime_ns;
	int64_t monotonic_ns;
	uint64_t lost;
	int64_t from_ns;
	uint32_t batch;
	uint32_t crc;
	uint32_t data_crc;
	uint32_t zero;
};

_Static_assert(sizeof(struct hist_header) == 136 && sizeof(struct hist_head) == 72,
	       "the same everywhere");

/* CRC-32 of what a sum of @crc stands for, then @len bytes more; 0 at the begin. */
uint32_t hist_crc(uint32_t crc, const void *data, size_t len);
uint32_t hist_header_crc(const struct hist_header *header);
uint32_t hist_head_crc(const struct hist_header *header, const struct hist_head *head);

/* Number of a segment's file name, from 1; 0: it is none. */
uint32_t hist_number(const char *file);
void hist_name(uint32_t number, char file[24]);

/**
 * hist_segments() - numbers of the segments of a directory
 * @dir: file descriptor of it
 * @numbers: gets them in order; to be freed
 *
 * Return: how many, or a negative errno.
 */
int hist_segments(int dir, uint32_t **numbers);

/**
 * struct hist_image - a segment in memory
 * @header: its header, which was checked, and all that is behind it; to be freed
 * @len: bytes
 */
struct hist_image {
	struct hist_header *header;
	size_t len;
};

/**
 * hist_load() - read a segment
 * @dir: file descriptor of the directory
 * @number: of the segment
 * @whole: all of it, or the header only
 * @image: gets it
 * @why: a line for people, if the file is no segment that can be used
 *
 * Return: 0; -EINVAL, if it cannot be used; -ENOENT, -ENOMEM, -EIO.
 */
int hist_load(int dir, uint32_t number, bool whole, struct hist_image *image,
	      char why[LF_REASON_LEN]);

/* What hist_next() found. */
enum hist_found {
	HIST_END,	/* nothing more */
	HIST_ENTRY,
	HIST_TORN,	/* an entry that is not whole, up to the end */
	HIST_DAMAGE,	/* bytes that are no entry, as they should be */
};

/**
 * hist_next() - the next entry of a segment
 * @image: the whole segment
 * @at: place of the entry, from header->bytes on; moves behind what was found
 * @head: gets the entry
 *
 * Records are at @head + 1. After HIST_DAMAGE, *@at is where the next entry is, or the
 * end.
 */
enum hist_found hist_next(const struct hist_image *image, size_t *at,
			  const struct hist_head **head);

#endif /* _LIBLF_HISTFILE_H */
