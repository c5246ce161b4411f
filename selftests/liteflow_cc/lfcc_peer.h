/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the congestion control "liteflow": a peer beyond a tun device whose packets
 * the test makes. So it decides what is lost, and when what is acknowledged.
 */
#ifndef _LFCC_PEER_H
#define _LFCC_PEER_H

#include <endian.h>
#include <poll.h>
#include <sched.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sys/ioctl.h>
#include <linux/if_tun.h>

#include "lfcc.h"

#define PEER_HERE	"10.78.0.1"
#define PEER_THERE	"10.78.0.2"
#define PEER_PORT	7777
#define PEER_MSS	1460
#define PEER_ROOM	2048	/* bytes of a packet, at most */
#define PEER_SACKS	3

#define PEER_FIN	0x01
#define PEER_SYN	0x02
#define PEER_RST	0x04
#define PEER_ACK	0x10
#define PEER_ECE	0x40
#define PEER_CWR	0x80

/**
 * struct peer - a peer and its one connection
 * @tun: the device
 * @isn: of what the kernel sends; sequence numbers below are relative to it
 * @seq: what the peer sends next, absolute
 * @ack: the kernel's bytes that it has acknowledged
 * @kernel_port: the other end's port, network byte order
 * @port: its own
 * @tsval: its clock of timestamps
 * @window: what it advertises, in units of 128 bytes; of 1 in a SYN
 * @ecn: it agrees to ECN
 */
struct peer {
	int tun;
	__u32 isn;
	__u32 seq;
	__u32 ack;
	__u16 kernel_port;
	__u16 port;
	__u32 tsval;
	__u16 window;
	bool ecn;
};

/* A segment that came: relative to what the kernel began with */
struct peer_seg {
	__u32 seq;
	__u32 len;
	__u32 ack;
	__u8 flags;
	__u32 tsval;
};

struct peer_tcp {
	__be16 from;
	__be16 to;
	__be32 seq;
	__be32 ack;
	__u8 words;	/* of the header, in the upper half */
	__u8 flags;
	__be16 window;
	__be16 sum;
	__be16 urgent;
	__u8 options[];
};

/* Sums end-around; the caller inverts. */
static inline __u32 peer_sum(const void *data, size_t len, __u32 sum)
{
	const __u8 *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	return sum;
}

static inline __be16 peer_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* In a network namespace of its own; false: errno says why not. */
static inline bool peer_open(struct peer *p)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in *addr = (void *)&r.ifr_addr;
	int fd;

	memset(p, 0, sizeof(*p));
	p->tun = -1;
	if (unshare(CLONE_NEWNET))
		return false;
	p->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (p->tun < 0 || ioctl(p->tun, TUNSETIFF, &r))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	inet_pton(AF_INET, PEER_HERE, &addr->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &r))
		return false;
	inet_pton(AF_INET, "255.255.255.0", &addr->sin_addr);
	if (ioctl(fd, SIOCSIFNETMASK, &r) || ioctl(fd, SIOCGIFFLAGS, &r))
		return false;
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		return false;
	close(fd);
	p->port = htons(PEER_PORT);
	p->seq = 1000000;
	p->tsval = 1000;
	p->window = 65535;
	return true;
}

/* tun's packets are not offloaded: each is one segment. False: none came in time. */
static inline bool peer_next(struct peer *p, struct peer_seg *seg, int ms)
{
	struct pollfd wait = { .fd = p->tun, .events = POLLIN };
	double end = lfcc_now() + ms / 1e3;
	__u8 buf[PEER_ROOM];

	for (;;) {
		int left = (end - lfcc_now()) * 1e3;
		const struct iphdr *ip = (void *)buf;
		const struct peer_tcp *tcp;
		const __u8 *o, *options_end;
		ssize_t len;

		if (poll(&wait, 1, left > 0 ? left : 0) <= 0)
			return false;
		len = read(p->tun, buf, sizeof(buf));
		if (len < 40 || ip->version != 4 || ip->protocol != IPPROTO_TCP)
			continue;
		tcp = (void *)(buf + ip->ihl * 4);
		options_end = (void *)tcp + (tcp->words >> 4) * 4;
		if (tcp->flags & PEER_SYN)
			p->isn = ntohl(tcp->seq);
		p->kernel_port = tcp->from;
		seg->seq = ntohl(tcp->seq) - p->isn;
		seg->ack = ntohl(tcp->ack);
		seg->len = buf + len - options_end;
		seg->flags = tcp->flags;
		seg->tsval = 0;
		for (o = tcp->options; o < options_end && *o; o += *o == 1 ? 1 : o[1]) {
			if (*o == 8 && o[1] == 10)
				seg->tsval = o[2] << 24 | o[3] << 16 | o[4] << 8 | o[5];
			if (*o != 1 && o[1] < 2)
				break;
		}
		return true;
	}
}

