/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow: neural networks in slots, for code that asks them.
 *
 * See Documentation/core-api/liteflow.rst.
 */
#ifndef _LINUX_LITEFLOW_H
#define _LINUX_LITEFLOW_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/liteflow_engine.h>
#include <linux/types.h>

struct lf_app;
struct lf_pin;
struct module;

/**
 * enum lf_context - where an app asks from
 * @LF_CONTEXT_ATOMIC: anywhere but NMI: hard interrupts, rq->lock held, IRQs
 *	off. Models of at most LF_ATOMIC_MACS multiply-adds and a width of
 *	LF_ATOMIC_WIDTH, no flows
 * @LF_CONTEXT_SOFTIRQ: softirqs and processes
 */
enum lf_context {
	LF_CONTEXT_ATOMIC,
	LF_CONTEXT_SOFTIRQ,
};

/**
 * enum lf_policy - which model serves a flow
 * @LF_POLICY_PIN: the one that served it first, until the flow ends
 * @LF_POLICY_FOLLOW: the active one
 */
enum lf_policy {
	LF_POLICY_PIN,
	LF_POLICY_FOLLOW,
};

/**
 * enum lf_at_limit - what happens when retired models take too much memory
 * @LF_AT_LIMIT_REPIN: the oldest leave; their flows go over to the active one,
 *	counted and traced
 * @LF_AT_LIMIT_REFUSE: what would retire one more is refused
 */
enum lf_at_limit {
	LF_AT_LIMIT_REPIN,
	LF_AT_LIMIT_REFUSE,
};

#define LF_ATOMIC_MACS		4096
#define LF_ATOMIC_WIDTH		64
#define LF_MAX_MODEL_BYTES	(4U << 20)	/* memory of one model */
#define LF_MAX_SLOTS		8

/**
 * struct lf_app_ops - what an app may want to do with models of its own
 * @prepare: a model is about to enter a slot; make tables from it and leave
 *	them in @priv. 0, or a negative error with a reason in @err: the model is
 *	then refused
 * @activated: the model with @priv is the active one now; NULL: none is. Must
 *	not sleep for long
 * @release: the model left: no query can see it any more
 *
 * All optional. A compiled model has no struct lf_model: @prepare sees NULL.
 *
 * Process context, may sleep. @prepare and @activated run under the app's mutex:
 * they must not change any app, nor take a lock under which somebody does, and they
 * may run before lf_app_register() returned. Changes of this app wait for them,
 * those of others and dumps do not. Unregistering waits for @release
 * of any app, so @release must neither unregister anything nor take a lock under
 * which somebody does.
 */
struct lf_app_ops {
	int (*prepare)(struct lf_app *app, const struct lf_model *model, void **priv,
		       struct lf_error *err);
	void (*activated)(struct lf_app *app, void *priv);
	void (*release)(struct lf_app *app, void *priv);
};

/**
 * struct lf_app_desc - what an app is; copied at registration
 * @name: unique; letters, digits, "_" and "-"
 * @id: unique, 1 to 65535; 0: the next free one from 256 on
 * @n_in: inputs of a query
 * @n_out: outputs of a query
 * @context: where it asks from
 * @policy: of its flows
 * @at_limit: what to do at @max_retired
 * @n_slots: slots, 2 to LF_MAX_SLOTS; 0: 4
 * @capability: CAP_NET_ADMIN or CAP_SYS_ADMIN: who may change its models. For an
 *	app of the scheduler the latter
 * @max_macs: most multiply-adds; 0: what the context allows
 * @max_bytes: most memory of one model; 0: LF_MAX_MODEL_BYTES
 * @max_retired: most memory of retired models that only flows hold; 0: four
 *	times @max_bytes
 * @max_state: most values that a model may remember from query to query, see struct
 *	lf_state; at most LITEFLOW_MAX_STATE, and only with LF_CONTEXT_SOFTIRQ. Its
 *	models are then no wider than this, @n_in, @n_out or LF_STACK_WIDTH. 0: the app
 *	keeps no state, and its models have none
 * @units: tag that its models must carry; NULL: any
 * @features: names of the inputs in their order, @n_in of them, copied; NULL: any
 * @ops: callbacks; NULL: none. Must last as long as the app
 * @owner: THIS_MODULE
 */
struct lf_app_desc {
	const char *name;
	u16 id;
	u16 n_in;
	u16 n_out;
	enum lf_context context;
	enum lf_policy policy;
	enum lf_at_limit at_limit;
	u8 n_slots;
	int capability;
	u32 max_macs;
	u32 max_bytes;
	u32 max_retired;
	u32 max_state;
	const char *units;
	const char *const *features;
	const struct lf_app_ops *ops;
	struct module *owner;
};

/**
 * struct lf_flow - a flow's tie to the model that serves it
 * @pin: what it holds on to; private
 * @id: the flow's number in collected records; the caller's choice
 * @seq: number of its queries so far
 * @version: the model that answered last
 *
 * In the caller's own per-flow state, zeroed; the caller sees to it that no two
 * queries of one flow run at a time.
 */
struct lf_flow {
	struct lf_pin *pin;
	u64 id;
	u32 seq;
	u32 version;
};

