/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's core, as its interfaces see it: apps, models, statistics, records.
 *
 * What is behind an app is in internal.h, for the core's own files. Nothing here
 * waits for an app's callbacks but what changes that app; lookups, statistics
 * and the functions for dumps take no mutex at all.
 */
#ifndef _KERNEL_LITEFLOW_CORE_H
#define _KERNEL_LITEFLOW_CORE_H

#include <linux/liteflow.h>
#include <linux/notifier.h>

#define LF_DEFAULT_SLOTS	4
#define LF_MIN_SLOTS		2
#define LF_DEFAULT_SAMPLE_SHIFT	10	/* one query in 1024 is timed */
#define LF_MAX_SAMPLE_SHIFT	30
/* Snapshots without a slot: a dump looks at all of them for each that it shows. */
#define LF_MAX_RETIRED		256

/* Multiply-adds of one lf_eval(), some tens of milliseconds. */
#define LF_MAX_EVAL_MACS	(64U << 20)

#define LF_FIRST_FREE_ID	256	/* below: numbers that apps choose */
#define LF_HIST_BUCKETS		24	/* bucket b: below 2^b ns, the last: the rest */

/* -- apps ---------------------------------------------------------------- */

/**
 * struct lf_app_info - an app at one moment
 * @generation: changes with each change of the app's settings and models, but not as
 *	they are asked and held; never 0
 * @name: its name
 * @units: tag that its models carry; "" if it has none
 * @features: names of its inputs, or NULL; valid as long as the reference to the app
 * @context: where it asks from
 * @policy: of its flows
 * @at_limit: what to do at @max_retired
 * @capability: who may change its models
 * @max_macs: most multiply-adds of a model
 * @max_bytes: most memory of a model
 * @max_retired: most memory of retired models, bytes
 * @max_state: most values of state of a model; 0: the app keeps none
 * @sample_shift: one query in 2^sample_shift is timed
 * @id: its number
 * @n_in: inputs
 * @n_out: outputs
 * @n_slots: slots
 * @user: defined from user space
 */
struct lf_app_info {
	u32 generation;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	const char *const *features;
	enum lf_context context;
	enum lf_policy policy;
	enum lf_at_limit at_limit;
	int capability;
	u32 max_macs;
	u32 max_bytes;
	u32 max_retired;
	u32 max_state;
	u8 sample_shift;
	u16 id;
	u16 n_in;
	u16 n_out;
	u8 n_slots;
	bool user;
};

/**
 * struct lf_counts - what happened so far; no member ever falls
 * @queries: queries that were answered
 * @no_model: queries refused because no model was active
 * @context: queries refused because of where they came from
 * @repins: flows that lost their snapshot and went over to the active one
 * @evictions: snapshots that flows lost
 * @samples: queries that were timed
 * @ns: their time, nanoseconds
 * @hist: histogram of it
 */
struct lf_counts {
	u64 queries;
	u64 no_model;
	u64 context;
	u64 repins;
	u64 evictions;
	u64 samples;
	u64 ns;
	u64 hist[LF_HIST_BUCKETS];
};

/**
 * struct lf_app_stats - statistics of an app
 * @c: sums over all CPUs
 * @retired_bytes: memory of snapshots that only flows hold
 */
struct lf_app_stats {
	struct lf_counts c;
	u64 retired_bytes;
};

/*
 * Lookups return a reference, for lf_app_put(). lf_app_next() finds the first app
 * with a number >= *@id, and leaves that number there; to go on, ask for the next
 * number. *@generation, if wanted, is that of the table of apps: it changes when an
 * app comes or goes, is never 0, and is set behind the last app as well.
 */
struct lf_app *lf_app_get(u16 id);
struct lf_app *lf_app_next(u16 *id, u32 *generation);
struct lf_app *lf_app_kernel(u16 id);	/* no reference: under RCU; not user space's */

/* User space's own app is lf_app_del_user()'s to remove; the caller's reference stays. */
struct lf_app *lf_app_add(const struct lf_app_desc *desc, bool user, struct lf_error *err);
int lf_app_del_user(struct lf_app *app, struct lf_error *err);
int lf_app_set(struct lf_app *app, int policy, int at_limit, s64 max_retired,
	       int sample_shift, struct lf_error *err);	/* -1: as it is */

