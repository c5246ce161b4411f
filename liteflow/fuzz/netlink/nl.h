/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages to LiteFlow's netlink family, well-formed or not.
 */
#ifndef NL_H
#define NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/genetlink.h>
#include <linux/liteflow.h>
#include <linux/netlink.h>

#define NL_MAX		(1 << 17)	/* bytes of a message */

/**
 * struct message - a message under construction
 * @data: it; aligned for its header
 * @len: bytes so far
 */
struct message {
	uint32_t data[NL_MAX / 4];
	size_t len;
};

/**
 * struct answer - what the kernel said to one datagram
 * @answers: error messages, acknowledgments and ends of dumps
 * @error: the first error, negative; 0: none
 * @text: explanation of it
 * @replies: messages of the family
 * @reply: the last one of them, without headers
 * @reply_len: its bytes
 */
struct answer {
	unsigned int answers;
	int error;
	char text[160];
	unsigned int replies;
	uint32_t reply[NL_MAX / 4];
	size_t reply_len;
};

typedef void (*nl_each)(void *arg, const void *attrs, size_t len);

int nl_open(void);
void nl_exchange(int fd, const void *data, size_t len, struct answer *a, nl_each each,
		 void *arg);
uint16_t nl_family(int fd);

void nl_begin(struct message *m, uint16_t type, uint16_t flags, uint8_t cmd);
void nl_add(struct message *m, uint16_t type, const void *data, size_t len);
void nl_add_u32(struct message *m, uint16_t type, uint32_t value);
void nl_add_str(struct message *m, uint16_t type, const char *s);
void nl_end(struct message *m);

const void *nl_find(const void *attrs, size_t len, uint16_t type, size_t *size);
uint64_t nl_find_uint(const void *attrs, size_t len, uint16_t type);

#endif /* NL_H */
