// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/liteflow.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl_gen.h"

#include <uapi/linux/liteflow.h>
#include <netlink.h>

/* Integer value ranges */
static const struct netlink_range_validation liteflow_a_app_id_range = {
	.min	= 1ULL,
	.max	= U16_MAX,
};

static const struct netlink_range_validation liteflow_a_model_app_id_range = {
	.min	= 1ULL,
	.max	= U16_MAX,
};

static const struct netlink_range_validation liteflow_a_model_length_range = {
	.min	= 1ULL,
	.max	= 1048576ULL,
};

static const struct netlink_range_validation liteflow_a_model_offset_range = {
	.max	= 1048575ULL,
};

static const struct netlink_range_validation liteflow_a_stats_app_id_range = {
	.min	= 1ULL,
	.max	= U16_MAX,
};

static const struct netlink_range_validation liteflow_a_eval_app_id_range = {
	.min	= 1ULL,
	.max	= U16_MAX,
};

static const struct netlink_range_validation liteflow_a_collect_app_id_range = {
	.min	= 1ULL,
	.max	= U16_MAX,
};

static const struct netlink_range_validation liteflow_a_collect_every_range = {
	.min	= 1ULL,
	.max	= 1073741824ULL,
};

static const struct netlink_range_validation liteflow_a_collect_interval_ms_range = {
	.min	= 1ULL,
	.max	= 60000ULL,
};

static const struct netlink_range_validation liteflow_a_collect_ring_bytes_range = {
	.min	= 4096ULL,
	.max	= 67108864ULL,
};

