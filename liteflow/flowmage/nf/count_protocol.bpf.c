// SPDX-License-Identifier: GPL-2.0
/* Packets of each protocol: an array, indexed by a byte of the packet. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_ARRAY, __u32, __u64, 256);

SEC("xdp")
int count_protocol(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 *n;
	__u32 key;

	if (!ip)
		return XDP_PASS;
	key = ip->protocol;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return XDP_PASS;
}
