// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and answers, and the kernel's reasons in words.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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
	free(nl->dump);
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

bool nl_app_number(const char *app, uint32_t *id)
{
	size_t len = strlen(app);
	unsigned long v;

	if (!len || strspn(app, "0123456789") != len)
		return false;
	v = strtoul(app, NULL, 10);
	*id = v <= UINT16_MAX ? v : 0;
	return true;
}

void nl_put_app(struct nlmsghdr *nlh, const char *app)
{
	uint32_t id;

	if (!nl_app_number(app, &id)) {
		nl_put_string(nlh, LITEFLOW_A_APP_NAME, app);
		return;
	}
	if (!id) {
		complain("%.20s: apps have numbers from 1 to %u; \"lfctl app list\" shows them",
			 app, UINT16_MAX);
		exit(EXIT_USAGE);
	}
	mnl_attr_put_u32(nlh, LITEFLOW_A_APP_ID, id);
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

	if (mnl_attr_get_type(attr) < NL_ATTRS)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

uint8_t nl_cmd(const struct nlmsghdr *nlh)
{
	return ((const struct genlmsghdr *)mnl_nlmsg_get_payload(nlh))->cmd;
}

int nl_parse(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	memset(tb, 0, NL_ATTRS * sizeof(*tb));
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
	if (type)
		return complain("%s: %s (attribute %s)", what, reason,
				attr_name(nl_cmd((void *)nl->request), type));
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

/* -- receiving ----------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/*
 * The next datagram into nl->reply, waited for until @end; -1: for ever, 0: not at
 * all. Its length, or a negative errno: ETIMEDOUT at the end of the time.
 */
static int receive(struct nl *nl, int64_t end)
{
	int fd = mnl_socket_get_fd(nl->sock);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left;
	ssize_t got;

	for (;;) {
		got = recv(fd, nl->reply, 2 * NL_BUFFER, MSG_DONTWAIT | MSG_TRUNC);
		if (got > 2 * NL_BUFFER)
			return -EMSGSIZE;
		if (got >= 0)
			return got ? (int)got : -EIO;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (!end)
			return -EAGAIN;
		left = end < 0 ? -1 : end - now_ms();
		if (end > 0 && left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

static int no_answer(struct nl *nl, const char *what, int error)
{
	nl->error = error;
	if (error == nl->quiet)
		return EXIT_OTHER;
	switch (error) {
	case ENOBUFS:
		return complain("%s: the answer was lost, as the socket had no room: look whether "
				"it was done, then try again", what);
	case ETIMEDOUT:
		return complain("%s: no answer within %d s: look whether it was done, then try "
				"again", what, NL_TIMEOUT_MS / 1000);
	case EBUSY:
		return complain("%s: apps or models changed each time they were read: try again",
				what);
	default:
		return complain("%s: %s", what, strerror(error));
	}
}

static int handle(struct nl *nl, const struct nlmsghdr *nlh, nl_handler handler, void *data)
{
	struct nlattr *tb[NL_ATTRS];

	if (nlh->nlmsg_type != nl->family || !handler ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr) || nl_parse(nlh, tb))
		return 0;
	return handler(nlh, tb, data);
}

/* -- asking -------------------------------------------------------------- */

/* Keep a message of a dump, at a place that is aligned as the kernel's. */
static int keep(struct nl *nl, const struct nlmsghdr *nlh)
{
	size_t len = MNL_ALIGN(nlh->nlmsg_len);
	char *more;

	if (nl->dump_len + len > nl->dump_room) {
		more = realloc(nl->dump, 2 * (nl->dump_room + len));
		if (!more)
			return complain("out of memory");
		nl->dump = more;
		nl->dump_room = 2 * (nl->dump_room + len);
	}
	memcpy(nl->dump + nl->dump_len, nlh, nlh->nlmsg_len);
	nl->dump_len += len;
	return 0;
}

/**
 * struct ask - a request under way
 * @what: named in complaints
 * @handler: of what comes
 * @data: its argument
 * @dump: it is a dump: messages are kept
 * @interrupted: it is not of one moment
 * @done: the answer is complete
 */
struct ask {
	const char *what;
	nl_handler handler;
	void *data;
	bool dump;
	bool interrupted;
	bool done;
};

static int on_message(struct nl *nl, struct ask *ask, const struct nlmsghdr *nlh)
{
	/* seq 0 is what nobody asked for: batches, notices */
	if (nlh->nlmsg_seq && nlh->nlmsg_seq != nl->seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		ask->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		ask->done = true;
		return on_error(nl, ask->what, nlh);
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		ask->done = true;
		return on_done(nl, ask->what, nlh);
	}
	if (ask->dump && nlh->nlmsg_seq)
		return keep(nl, nlh);
	return handle(nl, nlh, ask->handler, ask->data);
}

/*
 * The kernel works on a request before send() returns, and on a dump when its
 * messages are received. So after ENOBUFS, what the socket has is all that comes.
 */
static int wait_for_answer(struct nl *nl, struct ask *ask, int64_t end)
{
	const struct nlmsghdr *nlh;
	bool lost = false;
	int got, ret;

	for (;;) {
		got = receive(nl, lost ? 0 : end);
		if (got == -ENOBUFS) {
			lost = true;
			continue;
		}
		if (got < 0)
			return no_answer(nl, ask->what, lost ? ENOBUFS : -got);
		for (nlh = (void *)nl->reply; mnl_nlmsg_ok(nlh, got);
		     nlh = mnl_nlmsg_next(nlh, &got)) {
			ret = on_message(nl, ask, nlh);
			if (ret || ask->done)
				return ret;
		}
	}
}

static int send_request(struct nl *nl, const char *what)
{
	const struct nlmsghdr *nlh = (void *)nl->request;

	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) >= 0)
		return 0;
	nl->error = errno;
	return complain("%s: %s", what, strerror(errno));
}

/* What was kept of a dump. */
static int handle_dump(struct nl *nl, struct ask *ask)
{
	const struct nlmsghdr *nlh = (void *)nl->dump;
	int len = (int)nl->dump_len, ret = 0;

	for (; !ret && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		ret = handle(nl, nlh, ask->handler, ask->data);
	return ret;
}

int nl_ask(struct nl *nl, const char *what, nl_handler handler, void *data)
{
	struct nlmsghdr *nlh = (void *)nl->request;
	struct ask ask = { .what = what, .handler = handler, .data = data };
	int64_t end = now_ms() + NL_TIMEOUT_MS;
	unsigned int tries = 0;
	int ret;

	nl->error = 0;
	ask.dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	do {
		ask.interrupted = false;
		ask.done = false;
		nl->dump_len = 0;
		if (tries++) {
			nl->interrupted++;
			nlh->nlmsg_seq = ++nl->seq;
		}
		ret = send_request(nl, what);
		if (!ret)
			ret = wait_for_answer(nl, &ask, end);
		if (ret || !ask.dump)
			return ret;
	} while (ask.interrupted && tries < NL_DUMP_TRIES && now_ms() < end);
	return ask.interrupted ? no_answer(nl, what, EBUSY) : handle_dump(nl, &ask);
}

int nl_listen(struct nl *nl, const char *what, bool wait, nl_handler handler, void *data)
{
	const struct nlmsghdr *nlh;
	int got, ret;

	got = receive(nl, wait ? -1 : 0);
	nl->error = got < 0 ? -got : 0;
	if (got == -ENOBUFS || got == -EAGAIN)
		return EXIT_OTHER;
	if (got < 0)
		return complain("%s: %s", what, strerror(-got));
	for (nlh = (void *)nl->reply; mnl_nlmsg_ok(nlh, got); nlh = mnl_nlmsg_next(nlh, &got)) {
		ret = handle(nl, nlh, handler, data);
		if (ret)
			return ret;
	}
	return 0;
}
