// SPDX-License-Identifier: GPL-2.0
/*
 * Apps: shape, features, limits, and their counters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "netlink.h"

static const char *feature_name(const struct nlattr *feature)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, feature)
		if (mnl_attr_get_type(attr) == LITEFLOW_A_FEATURE_NAME)
			return lf_nl_string(attr);
	return "";
}

static int read_features(struct lf *lf, const struct nlmsghdr *nlh, struct lf_app_info *info)
{
	const struct nlattr *attr;

	info->features = calloc((size_t)info->n_in + 1, sizeof(*info->features));
	if (!info->features)
		return lf_fail(lf, ENOMEM, "out of memory");
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == LITEFLOW_A_APP_FEATURE &&
		    info->n_features < info->n_in)
			snprintf(info->features[info->n_features++], LF_NAME_LEN, "%s",
				 feature_name(attr));
	return 0;
}

static int on_info(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct lf_app_info *info = data;

	info->id = lf_nl_uint(tb[LITEFLOW_A_APP_ID]);
	info->n_in = lf_nl_uint(tb[LITEFLOW_A_APP_N_IN]);
	info->n_out = lf_nl_uint(tb[LITEFLOW_A_APP_N_OUT]);
	info->context = lf_nl_uint(tb[LITEFLOW_A_APP_CONTEXT]);
	info->policy = lf_nl_uint(tb[LITEFLOW_A_APP_POLICY]);
	info->at_limit = lf_nl_uint(tb[LITEFLOW_A_APP_AT_LIMIT]);
	info->n_slots = lf_nl_uint(tb[LITEFLOW_A_APP_N_SLOTS]);
	info->capability = lf_nl_uint(tb[LITEFLOW_A_APP_CAPABILITY]);
	info->max_macs = lf_nl_uint(tb[LITEFLOW_A_APP_MAX_MACS]);
	info->max_bytes = lf_nl_uint(tb[LITEFLOW_A_APP_MAX_BYTES]);
	info->max_retired = lf_nl_uint(tb[LITEFLOW_A_APP_MAX_RETIRED]);
	info->max_state = lf_nl_uint(tb[LITEFLOW_A_APP_MAX_STATE]);
	info->sample_shift = lf_nl_uint(tb[LITEFLOW_A_APP_SAMPLE_SHIFT]);
	info->user = tb[LITEFLOW_A_APP_USER];
	lf_nl_copy(info->name, sizeof(info->name), tb[LITEFLOW_A_APP_NAME]);
	lf_nl_copy(info->units, sizeof(info->units), tb[LITEFLOW_A_APP_UNITS]);
	if (!info->n_in || !info->n_out || info->n_in > LITEFLOW_WIDTH_MAX ||
	    info->n_out > LITEFLOW_WIDTH_MAX)
		return lf_fail(lf, EPROTO, "the kernel told no shape");
	return read_features(lf, nlh, info);
}

void lf_app_info_free(struct lf_app_info *info)
{
	free(info->features);
	info->features = NULL;
	info->n_features = 0;
}

static int get(struct lf *lf, struct lf_app_info *info)
{
	int ret = lf_nl_ask(lf, on_info, info);

	return ret || info->n_in ? ret : lf_fail(lf, EPROTO, "the kernel told no shape");
}

int lf_app_get(struct lf *lf, const char *app, struct lf_app_info *info)
{
	memset(info, 0, sizeof(*info));
	lf_nl_put_app(lf, lf_nl_begin(lf, LITEFLOW_CMD_APP_GET, 0), app);
	return get(lf, info);
}

int lf_app_get_by_name(struct lf *lf, const char *name, struct lf_app_info *info)
{
	memset(info, 0, sizeof(*info));
	lf_nl_put_string(lf, lf_nl_begin(lf, LITEFLOW_CMD_APP_GET, 0), LITEFLOW_A_APP_NAME, name);
	return get(lf, info);
}

void lf_app_column(const struct lf_app_info *info, unsigned int column, char name[LF_NAME_LEN])
{
	if (column >= info->n_in)
		snprintf(name, LF_NAME_LEN, "out%u", column - info->n_in);
	else if (info->n_features == info->n_in)
		snprintf(name, LF_NAME_LEN, "%s", info->features[column]);
	else
		snprintf(name, LF_NAME_LEN, "in%u", column);
}

struct each_app {
	lf_app_fn fn;
	void *data;
};

static int on_app(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	struct lf_app_info info = { 0 };
	struct each_app *each = data;
	int ret;

	ret = on_info(lf, nlh, tb, &info);
	if (!ret)
		ret = each->fn(&info, each->data);
	lf_app_info_free(&info);
	return ret;
}

int lf_for_each_app(struct lf *lf, lf_app_fn fn, void *data)
{
	struct each_app each = { fn, data };

	lf_nl_begin(lf, LITEFLOW_CMD_APP_GET, NLM_F_DUMP);
	return lf_nl_ask(lf, on_app, &each);
}

/* -- changes ------------------------------------------------------------- */

