/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a compiled model needs of the kernel's <linux/liteflow.h>, in user space.
 */
#ifndef _STUB_LITEFLOW_H
#define _STUB_LITEFLOW_H

#include <errno.h>
#include <linux/types.h>

struct lf_app;
struct module;

struct lf_compiled_model {
	const char *name;
	u16 n_in;
	u16 n_out;
	u16 width;
	u32 macs;
	void (*run)(const s32 *in, s32 *out);
	struct module *owner;
};

struct lf_app *lf_app_get_by_name(const char *name);
void lf_app_put(struct lf_app *app);
int lf_compiled_register(struct lf_app *app, struct lf_compiled_model *model);
void lf_compiled_unregister(struct lf_compiled_model *model);

#endif /* _STUB_LITEFLOW_H */
