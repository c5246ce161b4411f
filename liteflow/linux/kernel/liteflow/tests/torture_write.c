// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test: those who change models.
 *
 * A thread per app installs, activates, rolls back and removes at random, and
 * knows from a small model of its own what each operation has to answer.
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../core.h"
#include "torture.h"

/**
 * struct lft_slot - what must be in a slot
 * @version: 0: nothing
 * @activated: when it was, 0: never
 */
struct lft_slot {
	u32 version;
	u64 activated;
};

/**
 * struct lft_writer - who changes the models of one target
 * @target: its target
 * @task: its thread
 * @rnd: its random numbers
 * @slots: what must be there
 * @active: slot of the active one, -1: none
 * @versions: installs so far
 * @activations: so far
 * @blob: room for a model
 */
struct lft_writer {
	struct lft_target *target;
	struct task_struct *task;
	struct rnd_state rnd;
	struct lft_slot slots[LFT_SLOTS];
	int active;
	u32 versions;
	u64 activations;
	void *blob;
};

atomic_t lft_cycles_done;
atomic_t lft_write_errors;

/* Turns given out, and threads that still have some. */
static atomic_t lft_turns;
static atomic_t lft_busy;
static struct lft_writer *lft_writers;

/* --- single operations --------------------------------------------------------- */

/* Enter into the log what is about to become active; 0: nothing. */
static void lft_come(struct lft_target *t, u32 version)
{
	u32 next = t->begun + 1;

	WRITE_ONCE(t->log[next % LFT_LOG], version);
	/* Pairs with smp_rmb() in lft_ask(), through the kernel's own release. */
	smp_store_release(&t->begun, next);
}

/* Now it is active. */
static void lft_in_force(struct lft_target *t)
{
	/* Pairs with smp_load_acquire() in lft_ask(). */
	smp_store_release(&t->done, t->begun);
}

static bool lft_expect(const struct lft_writer *w, const char *what, int slot, long got,
		       long want, const struct lf_error *err)
{
	if (got == want)
		return true;
	atomic_inc(&lft_write_errors);
	pr_err_ratelimited("app %u: %s slot %d: %ld, expected %ld%s%s\n",
			   lf_app_id(w->target->app), what, slot, got, want,
			   err->msg[0] ? ": " : "", err->msg);
	return false;
}

/* Who was refused must hear why. */
static void lft_expect_reason(const struct lft_writer *w, const char *what, int slot,
			      const struct lf_error *err)
{
	lft_expect(w, what, slot, err->msg[0] != '\0', true, err);
}

static bool lft_install(struct lft_writer *w, int slot, unsigned int width)
{
	struct lf_error err = {};
	u32 version = 0;
	size_t len;
	int ret;

	len = lft_blob(w->blob, w->versions + 1, width);
	ret = lf_install(w->target->app, slot, w->blob, len, &version, &err);
	if (!lft_expect(w, "install", slot, ret, 0, &err))
		return false;
	w->versions++;
	w->slots[slot] = (struct lft_slot){ .version = w->versions };
	return lft_expect(w, "version of install", slot, version, w->versions, &err);
}

static void lft_activate(struct lft_writer *w, int slot)
{
	struct lf_error err = {};
	u32 version = 0;
	int ret;

	lft_come(w->target, w->slots[slot].version);
	ret = lf_activate(w->target->app, slot, &version, &err);
	if (lft_expect(w, "activate", slot, ret, 0, &err)) {
		lft_in_force(w->target);
		w->active = slot;
		w->slots[slot].activated = ++w->activations;
	}
	lft_expect(w, "version of activate", slot, version, w->slots[slot].version, &err);
}

/* The active one of before, -1: none */
static int lft_last_retired(const struct lft_writer *w)
{
	int best = -1, i;

	for (i = 0; i < LFT_SLOTS; i++) {
		if (i != w->active && w->slots[i].activated &&
		    (best < 0 || w->slots[i].activated > w->slots[best].activated))
			best = i;
	}
	return best;
}

