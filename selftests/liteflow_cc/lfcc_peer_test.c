// SPDX-License-Identifier: GPL-2.0
/*
 * The congestion control "liteflow" before a peer that loses a tail, answers late, opens
 * with data, or echoes marks: with a model, without one as Reno, and Reno itself.
 */
#include <errno.h>
#include <stdatomic.h>

#include "../kselftest_harness.h"
#include "lfcc_peer.h"

/* an emulated and instrumented machine takes its time */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#define PAYLOAD		(PEER_MSS - 12)	/* bytes of a segment: there are timestamps */
#define RTT_MS		20
#define PATIENCE_MS	10000
#define TRIES		5	/* a machine that is busy elsewhere may be late */
#define CA_CWR		2	/* tcp_info.tcpi_ca_state */
#define CA_RECOVERY	3
#define CA_LOSS		4

FIXTURE(peer) {
	struct lf_sock *s;
	struct peer p;
	int fd;
	__u32 end;	/* of what was given to the socket */
	__u32 seen;	/* of what arrived */
	__u8 flags;	/* of the last that did */
};

FIXTURE_VARIANT(peer) {
	const char *control;
	const struct lfcc_model *model;
};

FIXTURE_VARIANT_ADD(peer, reno) {
	.control = "reno",
};

FIXTURE_VARIANT_ADD(peer, classic) {
	.control = LFCC,
};

FIXTURE_VARIANT_ADD(peer, model) {
	.control = LFCC,
	.model = &lfcc_steady,
};

static bool set_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = write(fd, value, strlen(value)) > 0;

	close(fd);
	return done;
}

FIXTURE_SETUP(peer)
{
	self->fd = -1;
	self->end = 1;
	self->seen = 1;
	if (geteuid())
		SKIP(return, "not root");
	if (!strcmp(variant->control, LFCC)) {
		if (!lfcc_load())
			SKIP(return, "no control liteflow: CONFIG_TCP_CONG_LITEFLOW, LF_MODULES");
		self->s = lf_open();
		if (!self->s)
			SKIP(return, "kernel without CONFIG_LITEFLOW_NETLINK");
		lfcc_clear(self->s, LFCC_APP);
	}
	if (variant->model)
		ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, variant->model), 0);
	if (!peer_open(&self->p))
		SKIP(return, "no tun device: kernel without CONFIG_TUN or CONFIG_NET_NS");
	/* a window does not shrink while the peer thinks */
	set_sysctl("/proc/sys/net/ipv4/tcp_slow_start_after_idle", "0");
}

FIXTURE_TEARDOWN(peer)
{
	close(self->fd);
	close(self->p.tun);
	if (!self->s)
		return;
	lfcc_clear(self->s, LFCC_APP);
	lf_close(self->s);
}

static struct tcp_info tcp_info(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* A counter of this namespace; 0 if there is none. */
static unsigned long counter(const char *name)
{
	char names[8192], values[8192], *n, *v, *n_rest, *v_rest;
	FILE *f = fopen("/proc/net/netstat", "r");
	unsigned long found = 0;

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, "\n ", &n_rest);
		v = strtok_r(values, "\n ", &v_rest);
		for (; n && v; n = strtok_r(NULL, "\n ", &n_rest),
		     v = strtok_r(NULL, "\n ", &v_rest)) {
			if (!strcmp(n, name))
				found = strtoul(v, NULL, 10);
		}
	}
	if (f)
		fclose(f);
	return found;
}

static bool give(struct _test_data_peer *self, unsigned int segments)
{
	static const char chunk[16 * PAYLOAD];

	self->end += segments * PAYLOAD;
	return send(self->fd, chunk, segments * PAYLOAD, MSG_NOSIGNAL) ==
	       (ssize_t)segments * PAYLOAD;
}

/* More of what was given arrives; when it was sent. */
static bool arrives(struct _test_data_peer *self, __u32 *tsval, int ms)
{
	struct peer_seg seg;

	do {
		if (!peer_next(&self->p, &seg, ms))
			return false;
	} while (!seg.len || (__s32)(seg.seq + seg.len - self->seen) <= 0);
	self->seen = seg.seq + seg.len;
	self->flags = seg.flags;
	*tsval = seg.tsval;
	return true;
}

/* All of it arrives, without an ACK. */
static bool arrive(struct _test_data_peer *self, __u32 *tsval)
{
	while ((__s32)(self->end - self->seen) > 0) {
		if (!arrives(self, tsval, PATIENCE_MS))
			return false;
	}
	return true;
}

