// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's apps: registration, lookup, statistics, settings.
 */
#define pr_fmt(fmt) "liteflow: " fmt

#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"
#include "engine.h"

#define CREATE_TRACE_POINTS
#include <trace/events/liteflow.h>

/* all that changes apps; slot.c has the rules */
DEFINE_MUTEX(lf_mutex);
DEFINE_XARRAY_ALLOC(lf_apps);
struct workqueue_struct *lf_wq;

static void lf_app_destroy(struct lf_app *app)
{
	kvfree(app->limits.features);
	free_percpu(app->counters);
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

static struct lf_app *lf_app_find(const char *name)
{
	struct lf_app *app;
	unsigned long id;

	xa_for_each(&lf_apps, id, app)
		if (!strcmp(app->name, name))
			return app;
	return NULL;
}

/**
 * lf_app_get_by_name() - look an app up
 * @name: its name
 *
 * For those who install models or offer compiled ones. To ask is for the one who
 * registered the app: nobody else knows its shape. The reference keeps the memory,
 * not the registration: what changes the app's models refuses with -ENODEV once it
 * is unregistered.
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

struct lf_app *lf_app_next(u16 *id)
{
	struct lf_app *app;
	unsigned long index;

	rcu_read_lock();
	xa_for_each_start(&lf_apps, index, app, *id) {
		if (kref_get_unless_zero(&app->ref)) {
			*id = index;
			break;
		}
	}
	rcu_read_unlock();
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

static bool lf_name_valid(const char *name)
{
	const char *p;

	if (!name || !*name || strlen(name) >= LITEFLOW_NAME_LEN)
		return false;
	for (p = name; *p; p++)
		if (!isascii(*p) || (!isalnum(*p) && *p != '_' && *p != '-'))
			return false;
	return true;
}

static int lf_desc_check(const struct lf_app_desc *desc, struct lf_error *err)
{
	bool atomic = desc->context == LF_CONTEXT_ATOMIC;
	unsigned int width = atomic ? LF_ATOMIC_WIDTH : LITEFLOW_MAX_WIDTH;

	if (!lf_name_valid(desc->name)) {
		lf_refuse(err, "app name: give 1 to %d letters, digits, \"_\" or \"-\"",
			  LITEFLOW_NAME_LEN - 1);
		return -EINVAL;
	}
	if (desc->context > LF_CONTEXT_SOFTIRQ || desc->policy > LF_POLICY_FOLLOW ||
	    desc->at_limit > LF_AT_LIMIT_REFUSE) {
		lf_refuse(err, "unknown context, policy or limit rule: use one listed");
		return -EINVAL;
	}
	if (!desc->n_in || desc->n_in > width || !desc->n_out || desc->n_out > width) {
		lf_refuse(err, "%u inputs, %u outputs: give 1 to %u of each",
			  desc->n_in, desc->n_out, width);
		return -EINVAL;
	}
	if (desc->n_slots && (desc->n_slots < LF_MIN_SLOTS || desc->n_slots > LF_MAX_SLOTS)) {
		lf_refuse(err, "%u slots: give %d to %d", desc->n_slots, LF_MIN_SLOTS,
			  LF_MAX_SLOTS);
		return -EINVAL;
	}
	if (desc->capability != CAP_NET_ADMIN && desc->capability != CAP_SYS_ADMIN) {
		lf_refuse(err, "capability %d: give CAP_NET_ADMIN or CAP_SYS_ADMIN",
			  desc->capability);
		return -EINVAL;
	}
	if (atomic && desc->max_macs > LF_ATOMIC_MACS) {
		lf_refuse(err, "%u multiply-adds: %d are the most in atomic context",
			  desc->max_macs, LF_ATOMIC_MACS);
		return -EINVAL;
	}
	if (desc->max_bytes > LF_MAX_MODEL_BYTES) {
		lf_refuse(err, "models of %u bytes: %u are the most", desc->max_bytes,
			  LF_MAX_MODEL_BYTES);
		return -EINVAL;
	}
	if (desc->units && !lf_printable(desc->units)) {
		lf_refuse(err, "units tag: give at most %d printable characters",
			  LITEFLOW_NAME_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

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
	app->max_retired = desc->max_retired ?: 4 * app->limits.max_bytes;

	INIT_LIST_HEAD(&app->compiled);
	INIT_LIST_HEAD(&app->retired);
	spin_lock_init(&app->lock);
	kref_init(&app->ref);
}

static int lf_app_publish(struct lf_app *app, u16 id, struct lf_error *err)
{
	u32 given = id;
	int ret;

	lockdep_assert_held(&lf_mutex);
	if (lf_app_find(app->name)) {
		lf_refuse(err, "app \"%s\" exists: choose another name", app->name);
		return -EEXIST;
	}
	/* the number first: who finds the app may look at it */
	if (id) {
		app->id = id;
		ret = xa_insert(&lf_apps, id, app, GFP_KERNEL_ACCOUNT);
	} else {
		ret = xa_alloc(&lf_apps, &given, NULL, XA_LIMIT(LF_FIRST_FREE_ID, U16_MAX),
			       GFP_KERNEL_ACCOUNT);
		if (!ret) {
			app->id = given;
			xa_store(&lf_apps, given, app, GFP_KERNEL_ACCOUNT);
		}
	}
	if (ret == -EBUSY && id) {
		lf_refuse(err, "app number %u is taken: choose another, or 0", id);
		return -EEXIST;
	}
	if (ret == -EBUSY)
		lf_refuse(err, "no app number is free: remove an app");
	else if (ret)
		lf_refuse(err, "no memory for the app");
	return ret;
}

