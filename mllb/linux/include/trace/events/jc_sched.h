/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM jc_sched

#if !defined(_TRACE_JC_SCHED_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_JC_SCHED_H

#include <linux/jc_sched.h>
#include <linux/tracepoint.h>

int jc_sched_trace_reg(void);
void jc_sched_trace_unreg(void);

TRACE_DEFINE_ENUM(JC_REASON_RULE);
TRACE_DEFINE_ENUM(JC_REASON_MODEL);
TRACE_DEFINE_ENUM(JC_REASON_FORCED);
TRACE_DEFINE_ENUM(JC_REASON_FALLBACK);
TRACE_DEFINE_ENUM(JC_REASON_GUARD);

#define show_jc_reason(reason)				\
	__print_symbolic(reason,			\
			 { JC_REASON_RULE, "rule" },	\
			 { JC_REASON_MODEL, "model" },	\
			 { JC_REASON_FORCED, "forced" },	\
			 { JC_REASON_FALLBACK, "fallback" },	\
			 { JC_REASON_GUARD, "guard" })

/*
 * One decision of can_migrate_task(), past its hard filters. The first 30
 * fields are the columns of the original's CSV file in their order; struct
 * jc_lb_obs and struct jc_lb_data say what each one means.
 */
TRACE_EVENT_FN(jc_sched_decision,

	TP_PROTO(struct task_struct *p, const struct jc_lb_data *d),

	TP_ARGS(p, d),

	TP_STRUCT__entry(
		__field(u64,		ts)
		__field(pid_t,		curr_pid)
		__field(pid_t,		pid)
		__field(int,		src_cpu)
		__field(int,		dst_cpu)
		__field(long,		imbalance)
		__field(unsigned int,	src_len)
		__field(unsigned int,	src_numa_len)
		__field(unsigned int,	src_preferred_len)
		__field(s64,		delta)
		__field(bool,		cpu_idle)
		__field(bool,		cpu_not_idle)
		__field(bool,		cpu_newly_idle)
		__field(bool,		same_node)
		__field(bool,		prefer_src)
		__field(bool,		prefer_dst)
		__field(long,		delta_faults)
		__field(unsigned long,	total_faults)
		__field(unsigned int,	dst_len)
		__field(unsigned long,	src_load)
		__field(unsigned long,	dst_load)
		__field(unsigned int,	nr_fails)
		__field(unsigned int,	cache_nice_tries)
		__field(bool,		buddy_hot)
		__field(bool,		throttled)
		__field(bool,		p_running)
		__field(bool,		test_aggressive)
		__field(bool,		can_migrate)
		__field(u64,		pc_0)
		__field(u64,		pc_1)
		__field(int,		stock)
		__field(int,		model)
		__field(int,		reason)
		__field(bool,		extra_fails)
		__field(bool,		numa_gate)
		__field(u32,		bits)
		__array(s32,		num, JC_NR_NUMS)
		__field(int,		sd_level)
		__field(unsigned int,	sd_flags)
		__field(bool,		idle_policy)
		__field(int,		pc_cpu)
		__field(u64,		pc_age)
		__field(u64,		ns)
		__field(u32,		checksum)
		__field(bool,		flipped)
		__field(unsigned int,	propensity)
		__field(int,		migration_type)
	),

	TP_fast_assign(
		__entry->ts		= d->ts;
		__entry->curr_pid	= d->curr_pid;
		__entry->pid		= d->pid;
		__entry->src_cpu	= d->src_cpu;
		__entry->dst_cpu	= d->dst_cpu;
		__entry->imbalance	= d->imbalance;
		__entry->src_len	= d->obs.src_len;
		__entry->src_numa_len	= d->src_numa_len;
		__entry->src_preferred_len = d->obs.src_preferred_len;
		__entry->delta		= d->obs.delta;
		__entry->cpu_idle	= d->obs.cpu_idle;
		__entry->cpu_not_idle	= d->obs.cpu_not_idle;
		__entry->cpu_newly_idle	= d->obs.cpu_newly_idle;
		__entry->same_node	= d->obs.same_node;
		__entry->prefer_src	= d->obs.prefer_src;
		__entry->prefer_dst	= d->obs.prefer_dst;
		__entry->delta_faults	= d->obs.delta_faults;
		__entry->total_faults	= d->total_faults;
		__entry->dst_len	= d->obs.dst_len;
		__entry->src_load	= d->obs.src_load;
		__entry->dst_load	= d->obs.dst_load;
		__entry->nr_fails	= d->obs.nr_fails;
		__entry->cache_nice_tries = d->obs.cache_nice_tries;
		__entry->buddy_hot	= d->obs.buddy_hot;
		__entry->throttled	= d->throttled;
		__entry->p_running	= d->p_running;
		__entry->test_aggressive = d->test_aggressive;
		__entry->can_migrate	= d->can_migrate;
		__entry->pc_0		= d->pc[0];
		__entry->pc_1		= d->pc[1];
		__entry->stock		= d->stock;
		__entry->model		= d->model;
		__entry->reason		= d->reason;
		__entry->extra_fails	= d->obs.nr_fails >
					  d->obs.cache_nice_tries;
		__entry->numa_gate	= d->obs.numa_gate;
		__entry->bits		= d->f.bits;
		memcpy(__entry->num, d->f.num, sizeof(__entry->num));
		__entry->sd_level	= d->sd_level;
		__entry->sd_flags	= d->sd_flags;
		__entry->idle_policy	= d->obs.idle_policy;
		__entry->pc_cpu		= d->pc_cpu;
		__entry->pc_age		= d->pc_age;
		__entry->ns		= d->ns;
		__entry->checksum	= d->checksum;
		__entry->flipped	= d->flipped;
		__entry->propensity	= d->propensity;
		__entry->migration_type	= d->migration_type;
	),

	TP_printk("ts=%llu curr_pid=%d pid=%d src_cpu=%d dst_cpu=%d imbalance=%ld src_len=%u src_numa_len=%u src_preferred_len=%u delta=%lld cpu_idle=%d cpu_not_idle=%d cpu_newly_idle=%d same_node=%d prefer_src=%d prefer_dst=%d delta_faults=%ld total_faults=%lu dst_len=%u src_load=%lu dst_load=%lu nr_fails=%u cache_nice_tries=%u buddy_hot=%d throttled=%d p_running=%d test_aggressive=%d can_migrate=%d pc_0=%llu pc_1=%llu stock=%d model=%d reason=%s extra_fails=%d numa_gate=%d bits=%#x num0=%d num1=%d num2=%d num3=%d num4=%d sd_level=%d sd_flags=%#x idle_policy=%d pc_cpu=%d pc_age=%llu ns=%llu checksum=%#x flipped=%d propensity=%u migration_type=%d",
		__entry->ts, __entry->curr_pid, __entry->pid,
		__entry->src_cpu, __entry->dst_cpu, __entry->imbalance,
		__entry->src_len, __entry->src_numa_len,
		__entry->src_preferred_len, __entry->delta,
		__entry->cpu_idle, __entry->cpu_not_idle,
		__entry->cpu_newly_idle, __entry->same_node,
		__entry->prefer_src, __entry->prefer_dst,
		__entry->delta_faults, __entry->total_faults,
		__entry->dst_len, __entry->src_load, __entry->dst_load,
		__entry->nr_fails, __entry->cache_nice_tries,
		__entry->buddy_hot, __entry->throttled, __entry->p_running,
		__entry->test_aggressive, __entry->can_migrate,
		__entry->pc_0, __entry->pc_1, __entry->stock, __entry->model,
		show_jc_reason(__entry->reason), __entry->extra_fails,
		__entry->numa_gate, __entry->bits,
		__entry->num[0], __entry->num[1], __entry->num[2],
		__entry->num[3], __entry->num[4], __entry->sd_level,
		__entry->sd_flags, __entry->idle_policy, __entry->pc_cpu,
		__entry->pc_age, __entry->ns, __entry->checksum, __entry->flipped,
		__entry->propensity, __entry->migration_type),

	jc_sched_trace_reg, jc_sched_trace_unreg
);

