/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's netlink family: what its files share.
 */
#ifndef _KERNEL_LITEFLOW_NETLINK_H
#define _KERNEL_LITEFLOW_NETLINK_H

#include <linux/liteflow.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct sock;

/**
 * struct lf_nl_upload - a model that is being sent
 * @app: for it; holds a reference. NULL: nothing is being sent
 * @slot: for this slot
 * @length: bytes that it will have
 * @received: bytes that came so far
 * @digest: SHA-256 that they must have
 * @blob: the bytes
 */
struct lf_nl_upload {
	struct lf_app *app;
	u8 slot;
	u32 length;
	u32 received;
	u8 digest[LITEFLOW_DIGEST_LEN];
	u8 *blob;
};

/**
 * struct lf_nl_sock - what a socket has going on
 * @lock: messages of one socket may run at a time; protects the rest but what
 *	the collector's delivery uses
 * @upload: a model that is being sent
 * @collected: the app that is collected; holds a reference. NULL: none
 * @sk: where the records go; valid as long as the collector runs. Set before it
 *	is started
 * @sequence: of the next batch; the collector's only
 * @closing: no more deliveries
 */
struct lf_nl_sock {
	struct mutex lock;	/* see above */
	struct lf_nl_upload upload;
	struct lf_app *collected;
	struct sock *sk;
	u32 sequence;
	bool closing;
};

/* -- netlink_common.c */

/**
 * struct lf_nl_dump - where a dump is; in netlink_callback::ctx
 * @key: next snapshot, or compiled model, of the app
 * @app: the app with @one; to compare with, there is no reference
 * @id: next app
 * @generation: of the table of apps; 0: not known yet
 * @app_generation: of the app; 0: not known yet
 * @compiled: the snapshots are done
 * @one: only this app
 */
struct lf_nl_dump {
	u64 key;
	const struct lf_app *app;
	u32 id;
	u32 generation;
	u32 app_generation;
	bool compiled;
	bool one;
};

struct lf_app *lf_nl_find_app(struct nlattr **attrs, struct netlink_ext_ack *extack);
struct lf_app *lf_nl_app_to_change(struct sk_buff *skb, struct genl_info *info);
int lf_nl_may_change(struct sk_buff *skb, const struct lf_app *app,
		     struct netlink_ext_ack *extack);
struct lf_nl_sock *lf_nl_sock(struct sk_buff *skb, struct genl_info *info);
int lf_nl_slot(struct genl_info *info, const struct lf_app *app);
int lf_nl_refuse(struct genl_info *info, int ret, const struct lf_error *err);
int lf_nl_need(struct genl_info *info, int type, const char *name);
void lf_nl_dump_check(struct netlink_callback *cb, u32 *generation, u32 now);
struct lf_app *lf_nl_dump_app(struct netlink_callback *cb, struct lf_nl_dump *dump);
void lf_nl_dump_next_app(struct lf_nl_dump *dump);
int lf_nl_put_app_ref(struct sk_buff *skb, const struct lf_app *app);

/* -- netlink_model.c, netlink_data.c: the end of a socket */

void lf_nl_upload_drop(struct lf_nl_upload *up);
void lf_nl_collect_end(struct lf_nl_sock *s);

#endif /* _KERNEL_LITEFLOW_NETLINK_H */