struct lf_app *lf_app_add(const struct lf_app_desc *desc, bool user, struct lf_error *err)
{
	gfp_t gfp = user ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
	struct lf_app *app;
	int ret;

	ret = lf_desc_check(desc, err);
	if (ret)
		return ERR_PTR(ret);
	if (user && desc->id && desc->id < LF_FIRST_FREE_ID) {
		lf_refuse(err, "app number %u is for the kernel's own: choose from %d on, or none",
			  desc->id, LF_FIRST_FREE_ID);
		return ERR_PTR(-EINVAL);
	}
	if (!lf_wq) {
		lf_refuse(err, "LiteFlow is not up: register apps later");
		return ERR_PTR(-EPROBE_DEFER);
	}
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
	if (!ret) {
		mutex_lock(&lf_mutex);
		ret = lf_app_publish(app, desc->id, err);
		if (!ret)
			lf_notify(app, LF_EVENT_APP_ADDED, -1, 0);
		mutex_unlock(&lf_mutex);
	}
	if (!ret)
		return app;
	lf_app_destroy(app);
	return ERR_PTR(ret);
}

/* Takes the registration's reference. */
static int lf_app_kill(struct lf_app *app)
{
	mutex_lock(&lf_mutex);
	if (app->dead) {
		mutex_unlock(&lf_mutex);
		return -ENODEV;
	}
	/* WRITE_ONCE: lf_collect_start() looks without lf_mutex */
	WRITE_ONCE(app->dead, true);
	xa_erase(&lf_apps, app->id);
	lf_evict_all(app, NULL);
	lf_compiled_detach(app);
	lf_notify(app, LF_EVENT_APP_REMOVED, -1, 0);
	mutex_unlock(&lf_mutex);

	lf_collect_stop(app, NULL);
	lf_drain();
	WARN_ON_ONCE(atomic_read(&app->snapshots));
	lf_app_put(app);
	return 0;
}

int lf_app_del_user(struct lf_app *app, struct lf_error *err)
{
	int ret = -EPERM;

	if (!app->user) {
		lf_refuse(err, "app \"%s\" is the kernel's: unload its module", app->name);
	} else {
		ret = lf_app_kill(app);
		if (ret)
			lf_refuse(err, "app \"%s\" is gone already", app->name);
	}
	if (ret)
		trace_lf_reject(app->name, err ? err->msg : "");
	return ret;
}

/**
 * lf_app_register() - make an app
 * @desc: what it is; copied
 *
 * It has no model then. Who may fill its slots is for @desc->capability to say, and
 * they may do so before this returns: the callbacks in @desc->ops must not rely on
 * what it returns having been stored.
 *
 * Context: process context, may sleep.
 * Return: the app, or an error: -EINVAL if @desc makes no sense, -EEXIST if the
 * name or the number is taken, -ENOMEM.
 */
struct lf_app *lf_app_register(const struct lf_app_desc *desc)
{
	struct lf_error err = {};
	struct lf_app *app;

	app = lf_app_add(desc, false, &err);
	if (IS_ERR(app))
		pr_warn("%s\n", err.msg);
	return app;
}
EXPORT_SYMBOL_GPL(lf_app_register);

/**
 * lf_app_unregister() - undo lf_app_register()
 * @app: the app; NULL and errors are left alone
 *
 * No query may run or come any more. All models leave, and their release()
 * callbacks have returned when this does. Flows may still hold pins; what is
 * left to do with those flows is lf_flow_release(), at any time.
 *
 * Context: process context, sleeps for an RCU grace period, and for release()
 * callbacks of all apps: hold no lock that any of them takes, and do not call it
 * from one.
 */