#ifdef CONFIG_JC_SCHED_GUARD
struct jc_guard;
struct jc_guard_sample;

TRACE_DEFINE_ENUM(JC_GUARD_TRIPS);
TRACE_DEFINE_ENUM(JC_GUARD_CHANCE);
TRACE_DEFINE_ENUM(JC_GUARD_TRUSTED);
TRACE_DEFINE_ENUM(JC_GUARD_RESET);
TRACE_DEFINE_ENUM(JC_HARM_IDLE);
TRACE_DEFINE_ENUM(JC_HARM_WAIT);
TRACE_DEFINE_ENUM(JC_HARM_BACK);

#define show_jc_guard_event(event)			\
	__print_symbolic(event,				\
			 { JC_GUARD_TRIPS, "trips" },	\
			 { JC_GUARD_CHANCE, "chance" },	\
			 { JC_GUARD_TRUSTED, "trusted" },	\
			 { JC_GUARD_RESET, "reset" })

#define show_jc_harm(harm)				\
	__print_symbolic(harm,				\
			 { -1, "none" },		\
			 { JC_HARM_IDLE, "idle" },	\
			 { JC_HARM_WAIT, "wait" },	\
			 { JC_HARM_BACK, "back" })

/*
 * The guard of a root domain changed its mind, or all were reset. Levels are in
 * 1/1000 of ms; harm is what tripped last. The sample is the one that did it, all
 * zero where none was taken.
 */
