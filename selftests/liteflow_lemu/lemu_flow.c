// SPDX-License-Identifier: GPL-2.0
/*
 * Numbered packets through a link, and what came of them:
 * lemu_flow [-e] [-p PORT] [-s SIZE] [-g GAP_US] [-n COUNT | -t SECONDS] ADDRESS
 *
 * SIGTERM ends it early. Prints "sent N received N reordered N marked N min_us N
 * max_us N". The address is one of this network namespace, so that both ends are in
 * one process.
 *
 * The order is that in which they left the qdisc of lo, where packet sockets are to be had:
 * behind it each is received by the CPU that sent it, and CPUs overtake each other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/types.h>

/* Nothing for so long behind the last one: the rest is lost. */
#define PATIENCE_NS	3000000000ULL

struct packet {
	__u64 number;
	__u64 sent_ns;
};

static struct {
	__u64 sent, received, reordered, marked, min_ns, max_ns, next;
} seen = { .min_ns = ~0ULL };

static atomic_int stopped;

/* What leaves lo; -1: unknown */
static int tap = -1;
static int port = 5300;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void note_order(const struct packet *p)
{
	seen.reordered += p->number < seen.next;
	seen.next = p->number + 1;
}

static void open_tap(void)
{
	struct sockaddr_ll lo = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("lo"),
	};
	int room = 8 << 20;

	tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (tap < 0)
		return;
	setsockopt(tap, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(tap, (const void *)&lo, sizeof(lo)))
		die("bind to lo");
}

/* All that left lo since the last time. */
static void look_at_tap(void)
{
	struct sockaddr_ll from;
	struct packet packet;
	struct udphdr udp;
	struct iphdr ip;
	struct iovec iov[] = {
		{ .iov_base = &ip, .iov_len = sizeof(ip) },
		{ .iov_base = &udp, .iov_len = sizeof(udp) },
		{ .iov_base = &packet, .iov_len = sizeof(packet) },
	};
	const ssize_t whole = sizeof(ip) + sizeof(udp) + sizeof(packet);

	while (tap >= 0) {
		struct msghdr msg = {
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_iov = iov, .msg_iovlen = 3,
		};
		ssize_t n = recvmsg(tap, &msg, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n == whole && from.sll_pkttype == PACKET_OUTGOING && ip.version == 4 &&
		    ip.ihl == 5 && ip.protocol == IPPROTO_UDP && udp.dest == htons(port))
			note_order(&packet);
	}
}

static void note(const struct msghdr *msg, const struct packet *p)
{
	__u64 ns = now_ns() - p->sent_ns;
	struct cmsghdr *c;

	seen.received++;
	if (tap < 0)
		note_order(p);
	seen.min_ns = ns < seen.min_ns ? ns : seen.min_ns;
	seen.max_ns = ns > seen.max_ns ? ns : seen.max_ns;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR((struct msghdr *)msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			seen.marked += (*CMSG_DATA(c) & 3) == 3;
}

/* All that came, or comes within that time. */
static bool receive(int fd, __u64 wait_ns)
{
	struct timespec wait = {
		.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000,
	};
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char data[65536], control[64];
	bool any = false;

	while (ppoll(&p, 1, &wait, NULL) > 0) {
		struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		struct packet packet;

		if (recvmsg(fd, &msg, 0) < (ssize_t)sizeof(packet))
			continue;
		memcpy(&packet, data, sizeof(packet));
		note(&msg, &packet);
		any = true;
		wait = (struct timespec) {};
	}
	look_at_tap();
	return any;
}

static int udp(const struct sockaddr_in *bind_to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, room = 8 << 20;

	if (fd < 0 || (bind_to && bind(fd, (const void *)bind_to, sizeof(*bind_to))))
		die("socket");
	setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	__u64 count = ~0ULL, end = ~0ULL, due;
	int in, out, opt, size = 1000, gap_us = 0, ect = 0;
	static char data[65536];

	while ((opt = getopt(argc, argv, "ep:s:g:n:t:")) > 0) {
		switch (opt) {
		case 'e':
			ect = 2;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 's':
			size = atoi(optarg);
			break;
		case 'g':
			gap_us = atoi(optarg);
			break;
		case 'n':
			count = strtoull(optarg, NULL, 10);
			break;
		case 't':
			end = now_ns() + strtoull(optarg, NULL, 10) * 1000000000;
			break;
		default:
			return 2;
		}
	}
	if (optind != argc - 1 || !inet_aton(argv[optind], &to.sin_addr) ||
	    size < (int)sizeof(struct packet) || size > (int)sizeof(data))
		return 2;
	to.sin_port = htons(port);
	open_tap();
	in = udp(&to);
	out = udp(NULL);
	if (setsockopt(out, IPPROTO_IP, IP_TOS, &ect, sizeof(ect)))
		die("IP_TOS");

	signal(SIGTERM, stop);
	due = now_ns();
	for (; !stopped && seen.sent < count && now_ns() < end; due += gap_us * 1000ULL) {
		struct packet packet = { .number = seen.sent };
		__u64 now;

		while ((now = now_ns()) < due)
			receive(in, due - now);
		/* with an end, a machine that is too slow sends less, and has time for others */
		if (end != ~0ULL)
			due = now;
		packet.sent_ns = now_ns();
		memcpy(data, &packet, sizeof(packet));
		if (sendto(out, data, size, 0, (void *)&to, sizeof(to)) == size)
			seen.sent++;
		else if (errno != ENOBUFS && errno != EAGAIN)
			die("sendto");
		receive(in, 0);
	}
	while (seen.received < seen.sent && receive(in, PATIENCE_NS))
		;
	printf("sent %llu received %llu reordered %llu marked %llu min_us %llu max_us %llu\n",
	       seen.sent, seen.received, seen.reordered, seen.marked,
	       seen.received ? seen.min_ns / 1000 : 0, seen.max_ns / 1000);
	return 0;
}
