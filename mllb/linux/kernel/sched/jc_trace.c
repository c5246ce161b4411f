// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the tracepoint
 */
#include "jc_sched.h"

#define CREATE_TRACE_POINTS
#include <trace/events/jc_sched.h>

/* Whoever reads the tracepoint needs the hook, also while the network is off. */
int jc_sched_trace_reg(void)
{
	static_branch_inc(&jc_sched_key);
	return 0;
}

void jc_sched_trace_unreg(void)
{
	static_branch_dec(&jc_sched_key);
}
