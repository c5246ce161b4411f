/* SPDX-License-Identifier: GPL-2.0 */
/* What queues.bpf.c and queues.c share. */
#ifndef QUEUES_H
#define QUEUES_H

#define MAX_CPUS	256

struct sample {
	__u64 ns;			/* CLOCK_MONOTONIC */
	__u32 cpus;
	__u32 reserved;
	__u16 length[MAX_CPUS];		/* fair tasks that run or wait, per CPU */
};

#endif
