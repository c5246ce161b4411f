// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: models, on their way and in slots.
 *
 * A model comes in pieces, in order, and is kept with the socket. Nothing of it
 * is visible before the commit, which checks the digest and hands the bytes to
 * the core. Whatever ends the socket drops them.
 */
#include <crypto/sha2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "genl_gen.h"
#include "internal.h"
#include "netlink.h"

/* The core's numbers and those of the uapi are the same. */
static_assert((int)LF_SLOT_STANDBY == (int)LITEFLOW_STATE_STANDBY);
static_assert((int)LF_SLOT_ACTIVE == (int)LITEFLOW_STATE_ACTIVE);
static_assert((int)LF_SLOT_RETIRED == (int)LITEFLOW_STATE_RETIRED);
static_assert((int)LF_REMOVE_FORCE == (int)LITEFLOW_REMOVE_FLAGS_FORCE);
static_assert((int)LF_REMOVE_EVICT == (int)LITEFLOW_REMOVE_FLAGS_EVICT);
/* Literals of the specification. */
static_assert(LITEFLOW_DIGEST_LEN == 32 && LITEFLOW_MAX_BLOB == 1048576 && LF_MAX_SLOTS == 8);

/* -- sending ------------------------------------------------------------- */

/* The caller holds the socket's lock, or is the last to know it. */
void lf_nl_upload_drop(struct lf_nl_upload *up)
{
	if (!up->app)
		return;
	kvfree(up->blob);
	lf_app_put(up->app);
	memset(up, 0, sizeof(*up));
}

int liteflow_nl_model_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_nl_upload up = {};
	struct lf_nl_sock *s;
	int ret;

	up.app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(up.app))
		return PTR_ERR(up.app);
	ret = lf_nl_slot(info, up.app);
	if (ret < 0)
		goto drop;
	up.slot = ret;
	ret = lf_nl_need(info, LITEFLOW_A_MODEL_LENGTH, "length") ?:
	      lf_nl_need(info, LITEFLOW_A_MODEL_DIGEST, "digest");
	if (ret)
		goto drop;
	up.length = nla_get_u32(info->attrs[LITEFLOW_A_MODEL_LENGTH]);
	nla_memcpy(up.digest, info->attrs[LITEFLOW_A_MODEL_DIGEST], sizeof(up.digest));

	s = lf_nl_sock(skb, info);
	if (IS_ERR(s)) {
		ret = PTR_ERR(s);
		goto drop;
	}
	up.blob = kvmalloc(up.length, GFP_KERNEL_ACCOUNT);
	if (!up.blob) {
		ret = lf_nl_refuse(info, -ENOMEM, NULL);
		goto drop;
	}
	mutex_lock(&s->lock);
	swap(s->upload, up);
	mutex_unlock(&s->lock);
	ret = 0;
drop:
	/* what was refused, or what the socket sent before */
	lf_nl_upload_drop(&up);
	return ret;
}

/* The upload of the socket, if its sender may still change the app. */
static int lf_nl_upload_check(struct sk_buff *skb, struct genl_info *info,
			      const struct lf_nl_upload *up)
{
	if (!up->app) {
		NL_SET_ERR_MSG(info->extack, "no model is being sent on this socket: begin one");
		return -EINVAL;
	}
	return lf_nl_may_change(skb, up->app, info->extack);
}

static int lf_nl_upload_add(struct genl_info *info, struct lf_nl_upload *up)
{
	struct nlattr *offset = info->attrs[LITEFLOW_A_MODEL_OFFSET];
	struct nlattr *data = info->attrs[LITEFLOW_A_MODEL_DATA];

	if (nla_get_u32(offset) != up->received) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, offset,
					"offset %u is not the next one: send %u",
					nla_get_u32(offset), up->received);
		return -EINVAL;
	}
	if (!nla_len(data) || nla_len(data) > LITEFLOW_DATA_MAX) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, data, "%d bytes of data: send 1 to %u",
					nla_len(data), LITEFLOW_DATA_MAX);
		return -EINVAL;
	}
	if (nla_len(data) > up->length - up->received) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, data,
					"too much data: %u of %u bytes are missing, %d were sent",
					up->length - up->received, up->length, nla_len(data));
		return -EINVAL;
	}
	memcpy(up->blob + up->received, nla_data(data), nla_len(data));
	up->received += nla_len(data);
	return 0;
}

