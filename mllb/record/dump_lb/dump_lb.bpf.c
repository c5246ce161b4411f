// SPDX-License-Identifier: GPL-2.0
/*
 * The programs of dump_lb: decisions of the balancer, and what then happened
 *
 * They run with run-queue locks held and IRQs off. Nothing here allocates, and
 * nothing wakes the reader at once: it looks by itself, and is only called
 * when the buffer fills.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "dump_lb.h"
#include "kernel_types.h"

char LICENSE[] SEC("license") = "GPL";

/* Set before loading. */
const volatile __u64 wake_bytes = 1 << 22;
const volatile bool outcomes;
const volatile __u64 horizon_ns;
const volatile __u32 bucket_shift;
const volatile __u32 watch_mask;
const volatile bool has_schedstats;
const volatile bool numa_on;
const volatile bool buddy_feature;
const volatile __u32 migration_cost;
const volatile __u32 sd_numa;
const volatile __u32 sd_smt;
const volatile __u32 nr_nodes = 1;
const volatile __u32 max_distance;
const volatile __u32 topology;		/* enum dl_topology */

enum dl_topology { DL_DIRECT, DL_GLUELESS_MESH, DL_BACKPLANE };

#define LOCAL_DISTANCE	10
#define MAX_NODES	64

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dl_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dl_latest);
} latest SEC(".maps");

/* By pid; a slot is only written with the task's run queue locked. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dl_watch);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dl_cpu_watch);
} watched_cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cpu_nodes SEC(".maps");

/* MAX_NODES in a row */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_NODES * MAX_NODES);
	__type(key, __u32);
	__type(value, __u32);
} distances SEC(".maps");

/* The task's schedstats at the entry of can_migrate_task(). */
struct entry_stats {
	__u64 hot;
	__u64 forced;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry_stats);
} at_entry SEC(".maps");

extern struct rq runqueues __ksym;
extern const void sysctl_sched_migration_cost __ksym __weak;

