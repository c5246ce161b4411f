// SPDX-License-Identifier: GPL-2.0-only
/*
 * The five names of the original LiteFlow, over the interface of this one.
 *
 * Apps go by numbers. A model that is registered is active at once, as there; it
 * enters an empty slot, or that of the model that was active least recently.
 * Errors are negative, inputs and outputs are s32, and come with their sizes.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/liteflow_legacy.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include "core.h"

/**
 * lf_register_app() - make an app
 * @desc: what it is; copied. Has a number
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: no number; otherwise as lf_app_register().
 */
int lf_register_app(const struct lf_app_desc *desc)
{
	if (!desc->id)
		return -EINVAL;
	return PTR_ERR_OR_ZERO(lf_app_register(desc));
}
EXPORT_SYMBOL_GPL(lf_register_app);

/**
 * lf_unregister_app() - undo lf_register_app()
 * @app_id: the app's number
 *
 * Context: process context, sleeps as lf_app_unregister().
 * Return: 0; -ENOENT: no such app; -EPERM: user space's own.
 */
int lf_unregister_app(u16 app_id)
{
	struct lf_app *app = lf_app_get(app_id);
	struct lf_app_info info;

	if (!app)
		return -ENOENT;
	lf_app_info(app, &info);
	if (!info.user)
		lf_app_unregister(app);
	lf_app_put(app);
	return info.user ? -EPERM : 0;
}
EXPORT_SYMBOL_GPL(lf_unregister_app);

/**
 * lf_register_model() - register a compiled model and let it answer
 * @app_id: number of its app
 * @model: the model; must last until lf_unregister_model(). Has a number
 *
 * Its module cannot be unloaded from then on, until the model was removed from
 * its slot or replaced there.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: no such app; -EINVAL: no number; otherwise as
 * lf_compiled_register() and lf_install_compiled().
 */
int lf_register_model(u16 app_id, struct lf_compiled_model *model)
{
	struct lf_app *app;
	int ret;

	if (!model->uuid)
		return -EINVAL;
	app = lf_app_get(app_id);
	if (!app)
		return -ENOENT;
	ret = lf_compiled_register_active(app, model);
	lf_app_put(app);
	return ret;
}
EXPORT_SYMBOL_GPL(lf_register_model);

/**
 * lf_unregister_model() - undo lf_register_model()
 * @app_id: number of its app
 * @uuid: the model's number
 *
 * If it is active, the model that was active before takes over.
 *
 * Context: process context, sleeps as lf_app_unregister().
 * Return: 0; -ENOENT: no such app or model.
 */
int lf_unregister_model(u16 app_id, u32 uuid)
{
	struct lf_app *app = lf_app_get(app_id);
	int ret = -ENOENT;

	if (app) {
		ret = lf_compiled_unregister_uuid(app, uuid);
		lf_app_put(app);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(lf_unregister_model);

/**
 * lf_query_model() - ask the model of the app with a number
 * @app_id: the number
 * @in: as for lf_query()
 * @n_in: as for lf_query()
 * @out: as for lf_query()
 * @n_out: as for lf_query()
 *
 * Context: as for lf_query().
 * Return: 0; -ENOENT: no such app, or user space's own; otherwise as lf_query().
 */
int lf_query_model(u16 app_id, const s32 *in, unsigned int n_in, s32 *out, unsigned int n_out)
{
	struct lf_app *app;
	int ret = -ENOENT;

	/* RCU cannot be asked for protection from an NMI that the app forbids */
	if (unlikely(in_nmi()))
		return -EPERM;
	rcu_read_lock();
	app = lf_app_kernel(app_id);
	if (likely(app))
		ret = lf_query(app, NULL, in, n_in, out, n_out);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_query_model);
