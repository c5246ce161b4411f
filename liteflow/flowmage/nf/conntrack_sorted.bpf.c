// SPDX-License-Identifier: GPL-2.0
/* A table of connections under a key with the lower address first. */
#include "nf.h"

NF_MAP(conns, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, __u64, 65536);

SEC("xdp")
int conntrack_sorted(struct xdp_md *ctx)
{
	struct nf_tuple flow, key;
	__u64 one = 1, *packets;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	if (flow.src < flow.dst || (flow.src == flow.dst && flow.sport < flow.dport))
		key = flow;
	else
		nf_reverse(&key, &flow);
	packets = bpf_map_lookup_elem(&conns, &key);
	if (packets)
		__sync_fetch_and_add(packets, 1);
	else
		bpf_map_update_elem(&conns, &key, &one, BPF_ANY);
	return XDP_PASS;
}