static __always_inline struct dl_counters *count(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void submit(void *record)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

static __always_inline void head(struct dl_head *h, __u32 kind)
{
	h->ts = bpf_ktime_get_ns();
	h->kind = kind;
	h->cpu = bpf_get_smp_processor_id();
}

static __always_inline struct rq___dl *rq_of(__u32 cpu)
{
	return (struct rq___dl *)bpf_per_cpu_ptr(&runqueues, cpu);
}

static __always_inline __u64 waited_so_far(struct task_struct___dl *p, struct rq___dl *rq)
{
	__u64 sum = p->sched_info.run_delay, since = p->sched_info.last_queued;

	return since ? sum + rq->clock - since : sum;
}

static __always_inline void watch_cpu(__u32 cpu, __u64 until)
{
	struct dl_cpu_watch *w = bpf_map_lookup_elem(&watched_cpus, &cpu);

	if (w)
		w->until = until;
}

/* From now on, what happens to the task and on both CPUs is recorded. */
static __always_inline void watch(struct dl_decision *r, struct task_struct___dl *p,
				  struct dl_counters *c)
{
	__u64 until = r->head.ts + horizon_ns;
	__u32 slot = r->pid & watch_mask, zero = 0;
	struct dl_watch *w = bpf_map_lookup_elem(&watched, &slot);
	struct dl_latest *l = bpf_map_lookup_elem(&latest, &zero);
	struct rq___dl *src = rq_of(r->src_cpu), *dst = rq_of(r->dst_cpu);

	if (!w || !l || !src || !dst)
		return;
	if (w->pid != r->pid && w->until > r->head.ts)
		c->collided++;
	w->pid = r->pid;
	w->until = until;
	w->waiting = 1;
	l->pid = r->pid;
	l->src_cpu = r->src_cpu;
	l->dst_cpu = r->dst_cpu;
	l->clock = src->clock;
	watch_cpu(r->src_cpu, until);
	watch_cpu(r->dst_cpu, until);
	r->waited = waited_so_far(p, src);
	r->src_waited = src->rq_sched_info.run_delay;
	r->dst_waited = dst->rq_sched_info.run_delay;
	r->flags |= DL_WATCHED;
}

static __always_inline void task_columns(struct dl_decision *r, struct task_struct___dl *p)
{
	r->policy = p->policy;
	r->weight = p->se.load.weight;
	r->pref_node = DL_UNKNOWN;
	if (bpf_core_field_exists(p->numa_preferred_nid))
		r->pref_node = p->numa_preferred_nid;
}

SEC("tp_btf/jc_sched_decision")
int BPF_PROG(on_decision, struct task_struct___dl *p, struct jc_lb_data___dl *d)
{
	struct dl_counters *c = count();
	struct dl_decision *r;
	__u32 flags = 0;

	if (!c)
		return 0;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		c->lost++;
		return 0;
	}
	r->head.ts = d->ts;
	r->head.kind = DL_DECISION;
	r->head.cpu = bpf_get_smp_processor_id();
	r->ts = d->ts;
	r->curr_pid = d->curr_pid;
	r->pid = d->pid;
	r->src_cpu = d->src_cpu;
	r->dst_cpu = d->dst_cpu;
	r->imbalance = d->imbalance;
	r->src_len = d->obs.src_len;
	r->src_numa_len = d->src_numa_len;
	r->src_preferred_len = d->obs.src_preferred_len;
	r->delta = d->obs.delta;
	r->delta_faults = d->obs.delta_faults;
	r->total_faults = d->total_faults;
	r->dst_len = d->obs.dst_len;
	r->src_load = d->obs.src_load;
	r->dst_load = d->obs.dst_load;
	r->nr_fails = d->obs.nr_fails;
	r->cache_nice_tries = d->obs.cache_nice_tries;
	r->migration_cost = d->obs.migration_cost;
	r->pc[0] = d->pc[0];
	r->pc[1] = d->pc[1];
	r->pc_cpu = d->pc_cpu;
	r->pc_age = d->pc_age;
	r->ns = d->ns;
	r->bits = d->f.bits;
	r->num[0] = d->f.num[0];
	r->num[1] = d->f.num[1];
	r->num[2] = d->f.num[2];
	r->num[3] = d->f.num[3];
	r->num[4] = d->f.num[4];
	r->sd_level = d->sd_level;
	r->sd_flags = d->sd_flags;
	r->checksum = d->checksum;
	r->stock = d->stock;
	r->model = d->model;
	r->reason = d->reason;
	r->imbalance_type = DL_UNKNOWN;
	if (bpf_core_field_exists(d->migration_type))
		r->imbalance_type = d->migration_type;
	r->propensity = 1000;
	if (bpf_core_field_exists(d->propensity))
		r->propensity = d->propensity;
	if (bpf_core_field_exists(d->flipped) && d->flipped)
		flags |= DL_FLIPPED;
	flags |= d->obs.cpu_idle ? DL_CPU_IDLE : 0;
	flags |= d->obs.cpu_not_idle ? DL_CPU_NOT_IDLE : 0;
	flags |= d->obs.cpu_newly_idle ? DL_CPU_NEWLY_IDLE : 0;
	flags |= d->obs.same_node ? DL_SAME_NODE : 0;
	flags |= d->obs.prefer_src ? DL_PREFER_SRC : 0;
	flags |= d->obs.prefer_dst ? DL_PREFER_DST : 0;
	flags |= d->obs.buddy_hot ? DL_BUDDY_HOT : 0;
	flags |= d->obs.numa_gate ? DL_NUMA_GATE : 0;
	flags |= d->obs.smt ? DL_SMT : 0;
	flags |= d->obs.idle_policy ? DL_IDLE_POLICY : 0;
	flags |= d->obs.cookie_mismatch ? DL_COOKIE_MISMATCH : 0;
	flags |= d->throttled ? DL_THROTTLED : 0;
	flags |= d->p_running ? DL_P_RUNNING : 0;
	flags |= d->test_aggressive ? DL_TEST_AGGRESSIVE : 0;
	flags |= d->can_migrate ? DL_CAN_MIGRATE : 0;
	r->flags = flags;
	task_columns(r, p);
	r->waited = 0;
	r->src_waited = 0;
	r->dst_waited = 0;
	if (outcomes) {
		r->head.ts = bpf_ktime_get_ns();
		watch(r, p, c);
	}
	submit(r);
	c->rows++;
	return 0;
}

/* --- a kernel without the tracepoint ------------------------------------ */

