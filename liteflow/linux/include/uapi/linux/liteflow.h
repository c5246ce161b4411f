/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/liteflow.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_LITEFLOW_H
#define _UAPI_LINUX_LITEFLOW_H

#define LITEFLOW_FAMILY_NAME	"liteflow"
#define LITEFLOW_FAMILY_VERSION	1

#define LITEFLOW_DATA_MAX	32768

/**
 * enum liteflow_context - where an app asks from
 * @LITEFLOW_CONTEXT_ATOMIC: anywhere but NMI; models are small and there are
 *   no flows
 * @LITEFLOW_CONTEXT_SOFTIRQ: softirqs and processes
 */
enum liteflow_context {
	LITEFLOW_CONTEXT_ATOMIC,
	LITEFLOW_CONTEXT_SOFTIRQ,
};

/**
 * enum liteflow_policy - which model serves a flow
 * @LITEFLOW_POLICY_PIN: the one that served it first
 * @LITEFLOW_POLICY_FOLLOW: the active one
 */
enum liteflow_policy {
	LITEFLOW_POLICY_PIN,
	LITEFLOW_POLICY_FOLLOW,
};

/**
 * enum liteflow_at_limit - what happens when retired models take too much
 *   memory
 * @LITEFLOW_AT_LIMIT_REPIN: the oldest leave, their flows go over to the
 *   active one
 * @LITEFLOW_AT_LIMIT_REFUSE: what would retire one more is refused
 */
enum liteflow_at_limit {
	LITEFLOW_AT_LIMIT_REPIN,
	LITEFLOW_AT_LIMIT_REFUSE,
};

/**
 * enum liteflow_state - what a snapshot is
 * @LITEFLOW_STATE_EMPTY: nothing (a slot without a snapshot is not reported)
 * @LITEFLOW_STATE_STANDBY: installed, was never active
 * @LITEFLOW_STATE_ACTIVE: answers queries
 * @LITEFLOW_STATE_RETIRED: was active; in a slot, for a rollback, or held by
 *   flows only
 * @LITEFLOW_STATE_REGISTERED: a compiled model that could be installed; not a
 *   snapshot
 */
enum liteflow_state {
	LITEFLOW_STATE_EMPTY,
	LITEFLOW_STATE_STANDBY,
	LITEFLOW_STATE_ACTIVE,
	LITEFLOW_STATE_RETIRED,
	LITEFLOW_STATE_REGISTERED,
};

/**
 * enum liteflow_kind - what a model is
 * @LITEFLOW_KIND_DATA: validated data
 * @LITEFLOW_KIND_COMPILED: code in a module
 */
enum liteflow_kind {
	LITEFLOW_KIND_DATA,
	LITEFLOW_KIND_COMPILED,
};

/**
 * enum liteflow_remove_flags - how to remove a model
 * @LITEFLOW_REMOVE_FLAGS_FORCE: the active one, too; the app is left without a
 *   model
 * @LITEFLOW_REMOVE_FLAGS_EVICT: flows that it serves lose it at once
 */
enum liteflow_remove_flags {
	LITEFLOW_REMOVE_FLAGS_FORCE = 1,
	LITEFLOW_REMOVE_FLAGS_EVICT = 2,
};

/**
 * enum liteflow_event - what happened
 * @LITEFLOW_EVENT_APP_ADDED: an app appeared
 * @LITEFLOW_EVENT_APP_REMOVED: an app went away
 * @LITEFLOW_EVENT_INSTALLED: a model was put into a slot
 * @LITEFLOW_EVENT_ACTIVATED: a model became the active one; with version 0,
 *   none is
 * @LITEFLOW_EVENT_REMOVED: a model left its slot
 * @LITEFLOW_EVENT_EVICTED: a model left flows that held it
 */
enum liteflow_event {
	LITEFLOW_EVENT_APP_ADDED,
	LITEFLOW_EVENT_APP_REMOVED,
	LITEFLOW_EVENT_INSTALLED,
	LITEFLOW_EVENT_ACTIVATED,
	LITEFLOW_EVENT_REMOVED,
	LITEFLOW_EVENT_EVICTED,
};

