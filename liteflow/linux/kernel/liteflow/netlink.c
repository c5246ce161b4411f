// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: the family itself, its sockets, its notices. The
 * operations are in netlink_app.c, netlink_model.c and netlink_data.c, what they
 * share is in netlink_common.c.
 */
#include <linux/init.h>
#include <linux/notifier.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "genl_gen.h"
#include "internal.h"
#include "netlink.h"

/* The core's events and those of the uapi are the same numbers. */
static_assert((int)LF_EVENT_APP_ADDED == (int)LITEFLOW_EVENT_APP_ADDED);
static_assert((int)LF_EVENT_APP_REMOVED == (int)LITEFLOW_EVENT_APP_REMOVED);
static_assert((int)LF_EVENT_INSTALLED == (int)LITEFLOW_EVENT_INSTALLED);
static_assert((int)LF_EVENT_ACTIVATED == (int)LITEFLOW_EVENT_ACTIVATED);
static_assert((int)LF_EVENT_REMOVED == (int)LITEFLOW_EVENT_REMOVED);
static_assert((int)LF_EVENT_EVICTED == (int)LITEFLOW_EVENT_EVICTED);

/* -- sockets ------------------------------------------------------------- */

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
	if (!head || nla_put_u32(skb, LITEFLOW_A_NOTICE_EVENT, event) ||
	    lf_nl_put_app_ref(skb, notice->app) ||
	    (notice->slot >= 0 && nla_put_u32(skb, LITEFLOW_A_NOTICE_SLOT, notice->slot)) ||
	    nla_put_u32(skb, LITEFLOW_A_NOTICE_VERSION, notice->version)) {
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
