// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: who may ask, apps, statistics, notices.
 *
 * Apps belong to the whole machine, so every operation is refused outside the
 * initial network namespace: a capability there says nothing about this one.
 * What an operation changes needs the capability of the app, of whoever opened
 * the socket and of whoever sends. The models are netlink_model.c's business,
 * evaluation and collection are netlink_data.c's.
 */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "internal.h"
#include "genl_gen.h"
#include "netlink.h"

/* The core's enums and those of the uapi are the same numbers. */
static_assert((int)LF_CONTEXT_ATOMIC == (int)LITEFLOW_CONTEXT_ATOMIC);
static_assert((int)LF_CONTEXT_SOFTIRQ == (int)LITEFLOW_CONTEXT_SOFTIRQ);
static_assert((int)LF_POLICY_PIN == (int)LITEFLOW_POLICY_PIN);
static_assert((int)LF_POLICY_FOLLOW == (int)LITEFLOW_POLICY_FOLLOW);
static_assert((int)LF_AT_LIMIT_REPIN == (int)LITEFLOW_AT_LIMIT_REPIN);
static_assert((int)LF_AT_LIMIT_REFUSE == (int)LITEFLOW_AT_LIMIT_REFUSE);
static_assert((int)LF_EVENT_APP_ADDED == (int)LITEFLOW_EVENT_APP_ADDED);
static_assert((int)LF_EVENT_APP_REMOVED == (int)LITEFLOW_EVENT_APP_REMOVED);
static_assert((int)LF_EVENT_INSTALLED == (int)LITEFLOW_EVENT_INSTALLED);
static_assert((int)LF_EVENT_ACTIVATED == (int)LITEFLOW_EVENT_ACTIVATED);
static_assert((int)LF_EVENT_REMOVED == (int)LITEFLOW_EVENT_REMOVED);
static_assert((int)LF_EVENT_EVICTED == (int)LITEFLOW_EVENT_EVICTED);
/* Literals of the YAML. */
static_assert(LITEFLOW_NAME_LEN == 32 && LITEFLOW_DIGEST_LEN == 32);
static_assert(LF_MAX_SLOTS == 8 && LITEFLOW_MAX_WIDTH == 1024 && LITEFLOW_MAX_BLOB == 1048576);

#define LF_NL_ELSEWHERE \
	"LiteFlow is the whole machine's: ask in the initial network namespace"

/* -- what all operations share ------------------------------------------- */

/* Generic netlink looks at attributes only where there is a policy. */
static int lf_nl_no_attrs(bool policy, const struct genlmsghdr *hdr,
			  struct netlink_ext_ack *extack)
{
	if (policy || !genlmsg_len(hdr))
		return 0;
	NL_SET_ERR_MSG(extack, "this operation takes no attributes");
	return -EINVAL;
}

int liteflow_nl_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			 struct genl_info *info)
{
	if (!net_eq(genl_info_net(info), &init_net)) {
		NL_SET_ERR_MSG(info->extack, LF_NL_ELSEWHERE);
		return -EPERM;
	}
	return lf_nl_no_attrs(ops->maxattr, info->genlhdr, info->extack);
}

/* Tell the reason of the core, as far as it gave one. */
int lf_nl_refuse(struct genl_info *info, int ret, const struct lf_error *err)
{
	if (err && err->msg[0])
		NL_SET_ERR_MSG_FMT(info->extack, "%s", err->msg);
	else if (ret == -ENOMEM)
		NL_SET_ERR_MSG(info->extack, "not enough memory: free some, try again");
	return ret;
}

int lf_nl_need(struct genl_info *info, int type)
{
	if (info->attrs[type])
		return 0;
	NL_SET_ERR_MSG_FMT(info->extack, "attribute %d is missing: see the family's YAML spec",
			   type);
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, type);
	return -EINVAL;
}

