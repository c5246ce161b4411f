/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decisions and what followed each within the horizon
 */
#ifndef JOIN_H
#define JOIN_H

#include <linux/types.h>
#include <stdbool.h>
#include "dump_lb.h"

struct outcome {
	bool known;		/* the stream covers the whole horizon */
	int moved;
	int back;		/* -1: did not move, so cannot come back */
	__s64 wait_ns;		/* -1: did not run within the horizon */
	__u64 home_faults;	/* pages */
	__u64 away_faults;
	__s64 src_wait_ns;	/* -1: unknown */
	__s64 dst_wait_ns;
};

typedef int (*row_fn)(void *ctx, const struct dl_decision *d, const struct outcome *o);

struct join;

struct join *join_new(const int *cpu_nodes, int nr_cpus, __u64 horizon_ns, __u64 bucket_ns,
		      row_fn row, void *ctx);
/* Events in the order of the ring buffer; rows come out in the order of theirs. */
int join_add(struct join *j, const struct dl_head *event);
int join_finish(struct join *j, __u64 end_ts);
/* rows whose outcome is unknown because too many waited for theirs */
__u64 join_hurried(const struct join *j);
void join_free(struct join *j);

#endif /* JOIN_H */
