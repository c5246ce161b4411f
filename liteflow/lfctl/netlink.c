// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and answers, and the kernel's reasons in words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lfctl.h"
#include "netlink.h"

#define RECEIVE_BUFFER	(4 << 20)
#define MAX_STRING	1024

static int family_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= CTRL_ATTR_MAX)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

static int group_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= CTRL_ATTR_MCAST_GRP_MAX)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *nlh, struct nlattr **tb_unused, void *data)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1] = { NULL }, *group;
	struct nl *nl = data;

	(void)tb_unused;
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), family_attr, tb);
	if (tb[CTRL_ATTR_FAMILY_ID])
		nl->family = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (!tb[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	mnl_attr_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS]) {
		struct nlattr *g[CTRL_ATTR_MCAST_GRP_MAX + 1] = { NULL };

		mnl_attr_parse_nested(group, group_attr, g);
		if (g[CTRL_ATTR_MCAST_GRP_NAME] && g[CTRL_ATTR_MCAST_GRP_ID] &&
		    !strcmp(mnl_attr_get_str(g[CTRL_ATTR_MCAST_GRP_NAME]), LITEFLOW_MCGRP_NOTICE))
			nl->notice = mnl_attr_get_u32(g[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

int nl_open(struct nl *nl)
{
	int on = 1, size = RECEIVE_BUFFER;
	struct nlmsghdr *nlh;

	memset(nl, 0, sizeof(*nl));
	nl->request = malloc(NL_BUFFER);
	nl->reply = malloc(2 * NL_BUFFER);
	if (!nl->request || !nl->reply)
		return complain("out of memory");
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return complain("netlink: %s", strerror(errno));
	/* All of them only make it nicer. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));

	nl->family = GENL_ID_CTRL;
	nlh = nl_begin(nl, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, LITEFLOW_FAMILY_NAME);
	nl->quiet = ENOENT;
	if (!nl_ask(nl, "netlink", on_family, nl)) {
		nl->quiet = 0;
		return 0;
	}
	if (nl->error == ENOENT)
		complain("this kernel has no LiteFlow netlink family "
			 "(CONFIG_LITEFLOW_NETLINK)");
	return EXIT_OTHER;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->request);
	free(nl->reply);
}

struct nlmsghdr *nl_begin(struct nl *nl, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = LITEFLOW_FAMILY_VERSION;
	return nlh;
}

void nl_put_string(struct nlmsghdr *nlh, int type, const char *s)
{
	if (strlen(s) > MAX_STRING)
		exit(complain("\"%.20s...\" is too long", s));
	mnl_attr_put_strz(nlh, type, s);
}

void nl_put_app(struct nlmsghdr *nlh, const char *app)
{
	size_t len = strlen(app);

	if (len && len <= 9 && strspn(app, "0123456789") == len)
		mnl_attr_put_u32(nlh, LITEFLOW_A_APP_ID, atoi(app));
	else
		nl_put_string(nlh, LITEFLOW_A_APP_NAME, app);
}

uint64_t nl_uint(const struct nlattr *attr)
{
	uint64_t v64;
	uint32_t v32;

	if (!attr)
		return 0;
	if (mnl_attr_get_payload_len(attr) == sizeof(v64)) {
		memcpy(&v64, mnl_attr_get_payload(attr), sizeof(v64));
		return v64;
	}
	if (mnl_attr_get_payload_len(attr) != sizeof(v32))
		return 0;
	memcpy(&v32, mnl_attr_get_payload(attr), sizeof(v32));
	return v32;
}

/* The kernel's strings end in a zero byte; check it anyway. */
const char *nl_string(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

static int keep_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= LITEFLOW_A_MAX)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

int nl_parse(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	memset(tb, 0, (LITEFLOW_A_MAX + 1) * sizeof(*tb));
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), keep_attr, tb) < 0 ? -1 : 0;
}

/* Type of the attribute at an offset of the request; 0: there is none. */
static unsigned int attr_at(const struct nl *nl, uint32_t offset)
{
	const struct nlmsghdr *nlh = (const void *)nl->request;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if ((const char *)attr - nl->request == offset)
			return mnl_attr_get_type(attr);
	return 0;
}

static const char *errno_reason(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "not permitted: needs CAP_NET_ADMIN, for apps of the scheduler "
		       "CAP_SYS_ADMIN; try as root";
	case EOPNOTSUPP:
		return "this kernel does not know the operation";
	case ENODEV:
		return "the app went away meanwhile";
	default:
		return strerror(error);
	}
}

static int ack_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NLMSGERR_ATTR_MAX)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

/* Say why, with what the kernel said, and which attribute it meant. */
static int explain(struct nl *nl, const char *what, int error, const struct nlmsghdr *nlh,
		   size_t skip)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { NULL };
	unsigned int type = 0;
	const char *reason;

	nl->error = error;
	if (error == nl->quiet)
		return EXIT_OTHER;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && mnl_nlmsg_get_payload_len(nlh) > skip)
		mnl_attr_parse(nlh, skip, ack_attr, tb);
	reason = nl_string(tb[NLMSGERR_ATTR_MSG]);
	if (tb[NLMSGERR_ATTR_OFFS])
		type = attr_at(nl, nl_uint(tb[NLMSGERR_ATTR_OFFS]));
	if (!*reason)
		reason = errno_reason(error);
	if (tb[NLMSGERR_ATTR_MISS_TYPE])
		return complain("%s: %s (attribute %s is missing)", what, reason,
				attr_name(nl_uint(tb[NLMSGERR_ATTR_MISS_TYPE])));
	if (type)
		return complain("%s: %s (attribute %s)", what, reason, attr_name(type));
	return complain("%s: %s", what, reason);
}

/* NLMSG_ERROR: 0 is an acknowledgment. */
static int on_error(struct nl *nl, const char *what, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return complain("%s: the kernel's answer is cut", what);
	if (!err->error)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	return explain(nl, what, -err->error, nlh, skip);
}

/* The end of a dump may bring an error, too. */
static int on_done(struct nl *nl, const char *what, const struct nlmsghdr *nlh)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? explain(nl, what, -error, nlh, sizeof(error)) : 0;
}

int nl_ask(struct nl *nl, const char *what, nl_handler handler, void *data)
{
	struct nlattr *tb[LITEFLOW_A_MAX + 1];
	const struct nlmsghdr *nlh = (void *)nl->request;
	ssize_t got;
	int len, ret;

	nl->error = 0;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0) {
		nl->error = errno;
		return complain("%s: %s", what, strerror(errno));
	}
	for (;;) {
		got = mnl_socket_recvfrom(nl->sock, nl->reply, 2 * NL_BUFFER);
		if (got < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (got <= 0) {
			nl->error = got ? errno : EIO;
			return complain("%s: %s", what, strerror(nl->error));
		}
		len = (int)got;
		for (nlh = (void *)nl->reply; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			/* seq 0 is what nobody asked for: batches, notices */
			if (nlh->nlmsg_seq && nlh->nlmsg_seq != nl->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return on_error(nl, what, nlh);
			if (nlh->nlmsg_type == NLMSG_DONE)
				return on_done(nl, what, nlh);
			if (nlh->nlmsg_type != nl->family || !handler ||
			    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr) ||
			    nl_parse(nlh, tb))
				continue;
			ret = handler(nlh, tb, data);
			if (ret)
				return ret;
		}
	}
}