/**
 * struct lf_state - what models remember of one sequence of queries
 * @flow: the flow that the sequence is. @flow.id is the caller's to set;
 *	@flow.version is the tag: the model whose values these are, 0: none yet
 * @app: whose models it is for; private
 * @room: values that fit, lf_app_desc::max_state
 * @value: the values, private: as many as the model keeps, then room for one query
 *
 * The caller's own, from lf_state_alloc() to lf_state_free(). The caller sees to it
 * that no two functions work on one state at a time.
 */
struct lf_state {
	struct lf_flow flow;
	const struct lf_app *app;
	u32 room;
	s32 value[];
};

/**
 * struct lf_compiled_model - a model that is code in a module
 * @name: unique in its app
 * @uuid: the original interface's number of it, unique in its app; 0: none
 * @n_in: inputs, those of the app
 * @n_out: outputs, those of the app
 * @macs: multiply-adds of a query, by its own account
 * @width: greatest width, by its own account
 * @run: compute; any input is allowed; same context as the app's queries; must
 *	not sleep, allocate, lock or print
 * @owner: THIS_MODULE
 * @app: the app that it is registered with; private
 * @number: of the registration; private
 * @list: private
 */
struct lf_compiled_model {
	const char *name;
	u32 uuid;
	u16 n_in;
	u16 n_out;
	u16 width;
	u32 macs;
	void (*run)(const s32 *in, s32 *out);
	struct module *owner;
	struct lf_app __rcu *app;
	u32 number;
	struct list_head list;
};

#ifdef CONFIG_LITEFLOW

struct lf_app *lf_app_register(const struct lf_app_desc *desc);
void lf_app_unregister(struct lf_app *app);
struct lf_app *lf_app_get_by_name(const char *name);
void lf_app_put(struct lf_app *app);
u16 lf_app_id(const struct lf_app *app);
bool lf_app_ready(struct lf_app *app);
u32 lf_app_version(struct lf_app *app);
int lf_app_fits(const struct lf_app *app, const struct lf_app_desc *want, struct lf_error *err);

int lf_query(struct lf_app *app, struct lf_flow *flow, const s32 *in, unsigned int n_in,
	     s32 *out, unsigned int n_out);
void lf_flow_release(struct lf_flow *flow);

/* For apps that keep state. */
size_t lf_state_size(const struct lf_app *app);
struct lf_state *lf_state_alloc(const struct lf_app *app, gfp_t gfp);
void lf_state_free(struct lf_state *state);
void lf_state_reset(struct lf_state *state);
int lf_state_range(struct lf_app *app, const struct lf_state *state, unsigned int input,
		   s32 *lo, s32 *hi);
int lf_query_state(struct lf_app *app, struct lf_state *state, const s32 *in, unsigned int n_in,
		   s32 *out, unsigned int n_out);

/**
 * lf_state_version() - which model a state belongs to
 * @state: the state
 *
 * It is the model that answered last: as long as it equals lf_app_version(), the active
 * one does.
 *
 * Return: its version, counted by the app's installs from 1; 0: no query since
 * lf_state_alloc().
 */
static inline u32 lf_state_version(const struct lf_state *state)
{
	return state->flow.version;
}

int lf_compiled_register(struct lf_app *app, struct lf_compiled_model *model);
void lf_compiled_unregister(struct lf_compiled_model *model);

/* flags of lf_remove() */
#define LF_REMOVE_FORCE		BIT(0)	/* the active one, too: the app is left without */
#define LF_REMOVE_EVICT		BIT(1)	/* flows that it serves lose it at once */

int lf_install(struct lf_app *app, u8 slot, const void *blob, size_t len,
	       u32 *version, struct lf_error *err);
int lf_install_compiled(struct lf_app *app, u8 slot, const char *name, u32 *version,
			struct lf_error *err);
int lf_activate(struct lf_app *app, u8 slot, u32 *version, struct lf_error *err);
int lf_rollback(struct lf_app *app, u32 *version, struct lf_error *err);
int lf_remove(struct lf_app *app, u8 slot, u32 flags, struct lf_error *err);

#else

static inline struct lf_app *lf_app_register(const struct lf_app_desc *desc)
{
	return NULL;
}

static inline void lf_app_unregister(struct lf_app *app)
{
}

static inline bool lf_app_ready(struct lf_app *app)
{
	return false;
}

static inline u32 lf_app_version(struct lf_app *app)
{
	return 0;
}

static inline int lf_query(struct lf_app *app, struct lf_flow *flow, const s32 *in,
			   unsigned int n_in, s32 *out, unsigned int n_out)
{
	return -ENODATA;
}

static inline void lf_flow_release(struct lf_flow *flow)
{
}

#endif /* CONFIG_LITEFLOW */

#ifdef CONFIG_LITEFLOW_COLLECT
bool lf_collects(struct lf_app *app);
void lf_reward(struct lf_app *app, const struct lf_flow *flow, u32 seq, s32 reward);
#else
static inline bool lf_collects(struct lf_app *app)
{
	return false;
}

static inline void lf_reward(struct lf_app *app, const struct lf_flow *flow, u32 seq,
			     s32 reward)
{
}
#endif

#endif /* _LINUX_LITEFLOW_H */
