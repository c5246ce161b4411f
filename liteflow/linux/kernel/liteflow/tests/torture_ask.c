// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test: those who ask.
 *
 * On every CPU a thread, a timer (softirq) and an hrtimer (hard interrupt) ask
 * all apps, and judge each answer by itself: by the number in it, and by the log
 * of activations that the writer keeps. The writer enters a version into the log
 * before it activates it, so whatever answers must be in the log between the
 * last entry that was in force when the query began and the last one that had
 * begun when it ended.
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "torture.h"

const char *const lft_errors[LFT_N_ERRORS] = {
	[LFT_NO_NUMBER]		= "answers_of_no_model",
	[LFT_OTHER_NUMBER]	= "answers_of_another_model",
	[LFT_NOT_ACTIVE]	= "answers_of_inactive_models",
	[LFT_MOVED]		= "flows_moved",
	[LFT_AFTER_EVICT]	= "answers_after_eviction",
	[LFT_NO_ANSWER]		= "queries_refused",
	[LFT_ERRNO]		= "queries_failed",
	[LFT_CONTEXT]		= "wrong_contexts_accepted",
};

struct lft_target lft_targets[LFT_TARGETS];
unsigned int lft_n_targets;

/* Per CPU number; NULL: nobody asks there. */
static struct lft_cpu **lft_cpus;

/* Only the asker itself writes its counts; lft_count() looks on. */
static void lft_inc(unsigned long *count)
{
	WRITE_ONCE(*count, *count + 1);
}

/* --- what is known of versions --------------------------------------------- */

/**
 * lft_mark - what is known of a version
 * @t: whose version
 * @version: it
 *
 * Return: LFT_LEAVING, LFT_EVICTED.
 */
u8 lft_mark(const struct lft_target *t, u32 version)
{
	/* Pairs with lft_set_mark(). */
	return version < t->n_marks ? smp_load_acquire(&t->marks[version]) : 0;
}

/**
 * lft_set_mark - make known what becomes of a version
 * @t: whose version
 * @version: it
 * @mark: LFT_LEAVING before it may leave flows, LFT_EVICTED when it has
 */
void lft_set_mark(struct lft_target *t, u32 version, u8 mark)
{
	if (version >= t->n_marks)
		return;
	/* Pairs with lft_mark(). */
	smp_store_release(&t->marks[version], mark);
}

/* Was @version active at some time between the entries @from and @to? */
static bool lft_was_active(const struct lft_target *t, u32 version, u32 from, u32 to)
{
	do {
		if (READ_ONCE(t->log[from % LFT_LOG]) == version)
			return true;
	} while (from++ != to);
	return false;
}

/*
 * Like that, but entries may have been written over meanwhile. An entry is
 * written after @begun was read to be LFT_LOG less one behind it, at the
 * earliest, so it is enough to read @begun again.
 */
static bool lft_check_active(const struct lft_target *t, u32 version, u32 from, u32 to,
			     struct lft_counts *c)
{
	bool found = to - from < LFT_LOG - 1 && lft_was_active(t, version, from, to);

	if (found)
		return true;
	/* The entries before the count; pairs with lft_come(). */
	smp_rmb();
	if (READ_ONCE(t->begun) - from < LFT_LOG - 1)
		return false;
	lft_inc(&c->unchecked);
	return true;
}

/* --- one query -------------------------------------------------------------- */

/* The model's number; 0: it is no answer of any. */
static u32 lft_number(const s32 *in, s32 out)
{
	unsigned int i;

	for (i = 0; i < LFT_N_IN; i++)
		out -= in[i];
	return out > 0 && out % LFT_STRIDE == 0 ? out / LFT_STRIDE : 0;
}

static void lft_inputs(struct rnd_state *rnd, s32 *in)
{
	u32 bits = prandom_u32_state(rnd);
	unsigned int i;

	for (i = 0; i < LFT_N_IN; i++, bits >>= 4)
		in[i] = bits & LFT_IN_MAX;
}

/* A flow that was served before: is it right that another version answers? */
static void lft_check_move(const struct lft_target *t, const struct lft_flow *f,
			   struct lft_counts *c)
{
	lft_inc(&c->moves);
	if (!t->limit && !t->foreign && !lft_mark(t, f->version))
		lft_inc(&c->errors[LFT_MOVED]);
}