/* The app that @attrs name, with a reference, or an ERR_PTR. */
struct lf_app *lf_nl_find_app(struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	struct nlattr *id = attrs[LITEFLOW_A_APP_ID];
	struct nlattr *name = attrs[LITEFLOW_A_APP_NAME];
	struct lf_app *app;

	if (!id && !name) {
		NL_SET_ERR_MSG(extack, "no app given: name it, or give its number");
		NL_SET_ERR_ATTR_MISS(extack, NULL, LITEFLOW_A_APP_ID);
		return ERR_PTR(-EINVAL);
	}
	app = id ? lf_app_get(nla_get_u32(id)) : lf_app_get_by_name(nla_data(name));
	if (!app) {
		NL_SET_ERR_MSG_ATTR(extack, id ?: name,
				    "there is no such app: list them with app-get");
		return ERR_PTR(-ENOENT);
	}
	if (name && strcmp(app->name, nla_data(name))) {
		NL_SET_ERR_MSG_ATTR(extack, name,
				    "the app of this number has another name: give one of them");
		lf_app_put(app);
		return ERR_PTR(-EINVAL);
	}
	return app;
}

int lf_nl_may_change(struct sk_buff *skb, const struct lf_app *app,
		     struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, app->capability))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "not permitted: app %s needs %s", app->name,
			   app->capability == CAP_SYS_ADMIN ? "CAP_SYS_ADMIN" : "CAP_NET_ADMIN");
	return -EPERM;
}

struct lf_app *lf_nl_app_to_change(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_app *app;
	int ret;

	app = lf_nl_find_app(info->attrs, info->extack);
	if (IS_ERR(app))
		return app;
	ret = lf_nl_may_change(skb, app, info->extack);
	if (ret) {
		lf_app_put(app);
		return ERR_PTR(ret);
	}
	return app;
}

/* The slot of the message, which @app has, or an error. */
int lf_nl_slot(struct genl_info *info, const struct lf_app *app)
{
	struct nlattr *attr = info->attrs[LITEFLOW_A_SLOT];
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_SLOT);
	if (ret)
		return ret;
	if (nla_get_u32(attr) >= app->n_slots) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr, "app %s has slots 0 to %u only",
					app->name, app->n_slots - 1);
		return -EINVAL;
	}
	return nla_get_u32(attr);
}

/* The private part of the socket, or an ERR_PTR. */
struct lf_nl_sock *lf_nl_sock(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_nl_sock *s = genl_sk_priv_get(&liteflow_nl_family, NETLINK_CB(skb).sk);

	if (IS_ERR(s))
		lf_nl_refuse(info, -ENOMEM, NULL);
	return s;
}

void liteflow_nl_sock_priv_init(struct lf_nl_sock *s)
{
	mutex_init(&s->lock);
}

/*
 * The last of a socket: no message of it is under way. The caller holds the
 * family lock for reading, which no holder of LiteFlow's own locks waits for.
 */
void liteflow_nl_sock_priv_destroy(struct lf_nl_sock *s)
{
	lf_nl_collect_end(s);
	lf_nl_upload_drop(&s->upload);
	mutex_destroy(&s->lock);
}

/* -- dumps --------------------------------------------------------------- */

/**
 * struct lf_nl_dump - where a dump is; in netlink_callback::ctx
 * @key: next snapshot, or compiled model, of the app
 * @id: next app
 * @compiled: the snapshots are done
 * @one: only this app
 */
struct lf_nl_dump {
	u64 key;
	u32 id;
	bool compiled;
	bool one;
};

int liteflow_nl_dump_start(struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_app *app;

	NL_ASSERT_DUMP_CTX_FITS(struct lf_nl_dump);
	if (!net_eq(sock_net(cb->skb->sk), &init_net)) {
		NL_SET_ERR_MSG(cb->extack, LF_NL_ELSEWHERE);
		return -EPERM;
	}
	dump->id = 1;
	if (!info->attrs)
		return lf_nl_no_attrs(false, nlmsg_data(cb->nlh), cb->extack);
	if (!info->attrs[LITEFLOW_A_APP_ID] && !info->attrs[LITEFLOW_A_APP_NAME])
		return 0;
	app = lf_nl_find_app(info->attrs, cb->extack);
	if (IS_ERR(app))
		return PTR_ERR(app);
	dump->id = app->id;
	dump->one = true;
	lf_app_put(app);
	return 0;
}

