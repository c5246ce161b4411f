// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own jc_features(), for rows of kernels without it
 */
#include <limits.h>
#include <sys/types.h>

#include "jc_mlp.h"
#include "features.h"

_Static_assert(DL_NR_NUMS == JC_NR_NUMS, "as many numeric features as the kernel has");

void make_features(struct dl_decision *d)
{
	struct jc_lb_obs o = {
		.delta = d->delta,
		.migration_cost = d->migration_cost,
		.src_len = d->src_len,
		.dst_len = d->dst_len,
		.src_preferred_len = d->flags & DL_NUMA_GATE ? d->src_preferred_len : 0,
		.src_load = d->src_load,
		.dst_load = d->dst_load,
		.delta_faults = d->delta_faults,
		.nr_fails = d->nr_fails,
		.cache_nice_tries = d->cache_nice_tries,
		.cpu_idle = d->flags & DL_CPU_IDLE,
		.cpu_not_idle = d->flags & DL_CPU_NOT_IDLE,
		.cpu_newly_idle = d->flags & DL_CPU_NEWLY_IDLE,
		.same_node = d->flags & DL_SAME_NODE,
		.prefer_src = d->flags & DL_PREFER_SRC,
		.prefer_dst = d->flags & DL_PREFER_DST,
		.buddy_hot = d->flags & DL_BUDDY_HOT,
		.numa_gate = d->flags & DL_NUMA_GATE,
		.smt = d->flags & DL_SMT,
		.idle_policy = d->flags & DL_IDLE_POLICY,
		.cookie_mismatch = d->flags & DL_COOKIE_MISMATCH,
	};
	struct jc_features f;
	int i;

	jc_features(&o, &f);
	d->bits = f.bits;
	for (i = 0; i < JC_NR_NUMS; i++)
		d->num[i] = f.num[i];
}
