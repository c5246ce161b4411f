/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the qdisc "lemu": rtnetlink on a plain socket, so that messages can be as
 * wrong as a test wants them.
 */
#ifndef _LEMU_NL_H
#define _LEMU_NL_H

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <linux/pkt_sched.h>
#include <linux/pkt_sched_lemu.h>
#include <linux/rtnetlink.h>

#include "lf_nl.h"

#define LEMU_MTU	1500
#define LEMU_PACKET	(LEMU_MTU + 14)		/* with the header of lo */

/* A network namespace of its own, in which lo is up; 0 or a negative errno. */
static inline int lemu_netns(int flags)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, ret = 0;

	if (unshare(CLONE_NEWNET | flags))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ifr.ifr_mtu = LEMU_MTU;
	if (ioctl(fd, SIOCSIFMTU, &ifr))
		ret = -errno;
	ifr.ifr_flags = IFF_UP;
	if (!ret && ioctl(fd, SIOCSIFFLAGS, &ifr))
		ret = -errno;
	close(fd);
	return ret;
}

/* A socket of this namespace, or NULL. */
static inline struct lf_sock *lemu_open(void)
{
	struct timeval timeout = { .tv_sec = 60 };
	struct lf_sock *s = calloc(1, sizeof(*s));
	int one = 1;

	if (!s)
		abort();
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	setsockopt(s->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(s->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return s;
}

static inline struct tcmsg *lemu_tcm(struct lf_msg *m)
{
	return NLMSG_DATA(&m->n);
}

/* A request about the root qdisc of lo. */
static inline void lemu_begin(struct lf_msg *m, int type, int flags)
{
	memset(m->buf, 0, NLMSG_SPACE(sizeof(struct tcmsg)));
	m->n.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg));
	m->n.nlmsg_type = type;
	/* lf_call() takes NLM_F_REPLACE for half a dump */
	m->n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	lemu_tcm(m)->tcm_family = AF_UNSPEC;
	lemu_tcm(m)->tcm_ifindex = 1;
	lemu_tcm(m)->tcm_parent = TC_H_ROOT;
	if (type != RTM_GETQDISC)
		lf_put_str(m, TCA_KIND, "lemu");
}

/* Attributes behind it belong to the options, until lemu_end(). */
static inline struct nlattr *lemu_nest(struct lf_msg *m)
{
	struct nlattr *nest = (void *)(m->buf + NLMSG_ALIGN(m->n.nlmsg_len));

	lf_put(m, TCA_OPTIONS | NLA_F_NESTED, NULL, 0);
	return nest;
}

static inline void lemu_end(struct lf_msg *m, struct nlattr *nest)
{
	nest->nla_len = m->buf + m->n.nlmsg_len - (char *)nest;
}

static inline void lf_put_u64(struct lf_msg *m, int type, __u64 val)
{
	lf_put(m, type, &val, sizeof(val));
}

/* The one that tests begin with: 2 Mbit/s, 5,120 bytes, 10 ms. */
static inline int lemu_add(struct lf_sock *s, const char *app)
{
	struct nlattr *nest;
	struct lf_msg m;

	lemu_begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE);
	nest = lemu_nest(&m);
	lf_put_u64(&m, TCA_LEMU_CAPACITY, 250000);
	lf_put_u32(&m, TCA_LEMU_QUEUE, 5120);
	lf_put_u64(&m, TCA_LEMU_DELAY, 10000000);
	if (app)
		lf_put_str(&m, TCA_LEMU_APP, app);
	lemu_end(&m, nest);
	return lf_call(s, &m);
}

static inline int lemu_del(struct lf_sock *s)
{
	struct lf_msg m;

	lemu_begin(&m, RTM_DELQDISC, 0);
	return lf_call(s, &m);
}

/* The options that the qdisc tells, into @buf; their length, or a negative errno. */
static inline int lemu_options(struct lf_sock *s, void *buf, size_t room)
{
	const struct nlattr *opt;
	struct lf_msg m;
	int ret;

	lemu_begin(&m, RTM_GETQDISC, NLM_F_ECHO);
	ret = lf_call(s, &m);
	if (ret)
		return ret;
	opt = lf_attr((char *)NLMSG_DATA(&s->reply.n) + NLMSG_ALIGN(sizeof(struct tcmsg)),
		      s->reply.buf + s->reply.n.nlmsg_len, TCA_OPTIONS);
	if (!opt || opt->nla_len > room)
		return -ENOENT;
	memcpy(buf, opt, opt->nla_len);
	return opt->nla_len;
}

#endif /* _LEMU_NL_H */
