/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's core, as its interfaces see it: apps, slots, snapshots, records.
 *
 * A snapshot is one model that was installed: in a slot, or only held by the
 * flows that it serves. Everything that changes an app runs under lf_mutex, in
 * process context; queries run under RCU.
 */
#ifndef _KERNEL_LITEFLOW_CORE_H
#define _KERNEL_LITEFLOW_CORE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/liteflow.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct lf_collector;
struct lf_snapshot;

extern struct mutex lf_mutex;
extern struct workqueue_struct *lf_wq;
extern struct xarray lf_apps;		/* by number; lookups under RCU */

#define LF_DEFAULT_SLOTS	4
#define LF_MIN_SLOTS		2
#define LF_DEFAULT_SAMPLE_SHIFT	10	/* one query in 1024 is timed */
#define LF_MAX_SAMPLE_SHIFT	30
/* Snapshots without a slot: statistics look at each, with the app's lock held. */
#define LF_MAX_RETIRED		256

/* Multiply-adds of one lf_eval(), some tens of milliseconds. */
#define LF_MAX_EVAL_MACS	(64U << 20)

#define LF_FIRST_FREE_ID	256	/* below: numbers that apps choose */
#define LF_HIST_BUCKETS		24	/* bucket b: below 2^b ns, the last: the rest */

/**
 * struct lf_counters - per CPU, wrap like any unsigned long
 * @no_model: queries refused because no model was active
 * @context: queries refused because of where they came from
 * @repins: flows that lost their snapshot and went over to the active one
 * @samples: queries that were timed
 * @ns: their time, nanoseconds
 * @hist: histogram of it
 */
struct lf_counters {
	unsigned long no_model;
	unsigned long context;
	unsigned long repins;
	unsigned long samples;
	unsigned long ns;
	unsigned long hist[LF_HIST_BUCKETS];
};

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

enum lf_slot_state {
	LF_SLOT_EMPTY,
	LF_SLOT_STANDBY,	/* installed, never active */
	LF_SLOT_ACTIVE,
	LF_SLOT_RETIRED,	/* was active: in a slot, for rollback, or held by flows */
};

/* Activations of a model too wide for the stack: input and output of a layer. */
#define LF_SCRATCH_WIDTH	(2 * LITEFLOW_MAX_WIDTH)

/**
 * struct lf_scratch - per CPU, used with preemption off
 * @task: of queries of processes
 * @softirq: of queries of softirqs, which may interrupt those
 */
struct lf_scratch {
	s16 task[LF_SCRATCH_WIDTH];
	s16 softirq[LF_SCRATCH_WIDTH];
};

/**
 * struct lf_snapshot - an installed model
 * @model: the model as data, or NULL
 * @run: the code of a compiled one, or NULL
 * @queries: per CPU, queries that it answered
 * @scratch: per CPU, NULL if activations fit the stack
 * @version: counts the app's installs, from 1
 * @pin: what flows hold on to
 * @app: whose it is; holds a reference
 * @compiled: the compiled model, whose module it holds
 * @priv: of the app's prepare()
 * @digest: SHA-256 of the blob, zero for a compiled one
 * @bytes: memory that it takes
 * @folded: queries that are in app->gone_queries by now; under app->lock
 * @state: under lf_mutex, and for retired ones without a slot app->lock
 * @slot: its slot, or -1
 * @activated: order in which snapshots became active, 0: never
 * @list: app->retired, if without a slot; under app->lock
 * @rwork: frees it after a grace period, in process context
 */
struct lf_snapshot {
	const struct lf_model *model;
	void (*run)(const s32 *in, s32 *out);
	unsigned long __percpu *queries;
	struct lf_scratch __percpu *scratch;
	u32 version;