static __always_inline bool cpu_in(const void *mask, __u32 cpu)
{
	unsigned long word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), mask + cpu / 64 * sizeof(word));
	return word >> (cpu % 64) & 1;
}

static __always_inline bool throttled_on(struct task_group___dl *tg, __u32 cpu)
{
	struct cfs_rq___dl **cfs_rqs, *cfs_rq = NULL;

	cfs_rqs = tg->cfs_rq;
	bpf_probe_read_kernel(&cfs_rq, sizeof(cfs_rq), cfs_rqs + cpu);
	return cfs_rq && BPF_CORE_READ(cfs_rq, throttle_count);
}

/* The filters that come before the decision, in the kernel's order. */
static __always_inline bool refused_hard(struct task_struct___dl *p, struct lb_env___dl *env)
{
	struct task_group___dl *tg;
	void *kthread;

	if (bpf_core_field_exists(((struct cfs_rq___dl *)0)->throttle_count) &&
	    bpf_core_field_exists(p->sched_task_group)) {
		tg = p->sched_task_group;
		if (tg && (throttled_on(tg, env->src_cpu) || throttled_on(tg, env->dst_cpu)))
			return true;
	}
	if (bpf_core_field_exists(p->worker_private) && p->flags & DL_PF_KTHREAD) {
		kthread = p->worker_private;
		if (kthread && BPF_CORE_READ((struct kthread___dl *)kthread, flags) >>
		    bpf_core_enum_value(enum KTHREAD_BITS___dl, KTHREAD_IS_PER_CPU___dl) & 1)
			return true;
	}
	return !cpu_in(p->cpus_ptr, env->dst_cpu) || p->on_cpu;
}

static __always_inline __u32 node_of(__u32 cpu)
{
	__u32 *node = bpf_map_lookup_elem(&cpu_nodes, &cpu);

	return node ? *node : 0;
}

static __always_inline __u32 distance(__u32 a, __u32 b)
{
	__u32 at = a * MAX_NODES + b;
	__u32 *d = bpf_map_lookup_elem(&distances, &at);

	return d ? *d : 0;
}

/* Shared and private faults on memory of the node: the first in the array. */
static __always_inline __u64 node_faults(const unsigned long *faults, __u32 node)
{
	unsigned long pair[2] = {};

	bpf_probe_read_kernel(pair, sizeof(pair), faults + 2 * node);
	return pair[0] + pair[1];
}

/* score_nearby_nodes() of the kernel; unused where all nodes are equally far */
static __noinline __u64 nearby(const unsigned long *faults, __u32 nid, __u32 limit)
{
	__u64 score = 0, f;
	__u32 node, dist;

	for (node = 0; node < MAX_NODES; node++) {
		if (node >= nr_nodes)
			break;
		dist = distance(nid, node);
		if (!dist || dist >= max_distance || node == nid)
			continue;
		if (topology == DL_BACKPLANE && dist >= limit)
			continue;
		f = node_faults(faults, node);
		if (topology == DL_GLUELESS_MESH && max_distance > LOCAL_DISTANCE)
			f = f * (max_distance - dist) / (max_distance - LOCAL_DISTANCE);
		score += f;
	}
	return score;
}

static __always_inline __s64 fault_weight(const unsigned long *faults, __u64 total,
					  __u32 node, __u32 dist)
{
	__u64 sum;

	if (!total)
		return 0;
	sum = node_faults(faults, node);
	if (topology != DL_DIRECT)
		sum += nearby(faults, node, dist);
	return 1000 * sum / total;
}

static __always_inline void numa_columns(struct dl_decision *r, struct task_struct___dl *p,
					 struct lb_env___dl *env)
{
	struct rq___dl *src = env->src_rq;
	__u32 src_nid = node_of(r->src_cpu), dst_nid = node_of(r->dst_cpu), dist;
	struct numa_group___dl *group;
	const unsigned long *faults;
	__u64 total;

	r->delta_faults = 0;
	r->total_faults = 0;
	r->src_numa_len = 0;
	r->src_preferred_len = 0;
	if (!(r->sd_flags & sd_numa) || src_nid == dst_nid)
		r->flags |= DL_SAME_NODE;
	if (!bpf_core_field_exists(p->numa_faults))
		return;
	r->src_numa_len = src->nr_numa_running;
	r->src_preferred_len = src->nr_preferred_running;
	r->total_faults = p->total_numa_faults;
	faults = p->numa_faults;
	if (r->flags & DL_SAME_NODE || !numa_on || !faults)
		return;