/* The app that a dump is at, with a reference; NULL: it is over. */
static struct lf_app *lf_nl_dump_app(struct lf_nl_dump *dump)
{
	u16 id = dump->id;
	struct lf_app *app;

	if (dump->id > U16_MAX)
		return NULL;
	if (dump->one)
		return lf_app_get(id);
	app = lf_app_next(&id, NULL);
	if (app && app->id != dump->id) {
		dump->id = app->id;
		dump->key = 0;
		dump->compiled = false;
	}
	return app;
}

static void lf_nl_dump_next_app(struct lf_nl_dump *dump)
{
	dump->id = dump->one ? U16_MAX + 1 : dump->id + 1;
	dump->key = 0;
	dump->compiled = false;
}

/* -- apps ---------------------------------------------------------------- */

/* Room for an app's message without the names of its inputs. */
#define LF_NL_APP_ROOM	512

static int lf_nl_put_app_ref(struct sk_buff *skb, const struct lf_app *app)
{
	return nla_put_u32(skb, LITEFLOW_A_APP_ID, app->id) ?:
	       nla_put_string(skb, LITEFLOW_A_APP_NAME, app->name);
}

/* @features: with the names of the inputs. */
static int lf_nl_put_app(struct sk_buff *skb, struct lf_app *app, bool features)
{
	struct lf_app_info info;
	unsigned int i;

	lf_app_info(app, &info);
	if (lf_nl_put_app_ref(skb, app) ||
	    nla_put_u32(skb, LITEFLOW_A_N_IN, info.n_in) ||
	    nla_put_u32(skb, LITEFLOW_A_N_OUT, info.n_out) ||
	    nla_put_u32(skb, LITEFLOW_A_CONTEXT, info.context) ||
	    nla_put_u32(skb, LITEFLOW_A_POLICY, info.policy) ||
	    nla_put_u32(skb, LITEFLOW_A_AT_LIMIT, info.at_limit) ||
	    nla_put_u32(skb, LITEFLOW_A_N_SLOTS, info.n_slots) ||
	    nla_put_u32(skb, LITEFLOW_A_CAPABILITY, info.capability) ||
	    nla_put_u32(skb, LITEFLOW_A_MAX_MACS, info.max_macs) ||
	    nla_put_u32(skb, LITEFLOW_A_MAX_BYTES, info.max_bytes) ||
	    nla_put_u32(skb, LITEFLOW_A_MAX_RETIRED, info.max_retired) ||
	    nla_put_u32(skb, LITEFLOW_A_SAMPLE_SHIFT, info.sample_shift) ||
	    (info.units[0] && nla_put_string(skb, LITEFLOW_A_UNITS, info.units)) ||
	    (info.user && nla_put_flag(skb, LITEFLOW_A_USER)))
		return -EMSGSIZE;
	if (!features || !info.features)
		return 0;
	for (i = 0; i < info.n_in; i++)
		if (nla_put_string(skb, LITEFLOW_A_FEATURE, info.features[i]))
			return -EMSGSIZE;
	return 0;
}

static int lf_nl_put_app_msg(struct sk_buff *skb, const struct genl_info *info,
			     struct lf_app *app, bool features)
{
	void *head = genlmsg_iput(skb, info);
	int ret;

	if (!head)
		return -EMSGSIZE;
	ret = lf_nl_put_app(skb, app, features);
	if (ret)
		genlmsg_cancel(skb, head);
	else
		genlmsg_end(skb, head);
	return ret;
}

int liteflow_nl_app_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	struct lf_app *app;
	int ret;

	app = lf_nl_find_app(info->attrs, info->extack);
	if (IS_ERR(app))
		return PTR_ERR(app);

	ret = -ENOMEM;
	reply = genlmsg_new(LF_NL_APP_ROOM + app->n_in * nla_total_size(LITEFLOW_NAME_LEN),
			    GFP_KERNEL);
	if (!reply)
		goto put;
	ret = lf_nl_put_app_msg(reply, info, app, true);
	if (ret)
		nlmsg_free(reply);
	else
		ret = genlmsg_reply(reply, info);
