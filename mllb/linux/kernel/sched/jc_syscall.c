// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the system call
 *
 * jc_sched(int op) has the number it had in the original, which is a hole in
 * the table of x86-64 that mainline may fill one day. So its number can be
 * read from kernel.sched_jc_syscall; without that file no program may assume
 * that the call is this one. The sysctl kernel.sched_jc does the same and
 * needs no number.
 */
#include <linux/syscalls.h>
#include <linux/sysctl.h>
#include <asm/unistd.h>

#include "jc_sched.h"

enum jc_sched_op {
	JC_SCHED_OFF,
	JC_SCHED_ON,
	JC_SCHED_QUERY,
};

SYSCALL_DEFINE1(jc_sched, int, op)
{
	switch (op) {
	case JC_SCHED_OFF:
	case JC_SCHED_ON:
		return jc_sched_set(op);
	case JC_SCHED_QUERY:
		return jc_sched_query();
	default:
		return -EINVAL;
	}
}

#ifdef CONFIG_SYSCTL
static int jc_sched_syscall_nr = __NR_jc_sched;

static struct ctl_table jc_syscall_sysctls[] = {
	{
		.procname	= "sched_jc_syscall",
		.data		= &jc_sched_syscall_nr,
		.maxlen		= sizeof(int),
		.mode		= 0444,
		.proc_handler	= proc_dointvec,
	},
};

static int __init jc_syscall_sysctl_init(void)
{
	register_sysctl_init("kernel", jc_syscall_sysctls);
	return 0;
}
late_initcall(jc_syscall_sysctl_init);
#endif