static void lft_rollback(struct lft_writer *w)
{
	int slot = lft_last_retired(w);
	struct lf_error err = {};
	u32 version = 0;
	int ret;

	if (slot < 0) {
		ret = lf_rollback(w->target->app, &version, &err);
		lft_expect(w, "rollback to nothing", slot, ret, -ENOENT, &err);
		lft_expect_reason(w, "reason of rollback to nothing", slot, &err);
		return;
	}
	lft_come(w->target, w->slots[slot].version);
	ret = lf_rollback(w->target->app, &version, &err);
	if (lft_expect(w, "rollback", slot, ret, 0, &err)) {
		lft_in_force(w->target);
		w->active = slot;
		w->slots[slot].activated = ++w->activations;
	}
	lft_expect(w, "version of rollback", slot, version, w->slots[slot].version, &err);
}

static void lft_remove(struct lft_writer *w, int slot, u32 flags)
{
	u32 version = w->slots[slot].version;
	bool active = slot == w->active;
	struct lf_error err = {};
	int ret;

	if (active && !(flags & LF_REMOVE_FORCE)) {
		ret = lf_remove(w->target->app, slot, flags, &err);
		lft_expect(w, "remove the active", slot, ret, -EBUSY, &err);
		lft_expect_reason(w, "reason of remove the active", slot, &err);
		return;
	}
	if (flags & LF_REMOVE_EVICT)
		lft_set_mark(w->target, version, LFT_LEAVING);
	if (active)
		lft_come(w->target, 0);
	ret = lf_remove(w->target->app, slot, flags, &err);
	if (!lft_expect(w, "remove", slot, ret, 0, &err))
		return;
	if (active) {
		lft_in_force(w->target);
		w->active = -1;
	}
	if (flags & LF_REMOVE_EVICT)
		lft_set_mark(w->target, version, LFT_EVICTED);
	memset(&w->slots[slot], 0, sizeof(w->slots[slot]));
}

/* A damaged model, and one for the active slot, must leave everything as it is. */
static void lft_install_wrongly(struct lft_writer *w)
{
	size_t len = lft_blob(w->blob, w->versions + 1, LFT_N_IN);
	int slot = w->active >= 0 ? w->active : 0;
	struct lf_error err = {};
	u32 version;
	int ret;

	if (w->active >= 0) {
		ret = lf_install(w->target->app, slot, w->blob, len, &version, &err);
		lft_expect(w, "install over the active", slot, ret, -EBUSY, &err);
		lft_expect_reason(w, "reason of install over the active", slot, &err);
	}
	((u8 *)w->blob)[prandom_u32_state(&w->rnd) % len] ^= 1 + prandom_u32_state(&w->rnd) % 255;
	err.msg[0] = '\0';
	ret = lf_install(w->target->app, (slot + 1) % LFT_SLOTS, w->blob, len, &version, &err);
	lft_expect(w, "install damaged", slot, ret, -EINVAL, &err);
	lft_expect_reason(w, "reason of install damaged", slot, &err);
}

/* --- cycles --------------------------------------------------------------------- */

static unsigned int lft_width(struct lft_writer *w)
{
	return LFT_N_IN << prandom_u32_state(&w->rnd) % (w->target->widths + 1);
}

/* Any slot but the active one. */
static int lft_other_slot(struct lft_writer *w)
{
	int slot = prandom_u32_state(&w->rnd) % LFT_SLOTS;

	return slot == w->active ? (slot + 1) % LFT_SLOTS : slot;
}

static void lft_cycle(struct lft_writer *w)
{
	u32 dice = prandom_u32_state(&w->rnd);
	int slot = lft_other_slot(w);
	u32 flags = 0;

	if (!(dice % 16))
		lft_install_wrongly(w);
	if (!lft_install(w, slot, lft_width(w)))
		return;
	lft_activate(w, slot);
	if (dice & BIT(8))
		lft_rollback(w);
	if (dice & BIT(9)) {
		slot = (dice >> 16) % LFT_SLOTS;
		if (!(dice & GENMASK(12, 10)))
			flags |= LF_REMOVE_FORCE;
		if (!(dice & GENMASK(14, 13)))
			flags |= LF_REMOVE_EVICT;
		if (w->slots[slot].version)
			lft_remove(w, slot, flags);
	}
}

static unsigned long lft_asked(unsigned int target)
{
	struct lft_counts c;

	lft_sum(target, &c);
	return c.answers + c.empty;
}

/* So that each cycle is seen: without queries in between it proves nothing. */
static void lft_wait_for_queries(const struct lft_writer *w)
{
	unsigned int target = w->target - lft_targets;
	unsigned long begin = lft_asked(target);

	while (lft_asked(target) - begin < lft_per_cycle && !kthread_should_stop())
		usleep_range(20, 200);
}

