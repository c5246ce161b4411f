// SPDX-License-Identifier: GPL-2.0
/*
 * The emulated path.  lab/guest has made the namespaces and joined them:
 *
 *   snd s0 ---- r0 rtr r1 ---- f0 far f1 ---- v0 rcv
 *
 * r1 is the bottleneck: tbf, a bucket of one packet, a buffer in bytes; or a policer:
 * a large bucket, and no buffer.  f1 loses packets, behind the bottleneck, for they
 * have used it. r0 delays what goes back by the whole round trip, and does to ACKs
 * what else a path does; where flows differ in their round trip, by bands.  f0 is the
 * bottleneck of the way back, if that has one.
 * What tbf cannot do is done in deliver.c, in r1's place.  tc cannot seed netem before
 * iproute2 6.6, so that is asked for here.  For comparison, r1 can also have CoDel behind its
 * tbf, or no real queue at all: lemu or netem, which emulate one.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/pkt_sched_lemu.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lab.h"

#define NETEM_PRNG_SEED	14	/* TCA_NETEM_PRNG_SEED of Linux 6.6 and later */
#define DIST_ENTRIES	256
#define TBF_HANDLE	TC_H_MAKE(1 << 16, 0)
#define RANDOM_LIMIT	1000000		/* packets: nothing is lost for want of room */

/* What netem does; ns, and shares of packets. */
struct emulation {
	int64_t delay;
	int64_t jitter;		/* of the delay: evenly within as much less or more */
	int64_t slot;		/* between batches, */
	int64_t slot_jitter;	/* and by how much that varies, evenly */
	double loss;
	double bursts;
};

struct device {
	const char *space;
	const char *name;
	struct mnl_socket *netlink;
	int index;
	uint32_t parent;	/* of the queueing discipline; 0: the root */
};

static struct device back = { .space = "rtr", .name = "r0" };
static struct device bottleneck = { .space = "rtr", .name = "r1" };
static struct device back_end = { .space = "far", .name = "f0" };
static struct device tail = { .space = "far", .name = "f1" };

static const struct shape *the_shape;
static uint32_t sequence;
static char buffer[16384];

void enter(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail("no network namespace '%s': %s; lab/guest makes them", name, strerror(errno));
	close(fd);
}

/* netem would take and lose a packet of up to 64 kB as one. */
static void no_offload(const char *space, const char *name)
{
	static const uint32_t set[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO };
	static const uint32_t get[] = { ETHTOOL_GTSO, ETHTOOL_GGSO, ETHTOOL_GGRO };
	struct ethtool_value value;
	struct ifreq ifr = { .ifr_data = (char *)&value };
	unsigned int i;
	int fd;

	enter(space);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	for (i = 0; i < sizeof(set) / sizeof(*set); i++) {
		value = (struct ethtool_value){ .cmd = set[i] };
		if (ioctl(fd, SIOCETHTOOL, &ifr))
			fail("%s: cannot switch off segmentation: %s", name, strerror(errno));
		value = (struct ethtool_value){ .cmd = get[i], .data = 1 };
		if (ioctl(fd, SIOCETHTOOL, &ifr) || value.data)
			fail("%s: segmentation stays on", name);
	}
	close(fd);
}

