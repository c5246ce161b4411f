/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recording into a spool
 */
#ifndef RECORD_H
#define RECORD_H

#include <signal.h>
#include <stdbool.h>
#include "dump_lb.h"
#include "probe.h"

struct recording {
	struct probe_options probe;
	const char *tag;
	const char *workload;
	const char *spool;
	char **command;		/* to run meanwhile, or NULL */
	double seconds;		/* 0: until the command ends, or Ctrl-C */
	bool quiet;
	volatile sig_atomic_t *interrupted;
	/* out */
	struct dl_counters sum;
	double took;
	int status;		/* of the command, -1: there was none */
	bool disk_full;
};

/*
 * 0: all that was counted is in the spool. 1: the disk became full, the spool
 * holds what came before. -1: nothing was recorded.
 */
int record(struct recording *r);

#endif /* RECORD_H */
