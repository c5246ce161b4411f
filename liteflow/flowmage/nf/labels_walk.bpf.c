// SPDX-License-Identifier: GPL-2.0
/* A bounded loop over the labels of a DNS name; the table is keyed by the client. */
#include "nf.h"

NF_MAP(clients, BPF_MAP_TYPE_LRU_HASH, __be32, __u64, 65536);

SEC("xdp")
int labels_walk(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u32 at = sizeof(struct ethhdr) + sizeof(*ip) + sizeof(struct udphdr) + 12, i;
	__u64 depth = 0, *n;
	__u8 *length;
	__be32 key;

	if (!ip || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	key = ip->saddr;
	for (i = 0; i < 16; i++) {
		length = nf_at(ctx, at, 1);
		if (!length || !*length || *length > 63)
			break;
		at += *length + 1;
		depth++;
	}
	n = bpf_map_lookup_elem(&clients, &key);
	if (n)
		*n += depth;
	else
		bpf_map_update_elem(&clients, &key, &depth, BPF_ANY);
	return XDP_PASS;
}
