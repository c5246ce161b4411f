/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM liteflow

#if !defined(_TRACE_LITEFLOW_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_LITEFLOW_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/**
 * lf_install - a model lies in a slot
 * @app: name of the app
 * @slot: the slot
 * @version: of the model
 * @model: its name
 */
TRACE_EVENT(lf_install,
	TP_PROTO(const char *app, u8 slot, u32 version, const char *model),

	TP_ARGS(app, slot, version, model),

	TP_STRUCT__entry(
		__string(app, app)
		__string(model, model)
		__field(u32, version)
		__field(u8, slot)
	),

	TP_fast_assign(
		__assign_str(app);
		__assign_str(model);
		__entry->version = version;
		__entry->slot = slot;
	),

	TP_printk("app=%s slot=%u version=%u model=%s",
		  __get_str(app), __entry->slot, __entry->version, __get_str(model))
);

/**
 * lf_switch - another model answers from now on
 * @app: name of the app
 * @from: version that was active, 0: none
 * @to: version that is active, 0: none
 */
TRACE_EVENT(lf_switch,
	TP_PROTO(const char *app, u32 from, u32 to),

	TP_ARGS(app, from, to),

	TP_STRUCT__entry(
		__string(app, app)
		__field(u32, from)
		__field(u32, to)
	),

	TP_fast_assign(
		__assign_str(app);
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("app=%s from=%u to=%u", __get_str(app), __entry->from, __entry->to)
);

/**
 * lf_evict - flows lose their model
 * @app: name of the app
 * @version: of the model
 * @flows: that held it
 */
TRACE_EVENT(lf_evict,
	TP_PROTO(const char *app, u32 version, unsigned int flows),

	TP_ARGS(app, version, flows),

	TP_STRUCT__entry(
		__string(app, app)
		__field(u32, version)
		__field(unsigned int, flows)
	),

	TP_fast_assign(
		__assign_str(app);
		__entry->version = version;
		__entry->flows = flows;
	),

	TP_printk("app=%s version=%u flows=%u",
		  __get_str(app), __entry->version, __entry->flows)
);

/**
 * lf_repin - a flow that lost its model goes over to the active one
 * @app: name of the app
 * @flow: its number
 * @from: version that served it
 * @to: version that serves it from now on
 */
TRACE_EVENT(lf_repin,
	TP_PROTO(const char *app, u64 flow, u32 from, u32 to),

	TP_ARGS(app, flow, from, to),

	TP_STRUCT__entry(
		__string(app, app)
		__field(u64, flow)
		__field(u32, from)
		__field(u32, to)
	),

	TP_fast_assign(
		__assign_str(app);
		__entry->flow = flow;
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("app=%s flow=%llu from=%u to=%u",
		  __get_str(app), __entry->flow, __entry->from, __entry->to)
);

/**
 * lf_reject - a change was refused
 * @app: name of the app
 * @reason: for people
 */
TRACE_EVENT(lf_reject,
	TP_PROTO(const char *app, const char *reason),

	TP_ARGS(app, reason),

	TP_STRUCT__entry(
		__string(app, app)
		__string(reason, reason)
	),

	TP_fast_assign(
		__assign_str(app);
		__assign_str(reason);
	),

	TP_printk("app=%s reason=\"%s\"", __get_str(app), __get_str(reason))
);

/**
 * lf_query - a query that was timed; one in many is
 * @app: name of the app
 * @flow: number of its flow, 0: none
 * @version: of the model that answered
 * @ns: time that it took
 * @out: its first output
 */
TRACE_EVENT(lf_query,
	TP_PROTO(const char *app, u64 flow, u32 version, u64 ns, s32 out),

	TP_ARGS(app, flow, version, ns, out),

	TP_STRUCT__entry(
		__string(app, app)
		__field(u64, flow)
		__field(u64, ns)
		__field(u32, version)
		__field(s32, out)
	),

	TP_fast_assign(
		__assign_str(app);
		__entry->flow = flow;
		__entry->ns = ns;
		__entry->version = version;
		__entry->out = out;
	),

	TP_printk("app=%s flow=%llu version=%u ns=%llu out=%d",
		  __get_str(app), __entry->flow, __entry->version, __entry->ns,
		  __entry->out)
);

#endif /* _TRACE_LITEFLOW_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
