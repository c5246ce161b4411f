// SPDX-License-Identifier: GPL-2.0-only
/*
 * The qdisc "lemu": what it needs of code that exports no symbols.
 *
 * Always built in, also where the qdisc is a module. To export __qdisc_calculate_pkt_len()
 * itself would take a hunk whose context differs from one stable release to the next.
 */
#include <linux/export.h>
#include <linux/skbuff.h>
#include <net/sch_generic.h>

#include "sch_lemu.h"

/**
 * lemu_size_segment() - set what a segment counts for
 * @segment: cut out of a larger packet
 * @sch: the qdisc; if it has a size table, that is applied
 *
 * Context: under the qdisc's lock.
 */
void lemu_size_segment(struct sk_buff *segment, const struct Qdisc *sch)
{
	qdisc_skb_cb(segment)->pkt_len = segment->len;
	qdisc_calculate_pkt_len(segment, sch);
}
EXPORT_SYMBOL_GPL(lemu_size_segment);
