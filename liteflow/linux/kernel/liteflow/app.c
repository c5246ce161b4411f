// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's apps: the object, the table of all, counters.
 *
 * The table's mutex is taken inside an app's, or alone. Lookups take neither.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "engine.h"
#include "internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/liteflow.h>

struct workqueue_struct *lf_wq;
BLOCKING_NOTIFIER_HEAD(lf_notifiers);

/*
 * By number; lookups under RCU. The mutex makes names unique and keeps notices of
 * apps that come and go in order; the array's own lock ties the generation to it.
 */
static DEFINE_XARRAY_ALLOC(lf_apps);
static DEFINE_MUTEX(lf_apps_mutex);
static u32 lf_apps_generation = 1;

/* Never 0, which dumps know for "not known". */
static u32 lf_next_generation(u32 generation)
{
	return generation + 1 ?: 1;
}

/* Tell others, as interfaces, what happened. */
void lf_notify(const struct lf_app *app, enum lf_event event, int slot, u32 version)
{
	struct lf_notice notice = { .app = app, .slot = slot, .version = version };

	lockdep_assert_held(&app->mutex);
	blocking_notifier_call_chain(&lf_notifiers, event, &notice);
}

/* -- the object ---------------------------------------------------------- */

void lf_app_destroy(struct lf_app *app)
{
	kvfree(app->limits.features);
	free_percpu(app->counters);
	mutex_destroy(&app->mutex);
	mutex_destroy(&app->collect_mutex);
	kfree(app);
}

static void lf_app_free_rcu(struct rcu_head *rcu)
{
	lf_app_destroy(container_of(rcu, struct lf_app, rcu));
}

static void lf_app_free(struct kref *ref)
{
	struct lf_app *app = container_of(ref, struct lf_app, ref);

	/* lookups, and queries by number, look at it under RCU */
	call_rcu(&app->rcu, lf_app_free_rcu);
}

/**
 * lf_app_put() - drop a reference
 * @app: the app, from lf_app_get_by_name()
 *
 * Context: any.
 */
void lf_app_put(struct lf_app *app)
{
	kref_put(&app->ref, lf_app_free);
}
EXPORT_SYMBOL_GPL(lf_app_put);

/* Copied: what looks at an app by its number may outlive its module. */
static int lf_features_copy(struct lf_app *app, const struct lf_app_desc *desc,
			    struct lf_error *err)
{
	const char **features;
	char *name;
	u16 i;

	if (!desc->features)
		return 0;
	features = kvzalloc(desc->n_in * (sizeof(*features) + LITEFLOW_NAME_LEN), GFP_KERNEL);
	if (!features) {
		lf_refuse(err, "no memory for the app");
		return -ENOMEM;
	}
	app->limits.features = features;
	name = (char *)(features + desc->n_in);
	for (i = 0; i < desc->n_in; i++, name += LITEFLOW_NAME_LEN) {
		if (!desc->features[i] || !lf_printable(desc->features[i])) {
			lf_refuse(err, "name of input %u: give at most %d printable characters",
				  i, LITEFLOW_NAME_LEN - 1);
			return -EINVAL;
		}
		strscpy(name, desc->features[i], LITEFLOW_NAME_LEN);
		features[i] = name;
	}
	return 0;
}