put:
	lf_app_put(app);
	return lf_nl_refuse(info, ret, NULL);
}

int liteflow_nl_app_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_app *app;
	int ret;

	for (; (app = lf_nl_dump_app(dump)); lf_nl_dump_next_app(dump)) {
		ret = lf_nl_put_app_msg(skb, genl_info_dump(cb), app, false);
		lf_app_put(app);
		if (ret)
			return ret;
	}
	return 0;
}

static u32 lf_nl_u32_or(struct genl_info *info, int type, u32 otherwise)
{
	return info->attrs[type] ? nla_get_u32(info->attrs[type]) : otherwise;
}

/* -1: as it is */
static s64 lf_nl_or_unchanged(struct genl_info *info, int type)
{
	return info->attrs[type] ? (s64)nla_get_u32(info->attrs[type]) : -1;
}

int liteflow_nl_app_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_app_desc desc = {
		.id = lf_nl_u32_or(info, LITEFLOW_A_APP_ID, 0),
		.n_in = lf_nl_u32_or(info, LITEFLOW_A_N_IN, 0),
		.n_out = lf_nl_u32_or(info, LITEFLOW_A_N_OUT, 0),
		.context = lf_nl_u32_or(info, LITEFLOW_A_CONTEXT, LF_CONTEXT_SOFTIRQ),
		.policy = lf_nl_u32_or(info, LITEFLOW_A_POLICY, LF_POLICY_PIN),
		.at_limit = lf_nl_u32_or(info, LITEFLOW_A_AT_LIMIT, LF_AT_LIMIT_REPIN),
		.n_slots = lf_nl_u32_or(info, LITEFLOW_A_N_SLOTS, 0),
		.capability = lf_nl_u32_or(info, LITEFLOW_A_CAPABILITY, CAP_NET_ADMIN),
		.max_macs = lf_nl_u32_or(info, LITEFLOW_A_MAX_MACS, 0),
		.max_bytes = lf_nl_u32_or(info, LITEFLOW_A_MAX_BYTES, 0),
		.max_retired = lf_nl_u32_or(info, LITEFLOW_A_MAX_RETIRED, 0),
	};
	struct nlattr *units = info->attrs[LITEFLOW_A_UNITS];
	struct lf_error err = {};
	struct sk_buff *reply;
	struct lf_app *app;
	void *head;
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_APP_NAME) ?:
	      lf_nl_need(info, LITEFLOW_A_N_IN) ?:
	      lf_nl_need(info, LITEFLOW_A_N_OUT);
	if (ret)
		return ret;
	if (desc.capability != CAP_NET_ADMIN && desc.capability != CAP_SYS_ADMIN) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[LITEFLOW_A_CAPABILITY],
				    "not a capability of apps: CAP_NET_ADMIN or CAP_SYS_ADMIN");
		return -EINVAL;
	}
	if (!netlink_capable(skb, desc.capability)) {
		NL_SET_ERR_MSG(info->extack,
			       "not permitted: to add an app takes the capability of that app");
		return -EPERM;
	}
	desc.name = nla_data(info->attrs[LITEFLOW_A_APP_NAME]);
	if (units)
		desc.units = nla_data(units);

	reply = genlmsg_new(LF_NL_APP_ROOM, GFP_KERNEL);
	if (!reply)
		return lf_nl_refuse(info, -ENOMEM, NULL);
	app = lf_app_add(&desc, true, &err);
	ret = PTR_ERR_OR_ZERO(app);
	if (!ret) {
		/* The app is anybody's to delete by now: look it up. */
		app = lf_app_get_by_name(desc.name);
		ret = app ? 0 : -ENODEV;
	}
	if (ret) {
		nlmsg_free(reply);
		return lf_nl_refuse(info, ret, &err);
	}
	head = genlmsg_iput(reply, info);
	/* LF_NL_APP_ROOM is enough by far. */
	WARN_ON_ONCE(!head || lf_nl_put_app_ref(reply, app));
	lf_app_put(app);
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

int liteflow_nl_app_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_error err = {};
	struct lf_app *app;
	int ret;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	ret = lf_app_del_user(app, &err);
	lf_app_put(app);
	return lf_nl_refuse(info, ret, &err);
}

