// SPDX-License-Identifier: GPL-2.0
/* The kernel's own table of connections: looked up, and filled by a first packet. */
#include "nf.h"

struct nf_conn;

struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_len,
				  struct bpf_ct_opts *opts, __u32 opts_len) __ksym;
struct nf_conn *bpf_xdp_ct_alloc(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_len,
				 struct bpf_ct_opts *opts, __u32 opts_len) __ksym;
struct nf_conn *bpf_ct_insert_entry(struct nf_conn *conn) __ksym;
void bpf_ct_set_timeout(struct nf_conn *conn, __u32 timeout) __ksym;
void bpf_ct_release(struct nf_conn *conn) __ksym;

SEC("xdp")
int conntrack_kernel(struct xdp_md *ctx)
{
	struct bpf_ct_opts opts = { .netns_id = -1, .l4proto = IPPROTO_TCP };
	struct bpf_sock_tuple tuple = {};
	struct nf_tuple flow;
	struct nf_conn *conn;

	if (!nf_flow(ctx, &flow) || flow.proto != IPPROTO_TCP)
		return XDP_PASS;
	tuple.ipv4.saddr = flow.src;
	tuple.ipv4.daddr = flow.dst;
	tuple.ipv4.sport = flow.sport;
	tuple.ipv4.dport = flow.dport;
	conn = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
	if (!conn) {
		conn = bpf_xdp_ct_alloc(ctx, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
		if (!conn)
			return XDP_PASS;
		bpf_ct_set_timeout(conn, 10000);
		conn = bpf_ct_insert_entry(conn);
		if (!conn)
			return XDP_PASS;
	}
	bpf_ct_release(conn);
	return XDP_PASS;
}
