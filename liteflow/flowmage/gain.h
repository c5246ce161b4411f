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

/* What a CPU knows of itself; the last three are of one run. */
struct gain_cpu {
	__u32 random;
	__u32 number;	/* 0 or 1: which of the two it is */
	__u64 ticks;
	__u64 packets;
	__u64 first;	/* ns */
	__u64 last;
};

/* What the two CPUs know of each other, hardly ever written. */
struct gain_run {
	__u32 here[2];	/* CPU c takes packets */
	__u32 over;
};

#endif /* _FLOWMAGE_GAIN_H */