static void lft_check_answer(const struct lft_target *t, struct lft_flow *f, u32 number,
			     u32 from, u32 to, u8 mark, struct lft_counts *c)
{
	bool moved = f && f->version && f->version != f->flow.version;
	u32 version = f ? f->flow.version : number;

	if (!number) {
		lft_inc(&c->errors[LFT_NO_NUMBER]);
		return;
	}
	if (t->foreign) {
		/* All that is known: one version is one model. */
		if (number < LFT_COMPILED)
			lft_inc(&c->errors[LFT_NO_NUMBER]);
		if (f && f->version == version && f->number != number)
			lft_inc(&c->errors[LFT_OTHER_NUMBER]);
	} else {
		if (number != version)
			lft_inc(&c->errors[LFT_OTHER_NUMBER]);
		else if (!(f && t->pins && f->version == version) &&
			 !lft_check_active(t, version, from, to, c))
			lft_inc(&c->errors[LFT_NOT_ACTIVE]);
	}
	if (moved && t->pins)
		lft_check_move(t, f, c);
	if (f && t->pins && f->version == version && mark == LFT_EVICTED)
		lft_inc(&c->errors[LFT_AFTER_EVICT]);
	if (f) {
		f->version = version;
		f->number = number;
	}
}

static void lft_check_refusal(const struct lft_target *t, const struct lft_flow *f, u32 from,
			      u32 to, struct lft_counts *c)
{
	lft_inc(&c->empty);
	if (t->foreign)
		return;
	if (f && t->pins && f->version && !t->limit && !lft_mark(t, f->version))
		lft_inc(&c->errors[LFT_NO_ANSWER]);
	else if (!lft_check_active(t, 0, from, to, c))
		lft_inc(&c->errors[LFT_NO_ANSWER]);
}

static void lft_ask(const struct lft_target *t, struct lft_flow *f, struct lft_asker *a)
{
	struct lft_counts *c = &a->counts[t - lft_targets];
	s32 in[LFT_N_IN], out = 0;
	u8 mark = 0;
	u32 from;
	int err;

	lft_inputs(&a->rnd, in);
	if (f && f->version)
		mark = lft_mark(t, f->version);
	/* Pairs with lft_in_force(): what is there answers, or a later one. */
	from = smp_load_acquire(&t->done);
	err = lf_query(t->app, f ? &f->flow : NULL, in, ARRAY_SIZE(in), &out, 1);
	/* Pairs with lft_come(): who saw a model sees its entry in the log. */
	smp_rmb();
	switch (err) {
	case 0:
		lft_inc(&c->answers);
		lft_check_answer(t, f, lft_number(in, out), from, READ_ONCE(t->begun), mark, c);
		break;
	case -ENODATA:
		lft_check_refusal(t, f, from, READ_ONCE(t->begun), c);
		break;
	default:
		lft_inc(&c->errors[LFT_ERRNO]);
	}
}

static void lft_end_flow(struct lft_flow *f)
{
	lf_flow_release(&f->flow);
	memset(f, 0, sizeof(*f));
}

/* A query of one of @n flows, which come and go. */
static void lft_turn(const struct lft_target *t, struct lft_flow *flows, unsigned int n,
		     struct lft_asker *a)
{
	struct lft_flow *f = NULL;

	if (t->flows) {
		f = &flows[prandom_u32_state(&a->rnd) % n];
		if (!f->left) {
			lft_end_flow(f);
			f->left = 1 + prandom_u32_state(&a->rnd) % t->life;
			f->flow.id = f->left;
		}
		f->left--;
	}
	lft_ask(t, f, a);
}

/* --- contexts ---------------------------------------------------------------- */

/* An app of softirqs must refuse a hard interrupt. */
static void lft_ask_wrongly(const struct lft_target *t, struct lft_asker *a)
{
	struct lft_counts *c = &a->counts[t - lft_targets];
	s32 in[LFT_N_IN] = {}, out;

	if (lf_query(t->app, NULL, in, ARRAY_SIZE(in), &out, 1) == -EPERM)
		lft_inc(&c->context);
	else
		lft_inc(&c->errors[LFT_CONTEXT]);
}

static ktime_t lft_period(void)
{
	return ns_to_ktime((u64)lft_irq_us * NSEC_PER_USEC);
}

