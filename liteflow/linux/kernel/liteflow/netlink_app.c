// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: apps and their statistics.
 */
#include <linux/capability.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "genl_gen.h"
#include "internal.h"
#include "netlink.h"

/* The core's enums and those of the uapi are the same numbers. */
static_assert((int)LF_CONTEXT_ATOMIC == (int)LITEFLOW_CONTEXT_ATOMIC);
static_assert((int)LF_CONTEXT_SOFTIRQ == (int)LITEFLOW_CONTEXT_SOFTIRQ);
static_assert((int)LF_POLICY_PIN == (int)LITEFLOW_POLICY_PIN);
static_assert((int)LF_POLICY_FOLLOW == (int)LITEFLOW_POLICY_FOLLOW);
static_assert((int)LF_AT_LIMIT_REPIN == (int)LITEFLOW_AT_LIMIT_REPIN);
static_assert((int)LF_AT_LIMIT_REFUSE == (int)LITEFLOW_AT_LIMIT_REFUSE);
/* The specification's limits are the core's. */
static_assert(LITEFLOW_NAME_MAX + 1 == LITEFLOW_NAME_LEN);
static_assert(LITEFLOW_WIDTH_MAX == LITEFLOW_MAX_WIDTH);
static_assert(LF_MIN_SLOTS == LITEFLOW_SLOTS_MIN);
static_assert(LF_MAX_SLOTS == LITEFLOW_SLOTS_MAX);
static_assert(LF_MAX_SAMPLE_SHIFT == LITEFLOW_SAMPLE_SHIFT_MAX);

/* -- apps ---------------------------------------------------------------- */

/* Room for an app's message without the names of its inputs. */
#define LF_NL_APP_ROOM		512
#define LF_NL_FEATURE_ROOM	nla_total_size(nla_total_size(LITEFLOW_NAME_LEN))

static int lf_nl_put_feature(struct sk_buff *skb, const char *name)
{
	struct nlattr *nest = nla_nest_start(skb, LITEFLOW_A_APP_FEATURE);

	if (!nest || nla_put_string(skb, LITEFLOW_A_FEATURE_NAME, name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @features: with the names of the inputs. */
static int lf_nl_put_app(struct sk_buff *skb, struct lf_app *app, bool features)
{
	struct lf_app_info info;
	unsigned int i;

	lf_app_info(app, &info);
	if (lf_nl_put_app_ref(skb, app) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_N_IN, info.n_in) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_N_OUT, info.n_out) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_CONTEXT, info.context) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_POLICY, info.policy) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_AT_LIMIT, info.at_limit) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_N_SLOTS, info.n_slots) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_CAPABILITY, info.capability) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_MAX_MACS, info.max_macs) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_MAX_BYTES, info.max_bytes) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_MAX_RETIRED, info.max_retired) ||
	    nla_put_u32(skb, LITEFLOW_A_APP_SAMPLE_SHIFT, info.sample_shift) ||
	    (info.units[0] && nla_put_string(skb, LITEFLOW_A_APP_UNITS, info.units)) ||
	    (info.user && nla_put_flag(skb, LITEFLOW_A_APP_USER)) ||
	    (info.max_state && nla_put_u32(skb, LITEFLOW_A_APP_MAX_STATE, info.max_state)))
		return -EMSGSIZE;
	if (!features || !info.features)
		return 0;
	for (i = 0; i < info.n_in; i++)
		if (lf_nl_put_feature(skb, info.features[i]))
			return -EMSGSIZE;
	return 0;
}

/* @cb: NULL if it is no dump */
static int lf_nl_put_app_msg(struct sk_buff *skb, const struct genl_info *info,
			     struct netlink_callback *cb, struct lf_app *app, bool features)
{
	void *head = genlmsg_iput(skb, info);
	int ret;

