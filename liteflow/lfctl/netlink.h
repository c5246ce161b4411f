/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the kernel's family "liteflow".
 */
#ifndef _LFCTL_NETLINK_H
#define _LFCTL_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/genetlink.h>
#include <linux/liteflow.h>

struct json_object;

/* Room for a message with LITEFLOW_DATA_MAX bytes of data and all else in it. */
#define NL_BUFFER	(LITEFLOW_DATA_MAX + 16384)

/**
 * struct nl - a socket
 * @sock: of libmnl
 * @family: number of the family
 * @notice: number of the group "notice"
 * @seq: of the last request
 * @quiet: do not complain about this error number; 0: about all
 * @error: error number of the last answer, or 0
 * @request: the message to send
 * @reply: what came
 */
struct nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t notice;
	uint32_t seq;
	int quiet;
	int error;
	char *request;
	char *reply;
};

/* All complain themselves and return an exit status. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* Begin a request; NLM_F_DUMP in @flags if it is one. */
struct nlmsghdr *nl_begin(struct nl *nl, uint8_t cmd, uint16_t flags);

/* Of a message with tb[type] for every attribute that came; nonzero: stop. */
typedef int (*nl_handler)(const struct nlmsghdr *nlh, struct nlattr **tb, void *data);

/* Send it and wait for all of the answer; @what is named in complaints. */
int nl_ask(struct nl *nl, const char *what, nl_handler handler, void *data);

/* Attributes of a message, by type. */
int nl_parse(const struct nlmsghdr *nlh, struct nlattr **tb);

/* "app" of the command line: a number or a name */
void nl_put_app(struct nlmsghdr *nlh, const char *app);

/* A string of the command line; one that is absurdly long ends the program. */
void nl_put_string(struct nlmsghdr *nlh, int type, const char *s);

/* What is absent is 0 or "". Unsigned numbers may come in 4 or in 8 bytes. */
uint64_t nl_uint(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);

/* Names as in the YAML spec. */
const char *attr_name(unsigned int type);
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

/* Add to a JSON object under its YAML name, if it is there. */
void json_put_uint(struct json_object *o, struct nlattr **tb, int type);
void json_put_string(struct json_object *o, struct nlattr **tb, int type);

#endif /* _LFCTL_NETLINK_H */
