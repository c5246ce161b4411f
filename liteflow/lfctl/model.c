// SPDX-License-Identifier: GPL-2.0
/*
 * Sending, activating: what the kernel does with models.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_model.h>
#include "lfctl.h"
#include "model.h"

#define PIECE	LITEFLOW_DATA_MAX

struct answer {
	uint32_t version;
	uint64_t ns;
};

static int on_answer(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct answer *answer = data;

	(void)nlh;
	answer->version = nl_uint(tb[LITEFLOW_A_MODEL_VERSION]);
	answer->ns = nl_uint(tb[LITEFLOW_A_MODEL_OP_NS]);
	return 0;
}

static const char *label(const char *app, unsigned int slot)
{
	static char what[64];

	snprintf(what, sizeof(what), "app %.32s, slot %u", app, slot);
	return what;
}

void model_digest(const void *blob, size_t len, uint8_t *digest)
{
	EVP_Digest(blob, len, digest, NULL, EVP_sha256(), NULL);
}

void *model_read(const char *path, size_t *len)
{
	char *blob = read_file(path, LITEFLOW_MAX_BLOB, len);

	if (!blob)
		return NULL;
	if (*len && blob[strspn(blob, " \t\r\n")] == '{') {
		complain("%s: this is JSON: make a model of it with lfctl model pack", path);
		free(blob);
		return NULL;
	}
	if (!*len) {
		complain("%s: empty", path);
		free(blob);
		return NULL;
	}
	return blob;
}

int model_send(struct nl *nl, const char *app, unsigned int slot, const void *blob, size_t len,
	       uint32_t *version)
{
	const char *what = label(app, slot);
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct answer answer = { 0 };
	struct nlmsghdr *nlh;
	size_t at, n;
	int ret;

	model_digest(blob, len, digest);
	nlh = nl_begin(nl, LITEFLOW_CMD_MODEL_BEGIN, 0);
	nl_put_app(nlh, app);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_SLOT, slot);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_LENGTH, len);
	mnl_attr_put(nlh, LITEFLOW_A_MODEL_DIGEST, LITEFLOW_DIGEST_LEN, digest);
	ret = nl_ask(nl, what, NULL, NULL);
	for (at = 0; !ret && at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		nlh = nl_begin(nl, LITEFLOW_CMD_MODEL_DATA, 0);
		mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_OFFSET, at);
		mnl_attr_put(nlh, LITEFLOW_A_MODEL_DATA, n, (const char *)blob + at);
		ret = nl_ask(nl, what, NULL, NULL);
	}
	if (ret)
		return ret;
	nl_begin(nl, LITEFLOW_CMD_MODEL_COMMIT, 0);
	ret = nl_ask(nl, what, on_answer, &answer);
	*version = answer.version;
	return ret;
}

int model_install_compiled(struct nl *nl, const char *app, unsigned int slot, const char *name,
			   uint32_t *version)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_COMPILED_INSTALL, 0);
	struct answer answer = { 0 };
	int ret;

	nl_put_app(nlh, app);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_SLOT, slot);
	nl_put_string(nlh, LITEFLOW_A_MODEL_NAME, name);
	ret = nl_ask(nl, label(app, slot), on_answer, &answer);
	*version = answer.version;
	return ret;
}

int model_activate(struct nl *nl, const char *app, unsigned int slot, uint32_t *version,
		   uint64_t *ns)
{
	struct nlmsghdr *nlh = nl_begin(nl, LITEFLOW_CMD_MODEL_ACTIVATE, 0);
	struct answer answer = { 0 };
	int ret;

	nl_put_app(nlh, app);
	mnl_attr_put_u32(nlh, LITEFLOW_A_MODEL_SLOT, slot);
	ret = nl_ask(nl, label(app, slot), on_answer, &answer);
	*version = answer.version;
	*ns = answer.ns;
	return ret;
}
