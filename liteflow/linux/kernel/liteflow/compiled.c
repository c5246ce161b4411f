// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's compiled models: code in modules instead of data.
 *
 * Registration takes no reference to the module; each snapshot does, and gives it
 * back from here, in the core, once no query can be in the code any more. So a
 * module whose model is in a slot, or held by a flow, cannot be unloaded.
 */
#define pr_fmt(fmt) "liteflow: " fmt

#include <linux/export.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "core.h"

static bool lf_compiled_registered(const struct lf_compiled_model *model)
{
	return model->list.next && !list_empty(&model->list);
}

struct lf_compiled_model *lf_compiled_find(struct lf_app *app, const char *name)
{
	struct lf_compiled_model *model;

	lockdep_assert_held(&lf_mutex);
	list_for_each_entry(model, &app->compiled, list)
		if (!strcmp(model->name, name))
			return model;
	return NULL;
}

static int lf_compiled_check(const struct lf_app *app, const struct lf_compiled_model *model,
			     struct lf_error *err)
{
	const struct lf_compiled_model *other;

	lockdep_assert_held(&lf_mutex);
	if (app->dead) {
		lf_refuse(err, "app \"%s\" is being removed", app->name);
		return -ENODEV;
	}
	if (!model->run || !model->name || !model->name[0] ||
	    strlen(model->name) >= LITEFLOW_NAME_LEN) {
		lf_refuse(err, "a compiled model needs code and a name below %d bytes",
			  LITEFLOW_NAME_LEN);
		return -EINVAL;
	}
	if (model->n_in != app->n_in || model->n_out != app->n_out) {
		lf_refuse(err, "model has %u inputs, %u outputs: app needs %u and %u",
			  model->n_in, model->n_out, app->n_in, app->n_out);
		return -EINVAL;
	}
	if (model->macs > app->limits.max_macs || model->width > app->limits.max_width) {
		lf_refuse(err, "%u multiply-adds, width %u: app allows %u and %u",
			  model->macs, model->width, app->limits.max_macs,
			  app->limits.max_width);
		return -EINVAL;
	}
	if (lf_compiled_registered(model)) {
		lf_refuse(err, "\"%s\" is registered: unregister it first", model->name);
		return -EEXIST;
	}
	list_for_each_entry(other, &app->compiled, list) {
		if (!strcmp(other->name, model->name) ||
		    (model->uuid && other->uuid == model->uuid)) {
			lf_refuse(err, "name or number is that of \"%s\": unload its module",
				  other->name);
			return -EEXIST;
		}
	}
	return 0;
}

static int lf_compiled_add(struct lf_app *app, struct lf_compiled_model *model, bool activate)
{
	struct lf_error err = {};
	int ret;

	mutex_lock(&lf_mutex);
	ret = lf_compiled_check(app, model, &err);
	if (!ret) {
		list_add_tail(&model->list, &app->compiled);
		if (activate)
			ret = lf_compiled_switch(app, model, &err);
		if (ret)
			list_del_init(&model->list);
	}
	mutex_unlock(&lf_mutex);
	if (ret) {
		trace_lf_reject(app->name, err.msg);
		pr_warn("%s\n", err.msg);
	}
	return ret;
}

/**
 * lf_compiled_register() - offer a compiled model
 * @app: the app that may use it; the caller holds it meanwhile
 * @model: the model, zeroed where private; must last until
 *	lf_compiled_unregister()
 *
 * It is not in a slot then: lf_install_compiled() puts it there by its name.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: shape, name or code are wrong, or it is above the app's
 * limits; -EEXIST: name or number is taken; -ENODEV: the app is going.
 */
int lf_compiled_register(struct lf_app *app, struct lf_compiled_model *model)
{
	return lf_compiled_add(app, model, false);
}
EXPORT_SYMBOL_GPL(lf_compiled_register);

/* Registered, in a slot and active, or none of it: lf_register_model(). */
int lf_compiled_register_active(struct lf_app *app, struct lf_compiled_model *model)
{
	return lf_compiled_add(app, model, true);
}

static void lf_compiled_withdraw(struct lf_app *app, struct lf_compiled_model *model)
{
	lockdep_assert_held(&lf_mutex);
	list_del_init(&model->list);
	lf_evict_all(app, model);
}

/**
 * lf_compiled_unregister() - withdraw a compiled model
 * @app: the app; may be unregistered by then, and is not looked at in that case
 * @model: the model; nothing happens if it is not registered
 *
 * In a module's exit it is in no slot. Elsewhere, it leaves: if it is active, the
 * model that was active before takes over, and flows that it serves lose it.
 *
 * Context: process context, sleeps as lf_app_unregister().
 */
void lf_compiled_unregister(struct lf_app *app, struct lf_compiled_model *model)
{
	mutex_lock(&lf_mutex);
	/* else never registered, or lf_compiled_detach() came first */
	if (lf_compiled_registered(model))
		lf_compiled_withdraw(app, model);
	mutex_unlock(&lf_mutex);
	/* those that left before as well: the model may be freed now */
	lf_drain();
}
EXPORT_SYMBOL_GPL(lf_compiled_unregister);

/* The same by number: lf_unregister_model(). The caller drains. */
int lf_compiled_withdraw_uuid(struct lf_app *app, u32 uuid)
{
	struct lf_compiled_model *model;
	int ret = -ENOENT;

	mutex_lock(&lf_mutex);
	list_for_each_entry(model, &app->compiled, list) {
		if (uuid && model->uuid == uuid) {
			lf_compiled_withdraw(app, model);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&lf_mutex);
	return ret;
}

/* The app goes; its snapshots have. */
void lf_compiled_detach(struct lf_app *app)
{
	struct lf_compiled_model *model, *next;

	lockdep_assert_held(&lf_mutex);
	list_for_each_entry_safe(model, next, &app->compiled, list)
		list_del_init(&model->list);
}

bool lf_compiled_name(struct lf_app *app, unsigned int nth, char name[LITEFLOW_NAME_LEN])
{
	const struct lf_compiled_model *model;
	bool found = false;

	mutex_lock(&lf_mutex);
	list_for_each_entry(model, &app->compiled, list) {
		if (!nth--) {
			strscpy(name, model->name, LITEFLOW_NAME_LEN);
			found = true;
			break;
		}
	}
	mutex_unlock(&lf_mutex);
	return found;
}
