// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test: a compiled model, to be loaded and unloaded while it
 * is asked. It answers as the models of torture_model.c do, with numbers that
 * those do not have.
 */
#define pr_fmt(fmt) "lf_torture_model: " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "torture.h"

static char *lft_app = "lf-torture-module";
module_param_named(app, lft_app, charp, 0444);
MODULE_PARM_DESC(app, "name of the app that it is for");

static char *lft_name = "compiled";
module_param_named(name, lft_name, charp, 0444);
MODULE_PARM_DESC(name, "name of the model");

static unsigned int lft_number;
module_param_named(number, lft_number, uint, 0444);
MODULE_PARM_DESC(number, "what it answers with");

static s32 lft_base;
static struct lf_app *lft_owner;

static void lft_run(const s32 *in, s32 *out)
{
	s32 sum = lft_base;
	unsigned int i;

	for (i = 0; i < LFT_N_IN; i++)
		sum += in[i];
	out[0] = sum;
}

static struct lf_compiled_model lft_model = {
	.n_in	= LFT_N_IN,
	.n_out	= 1,
	.width	= LFT_N_IN,
	.macs	= LFT_N_IN,
	.run	= lft_run,
	.owner	= THIS_MODULE,
};

static int __init lft_model_init(void)
{
	int err;

	if (lft_number > LFT_MAX_NUMBER - LFT_COMPILED) {
		pr_err("number %u is too large: give at most %lu\n", lft_number,
		       LFT_MAX_NUMBER - LFT_COMPILED);
		return -EINVAL;
	}
	lft_base = (LFT_COMPILED + lft_number) * LFT_STRIDE;
	lft_owner = lf_app_get_by_name(lft_app);
	if (!lft_owner) {
		pr_err("there is no app \"%s\": load lf_torture first\n", lft_app);
		return -ENOENT;
	}
	lft_model.name = lft_name;
	err = lf_compiled_register(lft_owner, &lft_model);
	if (err)
		lf_app_put(lft_owner);
	return err;
}

static void __exit lft_model_exit(void)
{
	lf_compiled_unregister(&lft_model);
	lf_app_put(lft_owner);
}

module_init(lft_model_init);
module_exit(lft_model_exit);

MODULE_DESCRIPTION("Compiled model for LiteFlow's torture test");
MODULE_LICENSE("GPL");
