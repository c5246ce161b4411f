// SPDX-License-Identifier: GPL-2.0
/* All packets, in one counter. */
#include "nf.h"

NF_MAP(total, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1);

SEC("xdp")
int count_all(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&total, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	return XDP_PASS;
}
