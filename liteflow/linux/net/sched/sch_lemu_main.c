// SPDX-License-Identifier: GPL-2.0-only
/*
 * The qdisc "lemu": a link that a recurrent network in a slot of LiteFlow emulates.
 *
 * For each packet the model is told the work that the link could do since the previous
 * one, the packet's size, and the link's capacity and queue. It says how full the queue
 * is now, and whether the packet is lost. What is not lost leaves when the queue before
 * it was sent and the delay has passed. Packets never overtake each other.
 *
 * Without a model that answers, the queue is one of bytes, in plain arithmetic. See
 * Documentation/networking/sch_lemu.rst.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <net/gso.h>
#include <net/inet_ecn.h>

#include "sch_lemu.h"

#define CREATE_TRACE_POINTS
#include <trace/events/lemu.h>

/**
 * struct lemu_skb_cb - a packet's note, in its control block
 * @departure: when it leaves, by the qdisc's clock, ns
 */
struct lemu_skb_cb {
	u64 departure;
};

static struct lemu_skb_cb *lemu_skb_cb(const struct sk_buff *skb)
{
	qdisc_cb_private_validate(skb, sizeof(struct lemu_skb_cb));
	return (struct lemu_skb_cb *)qdisc_skb_cb(skb)->data;
}

/* The byte queue judges where no model does. */
static void lemu_judge(struct Qdisc *sch, u32 size, u64 now, struct lemu_verdict *verdict)
{
	struct lemu_sched *q = qdisc_priv(sch);

	*verdict = (struct lemu_verdict) {
		.work = lemu_pace_take(&q->pace, q->link.capacity, now),
	};
	q->history.steps[q->history.n++ % LEMU_HISTORY] = (struct lemu_step) {
		.work = verdict->work, .size = size,
	};
	if (q->model.app) {
		if (lemu_model_judge(sch, size, verdict))
			return;
		q->stats.fallback++;
	}
	verdict->drop = lemu_queue_packet(&q->backlog, verdict->work, size, q->link.queue);
	verdict->backlog = q->backlog;
}

static void lemu_trace(struct Qdisc *sch, const struct lemu_verdict *verdict, u32 size, u64 gap,
		       u64 now, u64 departure, bool lost)
{
	const struct lemu_sched *q = qdisc_priv(sch);

	trace_lemu_packet(sch, q->stats.packets, gap, verdict, size, now, departure, lost,
			  q->stats.lost);
}

/*
 * One packet, no larger than the link's. As NET_XMIT_*: what the link loses is no sign
 * of congestion in this machine, what is above the limit is.
 */
static int lemu_enqueue_packet(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free,
			       u64 now)
{
	struct lemu_sched *q = qdisc_priv(sch);
	u64 gap = q->pace.begun ? now - q->pace.last : 0;
	u32 size = qdisc_pkt_len(skb);
	struct lemu_verdict verdict;
	u64 departure;
	bool lost;

	q->stats.packets++;
	if (unlikely(sch->q.qlen >= sch->limit)) {
		q->stats.over_limit++;
		return qdisc_drop(skb, sch, to_free);
	}
	lemu_judge(sch, size, now, &verdict);
	departure = lemu_departure(&q->link, q->departure, now, verdict.backlog);
	lost = verdict.drop && !(q->link.ecn && INET_ECN_set_ce(skb));
	q->stats.marked += verdict.drop && !lost;
	q->stats.lost += lost;
	if (trace_lemu_packet_enabled())
		lemu_trace(sch, &verdict, size, gap, now, departure, lost);
	if (lost) {
		qdisc_qstats_drop(sch);
		__qdisc_drop(skb, to_free);
		return NET_XMIT_SUCCESS | __NET_XMIT_BYPASS;
	}

	q->departure = departure;
	lemu_skb_cb(skb)->departure = departure;
	/* else TCP would take the time on the link for one in the device's queue */
	skb_orphan_partial(skb);
	return qdisc_enqueue_tail(skb, sch);
}

