/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LiteFlow's tests: generic netlink on a plain socket, so that messages can be
 * as wrong as a test wants them.
 */
#ifndef _LF_NL_H
#define _LF_NL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <linux/genetlink.h>
#include <linux/liteflow.h>
#include <linux/netlink.h>
#include <linux/types.h>

#include "lf_blob.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

#define LF_NL_ROOM	(48 << 10)

/**
 * struct lf_msg - a message, on its way or as it came
 * @buf: the message
 * @n: its header
 * @g: what follows it
 */
struct lf_msg {
	union {
		char buf[LF_NL_ROOM];
		struct {
			struct nlmsghdr n;
			struct genlmsghdr g;
		};
	};
};

/**
 * struct lf_sock - a socket
 * @fd: it
 * @family: number of the family
 * @group: number of its group of notices
 * @seq: of the last request
 * @why: what the kernel said of the last one, "" if nothing
 * @reply: the last answer that was no acknowledgment
 * @replies: how many there were
 */
struct lf_sock {
	int fd;
	int family;
	int group;
	unsigned int seq;
	char why[128];
	struct lf_msg reply;
	unsigned int replies;
};

static inline void lf_begin(struct lf_msg *m, int type, int cmd, int flags)
{
	memset(m->buf, 0, sizeof(m->n) + sizeof(m->g));
	m->n.nlmsg_len = sizeof(m->n) + sizeof(m->g);
	m->n.nlmsg_type = type;
	m->n.nlmsg_flags = NLM_F_REQUEST | flags;
	m->g.cmd = cmd;
	m->g.version = LITEFLOW_FAMILY_VERSION;
}

static inline void lf_put(struct lf_msg *m, int type, const void *data, size_t len)
{
	struct nlattr *a = (void *)(m->buf + NLMSG_ALIGN(m->n.nlmsg_len));

	if ((char *)a - m->buf + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(m->buf))
		abort();
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memset((char *)a + NLA_HDRLEN, 0, NLA_ALIGN(len));
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	m->n.nlmsg_len = (char *)a - m->buf + NLA_HDRLEN + NLA_ALIGN(len);
}

static inline void lf_put_u32(struct lf_msg *m, int type, __u32 val)
{
	lf_put(m, type, &val, sizeof(val));
}

static inline void lf_put_str(struct lf_msg *m, int type, const char *str)
{
	lf_put(m, type, str, strlen(str) + 1);
}

/* The attribute of this type in a message that came, or NULL. */
static inline const struct nlattr *lf_attr(const char *from, const char *end, int type)
{
	while (end - from >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)from;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > end - from)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		from += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static inline const struct nlattr *lf_get(const struct lf_msg *m, int type)
{
	return lf_attr(m->buf + sizeof(m->n) + sizeof(m->g), m->buf + m->n.nlmsg_len, type);
}

static inline const void *lf_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

/* 4 or 8 bytes; 0 if it is not there */
static inline __u64 lf_get_uint(const struct lf_msg *m, int type)
{
	const struct nlattr *a = lf_get(m, type);
	__u64 val = 0;
	__u32 val32;

	if (a && a->nla_len == NLA_HDRLEN + sizeof(val32)) {
		memcpy(&val32, lf_data(a), sizeof(val32));
		return val32;
	}
	if (a && a->nla_len == NLA_HDRLEN + sizeof(val))
		memcpy(&val, lf_data(a), sizeof(val));
	return val;
}

static inline void lf_keep_why(struct lf_sock *s, const struct nlmsghdr *n,
			       const struct nlmsgerr *e)
{
	const char *from = (const char *)(e + 1), *end = (const char *)n + n->nlmsg_len;
	const struct nlattr *a;

	s->why[0] = '\0';
	if (!(n->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(n->nlmsg_flags & NLM_F_CAPPED))
		from += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	a = lf_attr(from, end, NLMSGERR_ATTR_MSG);
	if (a)
		snprintf(s->why, sizeof(s->why), "%.*s", (int)(a->nla_len - NLA_HDRLEN),
			 (const char *)lf_data(a));
}

/*
 * Send the bytes as they are; 0 or a negative errno. With no address, as write()
 * would: then the rights of whoever opened the socket count as well.
 */
static inline int lf_send(struct lf_sock *s, const void *buf, size_t len)
{
	return send(s->fd, buf, len, 0) < 0 ? -errno : 0;
}

/*
 * Read until the acknowledgment, the error or the end of a dump. Answers to other
 * requests, as batches of records are, are passed over.
 */
static inline int lf_receive(struct lf_sock *s)
{
	static char buf[2 * LF_NL_ROOM];

	s->replies = 0;
	s->why[0] = '\0';
	for (;;) {
		ssize_t len = recv(s->fd, buf, sizeof(buf), 0);
		struct nlmsghdr *n = (void *)buf;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			if (n->nlmsg_seq != s->seq)
				continue;
			if (n->nlmsg_type == NLMSG_ERROR) {
				struct nlmsgerr *e = NLMSG_DATA(n);

				lf_keep_why(s, n, e);
				return e->error;
			}
			if (n->nlmsg_type == NLMSG_DONE) {
				int *ret = NLMSG_DATA(n);

				return n->nlmsg_len >= NLMSG_LENGTH(sizeof(*ret)) ? *ret : 0;
			}
			s->replies++;
			if (n->nlmsg_len <= sizeof(s->reply))
				memcpy(&s->reply, n, n->nlmsg_len);
		}
	}
}

