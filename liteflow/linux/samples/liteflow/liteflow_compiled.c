// SPDX-License-Identifier: GPL-2.0-only
/*
 * A LiteFlow model as code: two inputs, two ReLU neurons, one output.
 *
 * The network is the distance of its inputs:
 *
 *	hidden 0 = max(in 0 - in 1, 0)
 *	hidden 1 = max(in 1 - in 0, 0)
 *	output   = hidden 0 + hidden 1, at most LIMIT
 *
 * Any input is allowed: inputs are clamped to the range that the model knows
 * before anything is computed, so no sum can overflow.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/array_size.h>
#include <linux/liteflow.h>
#include <linux/minmax.h>
#include <linux/module.h>

#define LIMIT	1000000

static char *app = "sample";
module_param(app, charp, 0444);
MODULE_PARM_DESC(app, "name of the app that the model is for");

static s32 relu(s32 v)
{
	return max(v, 0);
}

static void distance_run(const s32 *in, s32 *out)
{
	static const s32 weight[2][2] = { { 1, -1 }, { -1, 1 } };
	s32 x[2], hidden[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(x); i++)
		x[i] = clamp(in[i], -LIMIT, LIMIT);
	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		hidden[i] = relu(weight[i][0] * x[0] + weight[i][1] * x[1]);
	out[0] = min(hidden[0] + hidden[1], LIMIT);
}

static struct lf_compiled_model distance = {
	.name = "distance",
	.uuid = 1,
	.n_in = 2,
	.n_out = 1,
	.width = 2,
	.macs = 6,
	.run = distance_run,
	.owner = THIS_MODULE,
};

static int __init distance_init(void)
{
	struct lf_app *found = lf_app_get_by_name(app);
	int ret;

	if (!found) {
		pr_err("no LiteFlow app \"%s\": add it first, or give app=NAME\n", app);
		return -ENODEV;
	}
	ret = lf_compiled_register(found, &distance);
	lf_app_put(found);
	return ret;
}
module_init(distance_init);

static void __exit distance_exit(void)
{
	/* the app may be gone by now, and the model with it: that is fine */
	lf_compiled_unregister(&distance);
}
module_exit(distance_exit);

MODULE_DESCRIPTION("LiteFlow sample: a compiled model");
MODULE_LICENSE("GPL");
