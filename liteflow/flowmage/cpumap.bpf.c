// SPDX-License-Identifier: GPL-2.0
/*
 * Steering in software: hashes the fields below and passes the packet to the CPU that they
 * lead to. All packets of equal fields go to one CPU, whatever the device hashes.
 *
 *	clang -O2 -g -target bpf -c NAME.bpf.c -o NAME.bpf.o
 *
 * The loader puts an entry for each CPU into the map "cpus", with the queue's length and, if
 * the chain runs there, the program behind it; on devices of the other direction it sets
 * "swapped" before it loads. What is no IP goes to CPU 0.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SRC	1
#define DST	2
#define SPORT	4
#define DPORT	8

#ifndef FIELDS4
#define FIELDS4		(SRC | DST)
#define FIELDS6		(SRC | DST)
#define SYMMETRIC4	0
#define SYMMETRIC6	0
#define CPUS		4
#endif

/* Source and destination are exchanged on this device. */
const volatile int swapped;

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

struct end {
	__u64 addr[2];
	__u64 port;
};

static __always_inline __u64 mix(__u64 hash, __u64 value)
{
	/* the finaliser of MurmurHash3, of the sum so far */
	hash = (hash ^ value) + 0x9e3779b97f4a7c15;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
	return hash ^ hash >> 33;
}

static __always_inline __u64 mix_end(__u64 hash, const struct end *e)
{
	return mix(mix(mix(hash, e->addr[0]), e->addr[1]), e->port);
}

static __always_inline int less(const struct end *a, const struct end *b)
{
	if (a->addr[0] != b->addr[0])
		return a->addr[0] < b->addr[0];
	if (a->addr[1] != b->addr[1])
		return a->addr[1] < b->addr[1];
	return a->port < b->port;
}

static __always_inline int steer(struct end *src, struct end *dst, int fields, int symmetric)
{
	struct end *a = swapped ? dst : src, *b = swapped ? src : dst, *swap;
	__u64 hash;

	if (!(fields & SRC))
		a->addr[0] = a->addr[1] = 0;
	if (!(fields & DST))
		b->addr[0] = b->addr[1] = 0;
	if (!(fields & SPORT))
		a->port = 0;
	if (!(fields & DPORT))
		b->port = 0;
	if (symmetric && less(b, a)) {
		swap = a;
		a = b;
		b = swap;
	}
	hash = mix_end(mix_end(0, a), b);
	return bpf_redirect_map(&cpus, (__u32)((hash >> 32) * CPUS >> 32), XDP_PASS);
}

static __always_inline void get_ports(void *at, void *end, __u8 protocol, struct end *src,
				      struct end *dst)
{
	__be16 *port = at;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return;
	if ((void *)(port + 2) > end)
		return;
	src->port = port[0];
	dst->port = port[1];
}

SEC("xdp")
int flowmage_cpumap(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct end src = { 0 }, dst = { 0 };
	struct ethhdr *eth = at;
	struct ipv6hdr *ip6;
	struct iphdr *ip;
	__be16 type;
	int tag;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	type = eth->h_proto;
	at = eth + 1;
	for (tag = 0; tag < 2; tag++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if (at + 4 > end)
			return XDP_PASS;
		type = *(__be16 *)(at + 2);
		at += 4;
	}
	if (type == bpf_htons(ETH_P_IP)) {
		ip = at;
		if ((void *)(ip + 1) > end)
			return XDP_PASS;
		src.addr[0] = ip->saddr;
		dst.addr[0] = ip->daddr;
		/* fragments after the first one have no ports, so none has */
		if (!(ip->frag_off & bpf_htons(0x3fff)))
			get_ports(at + ip->ihl * 4, end, ip->protocol, &src, &dst);
		return steer(&src, &dst, FIELDS4, SYMMETRIC4);
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		ip6 = at;
		if ((void *)(ip6 + 1) > end)
			return XDP_PASS;
		__builtin_memcpy(src.addr, &ip6->saddr, 16);
		__builtin_memcpy(dst.addr, &ip6->daddr, 16);
		get_ports(ip6 + 1, end, ip6->nexthdr, &src, &dst);
		return steer(&src, &dst, FIELDS6, SYMMETRIC6);
	}
	return bpf_redirect_map(&cpus, 0, XDP_PASS);
}

char _license[] SEC("license") = "GPL";
