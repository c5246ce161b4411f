/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's torture test: what its parts share.
 *
 * Every model of the test answers with its own number, times LFT_STRIDE, plus
 * the sum of the inputs. So each answer tells which model it came from, and an
 * activation that somebody else wrote over shows as well.
 */
#ifndef _KERNEL_LITEFLOW_TESTS_TORTURE_H
#define _KERNEL_LITEFLOW_TESTS_TORTURE_H

#include <linux/hrtimer.h>
#include <linux/liteflow.h>
#include <linux/prandom.h>
#include <linux/timer.h>

struct lf_model;
struct task_struct;

#define LFT_N_IN	4
#define LFT_IN_MAX	15		/* inputs are 0 to this */
#define LFT_STRIDE	64		/* more than the sum of all inputs */
#define LFT_MAX_NUMBER	(S32_MAX / LFT_STRIDE - 1UL)
/* Numbers of compiled models begin here, those of data are the versions. */
#define LFT_COMPILED	BIT(24)
#define LFT_UNITS	"lf-torture"

/* Hidden layers have LFT_N_IN << n neurons, n up to this. */
#define LFT_WIDTHS	8
#define LFT_ATOMIC_WIDTHS 4

#define LFT_SLOTS	4
#define LFT_LOG		1024		/* activations that are remembered */
#define LFT_TARGETS	5
#define LFT_TASK_FLOWS	8		/* per CPU and target */
#define LFT_TIMER_FLOWS	4

/* What can be wrong; lft_errors[] has it in words. */
enum lft_error {
	LFT_NO_NUMBER,
	LFT_OTHER_NUMBER,
	LFT_NOT_ACTIVE,
	LFT_MOVED,
	LFT_AFTER_EVICT,
	LFT_NO_ANSWER,
	LFT_ERRNO,
	LFT_CONTEXT,
	LFT_N_ERRORS,
};

/**
 * struct lft_counts - of one asker; only it writes them
 * @answers: queries that were answered
 * @empty: queries refused for want of a model, rightly
 * @context: queries refused because of the context, rightly
 * @moves: times that a flow was served by another model than before
 * @unchecked: answers that came too late to know what was active
 * @errors: by enum lft_error
 */
struct lft_counts {
	unsigned long answers;
	unsigned long empty;
	unsigned long context;
	unsigned long moves;
	unsigned long unchecked;
	unsigned long errors[LFT_N_ERRORS];
};

/* what is known of a version */
#define LFT_LEAVING	1		/* flows may lose it */
#define LFT_EVICTED	2		/* no flow is served by it any more */

/**
 * struct lft_target - an app that is asked
 * @app: the app
 * @flows: it is asked with flows
 * @pins: flows keep their model
 * @limit: but lose it if retired models take more bytes than this; 0: they do not
 * @foreign: its models come from user space, so nothing is known of them
 * @widths: of the hidden layers of its models, up to LFT_N_IN << @widths
 * @life: queries of a flow, at most
 * @log: who became the active one, 0: none did; written by the writer
 * @begun: last entry of @log that may have come into force
 * @done: last entry of @log that is in force, or was
 * @marks: per version: LFT_LEAVING, LFT_EVICTED
 * @n_marks: of them
 */
struct lft_target {
	struct lf_app *app;
	bool flows;
	bool pins;
	bool foreign;
	u8 widths;
	u32 limit;
	u32 life;
	u32 log[LFT_LOG];
	u32 begun;
	u32 done;
	u8 *marks;
	u32 n_marks;
};

struct lft_flow {
	struct lf_flow flow;
	u32 number;
	u32 version;
	u32 left;
};

/**
 * struct lft_asker - who asks, from one context of one CPU
 * @rnd: its random numbers
 * @counts: per target
 */
struct lft_asker {
	struct rnd_state rnd;
	struct lft_counts counts[LFT_TARGETS];
};

/**
 * struct lft_cpu - all that asks on one CPU
 * @task: the thread
 * @in_task: asks from it
 * @in_timer: asks from @timer, a softirq
 * @in_irq: asks from @hrtimer, a hard interrupt
 * @timer: every jiffy
 * @hrtimer: every lft_irq_us
 * @stop: @hrtimer is to end
 * @task_flows: of @in_task
 * @timer_flows: of @in_timer
 */
struct lft_cpu {
	struct task_struct *task;
	struct lft_asker in_task;
	struct lft_asker in_timer;
	struct lft_asker in_irq;
	struct timer_list timer;
	struct hrtimer hrtimer;
	bool stop;
	struct lft_flow task_flows[LFT_TARGETS][LFT_TASK_FLOWS];
	struct lft_flow timer_flows[LFT_TARGETS][LFT_TIMER_FLOWS];
};

/**
 * struct lft_job - what the module can do
 * @name: value of the parameter "mode"
 * @start: begin
 * @stop: end and clean up
 * @show: write statistics into a buffer of @size bytes; length
 */
struct lft_job {
	const char *name;
	int (*start)(void);
	void (*stop)(void);
	int (*show)(char *buf, size_t size);
};

extern const struct lft_job lft_torture_job;
extern const struct lft_job lft_consistency_job;
extern const struct lft_job lft_flows_job;
extern const struct lft_job lft_bench_job;

/* parameters */
extern unsigned int lft_cycles;
extern unsigned int lft_per_cycle;
extern unsigned int lft_switches;
extern unsigned int lft_queries;
extern unsigned int lft_irq_us;
extern bool lft_hold;
extern char *lft_app_name;
extern unsigned int lft_flow_count;
extern unsigned int lft_hz;
extern unsigned int lft_flow_ms;
extern unsigned int lft_n_in;
extern unsigned int lft_n_out;
extern unsigned int lft_max_state;
extern char *lft_units;
extern unsigned int lft_evict_mb;

/* torture_model.c */
size_t lft_blob_size(unsigned int width);
size_t lft_blob(void *buf, u32 number, unsigned int width);

/* torture_ask.c */
extern struct lft_target lft_targets[LFT_TARGETS];
extern unsigned int lft_n_targets;
extern const char *const lft_errors[LFT_N_ERRORS];
int lft_add_target(const struct lf_app_desc *desc, bool foreign, u32 versions);
void lft_del_targets(void);
int lft_start_asking(void);
void lft_stop_asking(void);
void lft_end_flows(void);
void lft_sum(unsigned int target, struct lft_counts *sum);
u8 lft_mark(const struct lft_target *t, u32 version);
void lft_set_mark(struct lft_target *t, u32 version, u8 mark);

/* torture_write.c */
extern atomic_t lft_cycles_done;
extern atomic_t lft_write_errors;
int lft_start_writing(void);
void lft_stop_writing(void);
bool lft_writing(void);
int lft_prepare_switches(void);
void lft_switch(unsigned int target);

/* torture_bench.c */
int lft_bench_run(void);

#endif /* _KERNEL_LITEFLOW_TESTS_TORTURE_H */
