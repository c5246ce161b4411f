// SPDX-License-Identifier: GPL-2.0
/*
 * Models that a hook hands back: taken as anyone's, that is with distrust.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "file.h"
#include "kind.h"
#include "net.h"
#include "pack.h"
#include "service.h"

/* json-c takes up to 40 times of it; what is larger comes as a model */
#define MAX_JSON	(4 << 20)

void candidate_free(struct candidate *c)
{
	free(c->blob);
	if (c->model)
		lf_model_free(c->model);
	memset(c, 0, sizeof(*c));
}

/* As lfctl model pack, with the app's own inputs as --data. */
static int pack(struct candidate *c, char *text, size_t len, const struct lf_app_info *info,
		const int32_t *inputs, unsigned int rows, char *err, size_t errlen)
{
	struct pack_data data = { .n = rows, .rows = inputs, .margin = PACK_MARGIN };
	struct pack_options options = { 0 };
	struct reason why = { err, errlen };
	struct json_object *json = json_parse_strictly(text, len, err, errlen);
	struct net *net = json ? net_read(json, &why) : NULL;
	int ret = -1;

	json_object_put(json);
	if (!net)
		return -1;
	if (net->n_in != info->n_in || net->n_out != info->n_out) {
		snprintf(err, errlen, "%u inputs and %u outputs, the app has %u and %u", net->n_in,
			 net->n_out, info->n_in, info->n_out);
	} else {
		if (rows >= PACK_MIN_ROWS)
			options.data = &data;
		ret = lf_pack_net(net, &options, &c->blob, &c->len, err, errlen);
	}
	net_free(net);
	return ret;
}

/* What is compared are answers to single rows, which say nothing of a sequence. */
static int refuse_state(const struct lf_model *model, const struct lf_app_info *info, char *err,
			size_t errlen)
{
	snprintf(err, errlen, "it keeps %u values of state, and lfd judges models that keep none: %s",
		 model->state_len, info->max_state ? "install it with lfctl model install" :
		 "give one without recurrent layers");
	return -1;
}

/* The kernel's own check, with what is known of the app. */
static int parse(struct candidate *c, const struct lf_app_info *info, char *err, size_t errlen)
{
	const char *features[LITEFLOW_WIDTH_MAX];
	struct lf_limits limits = {
		.n_in = info->n_in, .n_out = info->n_out, .max_macs = info->max_macs,
		.max_bytes = info->max_bytes, .units = info->units[0] ? info->units : NULL,
		.max_state = LITEFLOW_MAX_STATE,
	};
	struct lf_error why = { "" };
	struct lf_model *model;
	unsigned int i;

	if (info->n_features && info->n_features == info->n_in) {
		for (i = 0; i < info->n_in; i++)
			features[i] = info->features[i];
		limits.features = features;
	}
	if (lf_model_parse(c->blob, c->len, &limits, &model, &why)) {
		snprintf(err, errlen, "%s", why.msg[0] ? why.msg : "out of memory");
		return -1;
	}
	c->model = model;
	if (model->state_len)
		return refuse_state(model, info, err, errlen);
	if (!lf_digest(c->blob, c->len, c->digest))
		return 0;
	snprintf(err, errlen, "its digest cannot be computed");
	return -1;
}

static int read_model(struct candidate *c, char *data, size_t len, const struct lf_app_info *info,
		      const int32_t *inputs, unsigned int rows, char *err, size_t errlen)
{
	struct reason reason = { err, errlen };
	int ret = -1;

	if (!len) {
		snprintf(err, errlen, "empty");
	} else if (lf_digest(data, len, c->source)) {
		snprintf(err, errlen, "its digest cannot be computed");
	} else if (kind_is_json(data)) {
		ret = pack(c, data, len, info, inputs, rows, err, errlen);
	} else if (kind_refuse(data, len, KIND_MODEL, &reason)) {
		ret = -1;
	} else if (len > LITEFLOW_MAX_BLOB) {
		snprintf(err, errlen, "larger than %u bytes", LITEFLOW_MAX_BLOB);
	} else {
		c->blob = malloc(len);
		c->len = len;
		if (c->blob) {
			memcpy(c->blob, data, len);
			ret = 0;
		}
	}
	return ret ? ret : parse(c, info, err, errlen);
}

int candidate_read(struct candidate *c, int dir, const char *name, uid_t uid,
		   const struct lf_app_info *info, const int32_t *inputs, unsigned int rows,
		   char why[HOOK_REASON])
{
	char err[200] = "";
	struct stat st;
	size_t len;
	char *data;
	int ret = -1;

	memset(c, 0, sizeof(*c));
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		snprintf(why, HOOK_REASON,
			 "model: \"%.60s\" is no name of a file in the folder it was given", name);
		return -1;
	}
	data = file_read(dir, name, O_NOFOLLOW, MAX_JSON, &st, &len, err, sizeof(err));
	if (data && (st.st_uid != uid || st.st_nlink != 1))
		snprintf(err, sizeof(err), st.st_uid != uid ? "belongs to another user" :
			 "has another name elsewhere");
	else if (data)
		ret = read_model(c, data, len, info, inputs, rows, err, sizeof(err));
	free(data);
	if (!ret)
		return 0;
	snprintf(why, HOOK_REASON, "model \"%.60s\": %s", name, err);
	candidate_free(c);
	return -1;
}

static void file_name(const uint8_t *digest, char name[DIGEST_TEXT + 4])
{
	char text[DIGEST_TEXT];

	snprintf(name, DIGEST_TEXT + 4, "%s.lfm", digest_text(digest, text));
}

int candidate_save(const struct candidate *c, int dir)
{
	char name[DIGEST_TEXT + 4];

	file_name(c->digest, name);
	return file_replace(dir, name, c->blob, c->len, 0644, true);
}

int candidate_load(struct candidate *c, int dir, const uint8_t *digest)
{
	static const struct lf_app_info any;
	char name[DIGEST_TEXT + 4], err[160];
	struct stat st;
	char *data;

	memset(c, 0, sizeof(*c));
	file_name(digest, name);
	data = file_read(dir, name, O_NOFOLLOW, LITEFLOW_MAX_BLOB, &st, &c->len, err, sizeof(err));
	c->blob = data;
	if (data && !parse(c, &any, err, sizeof(err)) && !memcmp(c->digest, digest, LF_DIGEST_LEN))
		return 0;
	candidate_free(c);
	return -1;
}

int32_t *candidate_run(const struct candidate *c, const int32_t *inputs, unsigned int rows)
{
	const struct lf_model *m = c->model;
	int16_t *scratch = calloc(2 * m->width, sizeof(*scratch));
	int32_t *outputs = calloc((size_t)rows * m->n_out + 1, sizeof(*outputs));
	size_t i;

	for (i = 0; i < rows && scratch && outputs; i++)
		lf_model_run(m, inputs + i * m->n_in, outputs + i * m->n_out, scratch);
	if (!scratch) {
		free(outputs);
		outputs = NULL;
	}
	free(scratch);
	return outputs;
}