/* Round trips without a fault, until it knows the path. The window may be small. */
static bool warm(struct _test_data_peer *self, unsigned int rounds)
{
	double end = lfcc_now() + PATIENCE_MS / 1e3;
	__u32 tsval;

	while (rounds--) {
		if (!give(self, 10))
			return false;
		while ((__s32)(self->end - self->p.ack) > 0) {
			if (lfcc_now() > end || !arrives(self, &tsval, PATIENCE_MS))
				return false;
			while (arrives(self, &tsval, RTT_MS))
				;
			if (!peer_ack(&self->p, self->seen, tsval))
				return false;
		}
	}
	return true;
}

/* The segment comes that begins here. */
static bool comes(struct _test_data_peer *self, __u32 seq)
{
	struct peer_seg seg;

	do {
		if (!peer_next(&self->p, &seg, PATIENCE_MS))
			return false;
	} while (!seg.len || seg.seq != seq);
	return true;
}

/* Nothing is answered until it has given up. */
static bool times_out(struct _test_data_peer *self)
{
	double end = lfcc_now() + PATIENCE_MS / 1e3;
	struct peer_seg seg;

	do {
		peer_next(&self->p, &seg, 10);
		if (lfcc_now() > end)
			return false;
	} while (tcp_info(self->fd).tcpi_ca_state != CA_LOSS);
	return true;
}

/*
 * The last of four segments is lost, and a probe repairs that: no ACK ever told of a
 * hole, but Reno halves its window, once it is sure.
 */
TEST_F(peer, tail_loss)
{
	struct tcp_info before, after;
	struct tcp_liteflow_info info;
	unsigned long repaired;
	unsigned int tries;
	__u32 tsval;

	self->fd = peer_accept(&self->p, variant->control, RTT_MS);
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(warm(self, 4));
	for (tries = 0; tries < TRIES; tries++) {
		before = tcp_info(self->fd);
		repaired = counter("TCPLossProbeRecovery");
		ASSERT_TRUE(give(self, 4));
		ASSERT_TRUE(arrive(self, &tsval));
		usleep(RTT_MS * 1000);
		ASSERT_TRUE(peer_ack(&self->p, self->end - PAYLOAD, tsval));
		ASSERT_TRUE(comes(self, self->end - PAYLOAD));
		/* it is sure when what it sent after the probe has arrived */
		ASSERT_TRUE(give(self, 1));
		ASSERT_TRUE(arrive(self, &tsval));
		ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
		after = tcp_info(self->fd);
		if (counter("TCPLossProbeRecovery") > repaired)
			break;
		/* a timeout came first */
		ASSERT_TRUE(warm(self, 4));
	}
	if (tries == TRIES)
		SKIP(return, "the machine is too busy for probes");
	EXPECT_LT(after.tcpi_ca_state, CA_CWR);
	if (variant->model) {
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		EXPECT_EQ(info.flags & TCP_LITEFLOW_CLASSIC, 0);
		EXPECT_GE(after.tcpi_snd_cwnd, 4);
	} else {
		EXPECT_EQ(after.tcpi_snd_ssthresh, before.tcpi_snd_cwnd / 2);
		EXPECT_LE(after.tcpi_snd_cwnd, before.tcpi_snd_cwnd / 2 + 1);
	}
	EXPECT_TRUE(warm(self, 2));
}

/* All ACKs come later than the timeout: what that took is given back. */
static void check_spurious_timeout(struct __test_metadata *_metadata,
				   struct _test_data_peer *self, bool model)
{
	struct tcp_liteflow_info before, during, after;
	struct tcp_info tcp_before, tcp_during, tcp_after;
	__u32 tsval;

	tcp_before = tcp_info(self->fd);
	lfcc_info(self->fd, &before);
	ASSERT_TRUE(give(self, 8));
	ASSERT_TRUE(arrive(self, &tsval));
	ASSERT_TRUE(times_out(self));
	tcp_during = tcp_info(self->fd);
	lfcc_info(self->fd, &during);
	ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
	tcp_after = tcp_info(self->fd);
	lfcc_info(self->fd, &after);

	EXPECT_LT(tcp_after.tcpi_ca_state, CA_CWR);
	EXPECT_LT(tcp_during.tcpi_snd_cwnd, tcp_before.tcpi_snd_cwnd);
	EXPECT_GE(tcp_after.tcpi_snd_cwnd, tcp_before.tcpi_snd_cwnd);
	if (model) {
		EXPECT_LE(during.rate, before.rate / 2);
		EXPECT_EQ(during.mode, before.mode);
		EXPECT_GE(after.rate, before.rate);
		EXPECT_EQ(after.mode, before.mode);
	} else {
		EXPECT_LT(tcp_during.tcpi_snd_ssthresh, tcp_before.tcpi_snd_ssthresh);
		EXPECT_EQ(tcp_after.tcpi_snd_ssthresh, tcp_before.tcpi_snd_ssthresh);
	}
}

