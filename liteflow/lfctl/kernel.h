/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands share that ask the kernel, by liblf.
 */
#ifndef _LFCTL_KERNEL_H
#define _LFCTL_KERNEL_H

#include "liblf.h"

/*
 * A handle; @app is what the command names, or NULL. An exit status: complained, and a
 * number that no app can have is wrong usage. lf_close() in any case.
 */
int kernel_open(struct lf **lf, const char *app);

/* 0 if @ret is; else complains "what: reason" and returns an exit status. */
__attribute__((format(printf, 3, 4)))
int failed(const struct lf *lf, int ret, const char *what, ...);

struct json_object *app_json(const struct lf_app_info *info);

#endif /* _LFCTL_KERNEL_H */
