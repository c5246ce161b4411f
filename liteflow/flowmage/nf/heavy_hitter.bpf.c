// SPDX-License-Identifier: GPL-2.0
/* Flows with many bytes are marked: once over the threshold, they are dropped. */
#include "nf.h"

struct load {
	__u64 bytes;
	__u64 since;
};

NF_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, struct load, 65536);
NF_MAP(heavy, BPF_MAP_TYPE_HASH, struct nf_tuple, __u8, 1024);

SEC("xdp")
int heavy_hitter(struct xdp_md *ctx)
{
	struct load *load, fresh = {};
	struct nf_tuple flow;
	__u8 yes = 1;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	if (bpf_map_lookup_elem(&heavy, &flow))
		return XDP_DROP;
	load = bpf_map_lookup_elem(&flows, &flow);
	if (!load) {
		fresh.since = bpf_ktime_get_ns();
		bpf_map_update_elem(&flows, &flow, &fresh, BPF_ANY);
		return XDP_PASS;
	}
	load->bytes += nf_size(ctx);
	if (load->bytes > 1000000)
		bpf_map_update_elem(&heavy, &flow, &yes, BPF_ANY);
	return XDP_PASS;
}