static void put_if(struct nlmsghdr *nlh, int type, int64_t v)
{
	if (v >= 0)
		mnl_attr_put_u32(nlh, type, (uint32_t)v);
}

static int on_added(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	uint32_t *id = data;

	(void)lf;
	(void)nlh;
	if (id)
		*id = lf_nl_uint(tb[LITEFLOW_A_APP_ID]);
	return 0;
}

int lf_app_add(struct lf *lf, const struct lf_app_desc *desc, uint32_t *id)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_APP_ADD, 0);

	lf_nl_put_string(lf, nlh, LITEFLOW_A_APP_NAME, desc->name);
	put_if(nlh, LITEFLOW_A_APP_ID, desc->id);
	put_if(nlh, LITEFLOW_A_APP_N_IN, desc->n_in);
	put_if(nlh, LITEFLOW_A_APP_N_OUT, desc->n_out);
	put_if(nlh, LITEFLOW_A_APP_CONTEXT, desc->context);
	put_if(nlh, LITEFLOW_A_APP_POLICY, desc->policy);
	put_if(nlh, LITEFLOW_A_APP_AT_LIMIT, desc->at_limit);
	put_if(nlh, LITEFLOW_A_APP_N_SLOTS, desc->n_slots);
	put_if(nlh, LITEFLOW_A_APP_CAPABILITY, desc->capability);
	put_if(nlh, LITEFLOW_A_APP_MAX_MACS, desc->max_macs);
	put_if(nlh, LITEFLOW_A_APP_MAX_BYTES, desc->max_bytes);
	put_if(nlh, LITEFLOW_A_APP_MAX_RETIRED, desc->max_retired);
	put_if(nlh, LITEFLOW_A_APP_MAX_STATE, desc->max_state);
	if (desc->units)
		lf_nl_put_string(lf, nlh, LITEFLOW_A_APP_UNITS, desc->units);
	return lf_nl_ask(lf, on_added, id);
}

int lf_app_set(struct lf *lf, const char *app, const struct lf_app_desc *desc)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_APP_SET, 0);

	lf_nl_put_app(lf, nlh, app);
	put_if(nlh, LITEFLOW_A_APP_POLICY, desc->policy);
	put_if(nlh, LITEFLOW_A_APP_AT_LIMIT, desc->at_limit);
	put_if(nlh, LITEFLOW_A_APP_MAX_RETIRED, desc->max_retired);
	put_if(nlh, LITEFLOW_A_APP_SAMPLE_SHIFT, desc->sample_shift);
	return lf_nl_ask(lf, NULL, NULL);
}

int lf_app_del(struct lf *lf, const char *app)
{
	lf_nl_put_app(lf, lf_nl_begin(lf, LITEFLOW_CMD_APP_DEL, 0), app);
	return lf_nl_ask(lf, NULL, NULL);
}

/* -- counters ------------------------------------------------------------ */

struct each_stats {
	lf_stats_fn fn;
	void *data;
};

static int on_stats(struct lf *lf, const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	const struct nlattr *hist = tb[LITEFLOW_A_STATS_HISTOGRAM];
	struct lf_stats s = { .app_id = lf_nl_uint(tb[LITEFLOW_A_STATS_APP_ID]) };
	struct each_stats *each = data;

	(void)lf;
	(void)nlh;
	lf_nl_copy(s.app, sizeof(s.app), tb[LITEFLOW_A_STATS_APP_NAME]);
	s.queries = lf_nl_uint(tb[LITEFLOW_A_STATS_QUERIES]);
	s.no_model = lf_nl_uint(tb[LITEFLOW_A_STATS_NO_MODEL]);
	s.bad_context = lf_nl_uint(tb[LITEFLOW_A_STATS_BAD_CONTEXT]);
	s.repins = lf_nl_uint(tb[LITEFLOW_A_STATS_REPINS]);
	s.evictions = lf_nl_uint(tb[LITEFLOW_A_STATS_EVICTIONS]);
	s.retired_bytes = lf_nl_uint(tb[LITEFLOW_A_STATS_RETIRED_BYTES]);
	s.samples = lf_nl_uint(tb[LITEFLOW_A_STATS_SAMPLES]);
	s.samples_ns = lf_nl_uint(tb[LITEFLOW_A_STATS_SAMPLES_NS]);
	if (hist) {
		s.n_buckets = mnl_attr_get_payload_len(hist) / sizeof(*s.histogram);
		if (s.n_buckets > LF_BUCKETS)
			s.n_buckets = LF_BUCKETS;
		memcpy(s.histogram, mnl_attr_get_payload(hist),
		       s.n_buckets * sizeof(*s.histogram));
	}
	return each->fn(&s, each->data);
}

int lf_for_each_stats(struct lf *lf, const char *app, lf_stats_fn fn, void *data)
{
	struct nlmsghdr *nlh = lf_nl_begin(lf, LITEFLOW_CMD_STATS_GET, NLM_F_DUMP);
	struct each_stats each = { fn, data };

	if (app)
		lf_nl_put_app(lf, nlh, app);
	return lf_nl_ask(lf, on_stats, &each);
}
