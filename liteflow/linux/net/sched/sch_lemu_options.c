// SPDX-License-Identifier: GPL-2.0-only
/*
 * The qdisc "lemu": its options, from a message and into one.
 */
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "sch_lemu.h"

static const struct nla_policy lemu_policy[TCA_LEMU_MAX + 1] = {
	[TCA_LEMU_APP]		= { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_LEN - 1 },
	[TCA_LEMU_CAPACITY]	= { .type = NLA_U64 },
	[TCA_LEMU_QUEUE]	= { .type = NLA_U32 },
	[TCA_LEMU_DELAY]	= { .type = NLA_U64 },
	[TCA_LEMU_LIMIT]	= { .type = NLA_U32 },
	[TCA_LEMU_ECN]		= NLA_POLICY_MAX(NLA_U8, 1),
};

/* For messages; with the length that an option has, 0: a string. */
static const struct {
	const char *name;
	u16 len;
} lemu_words[TCA_LEMU_MAX + 1] = {
	[TCA_LEMU_APP]		= { "app", 0 },
	[TCA_LEMU_CAPACITY]	= { "capacity", sizeof(u64) },
	[TCA_LEMU_QUEUE]	= { "queue", sizeof(u32) },
	[TCA_LEMU_DELAY]	= { "delay", sizeof(u64) },
	[TCA_LEMU_LIMIT]	= { "limit", sizeof(u32) },
	[TCA_LEMU_ECN]		= { "ecn", sizeof(u8) },
};

/* nla_parse() would refuse it as well, but not say which option it is. */
static int lemu_check_lengths(const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct nlattr *nla;
	int type, len, rem;

	nla_for_each_nested(nla, opt, rem) {
		type = nla_type(nla);
		if (type > TCA_LEMU_MAX || !lemu_words[type].name)
			continue;
		len = nla_len(nla);
		if (lemu_words[type].len && len != lemu_words[type].len) {
			NL_SET_ERR_MSG_FMT_MOD(extack, "%s: has %d bytes, give %u",
					       lemu_words[type].name, len, lemu_words[type].len);
			return -EINVAL;
		}
		if (!lemu_words[type].len &&
		    (len > LITEFLOW_NAME_LEN || strnlen(nla_data(nla), len) == len)) {
			NL_SET_ERR_MSG_FMT_MOD(extack, "%s: give a name of at most %d bytes, and 0",
					       lemu_words[type].name, LITEFLOW_NAME_LEN - 1);
			return -EINVAL;
		}
	}
	if (rem) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "options: %d bytes behind the last one", rem);
		return -EINVAL;
	}
	return 0;
}

static int lemu_parse_capacity(const struct nlattr *nla, struct lemu_link *link,
			       struct netlink_ext_ack *extack)
{
	u64 capacity = nla_get_u64(nla);

	if (capacity < LEMU_MIN_CAPACITY || capacity > LEMU_MAX_CAPACITY) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "capacity: %llu bytes/s, give %llu to %llu",
				       capacity, LEMU_MIN_CAPACITY, LEMU_MAX_CAPACITY);
		return -ERANGE;
	}
	link->capacity = capacity;
	return 0;
}

static int lemu_parse_queue(const struct nlattr *nla, struct lemu_link *link, u32 packet,
			    struct netlink_ext_ack *extack)
{
	u32 queue = nla_get_u32(nla);

	if (queue < packet || queue > LEMU_MAX_QUEUE) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "queue: %u bytes, give %u (a packet) to %u",
				       queue, packet, LEMU_MAX_QUEUE);
		return -ERANGE;
	}
	link->queue = queue;
	return 0;
}

static int lemu_parse_delay(const struct nlattr *nla, struct lemu_link *link,
			    struct netlink_ext_ack *extack)
{
	u64 delay = nla_get_u64(nla);

	if (delay > LEMU_MAX_DELAY) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "delay: %llu ns, give 0 to %llu", delay,
				       LEMU_MAX_DELAY);
		return -ERANGE;
	}
	link->delay = delay;
	return 0;
}

static int lemu_parse_link(struct Qdisc *sch, struct nlattr **tb, struct lemu_link *link,
			   struct netlink_ext_ack *extack)
{
	u32 packet = psched_mtu(qdisc_dev(sch));
	int ret = 0;