static enum hrtimer_restart lft_hrtimer(struct hrtimer *hrtimer)
{
	struct lft_cpu *cpu = container_of(hrtimer, struct lft_cpu, hrtimer);
	struct lft_asker *a = &cpu->in_irq;
	bool wrongly = !(prandom_u32_state(&a->rnd) % 16);
	unsigned int i;

	for (i = 0; i < lft_n_targets; i++) {
		const struct lft_target *t = &lft_targets[i];

		if (!t->flows)
			lft_ask(t, NULL, a);
		else if (wrongly && in_hardirq())
			lft_ask_wrongly(t, a);
	}
	/* Pairs with lft_stop_irqs(). */
	if (READ_ONCE(cpu->stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(hrtimer, lft_period());
	return HRTIMER_RESTART;
}

static void lft_timer(struct timer_list *timer)
{
	struct lft_cpu *cpu = from_timer(cpu, timer, timer);
	unsigned int i;

	for (i = 0; i < lft_n_targets; i++)
		lft_turn(&lft_targets[i], cpu->timer_flows[i], LFT_TIMER_FLOWS, &cpu->in_timer);
	mod_timer(timer, jiffies + 1);
}

static void lft_start_irqs(struct lft_cpu *cpu)
{
	timer_setup(&cpu->timer, lft_timer, TIMER_PINNED);
	mod_timer(&cpu->timer, jiffies + 1);
	hrtimer_init(&cpu->hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	cpu->hrtimer.function = lft_hrtimer;
	hrtimer_start(&cpu->hrtimer, lft_period(), HRTIMER_MODE_REL_PINNED_HARD);
}

static void lft_stop_irqs(struct lft_cpu *cpu)
{
	WRITE_ONCE(cpu->stop, true);
	hrtimer_cancel(&cpu->hrtimer);
	timer_shutdown_sync(&cpu->timer);
}

static int lft_thread(void *arg)
{
	struct lft_cpu *cpu = arg;
	struct lft_asker *a = &cpu->in_task;
	unsigned long flags, rest = jiffies + HZ / 10;
	unsigned int i, n;

	set_user_nice(current, MAX_NICE);
	lft_start_irqs(cpu);
	while (!kthread_should_stop()) {
		for (i = 0; i < lft_n_targets; i++) {
			const struct lft_target *t = &lft_targets[i];

			for (n = 0; n < 16; n++)
				lft_turn(t, cpu->task_flows[i], LFT_TASK_FLOWS, a);
			if (!t->flows) {
				local_irq_save(flags);
				lft_ask(t, NULL, a);
				local_irq_restore(flags);
			}
			cond_resched();
		}
		if (time_after(jiffies, rest)) {
			schedule_timeout_interruptible(1);
			rest = jiffies + HZ / 10;
		}
	}
	lft_stop_irqs(cpu);
	return 0;
}

/* --- all of them -------------------------------------------------------------- */

static void lft_seed(struct lft_asker *a)
{
	prandom_seed_state(&a->rnd, get_random_u64());
}

static int lft_start_cpu(unsigned int nr)
{
	struct lft_cpu *cpu = kzalloc_node(sizeof(*cpu), GFP_KERNEL, cpu_to_node(nr));

	if (!cpu)
		return -ENOMEM;
	lft_seed(&cpu->in_task);
	lft_seed(&cpu->in_timer);
	lft_seed(&cpu->in_irq);
	cpu->task = kthread_create_on_cpu(lft_thread, cpu, nr, "lf_torture/%u");
	if (IS_ERR(cpu->task)) {
		int err = PTR_ERR(cpu->task);

		kfree(cpu);
		return err;
	}
	lft_cpus[nr] = cpu;
	wake_up_process(cpu->task);
	return 0;
}

/**
 * lft_start_asking - ask all targets on every CPU
 *
 * Context: Process context. The targets must not change until
 * lft_stop_asking().
 * Return: 0 or a negative error.
 */
int lft_start_asking(void)
{
	unsigned int nr;
	int err = 0;

	lft_cpus = kcalloc(nr_cpu_ids, sizeof(*lft_cpus), GFP_KERNEL);
	if (!lft_cpus)
		return -ENOMEM;
	cpus_read_lock();
	for_each_online_cpu(nr) {
		err = lft_start_cpu(nr);
		if (err)
			break;
	}
	cpus_read_unlock();
	if (err) {
		lft_stop_asking();
		lft_end_flows();
	}
	return err;
}

/**
 * lft_stop_asking - ask no more; flows remain
 *
 * Context: Process context.
 */
void lft_stop_asking(void)
{
	unsigned int nr;

	for (nr = 0; lft_cpus && nr < nr_cpu_ids; nr++) {
		struct lft_cpu *cpu = lft_cpus[nr];

		if (cpu && cpu->task) {
			kthread_stop(cpu->task);
			cpu->task = NULL;
		}
	}
}

/**
 * lft_end_flows - end all flows, and forget the counts
 *
 * Context: Process context, after lft_stop_asking().
 */
void lft_end_flows(void)
{
	unsigned int nr, i, n;

	for (nr = 0; lft_cpus && nr < nr_cpu_ids; nr++) {
		struct lft_cpu *cpu = lft_cpus[nr];

		if (!cpu)
			continue;
		for (i = 0; i < lft_n_targets; i++) {
			for (n = 0; n < LFT_TASK_FLOWS; n++)
				lft_end_flow(&cpu->task_flows[i][n]);
			for (n = 0; n < LFT_TIMER_FLOWS; n++)
				lft_end_flow(&cpu->timer_flows[i][n]);
		}
		kfree(cpu);
	}
	kfree(lft_cpus);
	lft_cpus = NULL;
}

/* Others count on meanwhile; only the last sums have to be exact. */
static unsigned long lft_count(const unsigned long *count)
{
	/* READ_ONCE: so that it is one load; the counts have one writer each */
	return READ_ONCE(*count);
}

static void lft_add_counts(struct lft_counts *sum, const struct lft_counts *c)
{
	unsigned int i;

	sum->answers += lft_count(&c->answers);
	sum->empty += lft_count(&c->empty);
	sum->context += lft_count(&c->context);
	sum->moves += lft_count(&c->moves);
	sum->unchecked += lft_count(&c->unchecked);
	for (i = 0; i < LFT_N_ERRORS; i++)
		sum->errors[i] += lft_count(&c->errors[i]);
}

/**
 * lft_sum - counts of all askers
 * @target: of which target
 * @sum: where they go
 *
 * Context: Process context, not beside lft_end_flows().
 */
void lft_sum(unsigned int target, struct lft_counts *sum)
{
	unsigned int nr;

	memset(sum, 0, sizeof(*sum));
	for (nr = 0; lft_cpus && nr < nr_cpu_ids; nr++) {
		struct lft_cpu *cpu = lft_cpus[nr];

		if (!cpu)
			continue;
		lft_add_counts(sum, &cpu->in_task.counts[target]);
		lft_add_counts(sum, &cpu->in_timer.counts[target]);
		lft_add_counts(sum, &cpu->in_irq.counts[target]);
	}
}

/**
 * lft_add_target - register an app to be asked
 * @desc: the app; name, context, policy and limits are the caller's
 * @foreign: its models come from user space
 * @versions: most installs of it
 *
 * Context: Process context, while nobody asks.
 * Return: 0 or a negative error.
 */
int lft_add_target(const struct lf_app_desc *desc, bool foreign, u32 versions)
{
	struct lft_target *t = &lft_targets[lft_n_targets];

	memset(t, 0, sizeof(*t));
	t->flows = desc->context != LF_CONTEXT_ATOMIC;
	t->pins = t->flows && desc->policy == LF_POLICY_PIN;
	t->limit = desc->max_retired;
	t->foreign = foreign;
	/* A module must not be held for long. */
	t->life = foreign ? 16 : 4096;
	t->widths = t->flows ? LFT_WIDTHS : LFT_ATOMIC_WIDTHS;
	if (!foreign) {
		t->n_marks = versions + 1;
		t->marks = vzalloc(t->n_marks);
		if (!t->marks)
			return -ENOMEM;
	}
	t->app = lf_app_register(desc);
	if (IS_ERR(t->app)) {
		pr_err("app %s was refused: %pe\n", desc->name, t->app);
		vfree(t->marks);
		return PTR_ERR(t->app);
	}
	lft_n_targets++;
	return 0;
}

/**
 * lft_del_targets - unregister them all, with the models that they have
 *
 * Context: Process context, when no flow is left.
 */
void lft_del_targets(void)
{
	while (lft_n_targets) {
		struct lft_target *t = &lft_targets[--lft_n_targets];

		lf_app_unregister(t->app);
		vfree(t->marks);
	}
}
