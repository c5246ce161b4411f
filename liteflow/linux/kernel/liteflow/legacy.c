// SPDX-License-Identifier: GPL-2.0-only
/*
 * The five names of the original LiteFlow, over the interface of this one.
 *
 * Apps go by numbers. A model that is registered is active at once, as there; it
 * enters an empty slot, or that of the model that was active least recently.
 * Errors are negative, inputs and outputs are s32. lf_query_model() is in
 * query.c.
 */
#include <linux/err.h>
#include <linux/export.h>

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
	int ret = -EPERM;

	if (!app)
		return -ENOENT;
	if (!app->user) {
		lf_app_unregister(app);
		ret = 0;
	}
	lf_app_put(app);
	return ret;
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
		ret = lf_compiled_withdraw_uuid(app, uuid);
		lf_app_put(app);
	}
	/* also if it was gone already: the caller may free the model now */
	lf_drain();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_unregister_model);
