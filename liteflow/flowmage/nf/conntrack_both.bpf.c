// SPDX-License-Identifier: GPL-2.0
/* A table of connections: looked up as it comes, then the other way round. */
#include "nf.h"

struct conn {
	__u64 packets;
	__u64 seen;
};

NF_MAP(conns, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, struct conn, 65536);

SEC("xdp")
int conntrack_both(struct xdp_md *ctx)
{
	struct conn *conn, fresh = { .packets = 1 };
	struct nf_tuple flow, back;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	conn = bpf_map_lookup_elem(&conns, &flow);
	if (!conn) {
		nf_reverse(&back, &flow);
		conn = bpf_map_lookup_elem(&conns, &back);
	}
	if (conn) {
		__sync_fetch_and_add(&conn->packets, 1);
		conn->seen = bpf_ktime_get_ns();
		return XDP_PASS;
	}
	fresh.seen = bpf_ktime_get_ns();
	bpf_map_update_elem(&conns, &flow, &fresh, BPF_ANY);
	return XDP_PASS;
}
