/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests about one app that must work, for programs that check answers.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "nl.h"

/**
 * struct client - who asks
 * @app: name of the app
 * @family: number of the family
 * @msg: the request
 * @answer: to the last one
 */
struct client {
	const char *app;
	uint16_t family;
	struct message msg;
	struct answer answer;
};

/* Begin a request, with the app's name in it where the operation takes that. */
void client_begin(struct client *c, uint8_t cmd);
/* Send it on @fd; ends the program, naming @what, if the kernel refuses. */
void client_must(struct client *c, int fd, const char *what);
/* Send a whole model into a slot. */
void client_install(struct client *c, int fd, const void *blob, size_t len, unsigned int slot);

#endif /* CLIENT_H */
