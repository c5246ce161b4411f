// SPDX-License-Identifier: GPL-2.0
/* SYNs are answered with a cookie; who returns it is let through from then on. */
#include "nf.h"

NF_MAP(proven, BPF_MAP_TYPE_LRU_HASH, __be32, __u64, 65536);
const volatile __u32 secret = 0x51ab3c77;

static __always_inline __u32 cookie(struct iphdr *ip, struct tcphdr *tcp)
{
	__u32 hash = (ip->saddr ^ secret) * 0x9e3779b1;

	hash = (hash ^ ip->daddr) * 0x85ebca6b;
	return (hash ^ tcp->source ^ tcp->dest << 16) * 0xc2b2ae35;
}

SEC("xdp")
int syn_proxy(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 now = bpf_ktime_get_ns();
	struct tcphdr *tcp;
	__be32 key, addr;
	__be16 port;

	if (!ip)
		return XDP_PASS;
	tcp = nf_tcp(ctx, ip);
	if (!tcp)
		return XDP_PASS;
	key = ip->saddr;
	if (bpf_map_lookup_elem(&proven, &key))
		return XDP_PASS;
	if (tcp->syn && !tcp->ack) {
		tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
		tcp->seq = cookie(ip, tcp);
		tcp->ack = 1;
		addr = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = addr;
		port = tcp->source;
		tcp->source = tcp->dest;
		tcp->dest = port;
		return XDP_TX;
	}
	if (tcp->ack && bpf_htonl(bpf_ntohl(tcp->ack_seq) - 1) == cookie(ip, tcp)) {
		bpf_map_update_elem(&proven, &key, &now, BPF_ANY);
		return XDP_PASS;
	}
	return XDP_DROP;
}