int liteflow_nl_app_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_error err = {};
	struct lf_app *app;
	int ret;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	ret = lf_app_set(app, lf_nl_or_unchanged(info, LITEFLOW_A_POLICY),
			 lf_nl_or_unchanged(info, LITEFLOW_A_AT_LIMIT),
			 lf_nl_or_unchanged(info, LITEFLOW_A_MAX_RETIRED),
			 lf_nl_or_unchanged(info, LITEFLOW_A_SAMPLE_SHIFT), &err);
	lf_app_put(app);
	return lf_nl_refuse(info, ret, &err);
}

/* -- snapshots ----------------------------------------------------------- */

static int lf_nl_put_snapshot(struct sk_buff *skb, const struct lf_snapshot_info *snap)
{
	if ((snap->slot >= 0 && nla_put_u32(skb, LITEFLOW_A_SLOT, snap->slot)) ||
	    nla_put_u32(skb, LITEFLOW_A_VERSION, snap->version) ||
	    nla_put_u32(skb, LITEFLOW_A_STATE, snap->state) ||
	    nla_put_u32(skb, LITEFLOW_A_KIND,
			snap->compiled ? LITEFLOW_KIND_COMPILED : LITEFLOW_KIND_DATA) ||
	    nla_put_string(skb, LITEFLOW_A_MODEL_NAME, snap->name) ||
	    (!snap->compiled &&
	     nla_put(skb, LITEFLOW_A_DIGEST, sizeof(snap->digest), snap->digest)) ||
	    nla_put_u32(skb, LITEFLOW_A_BYTES, snap->bytes) ||
	    nla_put_u32(skb, LITEFLOW_A_MACS, snap->macs) ||
	    nla_put_u32(skb, LITEFLOW_A_WIDTH, snap->width) ||
	    nla_put_u32(skb, LITEFLOW_A_PINS, snap->pins) ||
	    nla_put_uint(skb, LITEFLOW_A_QUERIES, snap->queries) ||
	    (snap->provenance[0] &&
	     nla_put_string(skb, LITEFLOW_A_PROVENANCE, snap->provenance)))
		return -EMSGSIZE;
	return 0;
}

static int lf_nl_put_registered(struct sk_buff *skb, const char *name)
{
	return nla_put_u32(skb, LITEFLOW_A_STATE, LITEFLOW_STATE_REGISTERED) ?:
	       nla_put_u32(skb, LITEFLOW_A_KIND, LITEFLOW_KIND_COMPILED) ?:
	       nla_put_string(skb, LITEFLOW_A_MODEL_NAME, name);
}

/* One message of an app: 0, -ENOENT behind the last one, or -EMSGSIZE. */
static int lf_nl_put_one(struct sk_buff *skb, struct netlink_callback *cb, struct lf_app *app)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_snapshot_info snap;
	char name[LITEFLOW_NAME_LEN];
	void *head;
	u32 key;
	int ret;

	if (!dump->compiled && !lf_snapshot_next(app, &dump->key, &snap)) {
		dump->compiled = true;
		dump->key = 0;
	}
	if (dump->compiled) {
		key = dump->key;
		if (!lf_compiled_next(app, &key, name, NULL))
			return -ENOENT;
		dump->key = key;
	}
	head = genlmsg_iput(skb, genl_info_dump(cb));
	if (!head)
		return -EMSGSIZE;
	ret = lf_nl_put_app_ref(skb, app) ?:
	      dump->compiled ? lf_nl_put_registered(skb, name) : lf_nl_put_snapshot(skb, &snap);
	if (ret) {
		genlmsg_cancel(skb, head);
		return ret;
	}
	genlmsg_end(skb, head);
	dump->key++;
	return 0;
}

int liteflow_nl_slot_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_app *app;
	int ret;

	for (; (app = lf_nl_dump_app(dump)); lf_nl_dump_next_app(dump)) {
		do
			ret = lf_nl_put_one(skb, cb, app);
		while (!ret);
		lf_app_put(app);
		if (ret != -ENOENT)
			return ret;
	}
	return 0;
}