TEST_F(peer, spurious_timeout)
{
	struct tcp_liteflow_info info;
	unsigned int i;

	self->fd = peer_accept(&self->p, variant->control, RTT_MS);
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(warm(self, 1));
	/* in start-up, and when that is over */
	check_spurious_timeout(_metadata, self, variant->model);
	for (i = 0; variant->model && i < 50; i++) {
		ASSERT_TRUE(warm(self, 2));
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		if (info.mode == TCP_LITEFLOW_CRUISE)
			break;
	}
	check_spurious_timeout(_metadata, self, variant->model);
	EXPECT_TRUE(warm(self, 2));
}

/* What looked lost had been overtaken: the window is what it was. */
TEST_F(peer, undone)
{
	struct tcp_liteflow_info info_before, info;
	struct tcp_info before, during, after;
	unsigned int tries, i;
	__u32 tsval, hole, sack[2];

	self->fd = peer_accept(&self->p, variant->control, RTT_MS);
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(warm(self, 4));
	for (tries = 0; tries < TRIES; tries++) {
		before = tcp_info(self->fd);
		lfcc_info(self->fd, &info_before);
		hole = self->end;
		ASSERT_TRUE(give(self, 8));
		ASSERT_TRUE(arrive(self, &tsval));
		usleep(RTT_MS * 1000);
		for (i = 1; i < 8; i++) {
			sack[0] = hole + PAYLOAD;
			sack[1] = hole + (i + 1) * PAYLOAD;
			ASSERT_TRUE(peer_send(&self->p, PEER_ACK, hole, tsval, sack, 1, NULL, 0));
		}
		during = tcp_info(self->fd);
		/* else it gave up before */
		if (during.tcpi_ca_state == CA_RECOVERY)
			break;
		ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
		ASSERT_TRUE(warm(self, 4));
	}
	if (tries == TRIES)
		SKIP(return, "the machine is too busy for a recovery");
	ASSERT_TRUE(comes(self, hole));
	ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
	after = tcp_info(self->fd);
	EXPECT_LT(after.tcpi_ca_state, CA_CWR);
	EXPECT_GE(after.tcpi_snd_cwnd, before.tcpi_snd_cwnd);
	if (variant->model) {
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		EXPECT_GE(info.rate, info_before.rate / 2);
	} else {
		EXPECT_LT(during.tcpi_snd_ssthresh, before.tcpi_snd_ssthresh);
		EXPECT_EQ(after.tcpi_snd_ssthresh, before.tcpi_snd_ssthresh);
		/* and not that threshold, which is infinite */
		EXPECT_LE(after.tcpi_snd_cwnd, before.tcpi_snd_cwnd + 2 * 8);
	}
	EXPECT_TRUE(warm(self, 2));
}

/*
 * Accepted with its SYN's data, before there is an RTT: it sends no more than its window,
 * at a rate for an RTT of a millisecond. When it has measured one, that rate falls.
 */
