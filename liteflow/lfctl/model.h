/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Models in files, as commands need them.
 */
#ifndef _LFCTL_MODEL_H
#define _LFCTL_MODEL_H

#include <stddef.h>
#include <linux/liteflow_engine.h>

/* Of models whose state the caller keeps. */
extern const struct lf_limits model_limits;

/* Model of a file; refuses what plainly is none. NULL: complained. */
void *model_read(const char *path, size_t *len);

#endif /* _LFCTL_MODEL_H */
