/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration of an app: a file of JSON, /etc/liteflow/lfd.d/NAME.json.
 */
#ifndef _LFD_CONFIG_H
#define _LFD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "decide.h"
#include "hook.h"
#include "liblf.h"
#include "watch.h"

#define CONFIG_DIR	"/etc/liteflow/lfd.d"
#define CONFIG_REASON	512

/**
 * struct config - what the file of an app says
 * @file: its path
 * @app: name of the app in the kernel
 * @install: false: decide and log, but leave the kernel as it is
 * @hook: the program that adapts, and its limits
 * @collect: how records are collected
 * @history_mib: most that the history takes on disk
 * @adapt_s: time between two adaptations
 * @adapt_records: records that have to be new for the next one
 * @window: stability values that have to be close to each other
 * @spread: how close, see stability_settled()
 * @alpha: mean difference from which on a model is needed, part of the output span
 * @inputs: over so many of the last inputs
 * @hold_off_s: after a change, none for so long
 * @watch: how a trial is judged; side_by_side is the app's
 */
struct config {
	char *file;
	char app[LF_NAME_LEN];
	bool install;
	struct hook_config hook;
	struct lf_collect_options collect;
	unsigned int history_mib;
	unsigned int adapt_s;
	unsigned int adapt_records;
	unsigned int window;
	double spread;
	double alpha;
	unsigned int inputs;
	unsigned int hold_off_s;
	struct watch_params watch;
};

/*
 * Read one. NULL, with one line in @why that names file and key: something is wrong with
 * it. The one who runs lfd, or root, has to own it, and nobody else may write to it.
 */
struct config *config_read(const char *file, char why[CONFIG_REASON]);
void config_free(struct config *c);

/*
 * Files of a directory that are configurations: names that end in ".json" and do not
 * begin with a dot, sorted. Their number, or -1 and a reason; a directory that is not
 * there has none. *@files and its strings are the caller's.
 */
int config_list(const char *dir, char ***files, char why[CONFIG_REASON]);
void config_list_free(char **files, int n);

/* All keys with their ranges and what they are without being told: for --help. */
void config_describe(void (*print)(const char *line));

#endif /* _LFD_CONFIG_H */
