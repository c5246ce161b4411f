// SPDX-License-Identifier: GPL-2.0
/* A count-min sketch: rows of counters, indexed by hashes of the flow. */
#include "nf.h"

#define ROWS	4
#define COLUMNS	1024

NF_MAP(cells, BPF_MAP_TYPE_ARRAY, __u32, __u32, ROWS * COLUMNS);

SEC("xdp")
int sketch(struct xdp_md *ctx)
{
	struct nf_tuple flow;
	__u32 row, cell, hash, *n;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
#pragma unroll
	for (row = 0; row < ROWS; row++) {
		hash = (flow.src ^ row) * 0x9e3779b1;
		hash = (hash ^ flow.dst) * 0x85ebca6b;
		hash = (hash ^ flow.sport << 16 ^ flow.dport) * 0xc2b2ae35;
		cell = row * COLUMNS + (hash >> 22);
		n = bpf_map_lookup_elem(&cells, &cell);
		if (n)
			__sync_fetch_and_add(n, 1);
	}
	return XDP_PASS;
}
