// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: its networks in LiteFlow's slots
 *
 * LiteFlow receives, proves, keeps and switches the models; what is made of one
 * here are the tables of the scheduler's own forward pass, when it enters a slot.
 * While no slot is active, the network that is built in serves.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/liteflow.h>
#include <linux/slab.h>

#include "jc_sched.h"

static int jc_app_prepare(struct lf_app *app, const struct lf_model *model, void **priv,
			  struct lf_error *err)
{
	struct jc_mlp *mlp;
	int ret;

	if (!model) {
		lf_refuse(err, "the scheduler needs the weights: compiled models will not do");
		return -EINVAL;
	}
	ret = jc_mlp_check(model, err);
	if (ret)
		return ret;
	mlp = kmalloc(sizeof(*mlp), GFP_KERNEL_ACCOUNT);
	if (!mlp)
		return -ENOMEM;
	jc_mlp_prepare(mlp, model);
	*priv = mlp;
	return 0;
}

static void jc_app_activated(struct lf_app *app, void *priv)
{
	jc_net_load(priv);
}

/* A grace period after it was replaced. */
static void jc_app_release(struct lf_app *app, void *priv)
{
	kfree(priv);
}

static const struct lf_app_ops jc_app_ops = {
	.prepare	= jc_app_prepare,
	.activated	= jc_app_activated,
	.release	= jc_app_release,
};

static int __init jc_app_init(void)
{
	const struct lf_app_desc desc = {
		.name		= "jc_sched",
		.id		= 1,
		.n_in		= JC_NR_INPUTS,
		.n_out		= 1,
		.context	= LF_CONTEXT_ATOMIC,
		.capability	= CAP_SYS_ADMIN,
		.units		= JC_UNITS,
		.features	= jc_input_names,
		.ops		= &jc_app_ops,
		.owner		= THIS_MODULE,
	};
	struct lf_app *app = lf_app_register(&desc);

	if (IS_ERR(app)) {
		pr_err("jc_sched: no slots for models: error %ld\n", PTR_ERR(app));
		return PTR_ERR(app);
	}
	return 0;
}
late_initcall(jc_app_init);