int liteflow_nl_model_data_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_nl_sock *s;
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_MODEL_OFFSET, "offset") ?:
	      lf_nl_need(info, LITEFLOW_A_MODEL_DATA, "data");
	if (ret)
		return ret;
	s = lf_nl_sock(skb, info);
	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	ret = lf_nl_upload_check(skb, info, &s->upload) ?: lf_nl_upload_add(info, &s->upload);
	mutex_unlock(&s->lock);
	return ret;
}

/* Take a complete upload out of the socket. */
static int lf_nl_upload_take(struct sk_buff *skb, struct genl_info *info, struct lf_nl_sock *s,
			     struct lf_nl_upload *up)
{
	int ret;

	mutex_lock(&s->lock);
	ret = lf_nl_upload_check(skb, info, &s->upload);
	if (!ret && s->upload.received != s->upload.length) {
		NL_SET_ERR_MSG_FMT(info->extack, "the model is incomplete: go on at byte %u of %u",
				   s->upload.received, s->upload.length);
		ret = -EINVAL;
	}
	if (!ret)
		swap(s->upload, *up);
	mutex_unlock(&s->lock);
	return ret;
}

/* -- answers ------------------------------------------------------------- */

/*
 * A message for the answer, made before anything changes: what was done must
 * not be reported as failed for want of memory.
 */
static struct sk_buff *lf_nl_answer_new(struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!reply)
		lf_nl_refuse(info, -ENOMEM, NULL);
	return reply;
}

/* @ret and @err: what the core said. @ns: how long it took; negative: not told */
static int lf_nl_answer(struct genl_info *info, struct sk_buff *reply, int ret,
			const struct lf_error *err, u32 version, s64 ns)
{
	void *head;

	if (ret) {
		nlmsg_free(reply);
		return lf_nl_refuse(info, ret, err);
	}
	head = genlmsg_iput(reply, info);
	/* The default size is enough by far. */
	WARN_ON_ONCE(!head || nla_put_u32(reply, LITEFLOW_A_MODEL_VERSION, version) ||
		     (ns >= 0 && nla_put_uint(reply, LITEFLOW_A_MODEL_OP_NS, ns)));
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

/* -- operations ---------------------------------------------------------- */

int liteflow_nl_model_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_nl_upload up = {};
	struct lf_error err = {};
	u8 digest[LITEFLOW_DIGEST_LEN];
	struct sk_buff *reply;
	struct lf_nl_sock *s;
	u32 version = 0;
	int ret;

	s = lf_nl_sock(skb, info);
	if (IS_ERR(s))
		return PTR_ERR(s);
	reply = lf_nl_answer_new(info);
	if (!reply)
		return -ENOMEM;
	ret = lf_nl_upload_take(skb, info, s, &up);
	if (ret)
		goto answer;
	sha256(up.blob, up.length, digest);
	if (memcmp(digest, up.digest, sizeof(digest))) {
		NL_SET_ERR_MSG(info->extack,
			       "the model is not what its digest promised: send it again");
		ret = -EBADMSG;
	} else {
		ret = lf_install(up.app, up.slot, up.blob, up.length, &version, &err);
	}
	lf_nl_upload_drop(&up);
answer:
	return lf_nl_answer(info, reply, ret, &err, version, -1);
}

int liteflow_nl_compiled_install_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_error err = {};
	struct sk_buff *reply;
	struct lf_app *app;
	u32 version = 0;
	int ret, slot;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	slot = lf_nl_slot(info, app);
	ret = slot < 0 ? slot : lf_nl_need(info, LITEFLOW_A_MODEL_NAME, "name");
	if (ret)
		goto put;
	ret = -ENOMEM;
	reply = lf_nl_answer_new(info);
	if (!reply)
		goto put;
	ret = lf_install_compiled(app, slot, nla_data(info->attrs[LITEFLOW_A_MODEL_NAME]),
				  &version, &err);
	ret = lf_nl_answer(info, reply, ret, &err, version, -1);
put:
	lf_app_put(app);
	return ret;
}

int liteflow_nl_model_activate_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_error err = {};
	struct sk_buff *reply;
	struct lf_app *app;
	u32 version = 0;
	int ret, slot;
	u64 start;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	slot = lf_nl_slot(info, app);
	ret = slot;
	if (slot < 0)
		goto put;
	ret = -ENOMEM;
	reply = lf_nl_answer_new(info);
	if (!reply)
		goto put;
	start = ktime_get_ns();
	ret = lf_activate(app, slot, &version, &err);
	ret = lf_nl_answer(info, reply, ret, &err, version, ktime_get_ns() - start);
put:
	lf_app_put(app);
	return ret;
}

