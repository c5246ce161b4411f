/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and types of the kernel's fields that are read; where they lie is
 * looked up in the running kernel's BTF when the programs are loaded, and so
 * is whether they exist. Nothing here is a layout. The suffix keeps the names
 * apart from those of vmlinux.h, which may come from another kernel.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

/* values are looked up by name as well */
enum cpu_idle_type___dl {
	CPU_IDLE___dl = 1,
	CPU_NEWLY_IDLE___dl = 2,
};

enum migration_type___dl {
	migrate_load___dl,
};

enum jc_reason___dl {
	JC_REASON_RULE___dl,
};

enum jc_verdict___dl {
	JC_NOT_ASKED___dl = -1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct jc_lb_obs___dl {
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

struct jc_features___dl {
	u32 bits;
	s32 num[DL_NR_NUMS];
};

struct jc_lb_data___dl {
	struct jc_lb_obs___dl obs;
	struct jc_features___dl f;
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
	enum jc_verdict___dl stock;
	enum jc_verdict___dl model;
	enum jc_reason___dl reason;
	u32 checksum;
	u64 ns;
	u64 pc[2];
	int pc_cpu;
	u64 pc_age;
	bool flipped;		/* not in every kernel */
	unsigned int propensity;
};

struct load_weight___dl {
	unsigned long weight;
};

struct sched_avg___dl {
	unsigned long load_avg;
};

struct sched_entity___dl;

struct cfs_rq___dl {
	struct sched_avg___dl avg;
	struct sched_entity___dl *next;
	int throttle_count;
};

struct sched_entity___dl {
	struct load_weight___dl load;
	u64 exec_start;
	struct cfs_rq___dl *cfs_rq;
};

struct sched_info___dl {
	unsigned long long run_delay;
	unsigned long long last_queued;
};

struct sched_statistics___dl {
	u64 nr_failed_migrations_hot;
	u64 nr_forced_migrations;
};

struct numa_group___dl {
	unsigned long total_faults;
	unsigned long faults[0];
};

struct task_group___dl {
	struct cfs_rq___dl **cfs_rq;
};

struct thread_info___dl {
	u32 cpu;
};

struct kthread___dl {
	unsigned long flags;
};

struct task_struct___dl {
	struct thread_info___dl thread_info;
	pid_t pid;
	unsigned int flags;
	unsigned int policy;
	int on_cpu;
	int on_rq;
	struct sched_entity___dl se;
	struct sched_info___dl sched_info;
	struct sched_statistics___dl stats;
	const cpumask_t *cpus_ptr;
	void *worker_private;
	unsigned sched_task_hot:1;
	int numa_preferred_nid;
	unsigned long *numa_faults;
	unsigned long total_numa_faults;
	struct numa_group___dl *numa_group;
	struct task_group___dl *sched_task_group;
	unsigned long core_cookie;
};

struct rq___dl {
	unsigned int nr_running;
	unsigned int nr_numa_running;
	unsigned int nr_preferred_running;
	u64 clock;
	u64 clock_task;
	struct cfs_rq___dl cfs;
	struct sched_info___dl rq_sched_info;
	unsigned int core_enabled;
	struct rq___dl *core;
	unsigned long core_cookie;
};

struct sched_domain___dl {
	unsigned int cache_nice_tries;
	unsigned int nr_balance_failed;
	int flags;
	int level;
};

struct lb_env___dl {
	struct sched_domain___dl *sd;
	struct rq___dl *src_rq;
	int src_cpu;
	int dst_cpu;
	struct rq___dl *dst_rq;
	enum cpu_idle_type___dl idle;
	long imbalance;
	struct cpumask *cpus;
	unsigned int flags;
	enum migration_type___dl migration_type;
};

#pragma clang attribute pop

enum KTHREAD_BITS___dl {
	KTHREAD_IS_PER_CPU___dl = 0,
};

/* macros of the kernel, of which BTF knows nothing */
#define DL_LBF_ACTIVE_LB	0x10		/* since 5.13 */
#define DL_PF_KTHREAD		0x00200000
#define DL_ON_RQ_MIGRATING	2
#define DL_TNF_FAULT_LOCAL	0x08
#define DL_SCHED_IDLE		5

#endif /* KERNEL_TYPES_H */