/* The link carries packets, not what the network card would cut into them. */
static int lemu_enqueue_segments(struct sk_buff *skb, struct Qdisc *sch,
				 struct sk_buff **to_free, u64 now)
{
	netdev_features_t features = netif_skb_features(skb);
	unsigned int prev_len = qdisc_pkt_len(skb), len = 0, size;
	struct sk_buff *segs, *next;
	int queued = 0, ret, worst = NET_XMIT_SUCCESS | __NET_XMIT_BYPASS;

	segs = skb_gso_segment(skb, features & ~NETIF_F_GSO_MASK);
	if (IS_ERR_OR_NULL(segs))
		return qdisc_drop(skb, sch, to_free);
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		lemu_size_segment(segs, sch);
		size = qdisc_pkt_len(segs);
		ret = lemu_enqueue_packet(segs, sch, to_free, now);
		if (ret == NET_XMIT_SUCCESS) {
			queued++;
			len += size;
		} else if (ret == NET_XMIT_DROP) {
			worst = ret;
		}
	}
	consume_skb(skb);
	if (!queued)
		return worst;
	/* parents count one packet of prev_len when this returns */
	qdisc_tree_reduce_backlog(sch, 1 - queued, prev_len - len);
	return NET_XMIT_SUCCESS;
}

/**
 * lemu_enqueue_at() - a packet comes
 * @skb: it
 * @sch: the qdisc
 * @to_free: list of what is to be freed
 * @raw: the time, ns
 *
 * Context: under the qdisc's lock.
 * Return: NET_XMIT_*
 */
int lemu_enqueue_at(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free, u64 raw)
{
	struct lemu_sched *q = qdisc_priv(sch);
	u64 now = lemu_clock_read(&q->clock, raw);

	if (skb_is_gso(skb))
		return lemu_enqueue_segments(skb, sch, to_free, now);
	return lemu_enqueue_packet(skb, sch, to_free, now);
}

static int lemu_enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
	return lemu_enqueue_at(skb, sch, to_free, ktime_get_ns());
}

/**
 * lemu_dequeue_at() - the packet that leaves now
 * @sch: the qdisc
 * @raw: the time, ns
 *
 * Context: under the qdisc's lock.
 * Return: it, or NULL; then the watchdog knows when to look again.
 */
struct sk_buff *lemu_dequeue_at(struct Qdisc *sch, u64 raw)
{
	struct lemu_sched *q = qdisc_priv(sch);
	const struct sk_buff *head = sch->q.head;
	u64 departure, now;

	if (!head)
		return NULL;
	now = lemu_clock_read(&q->clock, raw);
	departure = lemu_skb_cb(head)->departure;
	if (departure > now) {
		qdisc_watchdog_schedule_ns(&q->watchdog, lemu_clock_raw(&q->clock, departure));
		return NULL;
	}
	return qdisc_dequeue_head(sch);
}

static struct sk_buff *lemu_dequeue(struct Qdisc *sch)
{
	return lemu_dequeue_at(sch, ktime_get_ns());
}

static void lemu_reset(struct Qdisc *sch)
{
	struct lemu_sched *q = qdisc_priv(sch);

	qdisc_reset_queue(sch);
	qdisc_watchdog_cancel(&q->watchdog);
	q->pace = (struct lemu_pace) {};
	q->departure = 0;
	q->backlog = 0;
	/* not the model's state, as this may come without the lock */
	q->history.first = q->history.n;
}

/**
 * lemu_change_at() - other options
 * @sch: the qdisc
 * @opt: TCA_OPTIONS; what it leaves out stays as it is
 * @extack: says what is wrong
 * @raw: the time, ns
 *
 * Context: process context, under RTNL.
 * Return: 0, or a negative error: then nothing was changed.
 */