/* What flows hold may be less a moment later, but never more than the limit. */
static void lft_check_limit(const struct lft_writer *w)
{
	const struct lft_target *t = w->target;
	struct lf_error err = {};
	struct lf_app_stats stats;

	if (!t->limit)
		return;
	lf_app_stats(t->app, &stats);
	lft_expect(w, "below the limit", -1, stats.retired_bytes <= t->limit, true, &err);
}

static void lft_wait_for_stop(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
}

static int lft_writer_thread(void *arg)
{
	struct lft_writer *w = arg;
	unsigned int n = 0;

	while (!kthread_should_stop()) {
		if (atomic_inc_return(&lft_turns) > (lft_cycles ?: LFT_COMPILED - 1))
			break;
		lft_cycle(w);
		lft_check_limit(w);
		lft_wait_for_queries(w);
		atomic_inc(&lft_cycles_done);
		/* Memory is given back a grace period later only. */
		if (!(++n % 64))
			synchronize_rcu();
		cond_resched();
	}
	atomic_dec(&lft_busy);
	lft_wait_for_stop();
	return 0;
}

static int lft_setup_writer(struct lft_writer *w, unsigned int target)
{
	w->target = &lft_targets[target];
	w->active = -1;
	prandom_seed_state(&w->rnd, get_random_u64());
	w->blob = kvmalloc(lft_blob_size(LFT_N_IN << w->target->widths), GFP_KERNEL);
	return w->blob ? 0 : -ENOMEM;
}

static int lft_setup_writers(void)
{
	unsigned int i;
	int err = 0;

	lft_writers = kcalloc(LFT_TARGETS, sizeof(*lft_writers), GFP_KERNEL);
	if (!lft_writers)
		return -ENOMEM;
	atomic_set(&lft_turns, 0);
	atomic_set(&lft_busy, 0);
	atomic_set(&lft_cycles_done, 0);
	atomic_set(&lft_write_errors, 0);
	for (i = 0; i < lft_n_targets && !err; i++)
		err = lft_setup_writer(&lft_writers[i], i);
	if (err)
		lft_stop_writing();
	return err;
}

/**
 * lft_start_writing - begin to change the models of all targets
 *
 * Context: Process context.
 * Return: 0 or a negative error.
 */
int lft_start_writing(void)
{
	unsigned int i;
	int err;

	err = lft_setup_writers();
	for (i = 0; !err && i < lft_n_targets; i++) {
		struct task_struct *task;

		if (lft_targets[i].foreign)
			continue;
		atomic_inc(&lft_busy);
		task = kthread_run(lft_writer_thread, &lft_writers[i], "lf_torture_w/%u", i);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			lft_stop_writing();
			break;
		}
		lft_writers[i].task = task;
	}
	return err;
}

/**
 * lft_stop_writing - leave the models as they are
 *
 * Context: Process context.
 */
void lft_stop_writing(void)
{
	unsigned int i;

	for (i = 0; lft_writers && i < LFT_TARGETS; i++) {
		if (lft_writers[i].task)
			kthread_stop(lft_writers[i].task);
		kvfree(lft_writers[i].blob);
	}
	kfree(lft_writers);
	lft_writers = NULL;
}

/**
 * lft_writing - are there cycles left to do?
 *
 * Context: Process context, after lft_start_writing().
 * Return: false: all are done.
 */
bool lft_writing(void)
{
	return atomic_read(&lft_busy) > 0;
}

/**
 * lft_prepare_switches - get ready for lft_switch()
 *
 * Context: Process context.
 * Return: 0 or a negative error.
 */
int lft_prepare_switches(void)
{
	return lft_setup_writers();
}

/**
 * lft_switch - one more model of a target, and over to it
 * @target: whose
 *
 * The one before leaves its slot at once, so that only flows hold it.
 *
 * Context: Process context, after lft_prepare_switches().
 */
void lft_switch(unsigned int target)
{
	struct lft_writer *w = &lft_writers[target];
	int old = w->active, slot = (old + 1) % LFT_SLOTS;

	if (lft_install(w, slot, lft_width(w))) {
		lft_activate(w, slot);
		if (old >= 0)
			lft_remove(w, old, 0);
	}
	lft_check_limit(w);
	atomic_inc(&lft_cycles_done);
}
