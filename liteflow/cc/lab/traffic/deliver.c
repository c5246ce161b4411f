// SPDX-License-Identifier: GPL-2.0
/*
 * A bottleneck of single moments, as that of mahimahi: in each, so many bytes of what
 * waits may leave; one in which nothing waits is lost.  They come from a file (a line
 * is the millisecond of one; the file repeats), at random as Poisson has it, or evenly,
 * with pauses.  tbf knows none of that, so packets come here through a tun device in
 * rtr, wait here, and leave into another one in far.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <net/route.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lab.h"

#define IP_PACKET	1500	/* bytes that leave in one moment: a full packet */
#define ETHERNET	14	/* what the queue counts beside, as tbf does */
/* after the run's end there are more, to tell how long the last ones would wait */
#define BEYOND		(60 * NS_PER_S)

struct packet {
	STAILQ_ENTRY(packet) next;
	uint16_t size;
	uint16_t left;		/* bytes that have not left yet */
	uint8_t data[IP_PACKET];
};

static struct {
	int in, out;
	int64_t *when;
	size_t n, room, next;
	STAILQ_HEAD(, packet) queue;
	uint64_t left;		/* bytes of IP in it */
	uint32_t limit;
	struct queue stats;
} gate = { .in = -1, .out = -1 };

static void moment(int64_t at)
{
	if (gate.n == gate.room) {
		gate.room = 2 * gate.room + 1024;
		gate.when = realloc(gate.when, gate.room * sizeof(*gate.when));
		if (!gate.when)
			fail("out of memory");
	}
	gate.when[gate.n++] = at;
}

static void from_file(const char *path, int64_t end)
{
	FILE *file = fopen(path, "re");
	int64_t last = 0, base = 0;
	unsigned long line = 0;
	char text[32], *rest;
	size_t once, i;

	if (!file)
		fail("%s: %s", path, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		int64_t at = strtoll(text, &rest, 10) * NS_PER_MS;

		line++;
		if (rest == text || (*rest && *rest != '\n') || at < last)
			fail("%s:%lu: not a millisecond at or after the one before", path, line);
		moment(at);
		last = at;
	}
	fclose(file);
	if (!last)
		fail("%s: no time passes in it", path);
	once = gate.n;
	while (gate.when[gate.n - 1] < end) {
		base += last;
		for (i = 0; i < once; i++)
			moment(base + gate.when[i]);
	}
}

static bool paused(const struct shape *shape, int64_t at)
{
	int64_t every = shape->stall_s * NS_PER_S;

	return every && at >= every && at % every < shape->stall_ms * NS_PER_MS;
}

static void from_rate(const struct shape *shape, int64_t end)
{
	int64_t step = shape->step_s * NS_PER_S;
	double at = 0;

	srand48(shape->seed);
	while (at < end) {
		double mbit = shape->mbit[step ? (int64_t)at / step & 1 : 0];

		/* never 0, whose logarithm is none */
		at += PACKET * 8e3 / mbit * (shape->poisson ? -log(1 - drand48()) : 1);
		if (!paused(shape, at))
			moment(at);
	}
}

static int tun(const char *space, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd, control;

	enter(space);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(ifr.ifr_name, name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		fail("a tun device in %s: %s", space, strerror(errno));
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_flags = IFF_UP | IFF_NOARP;
	if (ioctl(control, SIOCSIFFLAGS, &ifr))
		fail("%s: %s", name, strerror(errno));
	close(control);
	return fd;
}

/* What goes to the receivers goes through here, and no more by the veth pair. */
static void detour(const char *name)
{
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = (char *)name };
	struct sockaddr_in *to = (struct sockaddr_in *)&route.rt_dst;
	struct sockaddr_in *mask = (struct sockaddr_in *)&route.rt_genmask;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to->sin_family = mask->sin_family = AF_INET;
	inet_pton(AF_INET, "10.0.3.0", &to->sin_addr);
	inet_pton(AF_INET, "255.255.255.0", &mask->sin_addr);
	if (ioctl(fd, SIOCADDRT, &route))
		fail("a route by %s: %s", name, strerror(errno));
	close(fd);
}

/* The file descriptor to watch. */
int deliver_open(const struct shape *shape, int64_t length)
{
	STAILQ_INIT(&gate.queue);
	gate.limit = shape->buffer;
	if (shape->trace)
		from_file(shape->trace, length + BEYOND);
	else
		from_rate(shape, length + BEYOND);
	gate.out = tun("far", "gate1");
	gate.in = tun("rtr", "gate0");
	detour("gate0");
	return gate.in;
}

static void leave(struct packet *packet)
{
	if (write(gate.out, packet->data, packet->size) != packet->size)
		fail("a packet does not leave: %s", strerror(errno));
	gate.stats.packets++;
	gate.stats.bytes += packet->size + ETHERNET;
	gate.stats.backlog -= packet->size + ETHERNET;
	STAILQ_REMOVE_HEAD(&gate.queue, next);
	free(packet);
}

/* All that could leave up to t, ns from the run's start. */
void deliver(int64_t t)
{
	for (; gate.next < gate.n && gate.when[gate.next] <= t; gate.next++) {
		struct packet *packet;
		uint16_t room = IP_PACKET;

		while (room && (packet = STAILQ_FIRST(&gate.queue))) {
			uint16_t part = packet->left < room ? packet->left : room;

			room -= part;
			packet->left -= part;
			gate.left -= part;
			if (!packet->left)
				leave(packet);
		}
	}
}

void deliver_read(int64_t t)
{
	struct packet *packet;
	uint8_t data[2 * IP_PACKET];
	ssize_t size;

	/* moments that have passed are not for what comes now */
	deliver(t);
	while ((size = read(gate.in, data, sizeof(data))) > 0) {
		/* the kernel itself sends IPv6 to any new device */
		if (data[0] >> 4 != 4)
			continue;
		if (size > IP_PACKET)
			fail("a packet of %zd bytes", size);
		if (gate.stats.backlog + size + ETHERNET > gate.limit) {
			gate.stats.drops++;
			continue;
		}
		packet = allocate(1, sizeof(*packet));
		packet->size = packet->left = size;
		memcpy(packet->data, data, size);
		STAILQ_INSERT_TAIL(&gate.queue, packet, next);
		gate.stats.backlog += size + ETHERNET;
		gate.left += size;
	}
	if (size < 0 && errno != EAGAIN)
		fail("the tun device: %s", strerror(errno));
}

/* When deliver() has something to do, or never. */
int64_t deliver_next(void)
{
	return STAILQ_EMPTY(&gate.queue) || gate.next == gate.n ? INT64_MAX :
								  gate.when[gate.next];
}

void deliver_stats(struct queue *queue)
{
	*queue = gate.stats;
}

/* ns until all that waits now has left */
int64_t deliver_delay(int64_t t)
{
	size_t moments = (gate.left + IP_PACKET - 1) / IP_PACKET;

	if (!moments || gate.next == gate.n)
		return 0;
	if (moments > gate.n - gate.next)
		moments = gate.n - gate.next;
	return gate.when[gate.next + moments - 1] - t;
}

/* Mbit/s on the wire, mean of the moments up to length */
double deliver_mbit(int64_t length)
{
	size_t n = 0;

	while (n < gate.n && gate.when[n] <= length)
		n++;
	return n * PACKET * 8e3 / length;
}

/* The devices go with their files, and the route with them. */
void deliver_close(void)
{
	if (gate.in < 0)
		return;
	close(gate.in);
	close(gate.out);
}