int liteflow_nl_model_rollback_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_error err = {};
	struct sk_buff *reply;
	struct lf_app *app;
	u32 version = 0;
	u64 start;
	int ret;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	ret = -ENOMEM;
	reply = lf_nl_answer_new(info);
	if (!reply)
		goto put;
	start = ktime_get_ns();
	ret = lf_rollback(app, &version, &err);
	ret = lf_nl_answer(info, reply, ret, &err, version, ktime_get_ns() - start);
put:
	lf_app_put(app);
	return ret;
}

int liteflow_nl_model_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *flags = info->attrs[LITEFLOW_A_MODEL_REMOVE_FLAGS];
	struct lf_error err = {};
	struct lf_app *app;
	int ret;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	ret = lf_nl_slot(info, app);
	if (ret >= 0) {
		ret = lf_remove(app, ret, flags ? nla_get_u32(flags) : 0, &err);
		lf_nl_refuse(info, ret, &err);
	}
	lf_app_put(app);
	return ret;
}

/* -- snapshots ----------------------------------------------------------- */

static int lf_nl_put_snapshot(struct sk_buff *skb, const struct lf_snapshot_info *snap)
{
	if ((snap->slot >= 0 && nla_put_u32(skb, LITEFLOW_A_MODEL_SLOT, snap->slot)) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_VERSION, snap->version) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_STATE, snap->state) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_KIND,
			snap->compiled ? LITEFLOW_KIND_COMPILED : LITEFLOW_KIND_DATA) ||
	    nla_put_string(skb, LITEFLOW_A_MODEL_NAME, snap->name) ||
	    (!snap->compiled &&
	     nla_put(skb, LITEFLOW_A_MODEL_DIGEST, sizeof(snap->digest), snap->digest)) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_BYTES, snap->bytes) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_MACS, snap->macs) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_WIDTH, snap->width) ||
	    nla_put_u32(skb, LITEFLOW_A_MODEL_PINS, snap->pins) ||
	    nla_put_uint(skb, LITEFLOW_A_MODEL_QUERIES, snap->queries) ||
	    (snap->provenance[0] &&
	     nla_put_string(skb, LITEFLOW_A_MODEL_PROVENANCE, snap->provenance)))
		return -EMSGSIZE;
	return 0;
}

static int lf_nl_put_registered(struct sk_buff *skb, const char *name)
{
	return nla_put_u32(skb, LITEFLOW_A_MODEL_STATE, LITEFLOW_STATE_REGISTERED) ?:
	       nla_put_u32(skb, LITEFLOW_A_MODEL_KIND, LITEFLOW_KIND_COMPILED) ?:
	       nla_put_string(skb, LITEFLOW_A_MODEL_NAME, name);
}

/* The next item of the app: false behind the last one. */
static bool lf_nl_next_item(struct netlink_callback *cb, struct lf_app *app,
			    struct lf_snapshot_info *snap, char name[LITEFLOW_NAME_LEN])
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	u32 key, generation;
	bool there;

	if (!dump->compiled) {
		there = lf_snapshot_next(app, &dump->key, snap);
		lf_nl_dump_check(cb, &dump->app_generation, snap->generation);
		if (there)
			return true;
		dump->compiled = true;
		dump->key = 0;
	}
	key = dump->key;
	there = lf_compiled_next(app, &key, name, &generation);
	dump->key = key;
	lf_nl_dump_check(cb, &dump->app_generation, generation);
	return there;
}

/* One message of an app: 0, -ENOENT behind the last one, or -EMSGSIZE. */
static int lf_nl_put_one(struct sk_buff *skb, struct netlink_callback *cb, struct lf_app *app)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_snapshot_info snap;
	char name[LITEFLOW_NAME_LEN];
	void *head;
	int ret;

	if (!lf_nl_next_item(cb, app, &snap, name))
		return -ENOENT;
	head = genlmsg_iput(skb, genl_info_dump(cb));
	if (!head)
		return -EMSGSIZE;
	ret = lf_nl_put_app_ref(skb, app) ?:
	      dump->compiled ? lf_nl_put_registered(skb, name) : lf_nl_put_snapshot(skb, &snap);
	if (ret) {
		genlmsg_cancel(skb, head);
		return ret;
	}
	genl_dump_check_consistent(cb, head);
	genlmsg_end(skb, head);
	dump->key++;
	return 0;
}

int liteflow_nl_slot_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_app *app;
	int ret;

	for (; (app = lf_nl_dump_app(cb, dump)); lf_nl_dump_next_app(dump)) {
		do
			ret = lf_nl_put_one(skb, cb, app);
		while (!ret);
		lf_app_put(app);
		if (ret != -ENOENT)
			return ret;
	}
	return 0;
}
