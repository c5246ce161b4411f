/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the learned load balancer sees when it decides about one task.
 *
 * See Documentation/scheduler/sched-jc.rst.
 */
#ifndef _LINUX_JC_SCHED_H
#define _LINUX_JC_SCHED_H

#include <linux/types.h>

/* The binary features, in model order; bit numbers in jc_features::bits. */
enum jc_feature_bit {
	JC_BIT_SRC_NON_PREF,	/* source runs tasks that do not prefer it */
	JC_BIT_DELTA_HOT,	/* ran less than migration_cost ago */
	JC_BIT_CPU_IDLE,
	JC_BIT_CPU_NOT_IDLE,
	JC_BIT_CPU_NEWLY_IDLE,
	JC_BIT_SAME_NODE,
	JC_BIT_PREFER_SRC,	/* the source node is the preferred one */
	JC_BIT_PREFER_DST,	/* the destination node is the preferred one */
	JC_BIT_EXTRA_FAILS,	/* nr_balance_failed > cache_nice_tries */
	JC_BIT_BUDDY_HOT,	/* next buddy of its run queue */
	JC_NR_BITS
};

/* The numeric features, in model order; indices of jc_features::num. */
enum jc_feature_num {
	JC_NUM_SRC_LEN,		/* tasks on the source, less 2 */
	JC_NUM_SRC_LOAD,	/* load_avg of the source's root cfs_rq */
	JC_NUM_DST_LOAD,	/* the same of the destination */
	JC_NUM_DST_LEN,		/* tasks on the destination */
	JC_NUM_DELTA_FAULTS,	/* 2 * (dst - src weight) + 1, 1/2000; or 0 */
	JC_NR_NUMS
};

#define JC_NR_INPUTS	(JC_NR_BITS + JC_NR_NUMS)

/**
 * struct jc_features - inputs of the network before the model's own clamp
 * @bits: the ten binary features, see enum jc_feature_bit
 * @num: the five numeric ones in raw integer units, saturated to s32
 */
struct jc_features {
	u32 bits;
	s32 num[JC_NR_NUMS];
};

/* What the rule or the network says of a task. */
enum jc_verdict {
	JC_NOT_ASKED = -1,
	JC_STAY,
	JC_MOVE,
};

/* Who decided. */
enum jc_reason {
	JC_REASON_RULE,		/* the stock rule */
	JC_REASON_MODEL,	/* the network */
	JC_REASON_FORCED,	/* refused, but too many balances failed */
	JC_REASON_FALLBACK,	/* the rule, as the network could not run */
	JC_REASON_GUARD,	/* the rule, as the guard had tripped */
	JC_NR_REASONS
};

/**
 * struct jc_lb_obs - what the balancer observes of one candidate
 * @delta: ns since the task last ran on the source, by the source's clock
 * @migration_cost: sched/migration_cost_ns at the time; UINT_MAX: always hot
 * @src_len: tasks on the source run queue, all classes
 * @dst_len: tasks on the destination run queue, all classes
 * @src_preferred_len: fair tasks of the source that prefer its node
 * @src_load: PELT load_avg of the source's root cfs_rq; nice-0 task = 1024
 * @dst_load: the same of the destination
 * @delta_faults: weight of the destination node less the source's, in 1/1000
 *	of the task's or its NUMA group's faults; 0 unless @numa_gate, and where the
 *	rule decides without it: a preferred node is involved, or @cpu_idle
 * @nr_fails: sd->nr_balance_failed
 * @cache_nice_tries: sd->cache_nice_tries
 * @cpu_idle: the destination is idle
 * @cpu_not_idle: the destination is busy
 * @cpu_newly_idle: the destination is about to become idle
 * @same_node: source and destination are in one NUMA node
 * @prefer_src: @numa_gate, and the source's node is the task's preferred one
 * @prefer_dst: @numa_gate, and the destination's node is
 * @buddy_hot: the task is the next buddy and the destination is busy
 * @numa_gate: NUMA balancing on, task has fault statistics, domain is SD_NUMA,
 *	nodes differ: the four conditions under which 6.12 looks at locality
 * @smt: the CPUs share a core (SD_SHARE_CPUCAPACITY)
 * @idle_policy: the task is SCHED_IDLE
 * @cookie_mismatch: core scheduling: cookies of task and destination differ
 *
 * Everything that the features are made of.
 */
struct jc_lb_obs {
	s64 delta;
	unsigned int migration_cost;
	unsigned int src_len;
	unsigned int dst_len;
	unsigned int src_preferred_len;
	unsigned long src_load;
	unsigned long dst_load;
	long delta_faults;
	unsigned int nr_fails;
	unsigned int cache_nice_tries;
	bool cpu_idle;
	bool cpu_not_idle;
	bool cpu_newly_idle;
	bool same_node;
	bool prefer_src;
	bool prefer_dst;
	bool buddy_hot;
	bool numa_gate;
	bool smt;
	bool idle_policy;
	bool cookie_mismatch;
};

/**
 * struct jc_lb_data - one decision of can_migrate_task(), for the tracepoint
 * @obs: the observations
 * @f: the features made of them
 * @ts: local_clock() ns at the end of the decision
 * @curr_pid: task running on the balancing CPU
 * @pid: the candidate
 * @src_cpu: CPU the task is queued on
 * @dst_cpu: CPU the task would move to
 * @imbalance: env->imbalance, unit as @migration_type
 * @migration_type: what is to be moved: 0 load, 1 utilisation, 2 tasks, 3 a misfit
 * @src_numa_len: fair tasks of the source that prefer any node
 * @total_faults: the task's total_numa_faults, pages
 * @throttled: always 0, hard filters come first (column of the original)
 * @p_running: always 0, likewise
 * @test_aggressive: always 1, likewise: the decision was reached
 * @sd_level: level of the scheduling domain, 0 = innermost
 * @sd_flags: its SD_* flags
 * @can_migrate: the decision, forcing included
 * @stock: verdict of the stock rule, before forcing
 * @model: verdict of the network, before forcing
 * @reason: who decided
 * @checksum: of the network's blob; 0 if it was not asked
 * @ns: time that asking the one took who decided, empty interval subtracted
 * @flipped: exploration turned the unforced verdict round
 * @propensity: probability of the verdict that was given, in 1/1000
 * @pc: cycles and branch instructions of @pc_cpu; U64_MAX where absent
 * @pc_cpu: CPU that @pc was sampled on, -1 if nothing could be sampled
 * @pc_age: ns between the sample and @ts
 *
 * Holds the raw columns of the original's CSV files, with their names where
 * they still mean the same.
 */
struct jc_lb_data {
	struct jc_lb_obs obs;
	struct jc_features f;
	u64 ts;
	pid_t curr_pid;
	pid_t pid;
	int src_cpu;
	int dst_cpu;
	long imbalance;
	int migration_type;
	unsigned int src_numa_len;
	unsigned long total_faults;
	bool throttled;
	bool p_running;
	bool test_aggressive;
	int sd_level;
	unsigned int sd_flags;
	int can_migrate;
	enum jc_verdict stock;
	enum jc_verdict model;
	enum jc_reason reason;
	u32 checksum;
	u64 ns;
	bool flipped;
	unsigned int propensity;
	u64 pc[2];
	int pc_cpu;
	u64 pc_age;
};

#endif /* _LINUX_JC_SCHED_H */
