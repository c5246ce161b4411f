// SPDX-License-Identifier: GPL-2.0
/*
 * A flow: a TCP connection from namespace snd to rcv, or back. Its receiver waits for a lot
 * before it wakes up, and drops what came: the emulation pays for every system call.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/tcp_liteflow.h>
#include "lab.h"

#define RECEIVER	"10.0.3.2"
#define SENDER		"10.0.1.2"
#define CHUNK		(256 << 10)
#define WAKE		(64 << 10)

static char zeros[CHUNK];

static void option(int fd, int level, int name, const void *value, socklen_t size, const char *what)
{
	if (setsockopt(fd, level, name, value, size))
		fail("%s: %s", what, strerror(errno));
}

static int tcp_socket(const char *space, uint32_t room)
{
	int fd, on = 1;

	enter(space);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("a socket in %s: %s", space, strerror(errno));
	option(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room), "the send buffer");
	option(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room), "the receive buffer");
	option(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on), "the address");
	return fd;
}

static struct sockaddr_in address(const struct flow *flow, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, flow->back ? SENDER : RECEIVER, &sin.sin_addr);
	return sin;
}

void flow_listen(struct flow *flow, uint16_t port, uint32_t room)
{
	struct sockaddr_in sin = address(flow, port);
	int tos = flow->band << 3;

	flow->fd = -1;
	flow->peer = -1;
	flow->listener = tcp_socket(flow->back ? "snd" : "rcv", room);
	/* ACKs take the way of their band, link.c; what it accepts inherits this */
	option(flow->listener, IPPROTO_IP, IP_TOS, &tos, sizeof(tos), "the type of service");
	if (bind(flow->listener, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(flow->listener, 1))
		fail("port %u: %s", port, strerror(errno));
}

void flow_start(struct flow *flow, uint16_t port, uint32_t room)
{
	struct sockaddr_in sin = address(flow, port);

	flow->fd = tcp_socket(flow->back ? "rcv" : "snd", room);
	if (setsockopt(flow->fd, IPPROTO_TCP, TCP_CONGESTION, flow->cc, strlen(flow->cc)))
		fail("congestion control '%s': %s%s", flow->cc, strerror(errno),
		     errno == ENOENT ? "; this kernel does not have it" : "");
	flow->connected = now();
	if (connect(flow->fd, (struct sockaddr *)&sin, sizeof(sin)) && errno != EINPROGRESS)
		fail("connect: %s", strerror(errno));
}

void flow_accept(struct flow *flow)
{
	int low = WAKE;

	flow->peer = accept4(flow->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (flow->peer < 0)
		fail("accept: %s", strerror(errno));
	if (!flow->size)
		option(flow->peer, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low), "SO_RCVLOWAT");
}

void flow_write(struct flow *flow)
{
	ssize_t n = 0;

	while (!flow->size || flow->queued < flow->size) {
		size_t want = CHUNK;

		if (flow->size && flow->size - flow->queued < want)
			want = flow->size - flow->queued;
		n = send(flow->fd, zeros, want, MSG_NOSIGNAL);
		if (n < 0)
			break;
		flow->queued += n;
	}
	if (n < 0 && errno != EAGAIN)
		fail("a flow of %s broke: %s", flow->cc, strerror(errno));
}

void flow_read(struct flow *flow)
{
	ssize_t n;

	while ((n = recv(flow->peer, NULL, 64 << 20, MSG_TRUNC)) > 0)
		flow->received += n;
	if (n < 0 && errno != EAGAIN)
		fail("a flow of %s broke at its receiver: %s", flow->cc, strerror(errno));
	if (flow->size && flow->received >= flow->size && !flow->done)
		flow->done = now();
}

static void tcp_info(int fd, struct tcp_info *info)
{
	socklen_t size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size))
		fail("TCP_INFO: %s", strerror(errno));
}

static struct tcp_liteflow_info liteflow_info(const struct flow *flow)
{
	struct tcp_liteflow_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(flow->fd, IPPROTO_TCP, TCP_CC_INFO, &info, &size))
		fail("TCP_CC_INFO: %s", strerror(errno));
	return info;
}

void flow_prefer(struct flow *flow, const uint16_t preferences[3])
{
	struct tcp_liteflow_params params = {
		.throughput = preferences[0],
		.latency = preferences[1],
		.loss = preferences[2],
	};

	option(flow->fd, IPPROTO_TCP, TCP_CC_PARAMS, &params, sizeof(params), "preferences");
	if (!(liteflow_info(flow).flags & TCP_LITEFLOW_PREFER))
		fail("no model of the app cc_pref answers to preferences");
}

static void sample_liteflow(struct flow *flow)
{
	struct tcp_liteflow_info info = liteflow_info(flow);

	flow->classic += !!(info.flags & TCP_LITEFLOW_CLASSIC);
	flow->competing += !!(info.flags & TCP_LITEFLOW_COMPETING);
}

/* What came within the last span ns, and how the sender sees the path. */
void flow_sample(struct flow *flow, int64_t span)
{
	struct tcp_info sender, receiver = { 0 };

	tcp_info(flow->fd, &sender);
	if (flow->peer >= 0)
		tcp_info(flow->peer, &receiver);
	flow->retrans = sender.tcpi_total_retrans;
	flow->segs_out = sender.tcpi_data_segs_out;
	flow->min_rtt_us = sender.tcpi_min_rtt;
	flow->kbit[flow->samples] = (receiver.tcpi_bytes_received - flow->last_received) * 8e6 /
				    span;
	flow->rtt_us[flow->samples] = sender.tcpi_rtt;
	/* ~0: no rate */
	if (sender.tcpi_pacing_rate < UINT32_MAX * 125ULL)
		flow->rate_kbit[flow->samples] = sender.tcpi_pacing_rate / 125;
	flow->samples++;
	flow->last_received = receiver.tcpi_bytes_received;
	/* it has no model before it is connected */
	if (flow->queued && !strcmp(flow->cc, "liteflow"))
		sample_liteflow(flow);
}

/* At once, without a word to the other side. */
void flow_close(struct flow *flow)
{
	struct linger linger = { .l_onoff = 1 };
	int *fds[] = { &flow->fd, &flow->peer };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (*fds[i] < 0)
			continue;
		setsockopt(*fds[i], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(*fds[i]);
		*fds[i] = -1;
	}
}