	struct lf_pin *pin;
	struct lf_app *app;
	struct lf_compiled_model *compiled;
	void *priv;
	u8 digest[LITEFLOW_DIGEST_LEN];
	u32 bytes;
	unsigned long folded;
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
 * @dead: unregistered: no more installs. Under lf_mutex
 * @limits: what its models must keep to
 * @name: its name
 * @units: tag, or ""
 * @capability: who may change its models
 * @ops: callbacks or NULL
 * @owner: module or NULL
 * @at_limit: what to do at @max_retired, under lf_mutex
 * @max_retired: bytes, under lf_mutex
 * @versions: installs so far, under lf_mutex
 * @activations: activations so far, under lf_mutex
 * @slots: n_slots of them; NULL: empty. Under lf_mutex
 * @compiled: registered compiled models, under lf_mutex
 * @lock: protects the next five; taken with IRQs off
 * @retired: snapshots without a slot that flows hold, oldest first
 * @retired_bytes: their memory
 * @n_retired: their number
 * @evictions: snapshots that flows lost
 * @gone_queries: queries of snapshots that left
 * @ref: of it, for snapshots and lookups
 * @rcu: frees it
 * @snapshots: snapshots that entered a slot and exist; none when unregistering
 *	is done
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

	struct lf_limits limits ____cacheline_aligned_in_smp;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	int capability;
	const struct lf_app_ops *ops;
	struct module *owner;
	enum lf_at_limit at_limit;
	u32 max_retired;
	u32 versions;
	u64 activations;
	struct lf_snapshot *slots[LF_MAX_SLOTS];
	struct list_head compiled;
	spinlock_t lock;	/* the next four */
	struct list_head retired;
	u64 retired_bytes;
	unsigned int n_retired;
	unsigned long evictions;
	unsigned long gone_queries;
	struct kref ref;
	struct rcu_head rcu;
	atomic_t snapshots;
};

/*
 * Apps. Lookups return a reference, for lf_app_put(). Process context. User
 * space's own app is lf_app_del_user()'s to remove; the caller's reference stays.
 */
struct lf_app *lf_app_add(const struct lf_app_desc *desc, bool user, struct lf_error *err);
int lf_app_del_user(struct lf_app *app, struct lf_error *err);
struct lf_app *lf_app_get(u16 id);
struct lf_app *lf_app_next(u16 *id);	/* first with a number >= *id, or NULL */

/* Between the files of the core. */

/* snapshot.c; drop and evict under app->lock */
struct lf_snapshot *lf_snapshot_alloc(struct lf_app *app);
void lf_snapshot_abort(struct lf_snapshot *snap);
void lf_snapshot_drop(struct lf_snapshot *snap);
unsigned long lf_snapshot_queries(const struct lf_snapshot *snap);
unsigned int lf_snapshot_flows(const struct lf_snapshot *snap);
void lf_evict(struct lf_snapshot *snap);
bool lf_retired_full(const struct lf_app *app, u64 bytes, unsigned int n);
bool lf_evict_retired(struct lf_app *app, bool all, const struct lf_compiled_model *model);
void lf_retired_trim(struct lf_app *app);
void lf_pin_put(struct lf_pin *pin);
void lf_drain(void);

/* slot.c */
void lf_evict_all(struct lf_app *app, const struct lf_compiled_model *model);
int lf_compiled_switch(struct lf_app *app, struct lf_compiled_model *model,
		       struct lf_error *err);

/* query.c */
void lf_snapshot_run(const struct lf_snapshot *snap, const s32 *in, s32 *out);
struct lf_scratch __percpu *lf_scratch_get(void);

/* compiled.c */
void lf_compiled_detach(struct lf_app *app);
struct lf_compiled_model *lf_compiled_find(struct lf_app *app, const char *name);
int lf_compiled_withdraw_uuid(struct lf_app *app, u32 uuid);
int lf_compiled_register_active(struct lf_app *app, struct lf_compiled_model *model);

/* What a slot answers, whether active or not. Process context. */
int lf_eval(struct lf_app *app, u8 slot, const s32 *in, s32 *out, u32 rows,
	    struct lf_error *err);

