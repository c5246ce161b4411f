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
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "internal.h"

static struct lf_compiled_model *lf_compiled_find(struct lf_app *app, const char *name)
{
	struct lf_compiled_model *model;

	lockdep_assert_held(&app->mutex);
	list_for_each_entry(model, &app->compiled, list)
		if (!strcmp(model->name, name))
			return model;
	return NULL;
}

static int lf_compiled_check(const struct lf_app *app, const struct lf_compiled_model *model,
			     struct lf_error *err)
{
	const struct lf_compiled_model *other;
	int ret = lf_check_alive(app, err);

	lockdep_assert_held(&app->mutex);
	if (ret)
		return ret;
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
	if (rcu_access_pointer(model->app)) {
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

/* The list is changed under both, so that dumps never wait for a callback. */
static void lf_compiled_link(struct lf_app *app, struct lf_compiled_model *model)
{
	lockdep_assert_held(&app->mutex);
	write_seqlock_irq(&app->lock);
	model->number = ++app->compilations;
	list_add_tail_rcu(&model->list, &app->compiled);
	write_sequnlock_irq(&app->lock);
	rcu_assign_pointer(model->app, app);
}

static void lf_compiled_unlink(struct lf_app *app, struct lf_compiled_model *model)
{
	lockdep_assert_held(&app->mutex);
	write_seqlock_irq(&app->lock);
	list_del_rcu(&model->list);
	write_sequnlock_irq(&app->lock);
	/*
	 * The last access: lf_compiled_unregister() takes no lock if it finds
	 * NULL, and its caller may free the model. Pairs with lf_compiled_app()
	 * and the barrier in lf_drain().
	 */
	smp_store_release(&model->app, RCU_INITIALIZER(NULL));
}

static int lf_compiled_add(struct lf_app *app, struct lf_compiled_model *model, bool activate)
{
	struct lf_error err = {};
	int ret;

	mutex_lock(&app->mutex);
	ret = lf_compiled_check(app, model, &err);
	if (!ret) {
		lf_compiled_link(app, model);
		if (activate)
			ret = lf_switch_code(app, model, &err);
		if (ret)
			lf_compiled_unlink(app, model);
	}
	mutex_unlock(&app->mutex);
	if (ret) {
		trace_lf_reject(app->name, err.msg);
		pr_warn("%s\n", err.msg);
		/* the caller may free it, and a dump may have seen it */
		lf_drain();
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

/**
 * lf_install_compiled() - put a compiled model into a slot
 * @app: the app
 * @slot: the slot; what is there leaves it, unless it is active
 * @name: of a model that was registered with lf_compiled_register()
 * @version: result: number of the installed model; may be NULL
 * @err: result: the reason of a refusal; may be NULL
 *
 * Its module cannot be unloaded until the model has left the slot and the last
 * flow let go of it.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: no such model; otherwise as lf_install().
 */
int lf_install_compiled(struct lf_app *app, u8 slot, const char *name, u32 *version,
			struct lf_error *err)
{
	struct lf_compiled_model *model;
	struct lf_error mine;
	int ret = -ENOENT;
	u32 ignored;

	err = err ?: &mine;
	err->msg[0] = 0;
	mutex_lock(&app->mutex);
	model = lf_compiled_find(app, name);
	if (model)
		ret = lf_install_code(app, slot, model, version ?: &ignored, err);
	else
		lf_refuse(err, "no compiled model of that name: load its module");
	mutex_unlock(&app->mutex);
	if (ret)
		trace_lf_reject(app->name, err->msg);
	return ret;
}

static void lf_compiled_withdraw(struct lf_app *app, struct lf_compiled_model *model)
{
	lf_compiled_unlink(app, model);
	lf_evict_all(app, model);
}

/* The app that @model is registered with, with a reference. */
static struct lf_app *lf_compiled_app(const struct lf_compiled_model *model)
{
	struct lf_app *app;

	rcu_read_lock();
	app = rcu_dereference(model->app);
	if (app && !kref_get_unless_zero(&app->ref))
		app = NULL;
	rcu_read_unlock();
	return app;
}

/**
 * lf_compiled_unregister() - withdraw a compiled model
 * @model: the model; nothing happens if it is not registered, as when its app was
 *	unregistered since
 *
 * In a module's exit it is in no slot. Elsewhere, it leaves: if it is active, the
 * model that was active before takes over, and flows that it serves lose it.
 *
 * Context: process context, sleeps as lf_app_unregister(). Calls for one model must
 * not run at the same time.
 */
void lf_compiled_unregister(struct lf_compiled_model *model)
{
	struct lf_app *app = lf_compiled_app(model);

	if (app) {
		mutex_lock(&app->mutex);
		/* else lf_compiled_detach() came first */
		if (rcu_access_pointer(model->app))
			lf_compiled_withdraw(app, model);
		mutex_unlock(&app->mutex);
		lf_app_put(app);
	}
	/* those that left before as well: the model may be freed now */
	lf_drain();
}
EXPORT_SYMBOL_GPL(lf_compiled_unregister);

/* The same by number: lf_unregister_model(). */
int lf_compiled_unregister_uuid(struct lf_app *app, u32 uuid)
{
	struct lf_compiled_model *model;
	int ret = -ENOENT;

	mutex_lock(&app->mutex);
	list_for_each_entry(model, &app->compiled, list) {
		if (uuid && model->uuid == uuid) {
			lf_compiled_withdraw(app, model);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&app->mutex);
	/* also if it was gone already: the caller may free the model now */
	lf_drain();
	return ret;
}

/* The app goes; its snapshots have. */
void lf_compiled_detach(struct lf_app *app)
{
	struct lf_compiled_model *model, *next;

	list_for_each_entry_safe(model, next, &app->compiled, list)
		lf_compiled_unlink(app, model);
}

/* Keys are numbers of registrations, in whose order the list is. */
bool lf_compiled_next(struct lf_app *app, u32 *key, char name[LITEFLOW_NAME_LEN],
		      u32 *generation)
{
	const struct lf_compiled_model *model;
	unsigned int seq;
	bool found;
	u32 now;

	rcu_read_lock();
	do {
		seq = lf_read_begin(app, &now);
		found = false;
		list_for_each_entry_rcu(model, &app->compiled, list) {
			found = model->number >= *key;
			if (found)
				break;
		}
	} while (read_seqretry(&app->lock, seq));
	if (found) {
		*key = model->number;
		strscpy(name, model->name, LITEFLOW_NAME_LEN);
	}
	rcu_read_unlock();
	if (generation)
		*generation = now;
	return found;
}
