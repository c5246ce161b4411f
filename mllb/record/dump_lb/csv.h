/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a spool to raw_TAG.csv and raw_TAG.json
 */
#ifndef CSV_H
#define CSV_H

#include <linux/types.h>
#include <signal.h>
#include <stdbool.h>

/* The columns, in order, without the end of the line. */
extern const char csv_header[];

/* 0: it is absent, empty, or has these columns. -1: said why not. */
int csv_can_append(const char *path);

struct conversion {
	const char *spool;
	const char *csv;
	const char *json;
	bool append;
	volatile sig_atomic_t *interrupted;
	bool quiet;
	/* out */
	__u64 rows;
	__u64 lost;
	__u64 unjudged;		/* rows without an answer of the stock code */
};

/*
 * 0: done. -1: said why not; CSV and JSON are as they were.
 */
int convert(struct conversion *c);

#endif /* CSV_H */
