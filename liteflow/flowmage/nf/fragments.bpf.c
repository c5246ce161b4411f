// SPDX-License-Identifier: GPL-2.0
/* Fragments of each datagram, by its identification. */
#include "nf.h"

struct datagram {
	__be32 src;
	__be32 dst;
	__be16 id;
	__u8 proto;
	__u8 zero;
};

NF_MAP(datagrams, BPF_MAP_TYPE_LRU_HASH, struct datagram, __u32, 4096);

SEC("xdp")
int fragments(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct datagram key = {};
	__u32 one = 1, *n;

	if (!ip || !(ip->frag_off & bpf_htons(0x3fff)))
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.id = ip->id;
	key.proto = ip->protocol;
	n = bpf_map_lookup_elem(&datagrams, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&datagrams, &key, &one, BPF_ANY);
	return XDP_PASS;
}
