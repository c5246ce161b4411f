/* SPDX-License-Identifier: GPL-2.0 */
/*
 * liblf - LiteFlow's apps, models and records, from user space
 *
 * A handle is a socket of the kernel's netlink family "liteflow". Functions return 0
 * or more, or a negative errno; lf_reason() then has one line for people. Nothing is
 * printed and nothing exits. A request ends within LF_TIMEOUT_MS, with all of the
 * answer or with an error:
 *
 *	-ENOBUFS	the answer was lost: look whether it was done, then try again
 *	-ETIMEDOUT	none came in time; the same holds
 *	-EBUSY		of a list: it changed each time it was read
 *	-EPERM, -EACCES	a capability is missing
 *	-ENOENT		no such app, or what else the reason says
 *	-EINVAL		the name or number of an app can be none
 *
 * A handle is for one thread at a time. Callbacks may not use the handle that calls
 * them. An app is named by its name, or by its number if it has digits only.
 *
 * The history on disk of what was collected: history.h.
 */
#ifndef _LIBLF_H
#define _LIBLF_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/liteflow.h>
#include <linux/liteflow_record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A request takes no longer; nor does a list that is asked for again. */
#define LF_TIMEOUT_MS	5000

/* Of apps, inputs and models, with the zero byte. */
#define LF_NAME_LEN	(LITEFLOW_NAME_MAX + 1)

/* SHA-256 of a model */
#define LF_DIGEST_LEN	32

/* What the kernel shows of a model's provenance, with the zero byte. */
#define LF_PROVENANCE_LEN	256

/* A line for people, with the zero byte. */
#define LF_REASON_LEN	256

/* Buckets of a histogram, at most. */
#define LF_BUCKETS	64

struct lf;

/* -- handles --------------------------------------------------------------- */

/**
 * lf_open() - make a handle
 * @lf: where to put it; close it in any case, for its reason
 *
 * Return: 0; -ENOENT if the kernel has no LiteFlow; -ENOMEM, then *@lf is NULL; or
 * another negative errno.
 */
int lf_open(struct lf **lf);

/** lf_close() - end what the handle collects and listens to; NULL is allowed */
void lf_close(struct lf *lf);

/**
 * lf_reason() - why the last call failed
 * @lf: a handle; NULL: that of an lf_open() without memory
 *
 * Return: one line without a newline, valid until the next call; it does not name
 * the app or what was asked, as the caller knows.
 */
const char *lf_reason(const struct lf *lf);

/** lf_fd() - readable when lf_take() has something to do; for poll() and epoll */
int lf_fd(const struct lf *lf);

/* -- apps ------------------------------------------------------------------ */

/**
 * struct lf_app_info - an app
 * @id: its number, from 1 to 65535
 * @n_in: inputs of a query, int32 each
 * @n_out: outputs of one, int32 each
 * @context: enum liteflow_context
 * @policy: enum liteflow_policy
 * @at_limit: enum liteflow_at_limit
 * @n_slots: slots, numbered from 0
 * @capability: number of what changes take, as in linux/capability.h
 * @max_macs: most multiply-adds of a model; 0: any
 * @max_bytes: most bytes of a model; 0: any
 * @max_retired: most bytes of models that only flows hold
 * @max_state: most values that a model may remember from query to query; 0: none
 * @sample_shift: one query in 2^this is timed
 * @user: a user added it
 * @name: its name
 * @units: tag that models must carry; "": any
 * @n_features: names of inputs: @n_in, or 0 if the app insists on none
 * @features: @n_features of them
 */
struct lf_app_info {
	uint32_t id;
	uint32_t n_in;
	uint32_t n_out;
	uint32_t context;
	uint32_t policy;
	uint32_t at_limit;
	uint32_t n_slots;
	uint32_t capability;
	uint32_t max_macs;
	uint32_t max_bytes;
	uint32_t max_retired;
	uint32_t max_state;
	uint32_t sample_shift;
	bool user;
	char name[LF_NAME_LEN];
	char units[LF_NAME_LEN];
	unsigned int n_features;
	char (*features)[LF_NAME_LEN];
};

/**
 * lf_app_get() - what an app is
 * @lf: handle
 * @app: name or number
 * @info: for lf_app_info_free(), also after an error
 *
 * Return: 0, -ENOENT if there is none, or another negative errno.
 */
int lf_app_get(struct lf *lf, const char *app, struct lf_app_info *info);

/** lf_app_get_by_name() - the same; @name is a name even if it looks like a number */
int lf_app_get_by_name(struct lf *lf, const char *name, struct lf_app_info *info);

