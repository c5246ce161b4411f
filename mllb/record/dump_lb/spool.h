/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The spool: what was recorded, in binary, until it is a CSV file
 *
 * A line of JSON that says what everything means, filled up to a multiple of
 * 8 bytes, then the events as the BPF programs made them.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "dump_lb.h"

struct spool {
	char *path;
	int fd;
	char *buffer;
	size_t filled;
	__u64 written;
	__u64 reserved;		/* up to here the disk has promised room */
	__u64 margin;		/* room for what is still in the ring buffer */
	bool promises;		/* this file system can promise */
	bool full;		/* no further room: stop */
	int error;		/* errno of a failed write: it is over */
};

int spool_create(struct spool *s, const char *path, const char *about, __u64 margin);
void spool_add(struct spool *s, const void *data, size_t size);
/* Writes what is buffered; false if something could not be written. */
bool spool_finish(struct spool *s);
void spool_close(struct spool *s);

union dl_event {
	struct dl_head head;
	struct dl_decision decision;
	struct dl_task task;
	struct dl_waited waited;
	struct dl_end end;
};

struct spool_reader {
	const char *path;
	int fd;
	char *about;
	char *buffer;
	size_t from, filled;
	const union dl_event *event;	/* until the next one is read */
	struct dl_end end;
	bool complete;			/* the end was read */
};

int spool_open(struct spool_reader *r, const char *path);
/* 1: an event was read; 0: no more; -1: not a spool. */
int spool_next(struct spool_reader *r);
void spool_close_reader(struct spool_reader *r);
size_t event_size(__u32 kind);

#endif /* SPOOL_H */
