// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <string.h>
#include <openssl/sha.h>
#include <linux/liteflow_model.h>
#include "client.h"

void client_begin(struct client *c, uint8_t cmd)
{
	nl_begin(&c->msg, c->family, NLM_F_ACK, cmd);
	if (cmd != LITEFLOW_CMD_MODEL_DATA && cmd != LITEFLOW_CMD_MODEL_COMMIT)
		nl_add_str(&c->msg, LITEFLOW_A_APP_NAME, c->app);
}

void client_must(struct client *c, int fd, const char *what)
{
	nl_end(&c->msg);
	nl_exchange(fd, c->msg.data, c->msg.len, &c->answer, NULL, NULL);
	if (c->answer.error || !c->answer.answers)
		errx(1, "%s: %s (%s)", what, strerror(-c->answer.error), c->answer.text);
}

void client_install(struct client *c, int fd, const void *blob, size_t len, unsigned int slot)
{
	unsigned char digest[LITEFLOW_DIGEST_LEN];
	size_t at, piece;

	SHA256(blob, len, digest);
	client_begin(c, LITEFLOW_CMD_MODEL_BEGIN);
	nl_add_u32(&c->msg, LITEFLOW_A_MODEL_SLOT, slot);
	nl_add_u32(&c->msg, LITEFLOW_A_MODEL_LENGTH, len);
	nl_add(&c->msg, LITEFLOW_A_MODEL_DIGEST, digest, sizeof(digest));
	client_must(c, fd, "model-begin");
	for (at = 0; at < len; at += piece) {
		piece = len - at < LITEFLOW_DATA_MAX ? len - at : LITEFLOW_DATA_MAX;
		client_begin(c, LITEFLOW_CMD_MODEL_DATA);
		nl_add_u32(&c->msg, LITEFLOW_A_MODEL_OFFSET, at);
		nl_add(&c->msg, LITEFLOW_A_MODEL_DATA, (const char *)blob + at, piece);
		client_must(c, fd, "model-data");
	}
	client_begin(c, LITEFLOW_CMD_MODEL_COMMIT);
	client_must(c, fd, "model-commit");
}