void lf_app_info_free(struct lf_app_info *info);

/**
 * lf_app_column() - name of a value of a query
 * @info: of the app
 * @column: from 0 to n_in + n_out - 1: the inputs, then the outputs
 * @name: gets the app's name of the input, else "in3"; of an output "out0"
 */
void lf_app_column(const struct lf_app_info *info, unsigned int column, char name[LF_NAME_LEN]);

/** lf_app_number() - is it a number? Then *@id is that, or 0 if no app can have it. */
bool lf_app_number(const char *app, uint32_t *id);

/* Nonzero ends the list, and is what the call returns. */
typedef int (*lf_app_fn)(const struct lf_app_info *info, void *data);

/** lf_for_each_app() - all apps as they are at one moment, by number */
int lf_for_each_app(struct lf *lf, lf_app_fn fn, void *data);

/**
 * struct lf_app_desc - what to add or to set
 *
 * -1 or NULL: the kernel's default, or as it is. Meanings as in struct lf_app_info.
 * Only policy, at_limit, max_retired and sample_shift can be set.
 */
struct lf_app_desc {
	const char *name;
	int64_t id;
	int64_t n_in;
	int64_t n_out;
	int64_t context;
	int64_t policy;
	int64_t at_limit;
	int64_t n_slots;
	int64_t capability;
	int64_t max_macs;
	int64_t max_bytes;
	int64_t max_retired;
	int64_t max_state;
	int64_t sample_shift;
	const char *units;
};

#define LF_APP_DESC_NONE \
	{ NULL, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, NULL }

/**
 * lf_app_add() - add an app that no kernel code queries
 * @lf: handle
 * @desc: @desc->name is a name even if it looks like a number; shape is required
 * @id: gets its number; may be NULL
 *
 * A new app has the default sample_shift: lf_app_set() changes it.
 */
int lf_app_add(struct lf *lf, const struct lf_app_desc *desc, uint32_t *id);

/** lf_app_set() - change @app as @desc says; @desc->name is not looked at */
int lf_app_set(struct lf *lf, const char *app, const struct lf_app_desc *desc);

/** lf_app_del() - delete an app that a user added, with its models */
int lf_app_del(struct lf *lf, const char *app);

/* -- models ---------------------------------------------------------------- */

/**
 * struct lf_model_info - a model in a slot, one that only flows hold, or a compiled
 * one that could be installed
 * @app_id: of the app
 * @app: name of the app
 * @slot: its slot; -1: it is in none
 * @version: number that its records carry, from 1; 0: it was never installed
 * @state: enum liteflow_state
 * @kind: enum liteflow_kind
 * @name: its name
 * @has_digest: there is one: it is data
 * @digest: SHA-256 of it
 * @bytes: memory that it takes
 * @macs: multiply-adds of a query
 * @width: of its widest layer
 * @pins: flows that it serves
 * @queries: that it answered
 * @provenance: begin of its text; may be cut inside a character
 */
struct lf_model_info {
	uint32_t app_id;
	char app[LF_NAME_LEN];
	int slot;
	uint32_t version;
	uint32_t state;
	uint32_t kind;
	char name[LF_NAME_LEN];
	bool has_digest;
	uint8_t digest[LF_DIGEST_LEN];
	uint32_t bytes;
	uint32_t macs;
	uint32_t width;
	uint32_t pins;
	uint64_t queries;
	char provenance[LF_PROVENANCE_LEN];
};

typedef int (*lf_model_fn)(const struct lf_model_info *info, void *data);

/** lf_for_each_model() - models of an app, or with @app NULL of all */
int lf_for_each_model(struct lf *lf, const char *app, lf_model_fn fn, void *data);

/**
 * lf_get_slots() - what is in an app's slots
 * @lf: handle
 * @app: name or number
 * @slots: by number; an empty one, or one that the app does not have, has state 0
 */
int lf_get_slots(struct lf *lf, const char *app, struct lf_model_info slots[LITEFLOW_SLOTS_MAX]);

/** lf_active_slot() - number of the active model's slot; -1: none is active */
int lf_active_slot(const struct lf_model_info slots[LITEFLOW_SLOTS_MAX]);

/**
 * lf_install() - put a model into a slot, on standby
 * @lf: handle
 * @app: name or number
 * @slot: that of the active model is refused
 * @blob: what lfctl model pack writes
 * @len: bytes of it
 * @version: gets the version that it has from now on; may be NULL
 *
 * The kernel checks all of it; what it refuses leaves the slot as it was.
 */