	r->flags |= DL_NUMA_GATE;
	if ((__s32)src_nid == p->numa_preferred_nid)
		r->flags |= DL_PREFER_SRC;
	if ((__s32)dst_nid == p->numa_preferred_nid)
		r->flags |= DL_PREFER_DST;
	total = p->total_numa_faults;
	group = p->numa_group;
	if (group) {
		total = BPF_CORE_READ(group, total_faults);
		faults = (void *)group + bpf_core_field_offset(group->faults);
	}
	dist = distance(src_nid, dst_nid);
	r->delta_faults = fault_weight(faults, total, dst_nid, dist) -
			  fault_weight(faults, total, src_nid, dist);
}

static __always_inline void observe(struct dl_decision *r, struct task_struct___dl *p,
				    struct lb_env___dl *env)
{
	struct rq___dl *src = env->src_rq, *dst = env->dst_rq;
	struct sched_domain___dl *sd = env->sd;
	__u32 idle = env->idle;
	__u32 cost = migration_cost;

	r->ts = r->head.ts;
	r->curr_pid = bpf_get_current_pid_tgid();
	r->pid = p->pid;
	r->src_cpu = env->src_cpu;
	r->dst_cpu = env->dst_cpu;
	r->imbalance = env->imbalance;
	r->src_len = src->nr_running;
	r->dst_len = dst->nr_running;
	r->delta = src->clock_task - p->se.exec_start;
	r->src_load = src->cfs.avg.load_avg;
	r->dst_load = dst->cfs.avg.load_avg;
	r->nr_fails = sd->nr_balance_failed;
	r->cache_nice_tries = sd->cache_nice_tries;
	r->sd_level = sd->level;
	r->sd_flags = sd->flags;
	if (&sysctl_sched_migration_cost)
		bpf_probe_read_kernel(&cost, sizeof(cost), &sysctl_sched_migration_cost);
	r->migration_cost = cost;
	if (idle == bpf_core_enum_value(enum cpu_idle_type___dl, CPU_IDLE___dl))
		r->flags |= DL_CPU_IDLE;
	else if (idle == bpf_core_enum_value(enum cpu_idle_type___dl, CPU_NEWLY_IDLE___dl))
		r->flags |= DL_CPU_NEWLY_IDLE;
	else
		r->flags |= DL_CPU_NOT_IDLE;
	if (r->sd_flags & sd_smt)
		r->flags |= DL_SMT;
	if (p->policy == DL_SCHED_IDLE)
		r->flags |= DL_IDLE_POLICY;
	if (buddy_feature && r->dst_len && bpf_core_field_exists(p->se.cfs_rq) &&
	    (void *)p->se.cfs_rq->next == (void *)p + bpf_core_field_offset(p->se))
		r->flags |= DL_BUDDY_HOT;
	if (bpf_core_field_exists(dst->core_enabled) && dst->core_enabled &&
	    dst->core->core_cookie != p->core_cookie)
		r->flags |= DL_COOKIE_MISMATCH;
	numa_columns(r, p, env);
	task_columns(r, p);

	r->imbalance_type = DL_UNKNOWN;
	if (bpf_core_field_exists(env->migration_type))
		r->imbalance_type = env->migration_type;
}

SEC("fentry/can_migrate_task")
int BPF_PROG(on_entry, struct task_struct___dl *p)
{
	__u32 zero = 0;
	struct entry_stats *e = bpf_map_lookup_elem(&at_entry, &zero);

	if (e && bpf_core_field_exists(p->stats)) {
		e->hot = p->stats.nr_failed_migrations_hot;
		e->forced = p->stats.nr_forced_migrations;
	}
	return 0;
}

/*
 * The rule's answer before forcing: a task that moves although it is hot is
 * marked so in the task, or, in older kernels, counted by schedstats.
 */
