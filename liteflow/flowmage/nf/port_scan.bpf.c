// SPDX-License-Identifier: GPL-2.0
/* Ports that a source has tried, in a bitmap; too many, and it is dropped. */
#include "nf.h"

struct tried {
	__u64 ports;
	__u32 count;
};

NF_MAP(sources, BPF_MAP_TYPE_LRU_HASH, __be32, struct tried, 16384);

SEC("xdp")
int port_scan(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct tried *seen, fresh = {};
	struct tcphdr *tcp;
	__u64 bit;
	__be32 key;

	if (!ip)
		return XDP_PASS;
	tcp = nf_tcp(ctx, ip);
	if (!tcp)
		return XDP_PASS;
	key = ip->saddr;
	bit = 1ULL << (bpf_ntohs(tcp->dest) & 63);
	seen = bpf_map_lookup_elem(&sources, &key);
	if (!seen) {
		fresh.ports = bit;
		fresh.count = 1;
		bpf_map_update_elem(&sources, &key, &fresh, BPF_ANY);
		return XDP_PASS;
	}
	if (!(seen->ports & bit)) {
		seen->ports |= bit;
		seen->count++;
	}
	return seen->count > 20 ? XDP_DROP : XDP_PASS;
}