	if (tb[TCA_LEMU_CAPACITY])
		ret = lemu_parse_capacity(tb[TCA_LEMU_CAPACITY], link, extack);
	if (!ret && tb[TCA_LEMU_QUEUE])
		ret = lemu_parse_queue(tb[TCA_LEMU_QUEUE], link, packet, extack);
	if (!ret && tb[TCA_LEMU_DELAY])
		ret = lemu_parse_delay(tb[TCA_LEMU_DELAY], link, extack);
	if (ret)
		return ret;
	if (!link->capacity) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "capacity: missing, give %llu to %llu bytes/s",
				       LEMU_MIN_CAPACITY, LEMU_MAX_CAPACITY);
		return -EINVAL;
	}
	if (!link->queue) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "queue: missing, give %u (a packet) to %u bytes",
				       packet, LEMU_MAX_QUEUE);
		return -EINVAL;
	}
	if (tb[TCA_LEMU_LIMIT])
		link->limit = nla_get_u32(tb[TCA_LEMU_LIMIT]);
	if (tb[TCA_LEMU_ECN])
		link->ecn = nla_get_u8(tb[TCA_LEMU_ECN]);
	return 0;
}

/*
 * A model is the host's, and may take half a CPU: root of a user namespace does not
 * get to run it, only the byte queue. rtnetlink made sure that whoever asks, and whoever
 * opened the socket, has CAP_NET_ADMIN over the device's network namespace; so it is
 * enough to look whose that is. capable() would only see the one who writes.
 */
static int lemu_parse_app(struct Qdisc *sch, const struct nlattr *nla,
			  struct lemu_options *options, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(nla);

	options->app_given = true;
	if (!*name)
		return 0;
	if (dev_net(qdisc_dev(sch))->user_ns != &init_user_ns) {
		NL_SET_ERR_MSG_MOD(extack, "app: not in a user namespace, leave it out there");
		return -EPERM;
	}
	options->app = lf_app_get_by_name(name);
	if (!options->app) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "app: there is no \"%s\"", name);
		return -ENOENT;
	}
	strscpy(options->name, name);
	return 0;
}

/**
 * lemu_parse() - read a message, and change nothing
 * @sch: the qdisc; what the message leaves out stays as it is there
 * @opt: TCA_OPTIONS
 * @options: result, whose app has a reference
 * @extack: says which option is wrong, and its range
 *
 * Return: 0 or a negative error; then there is no reference.
 */
int lemu_parse(struct Qdisc *sch, struct nlattr *opt, struct lemu_options *options,
	       struct netlink_ext_ack *extack)
{
	const struct lemu_sched *q = qdisc_priv(sch);
	struct nlattr *tb[TCA_LEMU_MAX + 1];
	struct lf_app *app;
	int ret;

	*options = (struct lemu_options) { .link = q->link };
	ret = lemu_check_lengths(opt, extack);
	if (ret)
		return ret;
	/* strict, but for NLA_F_NESTED, which tools leave out */
	ret = nla_parse(tb, TCA_LEMU_MAX, nla_data(opt), nla_len(opt), lemu_policy, extack);
	if (ret)
		return ret;
	ret = lemu_parse_link(sch, tb, &options->link, extack);
	if (!ret && tb[TCA_LEMU_APP])
		ret = lemu_parse_app(sch, tb[TCA_LEMU_APP], options, extack);
	if (ret)
		return ret;
	app = options->app_given ? options->app : q->model.app;
	if (app)
		ret = lemu_model_check(app, &options->link, extack);
	if (ret && options->app)
		lf_app_put(options->app);
	return ret;
}

/* What adds the same again. */
int lemu_dump(struct Qdisc *sch, struct sk_buff *skb)
{
	const struct lemu_sched *q = qdisc_priv(sch);
	const struct lemu_link *link = &q->link;
	struct nlattr *nest;

	nest = nla_nest_start(skb, TCA_OPTIONS);
	if (!nest)
		return -EMSGSIZE;
	if ((q->model.name[0] && nla_put_string(skb, TCA_LEMU_APP, q->model.name)) ||
	    nla_put_u64_64bit(skb, TCA_LEMU_CAPACITY, link->capacity, TCA_LEMU_PAD) ||
	    nla_put_u32(skb, TCA_LEMU_QUEUE, link->queue) ||
	    nla_put_u64_64bit(skb, TCA_LEMU_DELAY, link->delay, TCA_LEMU_PAD) ||
	    nla_put_u32(skb, TCA_LEMU_LIMIT, link->limit) ||
	    nla_put_u8(skb, TCA_LEMU_ECN, link->ecn)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	return nla_nest_end(skb, nest);
}