int lf_install(struct lf *lf, const char *app, unsigned int slot, const void *blob, size_t len,
	       uint32_t *version);

/** lf_install_compiled() - the same with a model that a module registered as @name */
int lf_install_compiled(struct lf *lf, const char *app, unsigned int slot, const char *name,
			uint32_t *version);

/**
 * lf_activate() - make a slot's model active
 * @lf: handle
 * @app: name or number
 * @slot: number
 * @version: gets the version; may be NULL
 * @ns: gets the time that the kernel took, in ns; may be NULL
 */
int lf_activate(struct lf *lf, const char *app, unsigned int slot, uint32_t *version,
		uint64_t *ns);

/** lf_rollback() - make the model active that was before; else as lf_activate() */
int lf_rollback(struct lf *lf, const char *app, uint32_t *version, uint64_t *ns);

/** lf_remove() - empty a slot; @flags: of enum liteflow_remove_flags, or 0 */
int lf_remove(struct lf *lf, const char *app, unsigned int slot, unsigned int flags);

/** lf_digest() - SHA-256 of a model, as lf_model_info has it; -EIO if it cannot be computed */
int lf_digest(const void *blob, size_t len, uint8_t digest[LF_DIGEST_LEN]);

/**
 * lf_eval() - let the kernel compute what a slot's model answers
 * @lf: handle
 * @info: of the app
 * @slot: number; its model need not be active
 * @rows: any number; more than fit a message are sent in several
 * @inputs: [@rows][n_in], in the app's units
 * @outputs: gets [@rows][n_out]
 */
int lf_eval(struct lf *lf, const struct lf_app_info *info, unsigned int slot, size_t rows,
	    const int32_t *inputs, int32_t *outputs);

/* Values of a state, and the model's version before them. */
#define LF_STATE_VALUES	(1 + 8192)

/**
 * struct lf_sequence - a sequence of rows, of which a model remembers something
 * @n: values; 0: the sequence begins
 * @value: the version of the model, then its state; the kernel's to fill
 */
struct lf_sequence {
	size_t n;
	int32_t value[LF_STATE_VALUES];
};

/**
 * lf_eval_sequence() - the same, but the rows go on with a sequence
 * @seq: zeroed at first
 *
 * Return: as lf_eval(); -ESTALE: another model is in the slot now.
 */
int lf_eval_sequence(struct lf *lf, const struct lf_app_info *info, unsigned int slot,
		     struct lf_sequence *seq, size_t rows, const int32_t *inputs,
		     int32_t *outputs);

/* -- statistics ------------------------------------------------------------ */

/**
 * struct lf_stats - counters of an app since it was registered
 * @app_id: of the app
 * @app: its name
 * @queries: answered by a model
 * @no_model: not answered, as there was none
 * @bad_context: not answered, as they came from where the app may not ask
 * @repins: flows that went over to another model
 * @evictions: models that were taken from their flows
 * @retired_bytes: memory of models that only flows hold, now
 * @samples: queries that were timed
 * @samples_ns: time that they took, in ns
 * @n_buckets: of @histogram
 * @histogram: timed queries of less than 2^i ns and not less than half of that; in
 *	the last one, all that were longer
 */
struct lf_stats {
	uint32_t app_id;
	char app[LF_NAME_LEN];
	uint64_t queries;
	uint64_t no_model;
	uint64_t bad_context;
	uint64_t repins;
	uint64_t evictions;
	uint64_t retired_bytes;
	uint64_t samples;
	uint64_t samples_ns;
	unsigned int n_buckets;
	uint64_t histogram[LF_BUCKETS];
};

typedef int (*lf_stats_fn)(const struct lf_stats *stats, void *data);

/** lf_for_each_stats() - of an app, or with @app NULL of all */
int lf_for_each_stats(struct lf *lf, const char *app, lf_stats_fn fn, void *data);

/* -- collecting ------------------------------------------------------------ */

/**
 * struct lf_collect_options - how to collect; 0: the kernel's default
 * @every: one query in so many, a power of two (1)
 * @interval_ms: longest time between deliveries (100)
 * @ring_bytes: memory for records that wait in the kernel (1 MiB)
 */
struct lf_collect_options {
	uint32_t every;
	uint32_t interval_ms;
	uint32_t ring_bytes;
};

