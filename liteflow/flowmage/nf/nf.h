/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test functions share: headers found with every bound checked, and keys.
 */
#ifndef _FLOWMAGE_NF_H
#define _FLOWMAGE_NF_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

char _license[] SEC("license") = "GPL";

#define NF_MAP(_name, _type, _key, _value, _entries)	\
struct {						\
	__uint(type, _type);				\
	__uint(max_entries, _entries);			\
	__type(key, _key);				\
	__type(value, _value);				\
} _name SEC(".maps")

struct nf_mac {
	__u8 byte[ETH_ALEN];
};

struct nf_vlan {
	__be16 tci;
	__be16 proto;
};

struct nf_ports {
	__be16 src;
	__be16 dst;
};

struct nf_tuple {
	__be32 src;
	__be32 dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 zero[3];
};

/* @size bytes of the frame from @offset on; NULL: it is shorter */
static __always_inline void *nf_at(void *ctx, __u32 offset, __u32 size)
{
	struct xdp_md *xdp = ctx;
	void *end = (void *)(long)xdp->data_end;
	void *at = (void *)(long)xdp->data + offset;

	return at + size > end ? NULL : at;
}

/* Bytes of the frame */
static __always_inline __u64 nf_size(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end - (void *)(long)ctx->data;
}

static __always_inline struct iphdr *nf_ipv4(void *ctx)
{
	struct ethhdr *eth = nf_at(ctx, 0, sizeof(*eth));

	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP))
		return NULL;
	return nf_at(ctx, sizeof(*eth), sizeof(struct iphdr));
}

static __always_inline struct ipv6hdr *nf_ipv6(void *ctx)
{
	struct ethhdr *eth = nf_at(ctx, 0, sizeof(*eth));

	if (!eth || eth->h_proto != bpf_htons(ETH_P_IPV6))
		return NULL;
	return nf_at(ctx, sizeof(*eth), sizeof(struct ipv6hdr));
}

/* What is behind the IPv4 header and its options, unless it is a later fragment's. */
static __always_inline void *nf_transport(void *ctx, struct iphdr *ip, __u32 size)
{
	if (ip->ihl < 5 || ip->frag_off & bpf_htons(0x3fff))
		return NULL;
	return nf_at(ctx, sizeof(struct ethhdr) + ip->ihl * 4, size);
}

static __always_inline struct tcphdr *nf_tcp(void *ctx, struct iphdr *ip)
{
	if (ip->protocol != IPPROTO_TCP)
		return NULL;
	return nf_transport(ctx, ip, sizeof(struct tcphdr));
}

/* The flow of a TCP or UDP packet over IPv4. */
static __always_inline bool nf_flow(void *ctx, struct nf_tuple *flow)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct nf_ports *ports;

	if (!ip || (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP))
		return false;
	ports = nf_transport(ctx, ip, sizeof(*ports));
	if (!ports)
		return false;
	*flow = (struct nf_tuple){
		.src = ip->saddr,
		.dst = ip->daddr,
		.sport = ports->src,
		.dport = ports->dst,
		.proto = ip->protocol,
	};
	return true;
}

static __always_inline void nf_reverse(struct nf_tuple *to, const struct nf_tuple *from)
{
	*to = (struct nf_tuple){
		.src = from->dst,
		.dst = from->src,
		.sport = from->dport,
		.dport = from->sport,
		.proto = from->proto,
	};
}

/* One's complement sum, when a 16-bit word of what it covers changes. */
static __always_inline void nf_csum(__sum16 *sum, __u16 from, __u16 to)
{
	__u32 all = (__u16)~*sum + (__u16)~from + to;

	all = (all & 0xffff) + (all >> 16);
	*sum = ~(all + (all >> 16));
}

#endif /* _FLOWMAGE_NF_H */
