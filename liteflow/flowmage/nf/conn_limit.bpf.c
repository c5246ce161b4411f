// SPDX-License-Identifier: GPL-2.0
/* Open connections of each source: more with SYN, less with FIN or RST. */
#include "nf.h"

NF_MAP(open_conns, BPF_MAP_TYPE_HASH, __be32, __u32, 16384);

SEC("xdp")
int conn_limit(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u32 one = 1, *n;
	struct tcphdr *tcp;
	__be32 key;

	if (!ip)
		return XDP_PASS;
	tcp = nf_tcp(ctx, ip);
	if (!tcp)
		return XDP_PASS;
	key = ip->saddr;
	n = bpf_map_lookup_elem(&open_conns, &key);
	if (tcp->syn) {
		if (!n)
			bpf_map_update_elem(&open_conns, &key, &one, BPF_ANY);
		else if (*n >= 100)
			return XDP_DROP;
		else
			__sync_fetch_and_add(n, 1);
	} else if (n && (tcp->fin || tcp->rst)) {
		__sync_fetch_and_add(n, -1);
	}
	return XDP_PASS;
}