void lf_app_unregister(struct lf_app *app)
{
	if (!IS_ERR_OR_NULL(app))
		WARN_ON_ONCE(lf_app_kill(app));
}
EXPORT_SYMBOL_GPL(lf_app_unregister);

static void lf_counters_sum(struct lf_app *app, struct lf_counters *sum)
{
	unsigned int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct lf_counters *c = per_cpu_ptr(app->counters, cpu);

		/* READ_ONCE: their CPUs count on, with this_cpu_*() */
		sum->no_model += READ_ONCE(c->no_model);
		sum->context += READ_ONCE(c->context);
		sum->repins += READ_ONCE(c->repins);
		sum->samples += READ_ONCE(c->samples);
		sum->ns += READ_ONCE(c->ns);
		for (i = 0; i < LF_HIST_BUCKETS; i++)
			sum->hist[i] += READ_ONCE(c->hist[i]);
	}
}

/**
 * lf_app_stats() - what happened so far
 * @app: the app
 * @stats: result: sums over all CPUs; none ever falls but retired_bytes
 *
 * Context: process context, may sleep.
 */
void lf_app_stats(struct lf_app *app, struct lf_app_stats *stats)
{
	struct lf_snapshot *snap;
	unsigned int i;

	lf_counters_sum(app, &stats->c);
	mutex_lock(&lf_mutex);
	spin_lock_irq(&app->lock);
	stats->queries = app->gone_queries;
	stats->evictions = app->evictions;
	stats->retired_bytes = app->retired_bytes;
	for (i = 0; i < app->n_slots; i++)
		if (app->slots[i])
			stats->queries += lf_snapshot_queries(app->slots[i]);
	list_for_each_entry(snap, &app->retired, list)
		stats->queries += lf_snapshot_queries(snap);
	spin_unlock_irq(&app->lock);
	mutex_unlock(&lf_mutex);
}
EXPORT_SYMBOL_GPL(lf_app_stats);

static int lf_set_check(struct lf_app *app, int policy, int at_limit, s64 max_retired,
			int sample_shift, struct lf_error *err)
{
	if (app->dead) {
		lf_refuse(err, "app \"%s\" is being removed", app->name);
		return -ENODEV;
	}
	if (policy > LF_POLICY_FOLLOW || at_limit > LF_AT_LIMIT_REFUSE) {
		lf_refuse(err, "unknown policy or limit rule: use one listed");
		return -EINVAL;
	}
	if (policy == LF_POLICY_PIN && app->context == LF_CONTEXT_ATOMIC) {
		lf_refuse(err, "app \"%s\" has no flows: leave its policy at follow",
			  app->name);
		return -EINVAL;
	}
	if (max_retired > U32_MAX) {
		lf_refuse(err, "%lld retired bytes: give at most %u", max_retired, U32_MAX);
		return -EINVAL;
	}
	if (sample_shift > LF_MAX_SAMPLE_SHIFT) {
		lf_refuse(err, "one sample in 2^%d: give at most 2^%d", sample_shift,
			  LF_MAX_SAMPLE_SHIFT);
		return -EINVAL;
	}
	return 0;
}

int lf_app_set(struct lf_app *app, int policy, int at_limit, s64 max_retired,
	       int sample_shift, struct lf_error *err)
{
	int ret;

	mutex_lock(&lf_mutex);
	ret = lf_set_check(app, policy, at_limit, max_retired, sample_shift, err);
	if (ret) {
		trace_lf_reject(app->name, err ? err->msg : "");
		goto unlock;
	}
	/* WRITE_ONCE: lf_query() reads them as it goes */
	if (policy >= 0)
		WRITE_ONCE(app->policy, policy);
	if (sample_shift >= 0)
		WRITE_ONCE(app->sample_mask, BIT(sample_shift) - 1);
	if (at_limit >= 0)
		app->at_limit = at_limit;
	if (max_retired >= 0)
		app->max_retired = max_retired;
	lf_retired_trim(app);
unlock:
	mutex_unlock(&lf_mutex);
	return ret;
}

static int __init lf_init(void)
{
	/* unbound: its work may be long, and is nothing for an isolated CPU */
	lf_wq = alloc_workqueue("liteflow", WQ_UNBOUND, 0);
	return lf_wq ? 0 : -ENOMEM;
}
core_initcall(lf_init);