void lf_app_info(struct lf_app *app, struct lf_app_info *info);
void lf_app_stats(struct lf_app *app, struct lf_app_stats *stats);

/* -- models -------------------------------------------------------------- */

enum lf_slot_state {
	LF_SLOT_EMPTY,
	LF_SLOT_STANDBY,	/* installed, never active */
	LF_SLOT_ACTIVE,
	LF_SLOT_RETIRED,	/* was active: in a slot, for rollback, or held by flows */
};

/**
 * struct lf_snapshot_info - a snapshot at one moment, for dumps
 * @generation: of the app at that moment, as in struct lf_app_info
 * @version: counts the app's installs, from 1
 * @state: of the slot
 * @slot: its slot, or -1
 * @pins: flows that hold it
 * @bytes: memory
 * @macs: multiply-adds
 * @width: greatest width
 * @queries: answered
 * @digest: SHA-256 of the blob, zero for a compiled one
 * @name: of the model
 * @compiled: it is code in a module
 * @provenance: text, cut at the end of a character; "" if there is none
 */
struct lf_snapshot_info {
	u32 generation;
	u32 version;
	enum lf_slot_state state;
	int slot;
	u32 pins;
	u32 bytes;
	u32 macs;
	u16 width;
	u64 queries;
	u8 digest[LITEFLOW_DIGEST_LEN];
	char name[LITEFLOW_NAME_LEN];
	bool compiled;
	char provenance[256];
};

/*
 * For dumps that go on later: the first item with a key >= *@key, whose key is
 * left there; to go on behind it, add 1. Keys stay what they are while items come
 * and go. False behind the last one. The generation is told in any case: if it is
 * the same at the beginning and at the end, what was seen existed at one moment.
 */
bool lf_snapshot_next(struct lf_app *app, u64 *key, struct lf_snapshot_info *info);
bool lf_compiled_next(struct lf_app *app, u32 *key, char name[LITEFLOW_NAME_LEN],
		      u32 *generation);

/**
 * struct lf_sequence - what a model remembers from one evaluation to the next
 * @version: the model whose values these are; 0: none, the sequence begins
 * @n: values; not trusted
 * @value: room for lf_app_info::max_state of them
 */
struct lf_sequence {
	u32 version;
	u32 n;
	s32 *value;
};

/*
 * What a slot answers, whether active or not. With @seq the rows go on with that
 * sequence, and it is left as it is behind them; else each row is one of its own.
 * Process context.
 */
int lf_eval(struct lf_app *app, u8 slot, const s32 *in, s32 *out, u32 rows,
	    struct lf_error *err);
int lf_eval_sequence(struct lf_app *app, u8 slot, struct lf_sequence *seq, const s32 *in,
		     s32 *out, u32 rows, struct lf_error *err);

/* As the original has it: active at once, and by number. See legacy.c. */
int lf_compiled_register_active(struct lf_app *app, struct lf_compiled_model *model);
int lf_compiled_unregister_uuid(struct lf_app *app, u32 uuid);

/* -- records, collect.c -------------------------------------------------- */

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
/* waits for deliver(); @priv is whose collection, NULL: anybody's */
void lf_collect_stop(struct lf_app *app, void *priv);
size_t lf_record_size(const struct lf_app *app);
#else
static inline void lf_collect_stop(struct lf_app *app, void *priv)
{
}
#endif

/* -- notices ------------------------------------------------------------- */

/* EVICTED: flows lost the snapshot; slot is -1 if it had none any more. */
enum lf_event {
	LF_EVENT_APP_ADDED,
	LF_EVENT_APP_REMOVED,
	LF_EVENT_INSTALLED,
	LF_EVENT_ACTIVATED,
	LF_EVENT_REMOVED,
	LF_EVENT_EVICTED,
};

/**
 * struct lf_notice - what happened: the data of an enum lf_event
 * @app: to which app
 * @slot: in which slot; negative: in none
 * @version: to which snapshot; 0: to none
 */
struct lf_notice {
	const struct lf_app *app;
	int slot;
	u32 version;
};

/*
 * Told of each enum lf_event in order, in process context, with the app's mutex
 * held: must not change apps or models.
 */
extern struct blocking_notifier_head lf_notifiers;

#endif /* _KERNEL_LITEFLOW_CORE_H */