static void lf_app_init(struct lf_app *app, const struct lf_app_desc *desc)
{
	bool atomic = desc->context == LF_CONTEXT_ATOMIC;
	unsigned int cpu;

	strscpy(app->name, desc->name);
	if (desc->units) {
		strscpy(app->units, desc->units);
		app->limits.units = app->units;
	}
	app->n_in = desc->n_in;
	app->n_out = desc->n_out;
	app->context = desc->context;
	/* nothing tells when a flow ends in atomic context: its flows are tags */
	app->policy = atomic ? LF_POLICY_FOLLOW : desc->policy;
	app->forbidden = atomic ? NMI_MASK : NMI_MASK | HARDIRQ_MASK;
	app->sample_mask = BIT(LF_DEFAULT_SAMPLE_SHIFT) - 1;
	app->at_limit = desc->at_limit;
	app->n_slots = desc->n_slots ?: LF_DEFAULT_SLOTS;
	app->capability = desc->capability;
	app->ops = desc->ops;
	app->owner = desc->owner;

	app->limits.n_in = desc->n_in;
	app->limits.n_out = desc->n_out;
	app->limits.max_width = atomic ? LF_ATOMIC_WIDTH : LITEFLOW_MAX_WIDTH;
	app->limits.max_macs = desc->max_macs ?: atomic ? LF_ATOMIC_MACS :
			       LITEFLOW_MAX_BLOB / sizeof(__le16);
	app->limits.max_bytes = desc->max_bytes ?: LF_MAX_MODEL_BYTES;
	app->limits.max_state = desc->max_state;
	app->max_state = desc->max_state;
	/* a state has room for the activations of all models: see lf_state_alloc() */
	if (desc->max_state)
		app->limits.max_width = min(LITEFLOW_MAX_WIDTH,
					    max3(LF_STACK_WIDTH, desc->max_state,
						 max(desc->n_in, desc->n_out)));
	app->max_retired = desc->max_retired ?: 4 * app->limits.max_bytes;

	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(app->counters, cpu)->sync);
	mutex_init(&app->mutex);
	mutex_init(&app->collect_mutex);
	INIT_LIST_HEAD(&app->compiled);
	INIT_LIST_HEAD(&app->retired);
	seqlock_init(&app->lock);
	kref_init(&app->ref);
}

/* From a @desc that was checked. */
struct lf_app *lf_app_alloc(const struct lf_app_desc *desc, bool user, struct lf_error *err)
{
	gfp_t gfp = user ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
	struct lf_app *app;
	int ret;

	app = kzalloc(sizeof(*app), gfp);
	if (app)
		app->counters = alloc_percpu_gfp(struct lf_counters, gfp);
	if (!app || !app->counters) {
		kfree(app);
		lf_refuse(err, "no memory for the app");
		return ERR_PTR(-ENOMEM);
	}
	lf_app_init(app, desc);
	app->user = user;
	ret = lf_features_copy(app, desc, err);
	if (!ret)
		return app;
	lf_app_destroy(app);
	return ERR_PTR(ret);
}

int lf_check_alive(const struct lf_app *app, struct lf_error *err)
{
	/* READ_ONCE: lf_eval() and lf_collect_start() come without app->mutex */
	if (!READ_ONCE(app->dead))
		return 0;
	lf_refuse(err, "app \"%s\" is being removed", app->name);
	return -ENODEV;
}

/* -- the table ----------------------------------------------------------- */

static struct lf_app *lf_app_find(const char *name)
{
	struct lf_app *app;
	unsigned long id;

	xa_for_each(&lf_apps, id, app)
		if (!strcmp(app->name, name))
			return app;
	return NULL;
}

static int lf_app_insert(struct lf_app *app, u16 id)
{
	u32 given = id;
	int ret;

	xa_lock(&lf_apps);
	/* the number first: who finds the app may look at it */
	if (id) {
		app->id = id;
		ret = __xa_insert(&lf_apps, id, app, GFP_KERNEL_ACCOUNT);
	} else {
		ret = __xa_alloc(&lf_apps, &given, NULL, XA_LIMIT(LF_FIRST_FREE_ID, U16_MAX),
				 GFP_KERNEL_ACCOUNT);
		if (!ret) {
			app->id = given;
			__xa_store(&lf_apps, given, app, GFP_KERNEL_ACCOUNT);
		}
	}
	if (!ret)
		lf_apps_generation = lf_next_generation(lf_apps_generation);
	xa_unlock(&lf_apps);
	return ret;
}

/* Others find it from now on. @id: its number, or 0 */
int lf_app_publish(struct lf_app *app, u16 id, struct lf_error *err)
{
	int ret = -EEXIST;

	lockdep_assert_held(&app->mutex);
	mutex_lock(&lf_apps_mutex);
	if (lf_app_find(app->name)) {
		lf_refuse(err, "app \"%s\" exists: choose another name", app->name);
		goto unlock;
	}
	ret = lf_app_insert(app, id);
	if (!ret) {
		lf_notify(app, LF_EVENT_APP_ADDED, -1, 0);
	} else if (ret == -EBUSY && id) {
		lf_refuse(err, "app number %u is taken: choose another, or 0", id);
		ret = -EEXIST;
	} else if (ret == -EBUSY) {
		lf_refuse(err, "no app number is free: remove an app");
	} else {
		lf_refuse(err, "no memory for the app");
	}
unlock:
	mutex_unlock(&lf_apps_mutex);
	return ret;
}