/*
 * A segment to the kernel: acknowledges up to @ack, echoes @tsecr, and says that it has
 * @n_sacks ranges beyond, pairs of sequence numbers.
 */
static inline bool peer_send(struct peer *p, __u8 flags, __u32 ack, __u32 tsecr,
			     const __u32 *sacks, unsigned int n_sacks, const void *data, size_t len)
{
	__u8 buf[PEER_ROOM] = "", *o;
	struct iphdr *ip = (void *)buf;
	struct peer_tcp *tcp = (void *)(buf + sizeof(*ip));
	__be32 word;
	unsigned int i;
	size_t head;
	__u32 sum;

	o = tcp->options;
	*o++ = 1;
	*o++ = 1;
	*o++ = 8;
	*o++ = 10;
	word = htonl(++p->tsval);
	o = mempcpy(o, &word, 4);
	word = htonl(tsecr);
	o = mempcpy(o, &word, 4);
	if (flags & PEER_SYN) {
		/* MSS, SACK, a scale of 7 */
		const __u8 syn[] = { 2, 4, PEER_MSS >> 8, PEER_MSS & 255, 4, 2, 3, 3, 7, 1, 1, 1 };

		o = mempcpy(o, syn, sizeof(syn));
	} else if (n_sacks) {
		*o++ = 1;
		*o++ = 1;
		*o++ = 5;
		*o++ = 2 + 8 * n_sacks;
		for (i = 0; i < 2 * n_sacks; i++) {
			word = htonl(sacks[i] + p->isn);
			o = mempcpy(o, &word, 4);
		}
	}
	head = o - (__u8 *)tcp;
	if (len)
		memcpy(o, data, len);
	tcp->from = p->port;
	tcp->to = p->kernel_port;
	tcp->seq = htonl(p->seq);
	tcp->ack = flags & PEER_ACK ? htonl(ack + p->isn) : 0;
	tcp->words = head / 4 << 4;
	tcp->flags = flags;
	tcp->window = htons(p->window);
	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(*ip) + head + len),
	};
	inet_pton(AF_INET, PEER_THERE, &ip->saddr);
	inet_pton(AF_INET, PEER_HERE, &ip->daddr);
	ip->check = peer_fold(peer_sum(ip, sizeof(*ip), 0));
	sum = peer_sum(&ip->saddr, 8, IPPROTO_TCP + head + len);
	tcp->sum = peer_fold(peer_sum(tcp, head + len, sum));
	p->seq += len + !!(flags & PEER_SYN);
	p->ack = flags & PEER_ACK ? ack : p->ack;
	return write(p->tun, buf, sizeof(*ip) + head + len) ==
	       (ssize_t)(sizeof(*ip) + head + len);
}

static inline bool peer_ack(struct peer *p, __u32 ack, __u32 tsecr)
{
	return peer_send(p, PEER_ACK, ack, tsecr, NULL, 0, NULL, 0);
}

/* The kernel's socket, connected to it over a path of that RTT; -1: it failed. */
static inline int peer_accept(struct peer *p, const char *name, int rtt_ms)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = p->port };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct peer_seg seg;

	inet_pton(AF_INET, PEER_THERE, &addr.sin_addr);
	if (lfcc_choose(fd, name) ||
	    (connect(fd, (void *)&addr, sizeof(addr)) && errno != EINPROGRESS))
		goto failed;
	do {
		if (!peer_next(p, &seg, 5000))
			goto failed;
	} while (!(seg.flags & PEER_SYN));
	usleep(rtt_ms * 1000);
	peer_send(p, PEER_SYN | PEER_ACK | (p->ecn ? PEER_ECE : 0), 1, seg.tsval, NULL, 0, NULL, 0);
	do {
		if (!peer_next(p, &seg, 5000))
			goto failed;
	} while (seg.flags & PEER_SYN);
	return fd;

failed:
	close(fd);
	return -1;
}

#endif /* _LFCC_PEER_H */