/* LITEFLOW_CMD_APP_GET - do */
static const struct nla_policy liteflow_app_get_nl_policy[LITEFLOW_A_APP_NAME + 1] = {
	[LITEFLOW_A_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_app_id_range),
	[LITEFLOW_A_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_APP_ADD - do */
static const struct nla_policy liteflow_app_add_nl_policy[LITEFLOW_A_APP_MAX_STATE + 1] = {
	[LITEFLOW_A_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_app_id_range),
	[LITEFLOW_A_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_APP_N_IN] = NLA_POLICY_RANGE(NLA_U32, 1, LITEFLOW_WIDTH_MAX),
	[LITEFLOW_A_APP_N_OUT] = NLA_POLICY_RANGE(NLA_U32, 1, LITEFLOW_WIDTH_MAX),
	[LITEFLOW_A_APP_CONTEXT] = NLA_POLICY_MAX(NLA_U32, 1),
	[LITEFLOW_A_APP_POLICY] = NLA_POLICY_MAX(NLA_U32, 1),
	[LITEFLOW_A_APP_AT_LIMIT] = NLA_POLICY_MAX(NLA_U32, 1),
	[LITEFLOW_A_APP_N_SLOTS] = NLA_POLICY_RANGE(NLA_U32, LITEFLOW_SLOTS_MIN, LITEFLOW_SLOTS_MAX),
	[LITEFLOW_A_APP_CAPABILITY] = NLA_POLICY_MAX(NLA_U32, 63),
	[LITEFLOW_A_APP_MAX_MACS] = { .type = NLA_U32, },
	[LITEFLOW_A_APP_MAX_BYTES] = { .type = NLA_U32, },
	[LITEFLOW_A_APP_MAX_RETIRED] = { .type = NLA_U32, },
	[LITEFLOW_A_APP_UNITS] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_APP_MAX_STATE] = { .type = NLA_U32, },
};

/* LITEFLOW_CMD_APP_DEL - do */
static const struct nla_policy liteflow_app_del_nl_policy[LITEFLOW_A_APP_NAME + 1] = {
	[LITEFLOW_A_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_app_id_range),
	[LITEFLOW_A_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_APP_SET - do */
static const struct nla_policy liteflow_app_set_nl_policy[LITEFLOW_A_APP_SAMPLE_SHIFT + 1] = {
	[LITEFLOW_A_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_app_id_range),
	[LITEFLOW_A_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_APP_POLICY] = NLA_POLICY_MAX(NLA_U32, 1),
	[LITEFLOW_A_APP_AT_LIMIT] = NLA_POLICY_MAX(NLA_U32, 1),
	[LITEFLOW_A_APP_MAX_RETIRED] = { .type = NLA_U32, },
	[LITEFLOW_A_APP_SAMPLE_SHIFT] = NLA_POLICY_MAX(NLA_U32, LITEFLOW_SAMPLE_SHIFT_MAX),
};

/* LITEFLOW_CMD_SLOT_GET - dump */
static const struct nla_policy liteflow_slot_get_nl_policy[LITEFLOW_A_MODEL_APP_NAME + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_STATS_GET - dump */
static const struct nla_policy liteflow_stats_get_nl_policy[LITEFLOW_A_STATS_APP_NAME + 1] = {
	[LITEFLOW_A_STATS_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_stats_app_id_range),
	[LITEFLOW_A_STATS_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_MODEL_BEGIN - do */
static const struct nla_policy liteflow_model_begin_nl_policy[LITEFLOW_A_MODEL_LENGTH + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_MODEL_SLOT] = NLA_POLICY_MAX(NLA_U32, 7),
	[LITEFLOW_A_MODEL_LENGTH] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_length_range),
	[LITEFLOW_A_MODEL_DIGEST] = NLA_POLICY_EXACT_LEN(32),
};

/* LITEFLOW_CMD_MODEL_DATA - do */
static const struct nla_policy liteflow_model_data_nl_policy[LITEFLOW_A_MODEL_DATA + 1] = {
	[LITEFLOW_A_MODEL_OFFSET] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_offset_range),
	[LITEFLOW_A_MODEL_DATA] = { .type = NLA_BINARY, },
};

/* LITEFLOW_CMD_COMPILED_INSTALL - do */
static const struct nla_policy liteflow_compiled_install_nl_policy[LITEFLOW_A_MODEL_NAME + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_MODEL_SLOT] = NLA_POLICY_MAX(NLA_U32, 7),
	[LITEFLOW_A_MODEL_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_MODEL_ACTIVATE - do */
static const struct nla_policy liteflow_model_activate_nl_policy[LITEFLOW_A_MODEL_SLOT + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_MODEL_SLOT] = NLA_POLICY_MAX(NLA_U32, 7),
};

/* LITEFLOW_CMD_MODEL_ROLLBACK - do */
static const struct nla_policy liteflow_model_rollback_nl_policy[LITEFLOW_A_MODEL_APP_NAME + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
};

/* LITEFLOW_CMD_MODEL_REMOVE - do */
static const struct nla_policy liteflow_model_remove_nl_policy[LITEFLOW_A_MODEL_REMOVE_FLAGS + 1] = {
	[LITEFLOW_A_MODEL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_model_app_id_range),
	[LITEFLOW_A_MODEL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_MODEL_SLOT] = NLA_POLICY_MAX(NLA_U32, 7),
	[LITEFLOW_A_MODEL_REMOVE_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
};

/* LITEFLOW_CMD_EVAL - do */
static const struct nla_policy liteflow_eval_nl_policy[LITEFLOW_A_EVAL_STATE + 1] = {
	[LITEFLOW_A_EVAL_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_eval_app_id_range),
	[LITEFLOW_A_EVAL_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_EVAL_SLOT] = NLA_POLICY_MAX(NLA_U32, 7),
	[LITEFLOW_A_EVAL_ROWS] = NLA_POLICY_RANGE(NLA_U32, 1, 8192),
	[LITEFLOW_A_EVAL_INPUTS] = { .type = NLA_BINARY, },
	[LITEFLOW_A_EVAL_STATE] = { .type = NLA_BINARY, },
};

/* LITEFLOW_CMD_COLLECT_START - do */
static const struct nla_policy liteflow_collect_start_nl_policy[LITEFLOW_A_COLLECT_RING_BYTES + 1] = {
	[LITEFLOW_A_COLLECT_APP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_collect_app_id_range),
	[LITEFLOW_A_COLLECT_APP_NAME] = { .type = NLA_NUL_STRING, .len = LITEFLOW_NAME_MAX, },
	[LITEFLOW_A_COLLECT_EVERY] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_collect_every_range),
	[LITEFLOW_A_COLLECT_INTERVAL_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_collect_interval_ms_range),
	[LITEFLOW_A_COLLECT_RING_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &liteflow_a_collect_ring_bytes_range),
};

/* Ops table for liteflow */
static const struct genl_split_ops liteflow_nl_ops[] = {
	{
		.cmd		= LITEFLOW_CMD_APP_GET,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_app_get_doit,
		.policy		= liteflow_app_get_nl_policy,
		.maxattr	= LITEFLOW_A_APP_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= LITEFLOW_CMD_APP_GET,
		.start	= liteflow_nl_dump_start,
		.dumpit	= liteflow_nl_app_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= LITEFLOW_CMD_APP_ADD,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_app_add_doit,
		.policy		= liteflow_app_add_nl_policy,
		.maxattr	= LITEFLOW_A_APP_MAX_STATE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_APP_DEL,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_app_del_doit,
		.policy		= liteflow_app_del_nl_policy,
		.maxattr	= LITEFLOW_A_APP_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_APP_SET,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_app_set_doit,
		.policy		= liteflow_app_set_nl_policy,
		.maxattr	= LITEFLOW_A_APP_SAMPLE_SHIFT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_SLOT_GET,
		.start		= liteflow_nl_dump_start,
		.dumpit		= liteflow_nl_slot_get_dumpit,
		.policy		= liteflow_slot_get_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_APP_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= LITEFLOW_CMD_STATS_GET,
		.start		= liteflow_nl_dump_start,
		.dumpit		= liteflow_nl_stats_get_dumpit,
		.policy		= liteflow_stats_get_nl_policy,
		.maxattr	= LITEFLOW_A_STATS_APP_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_BEGIN,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_begin_doit,
		.policy		= liteflow_model_begin_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_LENGTH,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_DATA,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_data_doit,
		.policy		= liteflow_model_data_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_DATA,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_COMMIT,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_commit_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_COMPILED_INSTALL,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_compiled_install_doit,
		.policy		= liteflow_compiled_install_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_ACTIVATE,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_activate_doit,
		.policy		= liteflow_model_activate_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_SLOT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_ROLLBACK,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_rollback_doit,
		.policy		= liteflow_model_rollback_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_APP_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_MODEL_REMOVE,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_model_remove_doit,
		.policy		= liteflow_model_remove_nl_policy,
		.maxattr	= LITEFLOW_A_MODEL_REMOVE_FLAGS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_EVAL,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_eval_doit,
		.policy		= liteflow_eval_nl_policy,
		.maxattr	= LITEFLOW_A_EVAL_STATE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_COLLECT_START,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_collect_start_doit,
		.policy		= liteflow_collect_start_nl_policy,
		.maxattr	= LITEFLOW_A_COLLECT_RING_BYTES,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= LITEFLOW_CMD_COLLECT_STOP,
		.pre_doit	= liteflow_nl_pre_doit,
		.doit		= liteflow_nl_collect_stop_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group liteflow_nl_mcgrps[] = {
	[LITEFLOW_NLGRP_NOTICE] = { "notice", },
};

static void __liteflow_nl_sock_priv_init(void *priv)
{
	liteflow_nl_sock_priv_init(priv);
}

static void __liteflow_nl_sock_priv_destroy(void *priv)
{
	liteflow_nl_sock_priv_destroy(priv);
}

struct genl_family liteflow_nl_family __ro_after_init = {
	.name		= LITEFLOW_FAMILY_NAME,
	.version	= LITEFLOW_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= liteflow_nl_ops,
	.n_split_ops	= ARRAY_SIZE(liteflow_nl_ops),
	.mcgrps		= liteflow_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(liteflow_nl_mcgrps),
	.sock_priv_size	= sizeof(struct lf_nl_sock),
	.sock_priv_init	= __liteflow_nl_sock_priv_init,
	.sock_priv_destroy = __liteflow_nl_sock_priv_destroy,
};