static void device_open(struct device *dev)
{
	enter(dev->space);
	dev->netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	dev->index = if_nametoindex(dev->name);
	if (!dev->netlink || mnl_socket_bind(dev->netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("netlink: %s", strerror(errno));
	if (!dev->index)
		fail("no device '%s' in '%s'; lab/guest makes them", dev->name, dev->space);
}

static struct nlmsghdr *qdisc(struct device *dev, uint16_t type, uint16_t flags, const char *kind)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++sequence;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = dev->index;
	tcm->tcm_parent = dev->parent ?: TC_H_ROOT;
	if (kind)
		mnl_attr_put_strz(nlh, TCA_KIND, kind);
	return nlh;
}

static int ask(struct device *dev, struct nlmsghdr *nlh, mnl_cb_t handler, void *data)
{
	int length;

	if (mnl_socket_sendto(dev->netlink, nlh, nlh->nlmsg_len) < 0)
		return -1;
	length = mnl_socket_recvfrom(dev->netlink, buffer, sizeof(buffer));
	if (length < 0)
		return -1;
	return mnl_cb_run(buffer, length, sequence, mnl_socket_get_portid(dev->netlink), handler,
			  data);
}

static void put(struct device *dev, struct nlmsghdr *nlh, const char *what)
{
	if (ask(dev, nlh, NULL, NULL) < 0)
		fail("%s on %s: %s", what, dev->name, strerror(errno));
}

static void forget(struct device *dev)
{
	struct nlmsghdr *nlh = qdisc(dev, RTM_DELQDISC, NLM_F_ACK, NULL);

	if (ask(dev, nlh, NULL, NULL) < 0 && errno != ENOENT && errno != EINVAL)
		fail("cannot empty %s: %s", dev->name, strerror(errno));
}

static uint32_t share(double part)
{
	return part < 1 ? part * UINT32_MAX : UINT32_MAX;
}

/* Gilbert's model: all are lost in the bad state, none in the good one. */
static void put_bursts(struct nlmsghdr *nlh, double loss, double bursts)
{
	struct nlattr *model = mnl_attr_nest_start(nlh, TCA_NETEM_LOSS);
	struct tc_netem_gemodel ge = {
		.p = share(loss / (1 - loss) / bursts),
		.r = share(1 / bursts),
	};

	mnl_attr_put(nlh, NETEM_LOSS_GE, sizeof(ge), &ge);
	mnl_attr_nest_end(nlh, model);
}

/* From a table, as only that is drawn by the seed. */
static void put_slots(struct nlmsghdr *nlh, const struct emulation *what)
{
	struct tc_netem_slot slot = {
		.min_delay = what->slot,
		.max_delay = what->slot,
		.dist_delay = what->slot,
		.dist_jitter = what->slot_jitter,
	};
	int16_t even[DIST_ENTRIES];
	int i;

	if (what->slot_jitter) {
		for (i = 0; i < DIST_ENTRIES; i++)
			even[i] = (2 * i + 1 - DIST_ENTRIES) * NETEM_DIST_SCALE / DIST_ENTRIES;
		mnl_attr_put(nlh, TCA_NETEM_SLOT_DIST, sizeof(even), even);
	}
	mnl_attr_put(nlh, TCA_NETEM_SLOT, sizeof(slot), &slot);
}

static void put_netem(struct device *dev, const struct emulation *what, uint32_t limit,
		      uint64_t seed)
{
	struct tc_netem_qopt opt = {
		.limit = limit,
		.loss = what->bursts ? 0 : share(what->loss),
	};
	struct nlmsghdr *nlh = qdisc(dev, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				     "netem");
	struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);

	memcpy(mnl_nlmsg_get_payload_tail(nlh), &opt, sizeof(opt));
	nlh->nlmsg_len += MNL_ALIGN(sizeof(opt));
	mnl_attr_put(nlh, TCA_NETEM_LATENCY64, sizeof(what->delay), &what->delay);
	mnl_attr_put(nlh, TCA_NETEM_JITTER64, sizeof(what->jitter), &what->jitter);
	if (what->slot)
		put_slots(nlh, what);
	if (what->bursts)
		put_bursts(nlh, what->loss, what->bursts);
	mnl_attr_put_u64(nlh, NETEM_PRNG_SEED, seed);
	mnl_attr_nest_end(nlh, options);
	put(dev, nlh, "netem");
}

static void put_tbf(struct device *dev, double mbit, uint32_t limit, uint32_t burst,
		    uint16_t flags)
{
	uint64_t rate = mbit * 1e6 / 8;
	struct tc_tbf_qopt opt = {
		.rate.rate = rate < UINT32_MAX ? rate : UINT32_MAX,
		.rate.linklayer = TC_LINKLAYER_ETHERNET,
		.limit = limit,
	};
	struct nlmsghdr *nlh = qdisc(dev, RTM_NEWQDISC, NLM_F_ACK | flags, "tbf");
	struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);

	tcm->tcm_handle = TBF_HANDLE;
	mnl_attr_put(nlh, TCA_TBF_PARMS, sizeof(opt), &opt);
	mnl_attr_put_u32(nlh, TCA_TBF_BURST, burst);
	if (rate >= UINT32_MAX)
		mnl_attr_put_u64(nlh, TCA_TBF_RATE64, rate);
	mnl_attr_nest_end(nlh, options);
	put(dev, nlh, "tbf");
}

