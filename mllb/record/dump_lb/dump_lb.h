/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs hand to user space, which is what stands in a spool
 * file. Included by both sides: vmlinux.h or <linux/types.h> comes before.
 */
#ifndef DUMP_LB_H
#define DUMP_LB_H

#define DL_NR_NUMS	5	/* numeric features, JC_NR_NUMS */
#define DL_UNKNOWN	(-1)
#define DL_BATCH	128	/* records of one call of the bench program */

enum dl_kind {
	DL_NONE,
	DL_DECISION,		/* struct dl_decision, from the tracepoint */
	DL_OBSERVED,		/* struct dl_decision, from can_migrate_task() */
	DL_SYNTHETIC,		/* struct dl_decision, made up */
	DL_RUN,			/* struct dl_task: a watched task got a CPU */
	DL_MOVE,		/* struct dl_task: a watched task changes CPUs */
	DL_FAULT,		/* struct dl_task: its NUMA hint fault */
	DL_WAITED,		/* struct dl_waited: waits that ended on a CPU */
	DL_END,			/* struct dl_end, the last one of a spool */
	DL_NR_KINDS
};

struct dl_head {
	__u64 ts;		/* bpf_ktime_get_ns() */
	__u32 kind;
	__u32 cpu;		/* where it happened */
};

/* dl_decision::flags */
enum {
	DL_CPU_IDLE		= 1 << 0,
	DL_CPU_NOT_IDLE		= 1 << 1,
	DL_CPU_NEWLY_IDLE	= 1 << 2,
	DL_SAME_NODE		= 1 << 3,
	DL_PREFER_SRC		= 1 << 4,
	DL_PREFER_DST		= 1 << 5,
	DL_BUDDY_HOT		= 1 << 6,
	DL_NUMA_GATE		= 1 << 7,
	DL_SMT			= 1 << 8,
	DL_IDLE_POLICY		= 1 << 9,
	DL_COOKIE_MISMATCH	= 1 << 10,
	DL_THROTTLED		= 1 << 11,
	DL_P_RUNNING		= 1 << 12,
	DL_TEST_AGGRESSIVE	= 1 << 13,
	DL_CAN_MIGRATE		= 1 << 14,
	DL_FLIPPED		= 1 << 15,
	DL_WATCHED		= 1 << 16,	/* what follows is recorded */
};

struct dl_decision {
	struct dl_head head;
	__u64 ts;		/* column ts */
	__s64 imbalance;
	__s64 delta;
	__s64 delta_faults;
	__u64 total_faults;
	__u64 src_load;
	__u64 dst_load;
	__u64 pc[2];
	__u64 pc_age;
	__u64 ns;
	__u64 weight;
	__u64 waited;		/* by the task so far */
	__u64 src_waited;	/* waits that ended on the source so far */
	__u64 dst_waited;
	__s32 curr_pid;
	__s32 pid;
	__s32 src_cpu;
	__s32 dst_cpu;
	__u32 src_len;
	__u32 src_numa_len;
	__u32 src_preferred_len;
	__u32 dst_len;
	__u32 nr_fails;
	__u32 cache_nice_tries;
	__u32 migration_cost;
	__u32 bits;
	__s32 num[DL_NR_NUMS];
	__s32 sd_level;
	__u32 sd_flags;
	__s32 pc_cpu;
	__u32 checksum;
	__u32 propensity;
	__s32 pref_node;
	__u32 flags;
	__s8 stock;
	__s8 model;
	__s8 reason;		/* enum jc_reason */
	__s8 imbalance_type;	/* enum migration_type */
	__s32 policy;
};

struct dl_task {
	struct dl_head head;
	__s32 pid;
	__s32 src_cpu;		/* DL_MOVE */
	__s32 dst_cpu;
	__u32 flag;		/* DL_MOVE: by this CPU's latest decision; DL_FAULT: local */
	__u64 value;		/* DL_RUN: waited so far, ns; DL_FAULT: pages */
};

struct dl_waited {
	struct dl_head head;	/* of the CPU that is meant */
	__u64 sum;		/* ns so far */
};

/* Per CPU. */
struct dl_counters {
	__u64 rows;
	__u64 lost;		/* decisions that found the buffer full */
	__u64 lost_further;	/* other events, likewise */
	__u64 seen;		/* calls of can_migrate_task() */
	__u64 yes;		/* of which it said yes */
	__u64 active;		/* active balance: nothing was judged */
	__u64 hard;		/* refused by a hard filter */
	__u64 contradicted;	/* where schedstats say otherwise than the filters */
	__u64 collided;		/* two watched tasks in one slot */
};

struct dl_end {
	struct dl_head head;
	struct dl_counters sum;
};

/* What a CPU decided last. */
struct dl_latest {
	__s32 pid;
	__s32 src_cpu;
	__s32 dst_cpu;
	__u32 unused;
	__u64 clock;		/* of the source: it stands still until the lock is left */
};

/* A task whose outcome is of interest. */
struct dl_watch {
	__s32 pid;
	__u32 waiting;
	__u64 until;
};

struct dl_cpu_watch {
	__u64 until;
	__u64 bucket;
};

#endif /* DUMP_LB_H */
