/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of the qdisc "lemu" share: an instance on a device of its own,
 * packets for it, and what should become of them.
 */
#ifndef _NET_SCHED_SCH_LEMU_TEST_H
#define _NET_SCHED_SCH_LEMU_TEST_H

#include <kunit/test.h>
#include <linux/skbuff.h>

#include "sch_lemu.h"

/* Packets that may wait at a time. */
#define LEMU_TEST_WAITING	8192

/**
 * struct lemu_test - a link under test
 * @dev: the device, not registered
 * @sch: the qdisc
 * @q: its data
 * @link: what it should do
 * @spare: packets to use again
 * @now: time of the test, ns
 * @shift: what the machine's clock shows more
 * @begin: time of the first packet
 * @previous: time of the last one
 * @backlog: of the queue, in plain arithmetic
 * @departure: of the last packet that was not lost
 * @packets: so far
 * @lost: of them
 * @departures: of those that wait, a ring
 * @first: place of the first one
 * @waiting: their number
 * @fresh: the next packet is the first one
 */
struct lemu_test {
	struct net_device *dev;
	struct Qdisc *sch;
	struct lemu_sched *q;
	struct lemu_link link;
	struct sk_buff *spare;
	u64 now;
	s64 shift;
	u64 begin;
	u64 previous;
	u64 backlog;
	u64 departure;
	u64 packets;
	u64 lost;
	u64 *departures;
	unsigned int first;
	unsigned int waiting;
	bool fresh;
};

void lemu_test_begin(struct kunit *test, struct lemu_test *t, const struct lemu_link *link);
void lemu_test_end(struct lemu_test *t);
void lemu_test_reset(struct lemu_test *t);
int lemu_test_change(struct kunit *test, struct lemu_test *t, const struct lemu_link *link);
int lemu_test_app(struct kunit *test, struct lemu_test *t, const char *app);
int lemu_test_enqueue(struct kunit *test, struct lemu_test *t, u32 size);
bool lemu_test_packet(struct kunit *test, struct lemu_test *t, u64 gap, u32 size);
bool lemu_test_drain(struct kunit *test, struct lemu_test *t);

#endif /* _NET_SCHED_SCH_LEMU_TEST_H */
