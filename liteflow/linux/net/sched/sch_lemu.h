/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The qdisc "lemu" from inside: what its files need of each other.
 */
#ifndef _NET_SCHED_SCH_LEMU_H
#define _NET_SCHED_SCH_LEMU_H

#include <linux/liteflow.h>
#include <linux/pkt_sched_lemu.h>
#include <net/pkt_sched.h>

#include "sch_lemu_queue.h"

/**
 * struct lemu_options - what a message asks for, checked
 * @link: the link
 * @app_given: another app, or none: the following ones count
 * @app: whom to ask, with a reference; NULL: nobody
 * @name: of @app, or ""
 */
struct lemu_options {
	struct lemu_link link;
	bool app_given;
	struct lf_app *app;
	char name[LITEFLOW_NAME_LEN];
};

/**
 * struct lemu_verdict - what becomes of a packet
 * @work: bytes that the link could send since the previous one
 * @backlog: of the emulated queue, with this packet unless it is lost, bytes
 * @version: of the model that says so; 0: the byte queue
 * @query_ns: what the query took; 0: not measured
 * @drop: it is lost, or marked
 */
struct lemu_verdict {
	u32 work;
	u32 backlog;
	u32 version;
	u32 query_ns;
	bool drop;
};

/* So many packets a new model is shown before it answers. */
#define LEMU_HISTORY	64

/**
 * struct lemu_step - what a model was told of a packet
 * @work: bytes that the link could send since the previous one
 * @size: bytes
 */
struct lemu_step {
	u32 work;
	u32 size;
};

/**
 * struct lemu_history - the last packets
 * @n: packets so far; packet i, from 0, is in place i modulo LEMU_HISTORY
 * @first: the first one since the link was emptied
 * @steps: the last LEMU_HISTORY of them
 */
struct lemu_history {
	u64 n;
	u64 first;
	struct lemu_step steps[LEMU_HISTORY];
};

/**
 * struct lemu_ranges - what of the ranges that a model was trained on matters to it
 * @drained: from so much work on, bytes, the queue is empty: the state starts anew
 * @largest: packet, bytes; a larger one comes in pieces
 */
struct lemu_ranges {
	u32 drained;
	u32 largest;
};

/**
 * struct lemu_model - who judges packets
 * @app: whom to ask, with a reference; NULL: nobody
 * @name: of @app, or ""
 * @state: of the model that answers; NULL: none does
 * @version: of that model; 0: none, or it is not the one that was chosen
 * @noticed: the active version for which @work was queued
 * @first: of the history; another one: @state starts anew
 * @ranges: of that model
 * @query_ns8: what a query takes, eighths of a ns, smoothed; 0: not known
 * @source: LEMU_SOURCE_*, why there is no @state
 * @work: goes over to the active model
 */
struct lemu_model {
	struct lf_app *app;
	char name[LITEFLOW_NAME_LEN];
	struct lf_state *state;
	u64 first;
	u32 version;
	u32 noticed;
	struct lemu_ranges ranges;
	u32 query_ns8;
	u32 source;
	struct work_struct work;
};

/**
 * struct lemu_sched - an instance, in the qdisc's private data
 * @link: the link that is emulated
 * @clock: the time here
 * @pace: work since the last packet
 * @departure: when the last packet leaves, by @clock
 * @backlog: of the emulated queue, bytes
 * @model: who says so
 * @history: for the next model
 * @watchdog: wakes it up for the first packet
 * @stats: what happened so far; what can be told from elsewhere is left out
 *
 * All under the qdisc's lock. @link and @model.app change under RTNL as well, and not
 * while @model.work may run.
 */
struct lemu_sched {
	struct lemu_link link;
	struct lemu_clock clock;
	struct lemu_pace pace;
	u64 departure;
	u32 backlog;
	struct lemu_model model;
	struct lemu_history history;
	struct qdisc_watchdog watchdog;
	struct tc_lemu_xstats stats;
};

/* sch_lemu_model.c */
extern const struct lf_app_desc lemu_app_desc;
void lemu_model_init(struct lemu_model *m);
void lemu_model_destroy(struct lemu_model *m);
void lemu_model_choose(struct Qdisc *sch);
int lemu_model_check(struct lf_app *app, const struct lemu_link *link,
		     struct netlink_ext_ack *extack);
bool lemu_model_judge(struct Qdisc *sch, u32 size, struct lemu_verdict *verdict);

/* sch_lemu_size.c */
void lemu_size_segment(struct sk_buff *segment, const struct Qdisc *sch);

/* sch_lemu_options.c */
int lemu_parse(struct Qdisc *sch, struct nlattr *opt, struct lemu_options *options,
	       struct netlink_ext_ack *extack);
int lemu_dump(struct Qdisc *sch, struct sk_buff *skb);

/* sch_lemu_main.c: at a time of the caller's choice, for tests */
extern struct Qdisc_ops lemu_qdisc_ops;
int lemu_enqueue_at(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free, u64 raw);
struct sk_buff *lemu_dequeue_at(struct Qdisc *sch, u64 raw);
int lemu_change_at(struct Qdisc *sch, struct nlattr *opt, struct netlink_ext_ack *extack,
		   u64 raw);

#endif /* _NET_SCHED_SCH_LEMU_H */