void lf_app_withdraw(struct lf_app *app)
{
	lockdep_assert_held(&app->mutex);
	mutex_lock(&lf_apps_mutex);
	xa_lock(&lf_apps);
	__xa_erase(&lf_apps, app->id);
	lf_apps_generation = lf_next_generation(lf_apps_generation);
	xa_unlock(&lf_apps);
	lf_notify(app, LF_EVENT_APP_REMOVED, -1, 0);
	mutex_unlock(&lf_apps_mutex);
}

struct lf_app *lf_app_get(u16 id)
{
	struct lf_app *app;

	rcu_read_lock();
	app = xa_load(&lf_apps, id);
	if (app && !kref_get_unless_zero(&app->ref))
		app = NULL;
	rcu_read_unlock();
	return app;
}

/* Under RCU, and no reference. An app of user space is nobody's in the kernel. */
struct lf_app *lf_app_kernel(u16 id)
{
	struct lf_app *app = xa_load(&lf_apps, id);

	return app && !app->user ? app : NULL;
}

/**
 * lf_app_get_by_name() - look an app up
 * @name: its name
 *
 * For those who install models or offer compiled ones. To ask is for the one who
 * registered the app. The reference keeps the memory, not the registration: what
 * changes the app's models refuses with -ENODEV once it is unregistered.
 *
 * Context: process context.
 * Return: the app with a reference for lf_app_put(), or NULL.
 */
struct lf_app *lf_app_get_by_name(const char *name)
{
	struct lf_app *app;

	rcu_read_lock();
	app = lf_app_find(name);
	if (app && !kref_get_unless_zero(&app->ref))
		app = NULL;
	rcu_read_unlock();
	return app;
}
EXPORT_SYMBOL_GPL(lf_app_get_by_name);

struct lf_app *lf_app_next(u16 *id, u32 *generation)
{
	unsigned long index = *id;
	struct lf_app *app;

	/* the lock, so that app and generation belong together */
	xa_lock(&lf_apps);
	app = xa_find(&lf_apps, &index, U16_MAX, XA_PRESENT);
	if (app) {
		/* what is in the table has the registration's reference */
		kref_get(&app->ref);
		*id = index;
	}
	if (generation)
		*generation = lf_apps_generation;
	xa_unlock(&lf_apps);
	return app;
}

/**
 * lf_app_id() - number of an app
 * @app: the app
 *
 * Context: any.
 * Return: the number that it was registered with, or given.
 */
u16 lf_app_id(const struct lf_app *app)
{
	return app->id;
}
EXPORT_SYMBOL_GPL(lf_app_id);

/**
 * lf_app_ready() - is there a model to ask?
 * @app: the app
 *
 * A hint, for code that would prepare inputs in vain: lf_query() may still
 * return -ENODATA.
 *
 * Context: any.
 * Return: whether a model is active.
 */
bool lf_app_ready(struct lf_app *app)
{
	return rcu_access_pointer(app->active);
}
EXPORT_SYMBOL_GPL(lf_app_ready);

/**
 * lf_app_version() - which model is active
 * @app: the app
 *
 * For code that keeps state, to notice a switch: see lf_query_state().
 *
 * Context: any.
 * Return: its version, counted by the app's installs from 1; 0: none is active.
 */
u32 lf_app_version(struct lf_app *app)
{
	struct lf_snapshot *snap;
	u32 version;

	rcu_read_lock();
	snap = rcu_dereference(app->active);
	version = snap ? snap->version : 0;
	rcu_read_unlock();
	return version;
}
EXPORT_SYMBOL_GPL(lf_app_version);

