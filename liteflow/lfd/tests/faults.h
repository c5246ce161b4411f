/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the groups of faults share: faults.c, faults_hook.c, faults_disk.c.
 */
#ifndef _FAULTS_H
#define _FAULTS_H

#include <stdbool.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define FAST	", \"stability_window\": 3, \"hold_off_s\": 300"

/* Time in which a change of the world leads to a new model. */
#define ENOUGH	1200

/* The first model is active, and none was installed. */
bool unchanged(void);

/* Of a file in the app's folder. */
void path_of(char path[256], const char *name);

/* The world changes, and the service has followed. */
bool follows(double slope);

void test_hook_faults(void);
void test_disk_faults(void);

#endif /* _FAULTS_H */
