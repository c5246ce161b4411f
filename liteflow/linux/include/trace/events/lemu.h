/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lemu

#if !defined(_TRACE_LEMU_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_LEMU_H

#include <linux/tracepoint.h>
#include <net/sch_generic.h>

struct lemu_verdict;

/**
 * lemu_packet - a link judged a packet
 * @sch: the qdisc
 * @index: number of the packet, from 1; those above the limit count, but are not judged
 * @gap: ns since the previous packet, 0 for the first
 * @verdict: what became of it
 * @size: of the packet, bytes
 * @arrival: when it came, by the qdisc's clock, ns
 * @departure: when it leaves, or would if it were not lost, ns
 * @lost: it is; with a drop it is marked otherwise
 * @losses: so far, with this one
 */
TRACE_EVENT(lemu_packet,
	TP_PROTO(const struct Qdisc *sch, u64 index, u64 gap,
		 const struct lemu_verdict *verdict, u32 size, u64 arrival, u64 departure,
		 bool lost, u64 losses),

	TP_ARGS(sch, index, gap, verdict, size, arrival, departure, lost, losses),

	TP_STRUCT__entry(
		__string(dev, qdisc_dev(sch)->name)
		__field(u64, index)
		__field(u64, gap)
		__field(u64, arrival)
		__field(u64, departure)
		__field(u64, losses)
		__field(u32, handle)
		__field(u32, parent)
		__field(u32, work)
		__field(u32, size)
		__field(u32, backlog)
		__field(u32, version)
		__field(u32, query_ns)
		__field(u8, drop)
		__field(u8, lost)
	),

	TP_fast_assign(
		__assign_str(dev);
		__entry->index = index;
		__entry->gap = gap;
		__entry->arrival = arrival;
		__entry->departure = departure;
		__entry->losses = losses;
		__entry->handle = sch->handle;
		__entry->parent = sch->parent;
		__entry->work = verdict->work;
		__entry->size = size;
		__entry->backlog = verdict->backlog;
		__entry->version = verdict->version;
		__entry->query_ns = verdict->query_ns;
		__entry->drop = verdict->drop;
		__entry->lost = lost;
	),

	TP_printk("dev=%s handle=%x:%x parent=%x:%x index=%llu gap=%llu work=%u size=%u backlog=%u drop=%u lost=%u version=%u query_ns=%u losses=%llu arrival=%llu departure=%llu",
		  __get_str(dev), TC_H_MAJ(__entry->handle) >> 16, TC_H_MIN(__entry->handle),
		  TC_H_MAJ(__entry->parent) >> 16, TC_H_MIN(__entry->parent),
		  __entry->index, __entry->gap, __entry->work, __entry->size,
		  __entry->backlog, __entry->drop, __entry->lost, __entry->version,
		  __entry->query_ns, __entry->losses, __entry->arrival, __entry->departure)
);

/**
 * lemu_switch - another model answers
 * @sch: the qdisc
 * @app: name of the app
 * @from: version of the model until now; 0: the byte queue
 * @to: version of the model from now on
 * @shown: packets that it was shown first
 * @before: backlog by the one until now, bytes
 * @after: backlog by the new one
 * @query_ns: what a query of it takes
 */
TRACE_EVENT(lemu_switch,
	TP_PROTO(const struct Qdisc *sch, const char *app, u32 from, u32 to, u32 shown,
		 u32 before, u32 after, u32 query_ns),

	TP_ARGS(sch, app, from, to, shown, before, after, query_ns),

	TP_STRUCT__entry(
		__string(dev, qdisc_dev(sch)->name)
		__string(app, app)
		__field(u32, handle)
		__field(u32, from)
		__field(u32, to)
		__field(u32, shown)
		__field(u32, before)
		__field(u32, after)
		__field(u32, query_ns)
	),

	TP_fast_assign(
		__assign_str(dev);
		__assign_str(app);
		__entry->handle = sch->handle;
		__entry->from = from;
		__entry->to = to;
		__entry->shown = shown;
		__entry->before = before;
		__entry->after = after;
		__entry->query_ns = query_ns;
	),

	TP_printk("dev=%s handle=%x: app=%s from=%u to=%u shown=%u before=%u after=%u query_ns=%u",
		  __get_str(dev), TC_H_MAJ(__entry->handle) >> 16, __get_str(app),
		  __entry->from, __entry->to, __entry->shown, __entry->before, __entry->after,
		  __entry->query_ns)
);

/**
 * lemu_refuse - a model costs too much for the link
 * @sch: the qdisc
 * @app: name of the app
 * @version: of the model
 * @query_ns: what a query of it takes
 * @rate: packets per second that the link can carry
 */
TRACE_EVENT(lemu_refuse,
	TP_PROTO(const struct Qdisc *sch, const char *app, u32 version, u32 query_ns, u64 rate),

	TP_ARGS(sch, app, version, query_ns, rate),

	TP_STRUCT__entry(
		__string(dev, qdisc_dev(sch)->name)
		__string(app, app)
		__field(u64, rate)
		__field(u32, handle)
		__field(u32, version)
		__field(u32, query_ns)
	),

	TP_fast_assign(
		__assign_str(dev);
		__assign_str(app);
		__entry->rate = rate;
		__entry->handle = sch->handle;
		__entry->version = version;
		__entry->query_ns = query_ns;
	),

	TP_printk("dev=%s handle=%x: app=%s version=%u query_ns=%u rate=%llu",
		  __get_str(dev), TC_H_MAJ(__entry->handle) >> 16, __get_str(app),
		  __entry->version, __entry->query_ns, __entry->rate)
);

#endif /* _TRACE_LEMU_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