static __always_inline int before_forcing(struct task_struct___dl *task, bool forcing,
					  const struct entry_stats *e)
{
	if (!forcing)
		return 1;
	if (bpf_core_field_exists(task->sched_task_hot))
		return !BPF_CORE_READ_BITFIELD(task, sched_task_hot);
	if (has_schedstats && bpf_core_field_exists(task->stats))
		return task->stats.nr_forced_migrations == e->forced;
	return DL_UNKNOWN;
}

SEC("fexit/can_migrate_task")
int BPF_PROG(on_return, struct task_struct___dl *p, struct lb_env___dl *env, int answer)
{
	struct dl_counters *c = count();
	struct dl_decision *r;
	struct entry_stats *e;
	bool hard, forcing;
	__u32 zero = 0;

	e = bpf_map_lookup_elem(&at_entry, &zero);
	if (!c || !e)
		return 0;
	c->seen++;
	if (answer)
		c->yes++;
	/* only active balance has no set of CPUs to choose from */
	if (env->flags & DL_LBF_ACTIVE_LB || !env->cpus) {
		c->active++;
		return 0;
	}
	if (!answer) {
		hard = refused_hard(p, env);
		if (has_schedstats && bpf_core_field_exists(p->stats) &&
		    hard != (p->stats.nr_failed_migrations_hot == e->hot)) {
			c->contradicted++;
			hard = !hard;
		}
		if (hard) {
			c->hard++;
			return 0;
		}
	}

	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		c->lost++;
		return 0;
	}
	head(&r->head, DL_OBSERVED);
	r->flags = DL_TEST_AGGRESSIVE;
	observe(r, p, env);
	forcing = r->nr_fails > r->cache_nice_tries;
	r->stock = answer ? before_forcing(p, forcing, e) : 0;
	if (answer)
		r->flags |= DL_CAN_MIGRATE;
	r->model = DL_UNKNOWN;
	r->reason = answer && !r->stock ? 2 : 0;
	r->propensity = 1000;
	r->pc[0] = 0;
	r->pc[1] = 0;
	r->pc_cpu = DL_UNKNOWN;
	r->pc_age = 0;
	r->ns = 0;
	r->bits = 0;
	r->checksum = 0;
	r->waited = 0;
	r->src_waited = 0;
	r->dst_waited = 0;
	__builtin_memset(r->num, 0, sizeof(r->num));
	if (outcomes)
		watch(r, p, c);
	submit(r);
	c->rows++;
	return 0;
}

/* --- what then happened -------------------------------------------------- */

static __always_inline struct dl_watch *watch_of(__s32 pid)
{
	__u32 slot = pid & watch_mask;
	struct dl_watch *w = bpf_map_lookup_elem(&watched, &slot);

	return w && w->pid == pid ? w : NULL;
}

static __always_inline struct dl_task *task_event(__u32 kind, __s32 pid)
{
	struct dl_task *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	struct dl_counters *c;

	if (r) {
		head(&r->head, kind);
		r->pid = pid;
		r->src_cpu = DL_UNKNOWN;
		r->dst_cpu = DL_UNKNOWN;
		r->flag = 0;
		r->value = 0;
		return r;
	}
	c = count();
	if (c)
		c->lost_further++;
	return NULL;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct___dl *p, int dst_cpu)
{
	__s32 pid = p->pid, src_cpu = p->thread_info.cpu;
	struct dl_watch *w = watch_of(pid);
	struct dl_latest *l;
	struct rq___dl *src;
	struct dl_task *r;
	bool mine = false;
	__u32 zero = 0;

	if (!w)
		return 0;
	l = bpf_map_lookup_elem(&latest, &zero);
	if (l && l->pid == pid && l->src_cpu == src_cpu && l->dst_cpu == dst_cpu &&
	    p->on_rq == DL_ON_RQ_MIGRATING) {
		src = rq_of(src_cpu);
		mine = src && src->clock == l->clock;
		l->pid = 0;
	}
	if (!mine && bpf_ktime_get_ns() > w->until)
		return 0;
	r = task_event(DL_MOVE, pid);
	if (!r)
		return 0;
	r->src_cpu = src_cpu;
	r->dst_cpu = dst_cpu;
	r->flag = mine;
	submit(r);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct___dl *prev,
	     struct task_struct___dl *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct dl_cpu_watch *cw = bpf_map_lookup_elem(&watched_cpus, &cpu);
	struct dl_watch *w = watch_of(next->pid);
	struct dl_waited *s;
	struct rq___dl *rq;
	struct dl_task *r;
	__u64 now, bucket;

	if (!(cw && cw->until) && !(w && w->waiting))
		return 0;
	rq = (struct rq___dl *)bpf_this_cpu_ptr(&runqueues);
	now = bpf_ktime_get_ns();
	/* the first switch of a bucket says how things stood at the end of the one before */
	bucket = now >> bucket_shift;
	if (cw && cw->until && bucket != cw->bucket) {
		if (bucket > cw->until >> bucket_shift)
			cw->until = 0;
		cw->bucket = bucket;
		s = bpf_ringbuf_reserve(&events, sizeof(*s), 0);
		if (s) {
			s->head.ts = now;
			s->head.kind = DL_WAITED;
			s->head.cpu = cpu;
			s->sum = rq->rq_sched_info.run_delay;
			submit(s);
		} else {
			struct dl_counters *c = count();

			if (c)
				c->lost_further++;
		}
	}
	if (!w || !w->waiting)
		return 0;
	w->waiting = 0;
	if (now > w->until)
		return 0;
	r = task_event(DL_RUN, next->pid);
	if (!r)
		return 0;
	r->value = waited_so_far(next, rq);
	submit(r);
	return 0;
}