/* As RFC 8289 has it, 5 and 100 ms; its limit is the buffer's. */
static void put_codel(void)
{
	struct device child = bottleneck;
	struct nlmsghdr *nlh;
	struct nlattr *options;

	child.parent = TC_H_MAKE(TBF_HANDLE, 1);
	nlh = qdisc(&child, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, "codel");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_CODEL_LIMIT, the_shape->buffer / PACKET ?: 1);
	mnl_attr_put_u32(nlh, TCA_CODEL_ECN, 0);
	mnl_attr_nest_end(nlh, options);
	put(&child, nlh, "codel");
}

static void put_lemu(double mbit, uint16_t flags)
{
	struct nlmsghdr *nlh = qdisc(&bottleneck, RTM_NEWQDISC, NLM_F_ACK | flags, "lemu");
	struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);

	mnl_attr_put_strz(nlh, TCA_LEMU_APP, the_shape->app);
	mnl_attr_put_u64(nlh, TCA_LEMU_CAPACITY, mbit * 1e6 / 8);
	mnl_attr_put_u32(nlh, TCA_LEMU_QUEUE, the_shape->buffer);
	mnl_attr_nest_end(nlh, options);
	put(&bottleneck, nlh, "lemu");
}

/* In netem's place nothing has a capacity. */
static void put_random(uint16_t flags)
{
	struct emulation link = {
		.delay = the_shape->netem_ms * NS_PER_MS,
		.loss = the_shape->netem_loss / 100,
	};

	if (flags & NLM_F_CREATE)
		put_netem(&bottleneck, &link, RANDOM_LIMIT, the_shape->seed);
}

static void put_bottleneck(double mbit, uint16_t flags)
{
	switch (the_shape->bottleneck) {
	case BOTTLENECK_LEMU:
		put_lemu(mbit, flags);
		break;
	case BOTTLENECK_NETEM:
		put_random(flags);
		break;
	case BOTTLENECK_TBF:
	case BOTTLENECK_CODEL:
		put_tbf(&bottleneck, mbit, the_shape->police ? PACKET : the_shape->buffer,
			the_shape->police ?: PACKET, flags);
		if (the_shape->bottleneck == BOTTLENECK_CODEL && flags & NLM_F_CREATE)
			put_codel();
	}
}

/* A buffer as deep in time as that of the way there, but 8 packets at least. */
static void put_back_end(void)
{
	double limit = the_shape->buffer * the_shape->back_mbit / top_mbit(the_shape);

	put_tbf(&back_end, the_shape->back_mbit, limit > 8 * PACKET ? limit : 8 * PACKET, PACKET,
		NLM_F_CREATE | NLM_F_REPLACE);
}

/* By how much ACKs can be late. */
double noise_ms(const struct shape *shape)
{
	double jitter_ms = shape->jitter_ms;
	unsigned int i;

	for (i = 0; i < shape->n_noises; i++)
		if (shape->noises[i].jitter_ms > jitter_ms)
			jitter_ms = shape->noises[i].jitter_ms;
	return 3 * jitter_ms + 2 * shape->reorder_ms + shape->slots_ms;
}

double top_mbit(const struct shape *shape)
{
	double top = shape->mbit[0] > shape->mbit[1] ? shape->mbit[0] : shape->mbit[1];
	unsigned int i;

	for (i = 0; i < shape->n_changes; i++)
		if (shape->changes[i].mbit > top)
			top = shape->changes[i].mbit;
	return top;
}

double top_rtt_ms(const struct shape *shape)
{
	double top = shape->rtt_ms;
	unsigned int i;

	for (i = 0; i < shape->n_changes; i++)
		if (shape->changes[i].rtt_ms > top)
			top = shape->changes[i].rtt_ms;
	for (i = 0; i < shape->n_rtts; i++)
		if (shape->rtts_ms[i] > top)
			top = shape->rtts_ms[i];
	return top;
}

bool delivers(const struct shape *shape)
{
	return shape->trace || shape->poisson || shape->stall_s;
}

/* All that can be under way, were every packet acknowledged by itself. */
static uint32_t netem_limit(void)
{
	const struct shape *shape = the_shape;

	return top_mbit(shape) * 1e3 * (top_rtt_ms(shape) + noise_ms(shape)) / 8 / PACKET + 1000;
}

/* A band for each type of service, which the router makes a priority of when it forwards. */
static void put_bands(void)
{
	struct tc_prio_qopt bands = {
		.bands = MAX_RTTS,
		.priomap = { [TC_PRIO_BULK] = 1, [TC_PRIO_INTERACTIVE] = 2,
			     [TC_PRIO_INTERACTIVE_BULK] = 3 },
	};
	struct nlmsghdr *nlh = qdisc(&back, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				     "prio");
	struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);

	tcm->tcm_handle = TC_H_MAKE(1 << 16, 0);
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(bands), &bands);
	put(&back, nlh, "prio");
}

