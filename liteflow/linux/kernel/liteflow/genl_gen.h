/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/liteflow.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_LITEFLOW_GEN_H
#define _LINUX_LITEFLOW_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/liteflow.h>
#include <netlink.h>

int liteflow_nl_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			 struct genl_info *info);
int liteflow_nl_dump_start(struct netlink_callback *cb);

int liteflow_nl_app_get_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_app_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int liteflow_nl_app_add_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_app_del_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_app_set_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_slot_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int liteflow_nl_stats_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int liteflow_nl_model_begin_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_model_data_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_model_commit_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_compiled_install_doit(struct sk_buff *skb,
				      struct genl_info *info);
int liteflow_nl_model_activate_doit(struct sk_buff *skb,
				    struct genl_info *info);
int liteflow_nl_model_rollback_doit(struct sk_buff *skb,
				    struct genl_info *info);
int liteflow_nl_model_remove_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_eval_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_collect_start_doit(struct sk_buff *skb, struct genl_info *info);
int liteflow_nl_collect_stop_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	LITEFLOW_NLGRP_NOTICE,
};

extern struct genl_family liteflow_nl_family;

void liteflow_nl_sock_priv_init(struct lf_nl_sock *priv);
void liteflow_nl_sock_priv_destroy(struct lf_nl_sock *priv);

#endif /* _LINUX_LITEFLOW_GEN_H */