/* -- statistics ---------------------------------------------------------- */

static int lf_nl_put_stats(struct sk_buff *skb, struct lf_app *app)
{
	struct lf_app_stats stats;
	struct nlattr *hist;
	unsigned int i;
	u64 bucket;

	lf_app_stats(app, &stats);
	if (lf_nl_put_app_ref(skb, app) ||
	    nla_put_uint(skb, LITEFLOW_A_QUERIES, stats.c.queries) ||
	    nla_put_uint(skb, LITEFLOW_A_NO_MODEL, stats.c.no_model) ||
	    nla_put_uint(skb, LITEFLOW_A_BAD_CONTEXT, stats.c.context) ||
	    nla_put_uint(skb, LITEFLOW_A_REPINS, stats.c.repins) ||
	    nla_put_uint(skb, LITEFLOW_A_EVICTIONS, stats.c.evictions) ||
	    nla_put_uint(skb, LITEFLOW_A_RETIRED_BYTES, stats.retired_bytes) ||
	    nla_put_uint(skb, LITEFLOW_A_SAMPLES, stats.c.samples) ||
	    nla_put_uint(skb, LITEFLOW_A_SAMPLES_NS, stats.c.ns))
		return -EMSGSIZE;
	hist = nla_reserve(skb, LITEFLOW_A_HISTOGRAM, LF_HIST_BUCKETS * sizeof(u64));
	if (!hist)
		return -EMSGSIZE;
	for (i = 0; i < LF_HIST_BUCKETS; i++) {
		bucket = stats.c.hist[i];
		/* The payload is aligned to 4 bytes only. */
		memcpy(nla_data(hist) + i * sizeof(u64), &bucket, sizeof(u64));
	}
	return 0;
}

int liteflow_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lf_nl_dump *dump = (void *)cb->ctx;
	struct lf_app *app;
	void *head;

	for (; (app = lf_nl_dump_app(dump)); lf_nl_dump_next_app(dump)) {
		head = genlmsg_iput(skb, genl_info_dump(cb));
		if (!head || lf_nl_put_stats(skb, app)) {
			if (head)
				genlmsg_cancel(skb, head);
			lf_app_put(app);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, head);
		lf_app_put(app);
	}
	return 0;
}

/* -- notices ------------------------------------------------------------- */

/*
 * Tell the group "notice" what happened. Best effort: a notice that finds no
 * memory is left out.
 */
static int lf_nl_notify(struct notifier_block *block, unsigned long event, void *data)
{
	const struct lf_notice *notice = data;
	struct sk_buff *skb;
	void *head;

	if (!genl_has_listeners(&liteflow_nl_family, &init_net, LITEFLOW_NLGRP_NOTICE))
		return NOTIFY_DONE;
	/* GFP_ATOMIC: GFP_KERNEL would yield to listeners that do not keep up */
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	if (!skb)
		return NOTIFY_DONE;
	head = genlmsg_put(skb, 0, 0, &liteflow_nl_family, 0, LITEFLOW_CMD_NOTICE);
	if (!head || nla_put_u32(skb, LITEFLOW_A_EVENT, event) ||
	    lf_nl_put_app_ref(skb, notice->app) ||
	    (notice->slot >= 0 && nla_put_u32(skb, LITEFLOW_A_SLOT, notice->slot)) ||
	    nla_put_u32(skb, LITEFLOW_A_VERSION, notice->version)) {
		nlmsg_free(skb);
		return NOTIFY_DONE;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&liteflow_nl_family, skb, 0, LITEFLOW_NLGRP_NOTICE, GFP_ATOMIC);
	return NOTIFY_OK;
}

static struct notifier_block lf_nl_notifier = {
	.notifier_call = lf_nl_notify,
};

static int __init lf_nl_init(void)
{
	int ret = genl_register_family(&liteflow_nl_family);

	if (ret)
		return ret;
	/* Apps may have been registered before; of those nobody is told. */
	return blocking_notifier_chain_register(&lf_notifiers, &lf_nl_notifier);
}
device_initcall(lf_nl_init);
