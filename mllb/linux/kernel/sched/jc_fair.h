/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Learned load balancer: for fair.c alone, before it defines what is declared here
 */
#ifndef _KERNEL_SCHED_JC_FAIR_H
#define _KERNEL_SCHED_JC_FAIR_H

#include "jc_sched.h"

#ifdef CONFIG_JC_SCHED
/*
 * The two parts of the stock rule have a second caller in jc_lb.c. Keep them
 * inline in can_migrate_task(), as they are without it, so that the way past the
 * hook costs one jump. A compiler need not heed this after the definition.
 */
static __always_inline int task_hot(struct task_struct *p, struct lb_env *env);
static __always_inline int migrate_degrades_locality(struct task_struct *p,
						     struct lb_env *env);
#endif

#endif /* _KERNEL_SCHED_JC_FAIR_H */