enum {
	LITEFLOW_A_APP_ID = 1,
	LITEFLOW_A_APP_NAME,
	LITEFLOW_A_N_IN,
	LITEFLOW_A_N_OUT,
	LITEFLOW_A_CONTEXT,
	LITEFLOW_A_POLICY,
	LITEFLOW_A_AT_LIMIT,
	LITEFLOW_A_N_SLOTS,
	LITEFLOW_A_CAPABILITY,
	LITEFLOW_A_MAX_MACS,
	LITEFLOW_A_MAX_BYTES,
	LITEFLOW_A_MAX_RETIRED,
	LITEFLOW_A_UNITS,
	LITEFLOW_A_FEATURE,
	LITEFLOW_A_SAMPLE_SHIFT,
	LITEFLOW_A_USER,
	LITEFLOW_A_SLOT,
	LITEFLOW_A_VERSION,
	LITEFLOW_A_STATE,
	LITEFLOW_A_KIND,
	LITEFLOW_A_MODEL_NAME,
	LITEFLOW_A_DIGEST,
	LITEFLOW_A_BYTES,
	LITEFLOW_A_MACS,
	LITEFLOW_A_WIDTH,
	LITEFLOW_A_PINS,
	LITEFLOW_A_QUERIES,
	LITEFLOW_A_PROVENANCE,
	LITEFLOW_A_LENGTH,
	LITEFLOW_A_OFFSET,
	LITEFLOW_A_DATA,
	LITEFLOW_A_REMOVE_FLAGS,
	LITEFLOW_A_OP_NS,
	LITEFLOW_A_ROWS,
	LITEFLOW_A_INPUTS,
	LITEFLOW_A_OUTPUTS,
	LITEFLOW_A_NO_MODEL,
	LITEFLOW_A_BAD_CONTEXT,
	LITEFLOW_A_REPINS,
	LITEFLOW_A_EVICTIONS,
	LITEFLOW_A_RETIRED_BYTES,
	LITEFLOW_A_SAMPLES,
	LITEFLOW_A_SAMPLES_NS,
	LITEFLOW_A_HISTOGRAM,
	LITEFLOW_A_EVERY,
	LITEFLOW_A_INTERVAL_MS,
	LITEFLOW_A_RING_BYTES,
	LITEFLOW_A_RECORDS,
	LITEFLOW_A_COUNT,
	LITEFLOW_A_LOST,
	LITEFLOW_A_SEQUENCE,
	LITEFLOW_A_EVENT,

	__LITEFLOW_A_MAX,
	LITEFLOW_A_MAX = (__LITEFLOW_A_MAX - 1)
};

enum {
	LITEFLOW_CMD_APP_GET = 1,
	LITEFLOW_CMD_APP_ADD,
	LITEFLOW_CMD_APP_DEL,
	LITEFLOW_CMD_APP_SET,
	LITEFLOW_CMD_SLOT_GET,
	LITEFLOW_CMD_STATS_GET,
	LITEFLOW_CMD_MODEL_BEGIN,
	LITEFLOW_CMD_MODEL_DATA,
	LITEFLOW_CMD_MODEL_COMMIT,
	LITEFLOW_CMD_COMPILED_INSTALL,
	LITEFLOW_CMD_MODEL_ACTIVATE,
	LITEFLOW_CMD_MODEL_ROLLBACK,
	LITEFLOW_CMD_MODEL_REMOVE,
	LITEFLOW_CMD_EVAL,
	LITEFLOW_CMD_COLLECT_START,
	LITEFLOW_CMD_COLLECT_STOP,
	LITEFLOW_CMD_COLLECT_BATCH,
	LITEFLOW_CMD_NOTICE,

	__LITEFLOW_CMD_MAX,
	LITEFLOW_CMD_MAX = (__LITEFLOW_CMD_MAX - 1)
};

#define LITEFLOW_MCGRP_NOTICE	"notice"

#endif /* _UAPI_LINUX_LITEFLOW_H */
