// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv6 destination network of 64 bits. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_LRU_HASH, __u64, __u64, 65536);

SEC("xdp")
int prefix6(struct xdp_md *ctx)
{
	struct ipv6hdr *ip = nf_ipv6(ctx);
	__u64 one = 1, key, *n;

	if (!ip)
		return XDP_PASS;
	__builtin_memcpy(&key, &ip->daddr, sizeof(key));
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
