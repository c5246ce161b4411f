/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the probe of flowmage verify sees in packets, and what it keeps.
 */
#ifndef _FLOWMAGE_PROBE_H
#define _FLOWMAGE_PROBE_H

/*
 * The mark that a sender puts at this byte of its frames, all in network byte order: the magic
 * number, then for each map of the chain the number of the entry that the packet
 * belongs to, 0 for none.
 */
#define PROBE_AT	96
#define PROBE_MAGIC	0x464c4f574d414745ULL	/* "FLOWMAGE" */
#define PROBE_MAPS	6

struct probe_mark {
	__u64 magic;
	__u32 entry[PROBE_MAPS];
} __attribute__((packed));

/* Packets of an entry on a CPU; no two CPUs share one of these. */
struct probe_key {
	__u32 map;
	__u32 entry;
	__u32 cpu;
};

#define PROBE_ENTRIES	(1 << 20)

#endif /* _FLOWMAGE_PROBE_H */