/**
 * lf_app_fits() - could somebody ask an app that others made?
 * @app: the app, as from lf_app_get_by_name()
 * @want: what it has to be like: n_in, n_out, context, and units unless NULL are to be
 *	the same, max_state is to be that or more; other members are not looked at
 * @err: result: what differs; may be NULL
 *
 * Context: any.
 * Return: 0, or -EINVAL.
 */
int lf_app_fits(const struct lf_app *app, const struct lf_app_desc *want, struct lf_error *err)
{
	if (app->n_in != want->n_in || app->n_out != want->n_out)
		lf_refuse(err, "app \"%.20s\" has %u inputs, %u outputs: %u, %u are needed",
			  app->name, app->n_in, app->n_out, want->n_in, want->n_out);
	else if (want->units && strcmp(app->units, want->units))
		lf_refuse(err, "app \"%.20s\" has units \"%.12s\", not \"%.12s\"", app->name,
			  app->units, want->units);
	else if (app->context != want->context)
		lf_refuse(err, "app \"%.20s\" is asked in another context", app->name);
	else if (app->max_state < want->max_state)
		lf_refuse(err, "app \"%.20s\" keeps %u values of state: %u are needed", app->name,
			  app->max_state, want->max_state);
	else
		return 0;
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(lf_app_fits);

/* -- what interfaces show ------------------------------------------------ */

/**
 * lf_app_info() - what an app is now
 * @app: the app
 * @info: result
 *
 * Context: process context.
 */
void lf_app_info(struct lf_app *app, struct lf_app_info *info)
{
	unsigned int seq;

	memset(info, 0, sizeof(*info));
	info->id = app->id;
	strscpy(info->name, app->name);
	strscpy(info->units, app->units);
	info->features = app->limits.features;
	info->context = app->context;
	info->capability = app->capability;
	info->max_macs = app->limits.max_macs;
	info->max_bytes = app->limits.max_bytes;
	info->max_state = app->max_state;
	info->n_in = app->n_in;
	info->n_out = app->n_out;
	info->n_slots = app->n_slots;
	info->user = app->user;

	do {
		seq = lf_read_begin(app, &info->generation);
		info->policy = app->policy;
		info->at_limit = app->at_limit;
		info->max_retired = app->max_retired;
		info->sample_shift = hweight32(app->sample_mask);
	} while (read_seqretry(&app->lock, seq));
}

static void lf_counts_of_cpu(const struct lf_counters *counters, struct lf_counts *n)
{
	const u64 *from = (const u64 *)&counters->n;
	unsigned int start, i;
	u64 *to = (u64 *)n;

	static_assert(sizeof(*n) == (7 + LF_HIST_BUCKETS) * sizeof(u64));
	do {
		start = u64_stats_fetch_begin(&counters->sync);
		/* READ_ONCE: the CPU counts on, with lf_count() */
		for (i = 0; i < sizeof(*n) / sizeof(u64); i++)
			to[i] = READ_ONCE(from[i]);
	} while (u64_stats_fetch_retry(&counters->sync, start));
}

/**
 * lf_app_stats() - what happened so far
 * @app: the app
 * @stats: result: sums over all CPUs; none ever falls but retired_bytes
 *
 * Takes no lock, and looks at nothing but counters: it keeps nobody waiting.
 *
 * Context: process context.
 */
void lf_app_stats(struct lf_app *app, struct lf_app_stats *stats)
{
	u64 *sum = (u64 *)&stats->c;
	struct lf_counts n;
	unsigned int cpu, i;

	memset(stats, 0, sizeof(*stats));
	for_each_possible_cpu(cpu) {
		lf_counts_of_cpu(per_cpu_ptr(app->counters, cpu), &n);
		for (i = 0; i < sizeof(n) / sizeof(u64); i++)
			sum[i] += ((const u64 *)&n)[i];
	}
	/* READ_ONCE: pairs with WRITE_ONCE() where snapshots retire and go */
	stats->retired_bytes = READ_ONCE(app->retired_bytes);
}
EXPORT_SYMBOL_GPL(lf_app_stats);

static int __init lf_init(void)
{
	/* unbound: its work may be long, and is nothing for an isolated CPU */
	lf_wq = alloc_workqueue("liteflow", WQ_UNBOUND, 0);
	return lf_wq ? 0 : -ENOMEM;
}
core_initcall(lf_init);
