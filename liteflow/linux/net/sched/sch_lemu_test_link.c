// SPDX-License-Identifier: GPL-2.0-only
/*
 * A link for the KUnit tests of the qdisc "lemu". See sch_lemu_test.h.
 */
#include <linux/etherdevice.h>
#include <linux/math64.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "sch_lemu_test.h"

/* TCA_OPTIONS with what is not 0 in @link, and @app; goes with the test. */
static struct nlattr *options(struct kunit *test, const struct lemu_link *link, const char *app)
{
	struct sk_buff *skb = alloc_skb(512, GFP_KERNEL);
	struct nlattr *nest, *copy;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	nest = nla_nest_start(skb, TCA_OPTIONS);
	if (link->capacity)
		nla_put(skb, TCA_LEMU_CAPACITY, sizeof(link->capacity), &link->capacity);
	if (link->queue)
		nla_put_u32(skb, TCA_LEMU_QUEUE, link->queue);
	if (link->delay)
		nla_put(skb, TCA_LEMU_DELAY, sizeof(link->delay), &link->delay);
	if (link->limit)
		nla_put_u32(skb, TCA_LEMU_LIMIT, link->limit);
	if (link->ecn)
		nla_put_u8(skb, TCA_LEMU_ECN, link->ecn);
	if (app)
		nla_put_string(skb, TCA_LEMU_APP, app);
	nla_nest_end(skb, nest);
	copy = kunit_kzalloc(test, skb->len, GFP_KERNEL);
	if (copy)
		memcpy(copy, skb->data, skb->len);
	kfree_skb(skb);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	return copy;
}

/**
 * lemu_test_begin() - make a link
 * @test: the test, which fails if there is no memory
 * @t: result; for lemu_test_end()
 * @link: its options
 */
void lemu_test_begin(struct kunit *test, struct lemu_test *t, const struct lemu_link *link)
{
	struct netdev_queue *queue;

	*t = (struct lemu_test) { .link = *link, .now = NSEC_PER_SEC, .fresh = true };
	t->departures = kunit_kcalloc(test, LEMU_TEST_WAITING, sizeof(u64), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->departures);
	t->dev = alloc_netdev(0, "lemu%d", NET_NAME_UNKNOWN, ether_setup);
	KUNIT_ASSERT_NOT_NULL(test, t->dev);
	queue = netdev_get_tx_queue(t->dev, 0);
	t->sch = qdisc_alloc(queue, &lemu_qdisc_ops, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->sch));
	t->q = qdisc_priv(t->sch);
	/* whose lock is taken; and no timer, as time is the test's */
	rcu_assign_pointer(queue->qdisc_sleeping, t->sch);
	set_bit(__QDISC_STATE_DEACTIVATED, &t->sch->state);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, t->sch->ops->init(t->sch, options(test, link, NULL), NULL), 0);
	rtnl_unlock();
}

static void free_spare(struct lemu_test *t)
{
	struct sk_buff *skb;

	while ((skb = t->spare)) {
		t->spare = skb->next;
		skb_mark_not_on_list(skb);
		kfree_skb(skb);
	}
}

/**
 * lemu_test_end() - it goes
 * @t: the link; what waits there is freed
 */
void lemu_test_end(struct lemu_test *t)
{
	rtnl_lock();
	/* not before: work that is under way takes its lock */
	qdisc_put(t->sch);
	rcu_assign_pointer(netdev_get_tx_queue(t->dev, 0)->qdisc_sleeping, NULL);
	rtnl_unlock();
	free_spare(t);
	free_netdev(t->dev);
}

/**
 * lemu_test_reset() - the device goes down: nothing is on the link
 * @t: the link
 */
void lemu_test_reset(struct lemu_test *t)
{
	rtnl_lock();
	qdisc_reset(t->sch);
	rtnl_unlock();
	t->waiting = 0;
	t->backlog = 0;
	t->departure = 0;
	t->fresh = true;
}

static int change(struct lemu_test *t, struct nlattr *opt)
{
	int ret;

	rtnl_lock();
	ret = lemu_change_at(t->sch, opt, NULL, t->now + t->shift);
	rtnl_unlock();
	t->link = t->q->link;
	return ret;
}

int lemu_test_change(struct kunit *test, struct lemu_test *t, const struct lemu_link *link)
{
	return change(t, options(test, link, NULL));
}

int lemu_test_app(struct kunit *test, struct lemu_test *t, const char *app)
{
	static const struct lemu_link same;

	return change(t, options(test, &same, app));
}

static struct sk_buff *packet(struct kunit *test, struct lemu_test *t, u32 size)
{
	struct sk_buff *skb = t->spare;

	if (skb) {
		t->spare = skb->next;
		skb_mark_not_on_list(skb);
	} else {
		skb = alloc_skb(64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, skb);
	}
	skb->dev = t->dev;
	qdisc_skb_cb(skb)->pkt_len = size;
	return skb;
}

