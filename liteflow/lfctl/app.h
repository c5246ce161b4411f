/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Apps, as commands and their children need them.
 */
#ifndef _LFCTL_APP_H
#define _LFCTL_APP_H

#include <stdint.h>
#include "netlink/netlink.h"

/* What add and set can say; NULL or -1: not told. */
struct app_args {
	const char *name;
	int64_t id;
	int64_t n_in;
	int64_t n_out;
	int64_t context;
	int64_t policy;
	int64_t at_limit;
	int64_t n_slots;
	int64_t capability;
	int64_t max_macs;
	int64_t max_bytes;
	int64_t max_retired;
	int64_t sample_shift;
	const char *units;
};

/* An app's shape and the names of its inputs, if it insists on some. */
struct app_info {
	unsigned int id;
	unsigned int n_in;
	unsigned int n_out;
	unsigned int n_features;
	bool user;
	char (*features)[32];
};

extern const struct app_args app_args_none;

int app_add(struct nl *nl, const struct app_args *args, nl_handler handler, void *data);
/* @app: a number or a name; @name: a name, even if it looks like a number */
int app_get_info(struct nl *nl, const char *app, struct app_info *info);
int app_get_info_by_name(struct nl *nl, const char *name, struct app_info *info);
void app_info_free(struct app_info *info);
struct json_object *app_json(const struct nlmsghdr *nlh, struct nlattr **tb);

#endif /* _LFCTL_APP_H */
