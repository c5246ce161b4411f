/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What gain.bpf.c and the program that runs it share.
 */
#ifndef _FLOWMAGE_GAIN_H
#define _FLOWMAGE_GAIN_H

#define GAIN_KEYS	65536
#define GAIN_BURST	1000

struct gain_counts {
	__u64 packets;
	__u64 tokens;
	__u64 last;
};

struct gain_bucket {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct gain_counts counts;
};

struct gain_cpu {
	__u32 random;
	__u32 number;	/* 0 or 1: which of the two it is */
	__u64 ticks;
};

#endif /* _FLOWMAGE_GAIN_H */
