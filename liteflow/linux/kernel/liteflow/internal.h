/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's core from inside: its structures, and what its files need of each
 * other. A file calls only those that stand above it here.
 *
 * A snapshot is one model that was installed: in a slot, or only held by the
 * flows that it serves. Everything that changes an app runs under its mutex, in
 * process context; queries run under RCU. slot.c has the rules.
 */
#ifndef _KERNEL_LITEFLOW_INTERNAL_H
#define _KERNEL_LITEFLOW_INTERNAL_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/local_lock.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/seqlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>

#include "core.h"

struct lf_collector;
struct lf_snapshot;

/**
 * struct lf_counters - an app's counters on one CPU
 * @n: them
 * @sync: for readers, where 64 bits take two accesses
 */
struct lf_counters {
	struct lf_counts n;
	struct u64_stats_sync sync;
};

/**
 * struct lf_answered - a snapshot's counter on one CPU
 * @queries: queries that it answered
 * @sync: as in struct lf_counters
 */
struct lf_answered {
	u64 queries;
	struct u64_stats_sync sync;
};

/*
 * Count on this CPU, from any context: @sync is that of the structure that has
 * @counter. One instruction on many 64-bit machines, so the hot path can afford it.
 */
#if BITS_PER_LONG == 64
static __always_inline u64 lf_count_return(u64 __percpu *counter,
					   struct u64_stats_sync __percpu *sync)
{
	return this_cpu_inc_return(*counter);
}

static __always_inline void lf_count(u64 __percpu *counter,
				     struct u64_stats_sync __percpu *sync, u64 value)
{
	this_cpu_add(*counter, value);
}
#else
static inline u64 lf_count_some(u64 __percpu *counter, struct u64_stats_sync __percpu *sync,
				u64 value)
{
	unsigned long flags;
	u64 n;

	preempt_disable();
	flags = u64_stats_update_begin_irqsave(this_cpu_ptr(sync));
	n = *this_cpu_ptr(counter) += value;
	u64_stats_update_end_irqrestore(this_cpu_ptr(sync), flags);
	preempt_enable();
	return n;
}

static inline u64 lf_count_return(u64 __percpu *counter, struct u64_stats_sync __percpu *sync)
{
	return lf_count_some(counter, sync, 1);
}

static inline void lf_count(u64 __percpu *counter, struct u64_stats_sync __percpu *sync,
			    u64 value)
{
	lf_count_some(counter, sync, value);
}
#endif

/**
 * struct lf_pin - what flows hold on to; outlives the snapshot's model
 * @refs: one for the slot, one per flow, one per lf_eval() that is under way
 * @snapshot: NULL once the model was evicted; changes under app->lock
 * @rcu: frees it
 *
 * The last reference takes the snapshot with it; an evicted one is gone before
 * that.
 */
struct lf_pin {
	refcount_t refs;
	struct lf_snapshot __rcu *snapshot;
	struct rcu_head rcu;
};

/* Activations of a model too wide for the stack: input and output of a layer. */
#define LF_SCRATCH_WIDTH	(2 * LITEFLOW_MAX_WIDTH)

/**
 * struct lf_scratch - per CPU
 * @task_lock: of @task. Preemption is off while it is held; on PREEMPT_RT it is
 *	a sleeping lock
 * @softirq_lock: of @softirq, in the same way
 * @task: of queries of processes
 * @softirq: of queries of softirqs, which may interrupt those
 */
struct lf_scratch {
	local_lock_t task_lock;
	local_lock_t softirq_lock;
	s16 task[LF_SCRATCH_WIDTH];
	s16 softirq[LF_SCRATCH_WIDTH];
};

/**
 * struct lf_snapshot - an installed model
 * @model: the model as data, or NULL
 * @run: the code of a compiled one, or NULL
 * @answered: per CPU
 * @scratch: per CPU, NULL if activations fit the stack
 * @version: counts the app's installs, from 1
 * @pin: what flows hold on to
 * @app: whose it is; holds a reference
 * @compiled: the compiled model, whose module it holds
 * @priv: of the app's prepare()
 * @digest: SHA-256 of the blob, zero for a compiled one
 * @bytes: memory that it takes
 * @state: under app->mutex and app->lock
 * @slot: its slot, or -1; under app->mutex and app->lock
 * @activated: order in which snapshots became active, 0: never
 * @list: app->retired, if without a slot; changes under app->lock
 * @rwork: frees it after a grace period, in process context
 */
struct lf_snapshot {
	const struct lf_model *model;
	void (*run)(const s32 *in, s32 *out);
	struct lf_answered __percpu *answered;
	struct lf_scratch __percpu *scratch;
	u32 version;

	struct lf_pin *pin;
	struct lf_app *app;
	struct lf_compiled_model *compiled;
	void *priv;
	u8 digest[LITEFLOW_DIGEST_LEN];
	u32 bytes;
	enum lf_slot_state state;
	int slot;
	u64 activated;
	struct list_head list;
	struct rcu_work rwork;
};