int lemu_change_at(struct Qdisc *sch, struct nlattr *opt, struct netlink_ext_ack *extack,
		   u64 raw)
{
	struct lemu_sched *q = qdisc_priv(sch);
	struct lf_state *state = NULL;
	struct lemu_options new;
	int ret;

	ret = lemu_parse(sch, opt, &new, extack);
	if (ret)
		return ret;

	/* it reads what changes now; packets may ask for it meanwhile */
	disable_work_sync(&q->model.work);
	sch_tree_lock(sch);
	/* what passed until now did so at the old capacity */
	if (q->pace.begun)
		lemu_pace_advance(&q->pace, q->link.capacity, lemu_clock_read(&q->clock, raw));
	q->link = new.link;
	sch->limit = q->link.limit ?: lemu_default_limit(&q->link);
	if (new.app_given) {
		swap(q->model.app, new.app);
		strscpy(q->model.name, new.name);
		if (q->model.app != new.app) {
			swap(q->model.state, state);
			q->model.version = 0;
			q->model.source = q->model.app ? LEMU_SOURCE_NO_MODEL : LEMU_SOURCE_QUEUE;
		}
	}
	q->model.noticed = 0;
	sch_tree_unlock(sch);

	lf_state_free(state);
	if (new.app)
		lf_app_put(new.app);
	enable_work(&q->model.work);
	lemu_model_choose(sch);
	return 0;
}

static int lemu_change(struct Qdisc *sch, struct nlattr *opt, struct netlink_ext_ack *extack)
{
	return lemu_change_at(sch, opt, extack, ktime_get_ns());
}

static int lemu_init(struct Qdisc *sch, struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct lemu_sched *q = qdisc_priv(sch);

	/* first of all: lemu_destroy() comes even if this fails */
	qdisc_watchdog_init(&q->watchdog, sch);
	lemu_model_init(&q->model);
	if (!opt) {
		NL_SET_ERR_MSG_MOD(extack, "capacity, queue: missing");
		return -EINVAL;
	}
	/* classful parents need not warn: to hold packets back is what it is for */
	sch->flags |= TCQ_F_WARN_NONWC;
	return lemu_change(sch, opt, extack);
}

static void lemu_destroy(struct Qdisc *sch)
{
	struct lemu_sched *q = qdisc_priv(sch);

	qdisc_watchdog_cancel(&q->watchdog);
	lemu_model_destroy(&q->model);
}

static int lemu_dump_stats(struct Qdisc *sch, struct gnet_dump *d)
{
	struct lemu_sched *q = qdisc_priv(sch);
	struct tc_lemu_xstats stats;

	sch_tree_lock(sch);
	stats = q->stats;
	stats.backlog = q->backlog;
	stats.limit = sch->limit;
	if (q->model.state) {
		stats.source = LEMU_SOURCE_MODEL;
		stats.version = lf_state_version(q->model.state);
		stats.query_ns = q->model.query_ns8 / 8;
	} else {
		stats.source = q->model.source;
	}
	sch_tree_unlock(sch);
	return gnet_stats_copy_app(d, &stats, sizeof(stats));
}

struct Qdisc_ops lemu_qdisc_ops __read_mostly = {
	.id		= "lemu",
	.priv_size	= sizeof(struct lemu_sched),
	.enqueue	= lemu_enqueue,
	.dequeue	= lemu_dequeue,
	.peek		= qdisc_peek_dequeued,
	.init		= lemu_init,
	.reset		= lemu_reset,
	.destroy	= lemu_destroy,
	.change		= lemu_change,
	.dump		= lemu_dump,
	.dump_stats	= lemu_dump_stats,
	.owner		= THIS_MODULE,
};
MODULE_ALIAS_NET_SCH("lemu");

static struct lf_app *lemu_app;

static int __init lemu_module_init(void)
{
	int ret;

	lemu_app = lf_app_register(&lemu_app_desc);
	if (IS_ERR(lemu_app))
		return PTR_ERR(lemu_app);
	ret = register_qdisc(&lemu_qdisc_ops);
	if (ret)
		lf_app_unregister(lemu_app);
	return ret;
}

static void __exit lemu_module_exit(void)
{
	unregister_qdisc(&lemu_qdisc_ops);
	lf_app_unregister(lemu_app);
}

module_init(lemu_module_init);
module_exit(lemu_module_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Links emulated by recurrent networks in LiteFlow's slots");
