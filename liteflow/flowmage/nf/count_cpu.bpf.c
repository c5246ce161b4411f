// SPDX-License-Identifier: GPL-2.0
/* All packets, in a counter of each CPU. */
#include "nf.h"

NF_MAP(total, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 1);

SEC("xdp")
int count_cpu(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&total, &key);

	if (n)
		(*n)++;
	return XDP_PASS;
}
