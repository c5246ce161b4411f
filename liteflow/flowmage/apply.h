/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A plan onto devices and back, all or nothing.
 *
 * What a device had before is on disk before the device is touched, one file a device:
 * whatever ends the program in between, a rollback finds it. It stays there until the rollback;
 * a second plan keeps it, so that a rollback leads to what was before the first one.
 */
#ifndef _FLOWMAGE_APPLY_H
#define _FLOWMAGE_APPLY_H

#include "plan.h"

#define APPLY_STATE	"/var/lib/flowmage"

/*
 * Are plan, files and devices as they were when it was made? Fills plan->devices anew, with
 * the settings of now. 0, or EXIT_OTHER: complained.
 */
int apply_check(const char *path, struct plan *plan);

/* Sets all devices, or leaves all as they are. @dir: where the settings are kept. The same. */
int apply_commit(struct plan *plan, const char *dir);

/* Puts one device back, or all that are kept in @dir if @name is NULL. The same. */
int apply_rollback(const char *name, const char *dir);

#endif /* _FLOWMAGE_APPLY_H */
