// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's apps: how they are made, changed and removed.
 */
#define pr_fmt(fmt) "liteflow: " fmt

#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/printk.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "engine.h"
#include "internal.h"

/* Not digits alone, which tools take for a number. */
static bool lf_name_valid(const char *name)
{
	bool number = true;
	const char *p;

	if (!name || !*name || strlen(name) >= LITEFLOW_NAME_LEN)
		return false;
	for (p = name; *p; p++) {
		if (!isascii(*p) || (!isalnum(*p) && *p != '_' && *p != '-'))
			return false;
		number &= isdigit(*p);
	}
	return !number;
}

static int lf_desc_check(const struct lf_app_desc *desc, struct lf_error *err)
{
	bool atomic = desc->context == LF_CONTEXT_ATOMIC;
	unsigned int width = atomic ? LF_ATOMIC_WIDTH : LITEFLOW_MAX_WIDTH;

	if (!lf_name_valid(desc->name)) {
		lf_refuse(err, "app name: 1 to %d letters, digits, \"_\", \"-\"; not digits alone",
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
	if (desc->max_state > LITEFLOW_MAX_STATE || (desc->max_state && atomic)) {
		lf_refuse(err, "%u values of state: give at most %u, in atomic context 0",
			  desc->max_state, LITEFLOW_MAX_STATE);
		return -EINVAL;
	}
	if (desc->units && !lf_printable(desc->units)) {
		lf_refuse(err, "units tag: give at most %d printable characters",
			  LITEFLOW_NAME_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

struct lf_app *lf_app_add(const struct lf_app_desc *desc, bool user, struct lf_error *err)
{
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
	app = lf_app_alloc(desc, user, err);
	if (IS_ERR(app))
		return app;
	/* whoever finds it at once changes nothing before its notice is out */
	mutex_lock(&app->mutex);
	ret = lf_app_publish(app, desc->id, err);
	mutex_unlock(&app->mutex);
	if (!ret)
		return app;
	lf_app_destroy(app);
	return ERR_PTR(ret);
}

/* Takes the registration's reference. */
static int lf_app_kill(struct lf_app *app)
{
	mutex_lock(&app->mutex);
	if (app->dead) {
		mutex_unlock(&app->mutex);
		return -ENODEV;
	}
	/* WRITE_ONCE: pairs with READ_ONCE() in lf_check_alive() */
	WRITE_ONCE(app->dead, true);
	lf_evict_all(app, NULL);
	lf_compiled_detach(app);
	lf_app_withdraw(app);
	mutex_unlock(&app->mutex);

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

static int lf_set_check(struct lf_app *app, int policy, int at_limit, s64 max_retired,
			int sample_shift, struct lf_error *err)
{
	int ret = lf_check_alive(app, err);

	if (ret)
		return ret;
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

	mutex_lock(&app->mutex);
	ret = lf_set_check(app, policy, at_limit, max_retired, sample_shift, err);
	if (ret) {
		trace_lf_reject(app->name, err ? err->msg : "");
		goto unlock;
	}
	write_seqlock_irq(&app->lock);
	/* WRITE_ONCE: lf_query() reads them as it goes */
	if (policy >= 0)
		WRITE_ONCE(app->policy, policy);
	if (sample_shift >= 0)
		WRITE_ONCE(app->sample_mask, BIT(sample_shift) - 1);
	if (at_limit >= 0)
		app->at_limit = at_limit;
	if (max_retired >= 0)
		app->max_retired = max_retired;
	write_sequnlock_irq(&app->lock);
	lf_retired_trim(app);
unlock:
	mutex_unlock(&app->mutex);
	return ret;
}
