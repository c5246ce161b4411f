/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The five names of the original LiteFlow, by number of the app, for its modules.
 *
 * New code uses <linux/liteflow.h>. See kernel/liteflow/legacy.c.
 */
#ifndef _LINUX_LITEFLOW_LEGACY_H
#define _LINUX_LITEFLOW_LEGACY_H

#include <linux/liteflow.h>

int lf_register_app(const struct lf_app_desc *desc);
int lf_unregister_app(u16 app_id);
int lf_register_model(u16 app_id, struct lf_compiled_model *model);
int lf_unregister_model(u16 app_id, u32 uuid);
int lf_query_model(u16 app_id, const s32 *in, unsigned int n_in, s32 *out,
		   unsigned int n_out);

#endif /* _LINUX_LITEFLOW_LEGACY_H */