/**
 * struct lf_app - an app
 * @active: the snapshot that answers queries
 * @collector: takes records, or NULL
 * @counters: per CPU
 * @forbidden: bits of preempt_count() that a query must not come with
 * @sample_mask: one query in @sample_mask + 1 is timed and traced
 * @policy: of its flows
 * @context: where it asks from
 * @n_in: inputs
 * @n_out: outputs
 * @id: its number
 * @n_slots: slots
 * @user: defined from user space
 * @dead: unregistered: no more installs. Written under @mutex
 * @max_state: values of state that its models keep at most. Not 0: it is asked with
 *	lf_query_state() only
 * @limits: what its models must keep to
 * @name: its name
 * @units: tag, or ""
 * @capability: who may change its models
 * @ops: callbacks or NULL
 * @owner: module or NULL
 * @mutex: whoever changes the app, with its callbacks; dumps and lookups do not
 *	take it
 * @at_limit: what to do at @max_retired, under @mutex and @lock
 * @max_retired: bytes, under @mutex and @lock
 * @versions: installs so far, under @mutex
 * @activations: activations so far, under @mutex
 * @compilations: registrations of compiled models so far, under @mutex
 * @slots: n_slots of them; NULL: empty. Written under @mutex and @lock, also read
 *	under RCU
 * @compiled: registered compiled models, under @mutex and @lock
 * @lock: for a moment, IRQs off; what is said to be under both is written under
 *	both and read under either, or under RCU with lf_read_begin() and
 *	read_seqretry()
 * @retired: snapshots without a slot that flows hold, oldest first; changes under
 *	@lock, read under RCU
 * @retired_bytes: their memory; changes under @lock
 * @n_retired: their number, under @lock
 * @ref: of it, for snapshots and lookups
 * @rcu: frees it
 * @snapshots: snapshots that entered a slot and exist; none when unregistering
 *	is done
 * @collect_mutex: starting and stopping the collector
 */
struct lf_app {
	/* what every query reads; written by a switch, or never */
	struct lf_snapshot __rcu *active;
	struct lf_collector __rcu *collector;
	struct lf_counters __percpu *counters;
	u32 forbidden;
	u32 sample_mask;
	enum lf_policy policy;
	enum lf_context context;
	u16 n_in;
	u16 n_out;
	u16 id;
	u8 n_slots;
	bool user;
	bool dead;
	u16 max_state;

	struct lf_limits limits ____cacheline_aligned_in_smp;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	int capability;
	const struct lf_app_ops *ops;
	struct module *owner;
	struct mutex mutex;	/* see above */
	enum lf_at_limit at_limit;
	u32 max_retired;
	u32 versions;
	u32 compilations;
	u64 activations;
	struct lf_snapshot __rcu *slots[LF_MAX_SLOTS];
	struct list_head compiled;
	seqlock_t lock;		/* see above */
	unsigned int n_retired;
	struct list_head retired;
	unsigned long retired_bytes;
	struct kref ref;
	struct rcu_head rcu;
	atomic_t snapshots;
	struct mutex collect_mutex;	/* @collector */
};

/* app->lock is held, and not only to keep writers out. */
static inline void lf_assert_writing(const struct lf_app *app)
{
	lockdep_assert_held(&app->lock.seqcount.seqcount);
}

/*
 * Begin to read what changes under app->lock, for read_seqretry(). @generation is
 * another one after each change, and never 0: the sequence is even here.
 */
static inline unsigned int lf_read_begin(const struct lf_app *app, u32 *generation)
{
	unsigned int seq = read_seqbegin(&app->lock);

	*generation = seq + 1;
	return seq;
}

static __always_inline void lf_count_app(struct lf_app *app, u64 __percpu *counter, u64 value)
{
	lf_count(counter, &app->counters->sync, value);
}

/* app.c: the object, the table of apps, counters */
extern struct workqueue_struct *lf_wq;
struct lf_app *lf_app_alloc(const struct lf_app_desc *desc, bool user, struct lf_error *err);
void lf_app_destroy(struct lf_app *app);	/* one that was never published */
int lf_app_publish(struct lf_app *app, u16 id, struct lf_error *err);
void lf_app_withdraw(struct lf_app *app);
int lf_check_alive(const struct lf_app *app, struct lf_error *err);
void lf_notify(const struct lf_app *app, enum lf_event event, int slot, u32 version);

/* collect.c */
#ifdef CONFIG_LITEFLOW_COLLECT
void lf_collect_query(struct lf_app *app, const struct lf_flow *flow, u32 version,
		      unsigned long count, const s32 *in, const s32 *out);
#else
static inline void lf_collect_query(struct lf_app *app, const struct lf_flow *flow,
				    u32 version, unsigned long count, const s32 *in,
				    const s32 *out)
{
}
#endif

/* snapshot.c: memory, pins, scratch; drop and evict under app->lock */
struct lf_scratch __percpu *lf_scratch_get(void);
struct lf_snapshot *lf_snapshot_alloc(struct lf_app *app);
void lf_snapshot_abort(struct lf_snapshot *snap);
void lf_snapshot_drop(struct lf_snapshot *snap);
unsigned int lf_snapshot_flows(const struct lf_snapshot *snap);
void lf_evict(struct lf_snapshot *snap);
void lf_retire(struct lf_snapshot *snap);
bool lf_retired_full(const struct lf_app *app, u64 bytes, unsigned int n);
bool lf_evict_retired(struct lf_app *app, bool all, const struct lf_compiled_model *model);
void lf_retired_trim(struct lf_app *app);
void lf_pin_put(struct lf_pin *pin);
void lf_drain(void);

/* query.c: the hot path */
void lf_snapshot_run(const struct lf_snapshot *snap, const s32 *in, s32 *out);
void lf_snapshot_step(const struct lf_snapshot *snap, struct lf_state *state, const s32 *in,
		      s32 *out);

/* slot.c: transitions; under app->mutex */
int lf_install_code(struct lf_app *app, u8 slot, struct lf_compiled_model *model,
		    u32 *version, struct lf_error *err);
int lf_switch_code(struct lf_app *app, struct lf_compiled_model *model,
		   struct lf_error *err);
void lf_evict_all(struct lf_app *app, const struct lf_compiled_model *model);

/* compiled.c: the list of compiled models; under app->mutex */
void lf_compiled_detach(struct lf_app *app);

#endif /* _KERNEL_LITEFLOW_INTERNAL_H */
