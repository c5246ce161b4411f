/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside liblf: messages to the kernel's family "liteflow", and what comes back.
 */
#ifndef _LIBLF_NETLINK_H
#define _LIBLF_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include "liblf.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* Room for a message with LITEFLOW_DATA_MAX bytes of data and all else in it. */
#define LF_NL_BUFFER	(LITEFLOW_DATA_MAX + 16384)

/* More than the largest attribute set has. */
#define LF_NL_ATTRS	32
_Static_assert((int)LITEFLOW_A_APP_MAX < LF_NL_ATTRS &&
	       (int)LITEFLOW_A_MODEL_MAX < LF_NL_ATTRS &&
	       (int)LITEFLOW_A_STATS_MAX < LF_NL_ATTRS &&
	       (int)LITEFLOW_A_EVAL_MAX < LF_NL_ATTRS &&
	       (int)LITEFLOW_A_COLLECT_MAX < LF_NL_ATTRS &&
	       (int)LITEFLOW_A_NOTICE_MAX < LF_NL_ATTRS, "all attributes have a place");

/* How often a dump is asked for while what it shows keeps changing. */
#define LF_NL_DUMP_TRIES	50

/**
 * struct lf - a socket, and what is known of it
 * @sock: of libmnl
 * @family: number of the family
 * @notice: number of the group "notice"
 * @seq: of the last request
 * @refused: the request that is being made cannot be sent: a negative errno, or 0
 * @interrupted: how many dumps were asked for again, for tests
 * @request: the message to send
 * @reply: what came
 * @dump: messages of a dump, so far
 * @dump_len: bytes of them
 * @dump_room: bytes that fit
 * @collects: a collection runs
 * @stopping: it is about to end: what the callback returns does not count
 * @record_size: bytes of a record of it
 * @records: those of a batch, aligned as they must be
 * @on_batch: NULL: nobody wants them
 * @batch_data: its argument
 * @on_event: NULL: nobody wants them
 * @event_data: its argument
 * @pending: what a callback returned, for lf_take(); 0: nothing
 * @reason: of the last failure
 */
struct lf {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t notice;
	uint32_t seq;
	int refused;
	unsigned long interrupted;
	char *request;
	char *reply;
	char *dump;
	size_t dump_len;
	size_t dump_room;
	bool collects;
	bool stopping;
	size_t record_size;
	void *records;
	lf_batch_fn on_batch;
	void *batch_data;
	lf_event_fn on_event;
	void *event_data;
	int pending;
	char reason[LF_REASON_LEN];
};

/* Keeps the reason; -@error */
__attribute__((format(printf, 3, 4)))
int lf_fail(struct lf *lf, int error, const char *fmt, ...);

/* Begin a request; NLM_F_DUMP in @flags if it is one. */
struct nlmsghdr *lf_nl_begin(struct lf *lf, uint8_t cmd, uint16_t flags);

/* A caller's string, or "app"; one that cannot be is what lf_nl_ask() fails with. */
void lf_nl_put_string(struct lf *lf, struct nlmsghdr *nlh, int type, const char *s);
void lf_nl_put_app(struct lf *lf, struct nlmsghdr *nlh, const char *app);

/* Of a message with tb[type] for every attribute that came; nonzero: stop. */
typedef int (*lf_nl_handler)(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb,
			     void *data);

/*
 * Send it and wait for all of the answer. Messages of a dump are handled once it is
 * complete and consistent. Batches and notices go where they always go.
 */
int lf_nl_ask(struct lf *lf, lf_nl_handler handler, void *data);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t lf_nl_now(void);

/*
 * The next datagram into @reply, waited for until @end, as lf_nl_now() counts; -1: for
 * ever, 0: not at all. Its length; or -EAGAIN, -ETIMEDOUT, -EINTR, -ENOBUFS, or another.
 */
int lf_nl_receive(struct lf *lf, int64_t end);

/* Give what nobody asked for to its callback, whose value is kept in @pending. */
void lf_dispatch(struct lf *lf, const struct nlmsghdr *nlh);

/* Attributes of a message, by type; nonzero: it is none of the family. */
int lf_nl_parse(const struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb);

/* What is absent is 0 or "". Unsigned numbers may come in 4 or in 8 bytes. */
uint64_t lf_nl_uint(const struct nlattr *attr);
const char *lf_nl_string(const struct nlattr *attr);
void lf_nl_copy(char *to, size_t room, const struct nlattr *attr);

/* Number of an attribute, or -1 */
static inline int lf_nl_slot(const struct nlattr *attr)
{
	return attr ? (int)lf_nl_uint(attr) : -1;
}

/* Names of the specification. */
const char *lf_attr_name(unsigned int cmd, unsigned int type);

#endif /* _LIBLF_NETLINK_H */