/**
 * struct lf_snapshot_info - a snapshot at one moment, for dumps
 * @version: as in struct lf_snapshot
 * @state: as in struct lf_snapshot
 * @slot: as in struct lf_snapshot
 * @pins: flows that hold it
 * @bytes: memory
 * @macs: multiply-adds
 * @width: greatest width
 * @queries: answered
 * @digest: as in struct lf_snapshot
 * @name: of the model
 * @compiled: it is code in a module
 * @provenance: text, cut; "" if there is none
 */
struct lf_snapshot_info {
	u32 version;
	enum lf_slot_state state;
	int slot;
	u32 pins;
	u32 bytes;
	u32 macs;
	u16 width;
	unsigned long queries;
	u8 digest[LITEFLOW_DIGEST_LEN];
	char name[LITEFLOW_NAME_LEN];
	bool compiled;
	char provenance[256];
};

/**
 * struct lf_app_stats - sums over all CPUs
 * @queries: answered
 * @c: as in struct lf_counters
 * @evictions: snapshots evicted
 * @retired_bytes: memory of snapshots that only flows hold
 */
struct lf_app_stats {
	unsigned long queries;
	struct lf_counters c;
	unsigned long evictions;
	u64 retired_bytes;
};

/* These take lf_mutex: not for lf_notify(), prepare() or activated(). */

/* The @nth snapshot, slots first, then retired ones; false behind the last. */
bool lf_snapshot_info(struct lf_app *app, unsigned int nth, struct lf_snapshot_info *info);
/* Name of the @nth registered compiled model; false behind the last. */
bool lf_compiled_name(struct lf_app *app, unsigned int nth, char name[LITEFLOW_NAME_LEN]);
void lf_app_stats(struct lf_app *app, struct lf_app_stats *stats);
int lf_app_set(struct lf_app *app, int policy, int at_limit, s64 max_retired,
	       int sample_shift, struct lf_error *err);	/* -1: as it is */

/* Records, collect.c. */

/**
 * struct lf_collect_desc - how to collect
 * @every: one query in so many, a power of two, at least 1
 * @bytes: most memory of records that wait, all CPUs together
 * @interval_ms: they are delivered at least so often; 0: 100
 * @deliver: takes up to @n records of lf_record_size() bytes each, in process
 *	context; the number of records that it could not take. With @n 0 it only
 *	tells of losses: not 0 if it could not
 * @priv: its argument
 */
struct lf_collect_desc {
	u32 every;
	u32 bytes;
	u32 interval_ms;
	unsigned int (*deliver)(void *priv, const struct lf_app *app, const void *records,
				unsigned int n, u64 lost);
	void *priv;
};

#ifdef CONFIG_LITEFLOW_COLLECT
int lf_collect_start(struct lf_app *app, const struct lf_collect_desc *desc,
		     struct lf_error *err);
/* waits for deliver(); @priv is whose collection, NULL: anybody's. Not under lf_mutex */
void lf_collect_stop(struct lf_app *app, void *priv);
void lf_collect_query(struct lf_app *app, const struct lf_flow *flow, u32 version,
		      unsigned long count, const s32 *in, const s32 *out);
size_t lf_record_size(const struct lf_app *app);
#else
static inline void lf_collect_query(struct lf_app *app, const struct lf_flow *flow,
				    u32 version, unsigned long count, const s32 *in,
				    const s32 *out)
{
}

static inline void lf_collect_stop(struct lf_app *app, void *priv)
{
}
#endif

/*
 * What others are told about, under lf_mutex; no-ops where netlink is not built.
 * EVICTED: flows lost the snapshot; slot is -1 if it had none any more.
 */
enum lf_event {
	LF_EVENT_APP_ADDED,
	LF_EVENT_APP_REMOVED,
	LF_EVENT_INSTALLED,
	LF_EVENT_ACTIVATED,
	LF_EVENT_REMOVED,
	LF_EVENT_EVICTED,
};

#ifdef CONFIG_LITEFLOW_NETLINK
void lf_notify(const struct lf_app *app, enum lf_event event, int slot, u32 version);
#else
static inline void lf_notify(const struct lf_app *app, enum lf_event event, int slot,
			     u32 version)
{
}
#endif

#endif /* _KERNEL_LITEFLOW_CORE_H */