TEST_F(peer, fastopen)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct pollfd wait = { .events = POLLIN };
	socklen_t len = sizeof(addr);
	struct tcp_liteflow_info info;
	static char chunk[64 * PAYLOAD];
	int listener, backlog = 5;
	struct tcp_info tcp;
	struct peer_seg seg;
	unsigned int n = 0;
	__u32 tsval = 0;
	double end;

	/* servers, and data without a cookie */
	if (!set_sysctl("/proc/sys/net/ipv4/tcp_fastopen", "0x202"))
		SKIP(return, "no TCP Fast Open");
	inet_pton(AF_INET, PEER_HERE, &addr.sin_addr);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(lfcc_choose(listener, variant->control), 0);
	ASSERT_EQ(bind(listener, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(setsockopt(listener, SOL_TCP, TCP_FASTOPEN, &backlog, sizeof(backlog)), 0);
	ASSERT_EQ(listen(listener, 5), 0);
	ASSERT_EQ(getsockname(listener, (void *)&addr, &len), 0);
	self->p.kernel_port = addr.sin_port;
	ASSERT_TRUE(peer_send(&self->p, PEER_SYN, 0, 0, NULL, 0, "hello", 5));
	wait.fd = listener;
	ASSERT_EQ(poll(&wait, 1, PATIENCE_MS), 1);
	self->fd = accept(listener, NULL, NULL);
	close(listener);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(recv(self->fd, chunk, sizeof(chunk), MSG_DONTWAIT), 5);
	tcp = tcp_info(self->fd);
	EXPECT_EQ(tcp.tcpi_rtt, 0);
	EXPECT_LE(tcp.tcpi_snd_cwnd, 10);
	if (self->s) {
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		EXPECT_EQ(info.flags, variant->model ? 0 : TCP_LITEFLOW_CLASSIC);
		EXPECT_GT(info.flow, 0);
		EXPECT_LE(info.rate, 2 * 10 * PEER_MSS * 1000ULL);
		EXPECT_GE(info.rate, 2000);
	}

	EXPECT_GT(send(self->fd, chunk, sizeof(chunk), MSG_DONTWAIT), 16 * PAYLOAD);
	end = lfcc_now() + 0.2;
	while (lfcc_now() < end) {
		if (!peer_next(&self->p, &seg, 10) || !seg.len)
			continue;
		n++;
		if ((__s32)(seg.seq + seg.len - self->seen) <= 0)
			continue;
		self->seen = seg.seq + seg.len;
		tsval = seg.tsval;
	}
	EXPECT_GT(n, 0);
	tcp = tcp_info(self->fd);
	if (tcp.tcpi_total_retrans)
		SKIP(return, "the machine is too busy for an RTT");
	EXPECT_LE(n, 10);
	ASSERT_TRUE(peer_ack(&self->p, self->seen, tsval));
	tcp = tcp_info(self->fd);
	EXPECT_GE(tcp.tcpi_rtt, 100000);
	if (variant->model) {
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		EXPECT_LE(info.rate, 2 * 10 * PEER_MSS * 10ULL);
		EXPECT_GE(info.rate, 2000);
	}
	/* and on it goes */
	self->end = self->seen + PAYLOAD;
	EXPECT_TRUE(arrive(self, &tsval));
}

/*
 * A mark is repeated until the peer has heard of the answer, so all ACKs of what was under
 * way have it: it counts once.
 */
TEST_F(peer, marked)
{
	struct tcp_liteflow_info info_before, info_first, info;
	struct tcp_info before, after;
	unsigned int i;
	__u32 tsval;

	if (!set_sysctl("/proc/sys/net/ipv4/tcp_ecn", "1"))
		SKIP(return, "no ECN");
	self->p.ecn = true;
	self->fd = peer_accept(&self->p, variant->control, RTT_MS);
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(warm(self, 4));
	before = tcp_info(self->fd);
	lfcc_info(self->fd, &info_before);
	ASSERT_TRUE(give(self, 10));
	ASSERT_TRUE(arrive(self, &tsval));
	usleep(RTT_MS * 1000);
	for (i = 9; i < 10; i--) {
		ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_ECE, self->end - i * PAYLOAD,
				      tsval, NULL, 0, NULL, 0));
		if (i == 9)
			lfcc_info(self->fd, &info_first);
	}
	after = tcp_info(self->fd);
	EXPECT_EQ(after.tcpi_ca_state, CA_CWR);
	if (variant->model) {
		ASSERT_EQ(lfcc_info(self->fd, &info), sizeof(info));
		EXPECT_EQ(info_first.mode, TCP_LITEFLOW_CRUISE);
		EXPECT_LE(info_first.rate, info_before.rate / 2);
		EXPECT_GE(info.rate, info_first.rate * 3 / 4);
	} else {
		EXPECT_EQ(after.tcpi_snd_ssthresh, before.tcpi_snd_cwnd / 2);
	}
	ASSERT_TRUE(give(self, 1));
	ASSERT_TRUE(arrive(self, &tsval));
	EXPECT_TRUE(self->flags & PEER_CWR);
	ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
	after = tcp_info(self->fd);
	EXPECT_LT(after.tcpi_ca_state, CA_CWR);
	EXPECT_TRUE(warm(self, 2));
}

/* TCP relies on fq for pacing once it has seen one; when that is replaced, on itself. */
TEST_F(peer, fq_replaced)
{
	unsigned long long rate = 500000;
	double begin, least = 10 * PAYLOAD / 500000.0 / 3;
	__u32 tsval;

	/* Reno's needs none */
	if (!variant->model)
		return;
	/* no bursts, which are not paced */
	if (system("ip link set tun0 gso_max_segs 1 && tc qdisc replace dev tun0 root fq >&2"))
		SKIP(return, "no fq: kernel without CONFIG_NET_SCH_FQ, or no tool tc");
	self->fd = peer_accept(&self->p, variant->control, RTT_MS);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(setsockopt(self->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)), 0);
	ASSERT_TRUE(warm(self, 4));
	ASSERT_EQ(system("tc qdisc replace dev tun0 root pfifo >&2"), 0);
	/* what it sends now is not paced, as it hears soon */
	ASSERT_TRUE(give(self, 10));
	ASSERT_TRUE(arrive(self, &tsval));
	ASSERT_TRUE(peer_ack(&self->p, self->end, tsval));
	ASSERT_TRUE(give(self, 10));
	ASSERT_TRUE(arrives(self, &tsval, PATIENCE_MS));
	begin = lfcc_now();
	ASSERT_TRUE(arrive(self, &tsval));
	EXPECT_GE(lfcc_now() - begin, least);
}

TEST_HARNESS_MAIN