static void put_back(struct lemu_test *t, struct sk_buff *skb)
{
	skb->next = t->spare;
	t->spare = skb;
}

/**
 * lemu_test_enqueue() - a packet comes now
 * @test: the test
 * @t: the link
 * @size: of the packet, bytes
 *
 * Return: what the qdisc said
 */
int lemu_test_enqueue(struct kunit *test, struct lemu_test *t, u32 size)
{
	struct sk_buff *to_free = NULL, *skb = packet(test, t, size);
	int ret;

	spin_lock_bh(qdisc_lock(t->sch));
	ret = lemu_enqueue_at(skb, t->sch, &to_free, t->now + t->shift);
	spin_unlock_bh(qdisc_lock(t->sch));
	if (to_free)
		put_back(t, to_free);
	return ret;
}

static struct sk_buff *dequeue(struct lemu_test *t, u64 time)
{
	struct sk_buff *skb;

	spin_lock_bh(qdisc_lock(t->sch));
	skb = lemu_dequeue_at(t->sch, time + t->shift);
	spin_unlock_bh(qdisc_lock(t->sch));
	return skb;
}

/* The first that waits leaves at that time, and not before. */
static bool leaves(struct kunit *test, struct lemu_test *t)
{
	u64 departure = t->departures[t->first];
	struct sk_buff *skb;

	if (departure - 1 >= t->now) {
		skb = dequeue(t, departure - 1);
		KUNIT_EXPECT_NULL(test, skb);
		if (skb)
			return false;
	}
	t->now = max(t->now, departure);
	skb = dequeue(t, t->now);
	KUNIT_EXPECT_NOT_NULL_MSG(test, skb, "packet %llu", t->packets);
	if (!skb)
		return false;
	put_back(t, skb);
	t->first = (t->first + 1) % LEMU_TEST_WAITING;
	t->waiting--;
	return true;
}

/* Whole bytes until the time of the test, by one multiplication. */
static u64 bytes_until(const struct lemu_test *t, u64 time)
{
	return mul_u64_u64_div_u64(t->link.capacity, time - t->begin, NSEC_PER_SEC);
}

/* Of the queue in plain arithmetic: is it lost? */
static bool expect_lost(struct lemu_test *t, u32 size)
{
	u64 work;

	t->packets++;
	if (t->fresh) {
		t->begin = t->now;
		t->previous = t->now;
		t->fresh = false;
	}
	work = min_t(u64, bytes_until(t, t->now) - bytes_until(t, t->previous), S32_MAX);
	t->previous = t->now;
	t->backlog = work > t->backlog ? 0 : t->backlog - work;
	if (t->backlog + size > t->link.queue) {
		t->lost++;
		return true;
	}
	t->backlog += size;
	return false;
}

/**
 * lemu_test_packet() - a packet comes, and becomes what it should
 * @test: the test, which fails otherwise
 * @t: the link
 * @gap: ns since the packet before
 * @size: of the packet, bytes
 *
 * Return: whether all is well
 */
bool lemu_test_packet(struct kunit *test, struct lemu_test *t, u64 gap, u32 size)
{
	u64 time = t->now + gap, leave;
	bool lost;
	int ret;

	while (t->waiting && (t->departures[t->first] <= time || t->waiting == LEMU_TEST_WAITING))
		if (!leaves(test, t))
			return false;
	t->now = max(t->now, time);
	lost = expect_lost(t, size);
	ret = lemu_test_enqueue(test, t, size);
	KUNIT_EXPECT_EQ_MSG(test, ret, lost ? NET_XMIT_SUCCESS | __NET_XMIT_BYPASS :
			    NET_XMIT_SUCCESS, "packet %llu", t->packets);
	KUNIT_EXPECT_EQ_MSG(test, t->q->backlog, t->backlog, "packet %llu", t->packets);
	if (ret != (lost ? NET_XMIT_SUCCESS | __NET_XMIT_BYPASS : NET_XMIT_SUCCESS) ||
	    t->q->backlog != t->backlog)
		return false;
	if (lost)
		return true;
	/* rounded up: until the last bit is out */
	leave = t->now + t->link.delay +
		div64_u64(t->backlog * NSEC_PER_SEC + t->link.capacity - 1, t->link.capacity);
	t->departure = max(t->departure, leave);
	t->departures[(t->first + t->waiting++) % LEMU_TEST_WAITING] = t->departure;
	return true;
}

/**
 * lemu_test_drain() - all that waits leaves
 * @test: the test, which fails if it does not do so in time
 * @t: the link
 *
 * Return: whether all is well
 */
bool lemu_test_drain(struct kunit *test, struct lemu_test *t)
{
	while (t->waiting)
		if (!leaves(test, t))
			return false;
	KUNIT_EXPECT_EQ(test, t->sch->q.qlen, 0);
	KUNIT_EXPECT_EQ(test, t->sch->qstats.backlog, 0);
	return true;
}