/**
 * struct lf_batch - records that came together
 * @app_id: of the app
 * @app: its name
 * @sequence: number of the batch in this collection, from 0. What is missing was
 *	lost, and counts in the next @lost
 * @lost: records lost since the collection began; grows only
 * @count: records
 * @size: bytes of each: LITEFLOW_RECORD_SIZE(n_in, n_out)
 * @records: one behind the other, aligned to 8 bytes; NULL if @count is 0: then it
 *	tells losses only
 */
struct lf_batch {
	uint32_t app_id;
	char app[LF_NAME_LEN];
	uint32_t sequence;
	uint64_t lost;
	uint32_t count;
	size_t size;
	const void *records;
};

/** lf_batch_record() - the record @i of a batch, from 0 to count - 1 */
static inline const struct liteflow_record *lf_batch_record(const struct lf_batch *batch,
							     size_t i)
{
	return (const struct liteflow_record *)((const char *)batch->records + i * batch->size);
}

/*
 * Of a batch, which is the callback's during the call. Nonzero: lf_take() returns it;
 * lf_collect() ends.
 */
typedef int (*lf_batch_fn)(const struct lf_batch *batch, void *data);

/**
 * lf_collect() - collect an app's records until the callback has enough
 * @lf: handle
 * @app: name or number
 * @options: how; NULL: the defaults
 * @mask: signals that are blocked while it waits, as of ppoll(); NULL: as they are
 * @fn: called for each batch; and with NULL when the collection has begun, and when a
 *	signal was caught. It returns 0 to go on; above 0 to end well: then batches that
 *	wait in the kernel still come, whatever it returns for them; below 0 to end at
 *	once
 * @data: its argument
 *
 * Return: 0 if @fn ended it with a value above 0; below 0 what @fn returned, or a
 * negative errno: -EBUSY if somebody collects from the app already.
 */
int lf_collect(struct lf *lf, const char *app, const struct lf_collect_options *options,
	       const sigset_t *mask, lf_batch_fn fn, void *data);

/**
 * lf_collect_start() - collect, for programs with a loop of their own
 * @lf: handle; it collects from one app at a time
 * @app: name or number
 * @options: how; NULL: the defaults
 * @fn: called by lf_take(), and by any other call on @lf while it waits for an answer
 * @data: its argument
 *
 * When the app goes away, batches cease to come: lf_monitor_start() tells.
 */
int lf_collect_start(struct lf *lf, const char *app, const struct lf_collect_options *options,
		     lf_batch_fn fn, void *data);

/**
 * lf_collect_stop() - collect no more
 *
 * What waits in the kernel comes before it returns; what the callback returns does
 * not count any more.
 */
int lf_collect_stop(struct lf *lf);

/* -- notifications --------------------------------------------------------- */

/**
 * struct lf_event - something changed
 * @event: enum liteflow_event
 * @app_id: of the app
 * @app: its name
 * @slot: -1: it is about none
 * @version: of the model; 0: none
 */
struct lf_event {
	uint32_t event;
	uint32_t app_id;
	char app[LF_NAME_LEN];
	int slot;
	uint32_t version;
};

/* Nonzero: lf_take() returns it. */
typedef int (*lf_event_fn)(const struct lf_event *event, void *data);

/** lf_monitor_start() - from now on, lf_take() calls @fn for what changes, of all apps */
int lf_monitor_start(struct lf *lf, lf_event_fn fn, void *data);

/**
 * lf_take() - handle one datagram of what nobody asked for: batches, notifications
 * @lf: handle
 * @timeout_ms: how long to wait for it; 0: not at all, -1: for ever
 *
 * Return: 1 if there was one, 0 if none came in time, what a callback returned unless
 * 0; -EINTR if a signal was caught; -ENOBUFS if notifications were lost, batches
 * never are; or another negative errno. A callback's value from within another call,
 * which did what it had to, is returned by the next lf_take().
 */
int lf_take(struct lf *lf, int timeout_ms);

/* -- names, as in the family's YAML specification -------------------------- */

/* Of a number; "?" if it is newer than this library. */
const char *lf_context_name(uint32_t number);
const char *lf_policy_name(uint32_t number);
const char *lf_at_limit_name(uint32_t number);
const char *lf_state_name(uint32_t number);
const char *lf_kind_name(uint32_t number);
const char *lf_event_name(uint32_t number);
const char *lf_capability_name(uint32_t number);

/* Of a name, upper or lower case; -1 if there is none. */
int lf_context_number(const char *name);
int lf_policy_number(const char *name);
int lf_at_limit_number(const char *name);
int lf_state_number(const char *name);
int lf_kind_number(const char *name);
int lf_event_number(const char *name);
int lf_capability_number(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* _LIBLF_H */
