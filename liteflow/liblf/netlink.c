// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and answers, and the kernel's reasons in words.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "netlink.h"

#define RECEIVE_BUFFER	(4 << 20)
#define MAX_STRING	1024

int lf_fail(struct lf *lf, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(lf->reason, sizeof(lf->reason), fmt, args);
	va_end(args);
	return -error;
}

const char *lf_reason(const struct lf *lf)
{
	return lf ? lf->reason : strerror(ENOMEM);
}

/* -- the family ---------------------------------------------------------- */

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

static int on_family(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **unused, void *data)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1] = { NULL }, *group;
	uint16_t *family = data;

	(void)unused;
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), family_attr, tb);
	if (tb[CTRL_ATTR_FAMILY_ID])
		*family = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (!tb[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	mnl_attr_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS]) {
		struct nlattr *g[CTRL_ATTR_MCAST_GRP_MAX + 1] = { NULL };

		mnl_attr_parse_nested(group, group_attr, g);
		if (g[CTRL_ATTR_MCAST_GRP_NAME] && g[CTRL_ATTR_MCAST_GRP_ID] &&
		    !strcmp(mnl_attr_get_str(g[CTRL_ATTR_MCAST_GRP_NAME]), LITEFLOW_MCGRP_NOTICE))
			lf->notice = mnl_attr_get_u32(g[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

/* What the reason begins with, as a caller of lf_open() cannot tell these apart. */
static int no_socket(struct lf *lf, int error)
{
	char why[LF_REASON_LEN - 16];

	snprintf(why, sizeof(why), "%.200s", *lf->reason ? lf->reason : strerror(error));
	return lf_fail(lf, error, "netlink: %s", why);
}

static int find_family(struct lf *lf)
{
	uint16_t family = 0;
	int ret;

	lf->family = GENL_ID_CTRL;
	mnl_attr_put_strz(lf_nl_begin(lf, CTRL_CMD_GETFAMILY, 0), CTRL_ATTR_FAMILY_NAME,
			  LITEFLOW_FAMILY_NAME);
	ret = lf_nl_ask(lf, on_family, &family);
	lf->family = family;
	if (ret == -ENOENT)
		return lf_fail(lf, ENOENT, "this kernel has no LiteFlow netlink family "
			       "(CONFIG_LITEFLOW_NETLINK)");
	return ret ? no_socket(lf, -ret) : 0;
}

int lf_open(struct lf **handle)
{
	int on = 1, size = RECEIVE_BUFFER, fd;
	struct lf *lf = calloc(1, sizeof(*lf));

	*handle = lf;
	if (!lf)
		return -ENOMEM;
	lf->request = malloc(LF_NL_BUFFER);
	lf->reply = malloc(2 * LF_NL_BUFFER);
	lf->records = malloc(LITEFLOW_DATA_MAX);
	if (!lf->request || !lf->reply || !lf->records)
		return lf_fail(lf, ENOMEM, "out of memory");
	lf->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!lf->sock || mnl_socket_bind(lf->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return no_socket(lf, errno);
	fd = mnl_socket_get_fd(lf->sock);
	/* All of them only make it nicer. */
	mnl_socket_setsockopt(lf->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(lf->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(lf->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return find_family(lf);
}

void lf_close(struct lf *lf)
{
	if (!lf)
		return;
	if (lf->sock)
		mnl_socket_close(lf->sock);
	free(lf->request);
	free(lf->reply);
	free(lf->dump);
	free(lf->records);
	free(lf);
}

int lf_fd(const struct lf *lf)
{
	return mnl_socket_get_fd(lf->sock);
}

/* -- messages ------------------------------------------------------------ */

struct nlmsghdr *lf_nl_begin(struct lf *lf, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(lf->request);
	struct genlmsghdr *genl;

	lf->refused = 0;
	nlh->nlmsg_type = lf->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++lf->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = LITEFLOW_FAMILY_VERSION;
	return nlh;
}

void lf_nl_put_string(struct lf *lf, struct nlmsghdr *nlh, int type, const char *s)
{
	if (strlen(s) > MAX_STRING)
		lf->refused = lf_fail(lf, ENAMETOOLONG, "\"%.20s...\" is too long", s);
	else
		mnl_attr_put_strz(nlh, type, s);
}

bool lf_app_number(const char *app, uint32_t *id)
{
	size_t len = strlen(app);
	unsigned long v;

	if (!len || strspn(app, "0123456789") != len)
		return false;
	v = strtoul(app, NULL, 10);
	*id = v <= UINT16_MAX ? v : 0;
	return true;
}

void lf_nl_put_app(struct lf *lf, struct nlmsghdr *nlh, const char *app)
{
	uint32_t id;

	if (!lf_app_number(app, &id))
		lf_nl_put_string(lf, nlh, LITEFLOW_A_APP_NAME, app);
	else if (id)
		mnl_attr_put_u32(nlh, LITEFLOW_A_APP_ID, id);
	else
		lf->refused = lf_fail(lf, EINVAL, "%.20s: apps have numbers from 1 to %u", app,
				      UINT16_MAX);
}

uint64_t lf_nl_uint(const struct nlattr *attr)
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
const char *lf_nl_string(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

void lf_nl_copy(char *to, size_t room, const struct nlattr *attr)
{
	snprintf(to, room, "%s", lf_nl_string(attr));
}

static int keep_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) < LF_NL_ATTRS)
		tb[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

static uint8_t command(const struct nlmsghdr *nlh)
{
	return ((const struct genlmsghdr *)mnl_nlmsg_get_payload(nlh))->cmd;
}

int lf_nl_parse(const struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb)
{
	memset(tb, 0, LF_NL_ATTRS * sizeof(*tb));
	if (nlh->nlmsg_type != lf->family ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -1;
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), keep_attr, tb) < 0 ? -1 : 0;
}

/* -- reasons ------------------------------------------------------------- */

/* Type of the attribute at an offset of the request; 0: there is none. */
static unsigned int attr_at(const struct lf *lf, uint32_t offset)
{
	const struct nlmsghdr *nlh = (const void *)lf->request;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if ((const char *)attr - lf->request == offset)
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
static int explain(struct lf *lf, int error, const struct nlmsghdr *nlh, size_t skip)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { NULL };
	unsigned int type = 0;
	const char *reason;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && mnl_nlmsg_get_payload_len(nlh) > skip)
		mnl_attr_parse(nlh, skip, ack_attr, tb);
	reason = lf_nl_string(tb[NLMSGERR_ATTR_MSG]);
	if (tb[NLMSGERR_ATTR_OFFS])
		type = attr_at(lf, lf_nl_uint(tb[NLMSGERR_ATTR_OFFS]));
	if (!*reason)
		reason = errno_reason(error);
	if (type)
		return lf_fail(lf, error, "%s (attribute %s)", reason,
			       lf_attr_name(command((void *)lf->request), type));
	return lf_fail(lf, error, "%s", reason);
}

/* NLMSG_ERROR: 0 is an acknowledgment. */
static int on_error(struct lf *lf, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return lf_fail(lf, EPROTO, "the kernel's answer is cut");
	if (!err->error)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	return explain(lf, -err->error, nlh, skip);
}

/* The end of a dump may bring an error, too. */
static int on_done(struct lf *lf, const struct nlmsghdr *nlh)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? explain(lf, -error, nlh, sizeof(error)) : 0;
}

static int no_answer(struct lf *lf, int error)
{
	switch (error) {
	case ENOBUFS:
		return lf_fail(lf, error, "the answer was lost, as the socket had no room: look "
			       "whether it was done, then try again");
	case ETIMEDOUT:
		return lf_fail(lf, error, "no answer within %d s: look whether it was done, then "
			       "try again", LF_TIMEOUT_MS / 1000);
	case EBUSY:
		return lf_fail(lf, error, "apps or models changed each time they were read: try "
			       "again");
	default:
		return lf_fail(lf, error, "%s", strerror(error));
	}
}

/* -- receiving ----------------------------------------------------------- */

int64_t lf_nl_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int lf_nl_receive(struct lf *lf, int64_t end)
{
	struct pollfd pfd = { .fd = lf_fd(lf), .events = POLLIN };
	int64_t left;
	ssize_t got;

	for (;;) {
		got = recv(pfd.fd, lf->reply, 2 * LF_NL_BUFFER, MSG_DONTWAIT | MSG_TRUNC);
		if (got > 2 * LF_NL_BUFFER)
			return -EMSGSIZE;
		if (got >= 0)
			return got ? (int)got : -EIO;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (!end)
			return -EAGAIN;
		left = end < 0 ? -1 : end - lf_nl_now();
		if (end > 0 && left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) < 0)
			return -errno;
	}
}

static int handle(struct lf *lf, const struct nlmsghdr *nlh, lf_nl_handler handler, void *data)
{
	struct nlattr *tb[LF_NL_ATTRS];

	if (!handler || lf_nl_parse(lf, nlh, tb))
		return 0;
	return handler(lf, nlh, tb, data);
}

/* -- asking -------------------------------------------------------------- */

/* Keep a message of a dump, at a place that is aligned as the kernel's. */
static int keep(struct lf *lf, const struct nlmsghdr *nlh)
{
	size_t len = MNL_ALIGN(nlh->nlmsg_len);
	char *more;

	if (lf->dump_len + len > lf->dump_room) {
		more = realloc(lf->dump, 2 * (lf->dump_room + len));
		if (!more)
			return lf_fail(lf, ENOMEM, "out of memory");
		lf->dump = more;
		lf->dump_room = 2 * (lf->dump_room + len);
	}
	memcpy(lf->dump + lf->dump_len, nlh, nlh->nlmsg_len);
	lf->dump_len += len;
	return 0;
}

/**
 * struct ask - a request under way
 * @handler: of what comes
 * @data: its argument
 * @dump: it is a dump: messages are kept
 * @interrupted: it is not of one moment
 * @done: the answer is complete
 */
struct ask {
	lf_nl_handler handler;
	void *data;
	bool dump;
	bool interrupted;
	bool done;
};

static int on_message(struct lf *lf, struct ask *ask, const struct nlmsghdr *nlh)
{
	if (!nlh->nlmsg_seq) {
		lf_dispatch(lf, nlh);
		return 0;
	}
	if (nlh->nlmsg_seq != lf->seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		ask->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		ask->done = true;
		return on_error(lf, nlh);
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		ask->done = true;
		return on_done(lf, nlh);
	}
	return ask->dump ? keep(lf, nlh) : handle(lf, nlh, ask->handler, ask->data);
}

/*
 * The kernel works on a request before send() returns, and on a dump when its
 * messages are received. So after ENOBUFS, what the socket has is all that comes.
 */
static int wait_for_answer(struct lf *lf, struct ask *ask, int64_t end)
{
	const struct nlmsghdr *nlh;
	bool lost = false;
	int got, ret = 0;

	for (;;) {
		got = lf_nl_receive(lf, lost ? 0 : end);
		if (got == -EINTR)
			continue;
		if (got == -ENOBUFS) {
			lost = true;
			continue;
		}
		if (got < 0)
			return no_answer(lf, lost ? ENOBUFS : -got);
		for (nlh = (void *)lf->reply; mnl_nlmsg_ok(nlh, got);
		     nlh = mnl_nlmsg_next(nlh, &got)) {
			ret = on_message(lf, ask, nlh);
			if (ret || ask->done)
				return ret;
		}
	}
}

static int send_request(struct lf *lf)
{
	const struct nlmsghdr *nlh = (void *)lf->request;

	if (mnl_socket_sendto(lf->sock, nlh, nlh->nlmsg_len) >= 0)
		return 0;
	return lf_fail(lf, errno, "%s", strerror(errno));
}

/* What was kept of a dump. */
static int handle_dump(struct lf *lf, struct ask *ask)
{
	const struct nlmsghdr *nlh = (void *)lf->dump;
	int len = (int)lf->dump_len, ret = 0;

	for (; !ret && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		ret = handle(lf, nlh, ask->handler, ask->data);
	return ret;
}

int lf_nl_ask(struct lf *lf, lf_nl_handler handler, void *data)
{
	struct nlmsghdr *nlh = (void *)lf->request;
	struct ask ask = { .handler = handler, .data = data };
	int64_t end = lf_nl_now() + LF_TIMEOUT_MS;
	unsigned int tries = 0;
	int ret;

	if (lf->refused)
		return lf->refused;
	ask.dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	do {
		ask.interrupted = false;
		ask.done = false;
		lf->dump_len = 0;
		if (tries++) {
			lf->interrupted++;
			nlh->nlmsg_seq = ++lf->seq;
		}
		ret = send_request(lf);
		if (!ret)
			ret = wait_for_answer(lf, &ask, end);
		if (ret || !ask.dump)
			return ret;
	} while (ask.interrupted && tries < LF_NL_DUMP_TRIES && lf_nl_now() < end);
	return ask.interrupted ? no_answer(lf, EBUSY) : handle_dump(lf, &ask);
}