static void put_way_back(double rtt_ms, double loss)
{
	const struct shape *shape = the_shape;
	struct emulation way_back = {
		.delay = (rtt_ms + shape->reorder_ms) * NS_PER_MS,
		.jitter = shape->reorder_ms * NS_PER_MS,
		/* who comes at random waits for half of the mean of the square over the mean: J */
		.slot = (shape->jitter_ms ? 1.5 * shape->jitter_ms : shape->slots_ms) * NS_PER_MS,
		.slot_jitter = 1.5 * shape->jitter_ms * NS_PER_MS,
		.loss = loss,
	};
	struct device band = back;
	unsigned int i;

	if (!shape->n_rtts)
		put_netem(&back, &way_back, netem_limit(), shape->seed);
	for (i = 0; i < shape->n_rtts; i++) {
		band.parent = TC_H_MAKE(1 << 16, i + 1);
		way_back.delay = (shape->rtts_ms[i] + shape->reorder_ms) * NS_PER_MS;
		put_netem(&band, &way_back, netem_limit(), shape->seed);
	}
}

/* From now on: a handshake would take seconds. */
void links_thin(void)
{
	put_way_back(the_shape->rtt_ms, 1 - 1 / the_shape->thin);
}

static void put_tail(void)
{
	struct emulation far_end = {
		.loss = the_shape->loss / 100,
		.bursts = the_shape->bursts,
	};

	put_netem(&tail, &far_end, netem_limit(), the_shape->seed);
}

void links_noise(void)
{
	put_way_back(the_shape->rtt_ms, 0);
	put_tail();
}

void links_open(const struct shape *shape)
{
	static const char *const ends[][2] = {
		{ "snd", "s0" }, { "rtr", "r0" }, { "rtr", "r1" },
		{ "far", "f0" }, { "far", "f1" }, { "rcv", "v0" },
	};
	unsigned int i;

	the_shape = shape;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		no_offload(ends[i][0], ends[i][1]);
	device_open(&back);
	device_open(&bottleneck);
	device_open(&back_end);
	device_open(&tail);
	links_close();
	if (shape->n_rtts)
		put_bands();
	put_way_back(shape->rtt_ms, 0);
	if (shape->loss > 0)
		put_tail();
	if (shape->back_mbit)
		put_back_end();
	if (!delivers(shape))
		put_bottleneck(shape->mbit[0], NLM_F_CREATE | NLM_F_REPLACE);
}

void links_capacity(double mbit)
{
	put_bottleneck(mbit, 0);
}

/* ACKs that are under way keep their time, so that a shorter way lets others overtake. */
void links_rtt(double rtt_ms)
{
	put_way_back(rtt_ms, 0);
}

static int stats_attr(const struct nlattr *attr, void *data)
{
	struct queue *queue = data;
	const struct gnet_stats_queue *q = mnl_attr_get_payload(attr);
	const struct gnet_stats_basic *b = mnl_attr_get_payload(attr);

	if (mnl_attr_get_type(attr) == TCA_STATS_QUEUE) {
		queue->backlog = q->backlog;
		queue->drops = q->drops;
	} else if (mnl_attr_get_type(attr) == TCA_STATS_BASIC) {
		queue->bytes = b->bytes;
		queue->packets = b->packets;
	}
	return MNL_CB_OK;
}

static int on_qdisc(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct tcmsg)) {
		if (mnl_attr_get_type(attr) == TCA_STATS2)
			mnl_attr_parse_nested(attr, stats_attr, data);
	}
	return MNL_CB_STOP;
}

static void read_queue(struct device *dev, struct queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	if (ask(dev, qdisc(dev, RTM_GETQDISC, NLM_F_ECHO, NULL), on_qdisc, queue) < 0)
		fail("cannot read the queue of %s: %s", dev->name, strerror(errno));
}

void links_read(struct queue *queue)
{
	read_queue(&bottleneck, queue);
}

/* Only where there is loss. */
void links_read_tail(struct queue *queue)
{
	read_queue(&tail, queue);
}

void links_close(void)
{
	forget(&bottleneck);
	forget(&back_end);
	forget(&tail);
	forget(&back);
}
