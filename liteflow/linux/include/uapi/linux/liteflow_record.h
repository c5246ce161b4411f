/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * LiteFlow: records of queries, as LITEFLOW_A_COLLECT_RECORDS carries them.
 */
#ifndef _UAPI_LINUX_LITEFLOW_RECORD_H
#define _UAPI_LINUX_LITEFLOW_RECORD_H

#include <linux/types.h>

/* kinds of records */
enum {
	LITEFLOW_RECORD_QUERY = 0,
	LITEFLOW_RECORD_REWARD = 1,
};

/**
 * struct liteflow_record - one query, or the reward of one
 * @flow: number of the flow, the kernel user's choice; 0 if there is no flow
 * @time_ns: when it was written, CLOCK_MONOTONIC without NTP's slewing;
 *	comparable between CPUs to some microseconds
 * @seq: which query of the flow it was, from 0; 0 if there is no flow
 * @version: of the model that answered; of a reward: the one that answered the
 *	flow last
 * @kind: LITEFLOW_RECORD_*
 * @cpu: where it was written
 * @reward: how well the query of the same @flow and @seq did; in a record of
 *	kind LITEFLOW_RECORD_REWARD only, otherwise 0
 * @values: the inputs of the app, then its outputs; all zero in a reward
 *
 * All in the byte order of the machine. Each record of an app takes
 * LITEFLOW_RECORD_SIZE() bytes, whatever its kind. The records of one CPU come in the
 * order in which they were begun. A reward comes after its query, unless the flow
 * moved to another CPU; it comes alone if its query was lost, or was before the
 * collection.
 */
struct liteflow_record {
	__u64 flow;
	__u64 time_ns;
	__u32 seq;
	__u32 version;
	__u16 kind;
	__u16 cpu;
	__s32 reward;
	__s32 values[];
};

/* a multiple of 8, so that all records of a batch are aligned alike */
#define LITEFLOW_RECORD_SIZE(n_in, n_out) \
	((sizeof(struct liteflow_record) + 4 * ((n_in) + (n_out)) + 7) & ~7UL)

#endif /* _UAPI_LINUX_LITEFLOW_RECORD_H */