TRACE_EVENT(jc_sched_guard,

	TP_PROTO(int event, const struct jc_guard *g, const struct jc_guard_sample *s),

	TP_ARGS(event, g, s),

	TP_STRUCT__entry(
		__field(int,		event)
		__field(int,		harm)
		__field(unsigned int,	idle)
		__field(unsigned int,	wait)
		__field(unsigned int,	back)
		__field(unsigned int,	busy)
		__field(unsigned int,	starved)
		__field(unsigned int,	waiting)
		__field(unsigned int,	excess)
		__field(unsigned int,	backs)
		__field(unsigned int,	trips)
		__field(unsigned int,	left_ms)
		__field(u64,		watched_ms)
	),

	TP_fast_assign(
		__entry->event		= event;
		__entry->harm		= g->trips ? g->harm : -1;
		__entry->idle		= g->level[JC_HARM_IDLE];
		__entry->wait		= g->level[JC_HARM_WAIT];
		__entry->back		= g->level[JC_HARM_BACK];
		__entry->busy		= s ? s->busy : 0;
		__entry->starved	= s ? s->starved : 0;
		__entry->waiting	= s ? s->waiting : 0;
		__entry->excess		= s ? s->excess : 0;
		__entry->backs		= s ? s->backs : 0;
		__entry->trips		= g->trips;
		__entry->left_ms	= g->left_ms;
		__entry->watched_ms	= g->watched_ms;
	),

	TP_printk("event=%s harm=%s idle=%u wait=%u back=%u busy=%u starved=%u waiting=%u excess=%u backs=%u trips=%u left_ms=%u watched_ms=%llu",
		show_jc_guard_event(__entry->event), show_jc_harm(__entry->harm),
		__entry->idle, __entry->wait, __entry->back, __entry->busy,
		__entry->starved, __entry->waiting, __entry->excess, __entry->backs,
		__entry->trips, __entry->left_ms, __entry->watched_ms)
);
#endif /* CONFIG_JC_SCHED_GUARD */

#endif /* _TRACE_JC_SCHED_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
