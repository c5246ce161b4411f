// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: what its operations share. It calls none of the
 * files that implement them.
 *
 * Apps belong to the whole machine, so every operation is refused outside the
 * initial network namespace: a capability there says nothing about this one.
 * What an operation changes needs the capability of the app, of whoever opened
 * the socket and of whoever sends.
 */
#include <linux/capability.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "genl_gen.h"
#include "internal.h"
#include "netlink.h"

/* The app's number and name, and the slot, are the same in all sets. */
#define LF_NL_SAME(set) \
	static_assert((int)LITEFLOW_A_##set##_APP_ID == (int)LITEFLOW_A_APP_ID && \
		      (int)LITEFLOW_A_##set##_APP_NAME == (int)LITEFLOW_A_APP_NAME)
LF_NL_SAME(MODEL);
LF_NL_SAME(STATS);
LF_NL_SAME(EVAL);
LF_NL_SAME(COLLECT);
LF_NL_SAME(NOTICE);
static_assert((int)LITEFLOW_A_EVAL_SLOT == (int)LITEFLOW_A_MODEL_SLOT);

#define LF_NL_ELSEWHERE \
	"LiteFlow is the whole machine's: ask in the initial network namespace"

/* -- requests ------------------------------------------------------------ */

/* Generic netlink looks at attributes only where there is a policy. */
static int lf_nl_no_attrs(bool policy, const struct genlmsghdr *hdr,
			  struct netlink_ext_ack *extack)
{
	if (policy || !genlmsg_len(hdr))
		return 0;
	NL_SET_ERR_MSG(extack, "this operation takes no attributes");
	if (genlmsg_len(hdr) >= NLA_HDRLEN)
		NL_SET_BAD_ATTR(extack, genlmsg_data(hdr));
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

/* @name: of the attribute in the specification */
int lf_nl_need(struct genl_info *info, int type, const char *name)
{
	if (info->attrs[type])
		return 0;
	NL_SET_ERR_MSG_FMT(info->extack, "attribute \"%s\" is missing", name);
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
	struct nlattr *attr = info->attrs[LITEFLOW_A_MODEL_SLOT];
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_MODEL_SLOT, "slot");
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

/* -- dumps --------------------------------------------------------------- */

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
	/* counts what was not the same all the time; 0 would be no sequence */
	cb->seq = 1;
	if (!info->attrs)
		return lf_nl_no_attrs(false, nlmsg_data(cb->nlh), cb->extack);
	if (!info->attrs[LITEFLOW_A_APP_ID] && !info->attrs[LITEFLOW_A_APP_NAME])
		return 0;
	app = lf_nl_find_app(info->attrs, cb->extack);
	if (IS_ERR(app))
		return PTR_ERR(app);
	dump->id = app->id;
	dump->one = true;
	/* compared only */
	dump->app = app;
	lf_app_put(app);
	return 0;
}

/*
 * Is it still what the dump saw before? If not, the next message says so. A
 * generation is never 0.
 */
void lf_nl_dump_check(struct netlink_callback *cb, u32 *generation, u32 now)
{
	if (*generation && *generation != now)
		cb->seq++;
	*generation = now;
}

/* Behind the app that a dump is at. */
void lf_nl_dump_next_app(struct lf_nl_dump *dump)
{
	dump->id = dump->one ? U16_MAX + 1 : dump->id + 1;
	dump->key = 0;
	dump->app_generation = 0;
	dump->compiled = false;
}

/* The one app of a dump; whoever took its number meanwhile is another one. */
static struct lf_app *lf_nl_dump_one(struct netlink_callback *cb, struct lf_nl_dump *dump)
{
	struct lf_app *app = lf_app_get(dump->id);

	if (app && app == dump->app)
		return app;
	cb->seq++;
	if (app)
		lf_app_put(app);
	return NULL;
}

/* The app that a dump is at, with a reference; NULL: it is over. */
struct lf_app *lf_nl_dump_app(struct netlink_callback *cb, struct lf_nl_dump *dump)
{
	u16 id = dump->id;
	struct lf_app *app;
	u32 generation;

	if (dump->id > U16_MAX)
		return NULL;
	if (dump->one)
		return lf_nl_dump_one(cb, dump);
	app = lf_app_next(&id, &generation);
	lf_nl_dump_check(cb, &dump->generation, generation);
	if (app && app->id != dump->id) {
		lf_nl_dump_next_app(dump);
		dump->id = app->id;
	}
	return app;
}

/* -- answers ------------------------------------------------------------- */

/* The first two attributes of whatever concerns an app. */
int lf_nl_put_app_ref(struct sk_buff *skb, const struct lf_app *app)
{
	return nla_put_u32(skb, LITEFLOW_A_APP_ID, app->id) ?:
	       nla_put_string(skb, LITEFLOW_A_APP_NAME, app->name);
}
