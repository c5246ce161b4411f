// SPDX-License-Identifier: GPL-2.0
/*
 * Sends bytes with the congestion control "liteflow", and says how that went:
 *
 *	lfcc_send -l PORT		receives one connection; how many bytes came
 *	lfcc_send ADDRESS PORT KBYTES	sends; milliseconds until all are
 *					acknowledged, packets sent, packets sent again,
 *					flags and version of TCP_CC_INFO, and the largest
 *					window seen, packets
 *	lfcc_send ADDRESS PORT KBYTES CONTROL	with another one; flags and version 0
 */
#include "lfcc.h"

#define PATIENCE	120	/* seconds for all of it */

static int fail(const char *what)
{
	fprintf(stderr, "lfcc_send: %s: %s\n", what, strerror(errno));
	return 1;
}

static int receive(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), in, one = 1;
	unsigned long long bytes = 0;
	static char chunk[65536];
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 1))
		return fail("listen");
	in = accept(fd, NULL, NULL);
	if (in < 0)
		return fail("accept");
	while ((got = recv(in, chunk, sizeof(chunk), 0)) > 0)
		bytes += got;
	if (got < 0)
		return fail("receive");
	printf("%llu\n", bytes);
	return 0;
}

static int send_kbytes(const char *address, int port, long kbytes, const char *control)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), tries;
	double start, end;
	struct tcp_liteflow_info info = {};
	static const char chunk[1024];
	struct timeval patience = { .tv_sec = PATIENCE * lfcc_slow() };
	struct tcp_info tcp = {};
	socklen_t len = sizeof(tcp);
	__u32 cwnd = 0;

	inet_pton(AF_INET, address, &addr.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (lfcc_choose(fd, control))
		return fail(control);
	/* the other side may not listen yet */
	for (tries = 0; connect(fd, (void *)&addr, sizeof(addr)); tries++) {
		if (errno != ECONNREFUSED || tries == 100)
			return fail("connect");
		usleep(50000);
	}
	start = lfcc_now();
	end = start + PATIENCE * lfcc_slow();
	do {
		if (!kbytes)
			usleep(1000);
		else if (kbytes-- && send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) != sizeof(chunk))
			return fail("send");
		len = sizeof(tcp);
		if (getsockopt(fd, SOL_TCP, TCP_INFO, &tcp, &len))
			return fail("TCP_INFO");
		if (tcp.tcpi_snd_cwnd > cwnd)
			cwnd = tcp.tcpi_snd_cwnd;
		if (lfcc_now() > end) {
			fprintf(stderr, "lfcc_send: no end after %d s\n", PATIENCE * lfcc_slow());
			return 1;
		}
	} while (kbytes || tcp.tcpi_unacked || tcp.tcpi_notsent_bytes);
	end = lfcc_now();
	if (!strcmp(control, LFCC) && lfcc_info(fd, &info) != sizeof(info))
		return fail("TCP_CC_INFO");
	printf("%.0f %u %u %u %u %u\n", (end - start) * 1e3, tcp.tcpi_segs_out,
	       tcp.tcpi_total_retrans, info.flags, info.version, cwnd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-l"))
		return receive(atoi(argv[2]));
	if (argc == 4 || argc == 5)
		return send_kbytes(argv[1], atoi(argv[2]), atol(argv[3]), argv[4] ?: LFCC);
	fprintf(stderr, "usage: lfcc_send -l PORT, or lfcc_send ADDRESS PORT KBYTES [CONTROL]\n");
	return 2;
}
