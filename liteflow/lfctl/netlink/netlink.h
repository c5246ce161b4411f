/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the kernel's family "liteflow". A request ends within NL_TIMEOUT_MS,
 * with all of the answer or with a complaint.
 */
#ifndef _LFCTL_NETLINK_H
#define _LFCTL_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/genetlink.h>
#include <linux/liteflow.h>
#include "report.h"

struct json_object;

/* Room for a message with LITEFLOW_DATA_MAX bytes of data and all else in it. */
#define NL_BUFFER	(LITEFLOW_DATA_MAX + 16384)

/* More than the largest attribute set has. */
#define NL_ATTRS	32
_Static_assert((int)LITEFLOW_A_APP_MAX < NL_ATTRS && (int)LITEFLOW_A_MODEL_MAX < NL_ATTRS &&
	       (int)LITEFLOW_A_STATS_MAX < NL_ATTRS && (int)LITEFLOW_A_EVAL_MAX < NL_ATTRS &&
	       (int)LITEFLOW_A_COLLECT_MAX < NL_ATTRS && (int)LITEFLOW_A_NOTICE_MAX < NL_ATTRS,
	       "all attributes have a place");

/* A request takes no longer; nor does a dump that is asked for again. */
#define NL_TIMEOUT_MS	5000

/* How often a dump is asked for while what it shows keeps changing. */
#define NL_DUMP_TRIES	50

/**
 * struct nl - a socket
 * @sock: of libmnl
 * @family: number of the family
 * @notice: number of the group "notice"
 * @seq: of the last request
 * @quiet: do not complain about this error number; 0: about all
 * @error: error number of the last answer, or 0. ENOBUFS: answers were lost;
 *	ETIMEDOUT: none came; EBUSY: a dump was interrupted again and again
 * @interrupted: how many dumps were asked for again, for tests
 * @request: the message to send
 * @reply: what came
 * @dump: messages of a dump, so far
 * @dump_len: bytes of them
 * @dump_room: bytes that fit
 */
struct nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t notice;
	uint32_t seq;
	int quiet;
	int error;
	unsigned long interrupted;
	char *request;
	char *reply;
	char *dump;
	size_t dump_len;
	size_t dump_room;
};

/* All complain themselves and return an exit status. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* Begin a request; NLM_F_DUMP in @flags if it is one. */
struct nlmsghdr *nl_begin(struct nl *nl, uint8_t cmd, uint16_t flags);

/* Of a message with tb[type] for every attribute that came; nonzero: stop. */
typedef int (*nl_handler)(const struct nlmsghdr *nlh, struct nlattr **tb, void *data);

/*
 * Send it and wait for all of the answer; @what is named in complaints. Messages
 * of a dump are handled once it is complete and consistent, all others as they
 * come, batches and notices included.
 */
int nl_ask(struct nl *nl, const char *what, nl_handler handler, void *data);

/*
 * Handle one datagram of what nobody asked for: batches, notices. It is waited for
 * if @wait; if not, and there is none, @error is EAGAIN and nothing is complained.
 */
int nl_listen(struct nl *nl, const char *what, bool wait, nl_handler handler, void *data);

/* Attributes of a message, by type, in NL_ATTRS places. */
int nl_parse(const struct nlmsghdr *nlh, struct nlattr **tb);

/* What operation a message is of. */
uint8_t nl_cmd(const struct nlmsghdr *nlh);

/*
 * "app" of the command line: its number if it has digits only, else its name. A
 * number that no app can have ends the program.
 */
void nl_put_app(struct nlmsghdr *nlh, const char *app);

/* Is @app a number? That of an app, in *@id, or 0 if no app can have it. */
bool nl_app_number(const char *app, uint32_t *id);

/* A string of the command line; one that is absurdly long ends the program. */
void nl_put_string(struct nlmsghdr *nlh, int type, const char *s);

/* What is absent is 0 or "". Unsigned numbers may come in 4 or in 8 bytes. */
uint64_t nl_uint(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);

/* Names as in the YAML spec. */
const char *op_name(unsigned int cmd);
const char *attr_name(unsigned int cmd, unsigned int type);
const char *context_name(const struct nlattr *attr);
const char *policy_name(const struct nlattr *attr);
const char *at_limit_name(const struct nlattr *attr);
const char *state_name(const struct nlattr *attr);
const char *kind_name(const struct nlattr *attr);
const char *event_name(const struct nlattr *attr);
const char *capability_name(const struct nlattr *attr);
int context_number(const char *name);
int policy_number(const char *name);
int at_limit_number(const char *name);
int capability_number(const char *name);

/* Add to a JSON object, if it is there. */
void json_put_uint(struct json_object *o, const char *key, const struct nlattr *attr);
void json_put_string(struct json_object *o, const char *key, const struct nlattr *attr);

#endif /* _LFCTL_NETLINK_H */