SEC("fentry/task_numa_fault")
int BPF_PROG(on_numa_fault, int last_cpupid, int mem_node, int pages, int flags)
{
	__s32 pid = bpf_get_current_pid_tgid();
	struct dl_watch *w = watch_of(pid);
	struct dl_task *r;

	if (!w || bpf_ktime_get_ns() > w->until)
		return 0;
	r = task_event(DL_FAULT, pid);
	if (!r)
		return 0;
	r->flag = !!(flags & DL_TNF_FAULT_LOCAL);
	r->value = pages;
	submit(r);
	return 0;
}

/* --- the synthetic source ------------------------------------------------- */

__u64 bench_made;
__u64 bench_backlog;
__u32 bench_batch;	/* how many to make, DL_BATCH at most */

SEC("raw_tp")
int bench(void *ctx)
{
	struct dl_counters *c = count();
	__u32 i;

	if (!c)
		return 0;
	for (i = 0; i < DL_BATCH && i < bench_batch; i++) {
		__u64 n = bench_made + 1, x = n * 0x9e3779b97f4a7c15ULL;
		struct dl_decision *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

		bench_made = n;
		if (!r) {
			c->lost++;
			continue;
		}
		__builtin_memset(r, 0, sizeof(*r));
		head(&r->head, DL_SYNTHETIC);
		r->ts = r->head.ts;
		r->curr_pid = bpf_get_current_pid_tgid();
		r->pid = 1000 + (x >> 52);
		r->src_cpu = x >> 48 & 7;
		r->dst_cpu = r->head.cpu;
		r->imbalance = 1 + (x >> 60);
		r->src_len = 2 + (x >> 56 & 15);
		r->src_preferred_len = x >> 58 & 3;
		r->delta = x >> 40;
		r->total_faults = x >> 50;
		r->src_load = 1024 + (x >> 49);
		r->dst_load = x >> 51;
		r->nr_fails = x >> 62;
		r->cache_nice_tries = 1;
		r->migration_cost = 500000;
		r->pc[0] = ~0ULL;
		r->pc[1] = ~0ULL;
		r->pc_cpu = DL_UNKNOWN;
		r->ns = 300 + (x >> 57);
		r->bits = x >> 54;
		r->num[0] = r->src_len - 2;
		r->num[1] = r->src_load;
		r->num[2] = r->dst_load;
		r->num[3] = 1;
		r->sd_level = x >> 63;
		r->sd_flags = 0x4e5f;
		r->weight = 1048576;
		r->pref_node = DL_UNKNOWN;
		r->stock = x >> 61 & 1;
		r->model = DL_UNKNOWN;
		r->imbalance_type = DL_UNKNOWN;
		r->propensity = 1000;
		r->flags = DL_CPU_NEWLY_IDLE | DL_TEST_AGGRESSIVE |
			   (r->stock ? DL_CAN_MIGRATE : 0);
		submit(r);
		c->rows++;
	}
	bench_backlog = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	return 0;
}