	if (!head)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, head);
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
	reply = genlmsg_new(LF_NL_APP_ROOM + app->n_in * LF_NL_FEATURE_ROOM, GFP_KERNEL);
	if (!reply)
		goto put;
	ret = lf_nl_put_app_msg(reply, info, NULL, app, true);
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

	for (; (app = lf_nl_dump_app(cb, dump)); lf_nl_dump_next_app(dump)) {
		ret = lf_nl_put_app_msg(skb, genl_info_dump(cb), cb, app, false);
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
		.n_in = lf_nl_u32_or(info, LITEFLOW_A_APP_N_IN, 0),
		.n_out = lf_nl_u32_or(info, LITEFLOW_A_APP_N_OUT, 0),
		.context = lf_nl_u32_or(info, LITEFLOW_A_APP_CONTEXT, LF_CONTEXT_SOFTIRQ),
		.policy = lf_nl_u32_or(info, LITEFLOW_A_APP_POLICY, LF_POLICY_PIN),
		.at_limit = lf_nl_u32_or(info, LITEFLOW_A_APP_AT_LIMIT, LF_AT_LIMIT_REPIN),
		.n_slots = lf_nl_u32_or(info, LITEFLOW_A_APP_N_SLOTS, 0),
		.capability = lf_nl_u32_or(info, LITEFLOW_A_APP_CAPABILITY, CAP_NET_ADMIN),
		.max_macs = lf_nl_u32_or(info, LITEFLOW_A_APP_MAX_MACS, 0),
		.max_bytes = lf_nl_u32_or(info, LITEFLOW_A_APP_MAX_BYTES, 0),
		.max_retired = lf_nl_u32_or(info, LITEFLOW_A_APP_MAX_RETIRED, 0),
		.max_state = lf_nl_u32_or(info, LITEFLOW_A_APP_MAX_STATE, 0),
	};
	struct nlattr *units = info->attrs[LITEFLOW_A_APP_UNITS];
	struct lf_error err = {};
	struct sk_buff *reply;
	struct lf_app *app;
	void *head;
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_APP_NAME, "name") ?:
	      lf_nl_need(info, LITEFLOW_A_APP_N_IN, "n-in") ?:
	      lf_nl_need(info, LITEFLOW_A_APP_N_OUT, "n-out");
	if (ret)
		return ret;
	if (desc.capability != CAP_NET_ADMIN && desc.capability != CAP_SYS_ADMIN) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[LITEFLOW_A_APP_CAPABILITY],
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
	ret = lf_app_set(app, lf_nl_or_unchanged(info, LITEFLOW_A_APP_POLICY),
			 lf_nl_or_unchanged(info, LITEFLOW_A_APP_AT_LIMIT),
			 lf_nl_or_unchanged(info, LITEFLOW_A_APP_MAX_RETIRED),
			 lf_nl_or_unchanged(info, LITEFLOW_A_APP_SAMPLE_SHIFT), &err);
	lf_app_put(app);
	return lf_nl_refuse(info, ret, &err);
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
	    nla_put_uint(skb, LITEFLOW_A_STATS_QUERIES, stats.c.queries) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_NO_MODEL, stats.c.no_model) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_BAD_CONTEXT, stats.c.context) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_REPINS, stats.c.repins) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_EVICTIONS, stats.c.evictions) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_RETIRED_BYTES, stats.retired_bytes) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_SAMPLES, stats.c.samples) ||
	    nla_put_uint(skb, LITEFLOW_A_STATS_SAMPLES_NS, stats.c.ns))
		return -EMSGSIZE;
	hist = nla_reserve(skb, LITEFLOW_A_STATS_HISTOGRAM, LF_HIST_BUCKETS * sizeof(u64));
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

	for (; (app = lf_nl_dump_app(cb, dump)); lf_nl_dump_next_app(dump)) {
		head = genlmsg_iput(skb, genl_info_dump(cb));
		if (!head || lf_nl_put_stats(skb, app)) {
			if (head)
				genlmsg_cancel(skb, head);
			lf_app_put(app);
			return -EMSGSIZE;
		}
		genl_dump_check_consistent(cb, head);
		genlmsg_end(skb, head);
		lf_app_put(app);
	}
	return 0;
}