/* A request and its answer; 0 or a negative errno, the reason in s->why. */
static inline int lf_call(struct lf_sock *s, struct lf_msg *m)
{
	int ret;

	m->n.nlmsg_seq = ++s->seq;
	if (!(m->n.nlmsg_flags & NLM_F_DUMP))
		m->n.nlmsg_flags |= NLM_F_ACK;
	ret = lf_send(s, m, m->n.nlmsg_len);
	return ret ? ret : lf_receive(s);
}

static inline void lf_close(struct lf_sock *s)
{
	if (s && s->fd >= 0)
		close(s->fd);
	free(s);
}

/* The group's number is two levels deep. */
static inline int lf_find_group(const struct lf_msg *m, const char *name)
{
	const struct nlattr *groups = lf_get(m, CTRL_ATTR_MCAST_GROUPS), *group, *a;
	const char *from, *end;
	__u32 id;

	if (!groups)
		return 0;
	from = lf_data(groups);
	end = (const char *)groups + groups->nla_len;
	for (; end - from >= NLA_HDRLEN; from += NLA_ALIGN(group->nla_len)) {
		const char *in, *out;

		group = (const void *)from;
		if (group->nla_len < NLA_HDRLEN || group->nla_len > end - from)
			return 0;
		in = lf_data(group);
		out = from + group->nla_len;
		a = lf_attr(in, out, CTRL_ATTR_MCAST_GRP_NAME);
		if (!a || strcmp(lf_data(a), name))
			continue;
		a = lf_attr(in, out, CTRL_ATTR_MCAST_GRP_ID);
		if (!a)
			return 0;
		memcpy(&id, lf_data(a), sizeof(id));
		return id;
	}
	return 0;
}

/*
 * A socket that knows the family; NULL, with errno: ENOENT: there is no such
 * family. Whether it answers is waited for no longer than a minute.
 */
