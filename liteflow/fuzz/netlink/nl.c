// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include "nl.h"

int nl_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int one = 1, size = 1 << 20;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)))
		err(1, "netlink socket");
	/* explanations, and no copy of what was sent */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		err(1, "netlink socket's options");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void take_error(const struct nlmsghdr *nlh, int error, size_t skip, struct answer *a)
{
	const struct nlattr *attr;

	a->answers++;
	if (!error || a->error)
		return;
	a->error = error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			strncpy(a->text, mnl_attr_get_str(attr), sizeof(a->text) - 1);
}

static void take(const struct nlmsghdr *nlh, struct answer *a, nl_each each, void *arg)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = NLMSG_HDRLEN + GENL_HDRLEN;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		take_error(nlh, e->error, sizeof(*e), a);
	} else if (nlh->nlmsg_type == NLMSG_DONE) {
		take_error(nlh, e->error, sizeof(int), a);
	} else if (nlh->nlmsg_len >= skip) {
		a->replies++;
		a->reply_len = nlh->nlmsg_len - skip;
		if (a->reply_len > sizeof(a->reply))
			errx(1, "a reply of %zu bytes", a->reply_len);
		memcpy(a->reply, (const char *)nlh + skip, a->reply_len);
		if (each)
			each(arg, a->reply, a->reply_len);
	}
}

/*
 * Send a datagram and take all answers. The kernel works on it before send()
 * returns, and goes on with a dump when its messages are received, so there is
 * nothing to wait for.
 */
void nl_exchange(int fd, const void *data, size_t len, struct answer *a, nl_each each,
		 void *arg)
{
	static uint32_t buf[NL_MAX / 4];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	a->answers = 0;
	a->error = 0;
	a->text[0] = 0;
	a->replies = 0;
	a->reply_len = 0;
	if (sendto(fd, data, len, 0, (void *)&kernel, sizeof(kernel)) < 0)
		err(1, "send of %zu bytes", len);
	for (;;) {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0)
			err(1, "receive");
		left = n;
		for (nlh = (void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			take(nlh, a, each, arg);
	}
}

void nl_begin(struct message *m, uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *nlh = (void *)m->data;
	struct genlmsghdr *genl = (void *)(nlh + 1);

	memset(nlh, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl->cmd = cmd;
	genl->version = LITEFLOW_FAMILY_VERSION;
	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

void nl_add(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)((char *)m->data + m->len);
	size_t total = MNL_ALIGN(MNL_ATTR_HDRLEN + len);

	if (m->len + total > sizeof(m->data) || MNL_ATTR_HDRLEN + len > UINT16_MAX)
		errx(1, "message too long");
	memset(attr, 0, total);
	attr->nla_type = type;
	attr->nla_len = MNL_ATTR_HDRLEN + len;
	memcpy(attr + 1, data, len);
	m->len += total;
}

void nl_add_u32(struct message *m, uint16_t type, uint32_t value)
{
	nl_add(m, type, &value, sizeof(value));
}

void nl_add_str(struct message *m, uint16_t type, const char *s)
{
	nl_add(m, type, s, strlen(s) + 1);
}

void nl_end(struct message *m)
{
	struct nlmsghdr *nlh = (void *)m->data;

	nlh->nlmsg_len = m->len;
}

/* The payload of the last attribute of a type, well-formed attributes only. */
const void *nl_find(const void *attrs, size_t len, uint16_t type, size_t *size)
{
	const struct nlattr *attr = attrs;
	const void *found = NULL;
	int left = len;

	for (; mnl_attr_ok(attr, left); left -= MNL_ALIGN(attr->nla_len),
	     attr = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) != type)
			continue;
		found = mnl_attr_get_payload(attr);
		*size = mnl_attr_get_payload_len(attr);
	}
	return found;
}

/* An integer of 32 or 64 bits; 0 if it is not there. */
uint64_t nl_find_uint(const void *attrs, size_t len, uint16_t type)
{
	const void *p;
	uint64_t v = 0;
	size_t size;

	p = nl_find(attrs, len, type, &size);
	if (p)
		memcpy(&v, p, size < sizeof(v) ? size : sizeof(v));
	return v;
}

static uint32_t family_id;

static void take_family(void *arg, const void *attrs, size_t len)
{
	(void)arg;
	family_id = nl_find_uint(attrs, len, CTRL_ATTR_FAMILY_ID);
}

uint16_t nl_family(int fd)
{
	static struct message m;
	static struct answer a;

	nl_begin(&m, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	((struct genlmsghdr *)(m.data + NLMSG_HDRLEN / 4))->version = 1;
	nl_add_str(&m, CTRL_ATTR_FAMILY_NAME, LITEFLOW_FAMILY_NAME);
	nl_end(&m);
	nl_exchange(fd, m.data, m.len, &a, take_family, NULL);
	if (a.error || !family_id)
		errx(1, "no netlink family \"%s\": %s", LITEFLOW_FAMILY_NAME, strerror(-a.error));
	return family_id;
}