static inline struct lf_sock *lf_open(void)
{
	struct timeval timeout = { .tv_sec = 60 };
	struct lf_sock *s = calloc(1, sizeof(*s));
	struct lf_msg *m = calloc(1, sizeof(*m));
	int one = 1, room = 4 << 20, ret;

	if (!s || !m)
		abort();
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (s->fd < 0) {
		ret = -errno;
		goto out;
	}
	setsockopt(s->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(s->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));

	lf_begin(m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	lf_put_str(m, CTRL_ATTR_FAMILY_NAME, LITEFLOW_FAMILY_NAME);
	ret = lf_call(s, m);
	if (!ret) {
		const struct nlattr *a = lf_get(&s->reply, CTRL_ATTR_FAMILY_ID);
		__u16 family;

		if (a) {
			memcpy(&family, lf_data(a), sizeof(family));
			s->family = family;
		}
		s->group = lf_find_group(&s->reply, LITEFLOW_MCGRP_NOTICE);
	}
out:
	free(m);
	if (ret) {
		lf_close(s);
		errno = -ret;
		return NULL;
	}
	return s;
}

/* -- single operations ------------------------------------------------------ */

/*
 * Begin a request about an app, and maybe a slot (-1: none). The attributes for
 * these have the same numbers in all sets.
 */
static inline void lf_begin_app(struct lf_sock *s, struct lf_msg *m, int cmd, const char *app,
				int slot)
{
	lf_begin(m, s->family, cmd, 0);
	lf_put_str(m, LITEFLOW_A_APP_NAME, app);
	if (slot >= 0)
		lf_put_u32(m, LITEFLOW_A_MODEL_SLOT, slot);
}

static inline int lf_app_add(struct lf_sock *s, const char *app, unsigned int n_in,
			     unsigned int capability)
{
	struct lf_msg m;

	lf_begin_app(s, &m, LITEFLOW_CMD_APP_ADD, app, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_N_IN, n_in);
	lf_put_u32(&m, LITEFLOW_A_APP_N_OUT, 1);
	lf_put_u32(&m, LITEFLOW_A_APP_CAPABILITY, capability);
	return lf_call(s, &m);
}

static inline int lf_app_op(struct lf_sock *s, int cmd, const char *app, int slot)
{
	struct lf_msg m;

	lf_begin_app(s, &m, cmd, app, slot);
	return lf_call(s, &m);
}

static inline int lf_model_remove(struct lf_sock *s, const char *app, int slot, __u32 flags)
{
	struct lf_msg m;

	lf_begin_app(s, &m, LITEFLOW_CMD_MODEL_REMOVE, app, slot);
	lf_put_u32(&m, LITEFLOW_A_MODEL_REMOVE_FLAGS, flags);
	return lf_call(s, &m);
}

static inline int lf_install_compiled(struct lf_sock *s, const char *app, int slot,
				      const char *name)
{
	struct lf_msg m;

	lf_begin_app(s, &m, LITEFLOW_CMD_COMPILED_INSTALL, app, slot);
	lf_put_str(&m, LITEFLOW_A_MODEL_NAME, name);
	return lf_call(s, &m);
}

static inline int lf_model_begin(struct lf_sock *s, const char *app, int slot, __u32 len,
				 const __u8 digest[32])
{
	struct lf_msg m;

	lf_begin_app(s, &m, LITEFLOW_CMD_MODEL_BEGIN, app, slot);
	lf_put_u32(&m, LITEFLOW_A_MODEL_LENGTH, len);
	lf_put(&m, LITEFLOW_A_MODEL_DIGEST, digest, 32);
	return lf_call(s, &m);
}

static inline int lf_model_data(struct lf_sock *s, __u32 offset, const void *data, size_t len)
{
	struct lf_msg m;

	lf_begin(&m, s->family, LITEFLOW_CMD_MODEL_DATA, 0);
	lf_put_u32(&m, LITEFLOW_A_MODEL_OFFSET, offset);
	lf_put(&m, LITEFLOW_A_MODEL_DATA, data, len);
	return lf_call(s, &m);
}

static inline int lf_model_commit(struct lf_sock *s)
{
	struct lf_msg m;

	lf_begin(&m, s->family, LITEFLOW_CMD_MODEL_COMMIT, 0);
	return lf_call(s, &m);
}

/* A counter of an app's statistics. */
static inline int lf_stat(struct lf_sock *s, const char *app, int type, __u64 *val)
{
	struct lf_msg m;
	int ret;

	lf_begin(&m, s->family, LITEFLOW_CMD_STATS_GET, NLM_F_DUMP);
	lf_put_str(&m, LITEFLOW_A_APP_NAME, app);
	ret = lf_call(s, &m);
	*val = s->replies ? lf_get_uint(&s->reply, type) : 0;
	return ret ? ret : s->replies == 1 ? 0 : -EBADMSG;
}

/* One row; the output in @out. */
static inline int lf_eval(struct lf_sock *s, const char *app, int slot, const __s32 *in,
			  unsigned int n_in, __s32 *out)
{
	const struct nlattr *a;
	struct lf_msg m;
	int ret;

	lf_begin_app(s, &m, LITEFLOW_CMD_EVAL, app, slot);
	lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, 1);
	lf_put(&m, LITEFLOW_A_EVAL_INPUTS, in, n_in * sizeof(*in));
	ret = lf_call(s, &m);
	if (ret)
		return ret;
	a = lf_get(&s->reply, LITEFLOW_A_EVAL_OUTPUTS);
	if (!a || a->nla_len != NLA_HDRLEN + sizeof(*out))
		return -EBADMSG;
	memcpy(out, lf_data(a), sizeof(*out));
	return 0;
}

/* A whole model into a slot. */
static inline int lf_model_send(struct lf_sock *s, const char *app, int slot,
				const void *blob, size_t len)
{
	__u8 digest[32];
	size_t at, part;
	int ret;

	lf_sha256(blob, len, digest);
	ret = lf_model_begin(s, app, slot, len, digest);
	for (at = 0; !ret && at < len; at += part) {
		part = len - at < LITEFLOW_DATA_MAX ? len - at : LITEFLOW_DATA_MAX;
		ret = lf_model_data(s, at, (const char *)blob + at, part);
	}
	return ret ? ret : lf_model_commit(s);
}

/* Loads a module from the folder that LF_MODULES names; false: there is none, or it fails. */
static inline bool lf_insmod(const char *name)
{
	const char *dir = getenv("LF_MODULES");
	char path[4096];
	int file, ret;

	if (!dir)
		return false;
	snprintf(path, sizeof(path), "%s/%s.ko", dir, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	ret = syscall(SYS_finit_module, file, "", 0);
	close(file);
	return !ret;
}

#endif /* _LF_NL_H */
