// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's records: what was asked and answered, to train the next model on.
 *
 * A query leaves a record in a ring and goes on. It may run in a hard interrupt
 * or with a run queue locked, so all it does is to reserve a place by cmpxchg,
 * to copy, and to publish the place by its number. A full ring costs a count.
 * Rings are per CPU to keep CPUs out of each other's way, but any of them takes
 * records from anywhere: a query that is moved to another CPU, or interrupted by
 * another query, does no harm.
 *
 * The other end is one work item, so there is one consumer. It comes every
 * interval, and at once when a ring is half full; waking it would mean to take
 * run queue locks, so the query leaves that to an irq_work. The places that it
 * finds published are handed on where they lie, and free after that.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/liteflow_record.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "internal.h"

#define LF_COLLECT_INTERVAL_MS	100
#define LF_RING_MIN		8	/* records */

/**
 * struct lf_ring - records that wait
 * @head: places reserved so far; producers
 * @lost: records that found no place; producers
 * @kicked: the consumer was called already
 * @tail: places consumed so far; the consumer
 * @mask: number of places minus one
 * @kick: calls the consumer
 * @collector: whose ring it is
 * @done: per place: its number plus one, once its record is whole
 * @data: the places
 */
struct lf_ring {
	unsigned long head;
	atomic64_t lost;
	int kicked;

	unsigned long tail ____cacheline_aligned_in_smp;

	unsigned long mask ____cacheline_aligned_in_smp;
	struct irq_work kick;
	struct lf_collector *collector;
	unsigned long *done;
	void *data;
};

/**
 * struct lf_collector - the collection of one app's records
 * @app: the app; who started the collection keeps it
 * @desc: how to collect
 * @size: bytes of a record
 * @interval: of deliveries, jiffies
 * @missed: records that deliver() could not take; the consumer's
 * @told: losses that deliver() was told of; the consumer's
 * @work: the consumer
 * @n_rings: number of rings
 * @rings: one for each CPU that was online in the beginning
 * @ring_of: ring of each CPU; others share one
 */
struct lf_collector {
	struct lf_app *app;
	struct lf_collect_desc desc;
	size_t size;
	unsigned long interval;
	u64 missed;
	u64 told;
	struct delayed_work work;
	unsigned int n_rings;
	struct lf_ring *rings;
	struct lf_ring *ring_of[];
};

size_t lf_record_size(const struct lf_app *app)
{
	return LITEFLOW_RECORD_SIZE(app->n_in, app->n_out);
}

/* -- producers: any context but NMI, under RCU --------------------------- */

/* Reserve a place. */
static struct liteflow_record *lf_ring_get(struct lf_ring *ring, size_t size, unsigned long *place)
{
	unsigned long head = READ_ONCE(ring->head);
	long used;

	/* READ_ONCE above: other producers' cmpxchg */
	do {
		/*
		 * Pairs with the release in lf_ring_drain(): the place was read.
		 * Negative if head is old by now: then the cmpxchg fails.
		 */
		used = head - smp_load_acquire(&ring->tail);
		if (used > (long)ring->mask) {
			atomic64_inc(&ring->lost);
			return NULL;
		}
	} while (!try_cmpxchg(&ring->head, &head, head + 1));

	/* READ_ONCE: a race leaves it to the interval's delivery */
	if (used >= (long)ring->mask / 2 && !READ_ONCE(ring->kicked) && !xchg(&ring->kicked, 1))
		irq_work_queue(&ring->kick);
	*place = head;
	return ring->data + (head & ring->mask) * size;
}

static void lf_ring_put(struct lf_ring *ring, unsigned long place)
{
	/* Pairs with the acquire in lf_ring_drain(): the record is whole. */
	smp_store_release(&ring->done[place & ring->mask], place + 1);
}

/*
 * Is it one of those to record? Of a flow's queries every so many, by their
 * number, so that their rewards are chosen alike; flows begin at different ones.
 */
static bool lf_collect_this(const struct lf_collector *c, const struct lf_flow *flow, u32 seq,
			    unsigned long count)
{
	if (flow)
		count = hash_64(flow->id, 32) + seq;
	return !(count & (c->desc.every - 1));
}

static void lf_record_fill(struct liteflow_record *rec, const struct lf_flow *flow, u32 seq,
			   u32 version, u16 kind)
{
	rec->flow = flow ? flow->id : 0;
	rec->time_ns = ktime_get_mono_fast_ns();
	rec->seq = seq;
	rec->version = version;
	rec->kind = kind;
	rec->cpu = raw_smp_processor_id();
	rec->reward = 0;
}

/**
 * lf_collect_query() - record a query
 * @app: who asked
 * @flow: for which flow, the query counted in its seq already; NULL: none
 * @version: of the model that answered
 * @count: number of the query, by which those without a flow are chosen
 * @in: the inputs
 * @out: the outputs
 *
 * Context: any but NMI, under RCU.
 */
void lf_collect_query(struct lf_app *app, const struct lf_flow *flow, u32 version,
		      unsigned long count, const s32 *in, const s32 *out)
{
	struct lf_collector *c = rcu_dereference(app->collector);
	u32 seq = flow ? flow->seq - 1 : 0;
	struct liteflow_record *rec;
	struct lf_ring *ring;
	unsigned long place;

	if (!c || !lf_collect_this(c, flow, seq, count))
		return;
	ring = c->ring_of[raw_smp_processor_id()];
	rec = lf_ring_get(ring, c->size, &place);
	if (!rec)
		return;
	lf_record_fill(rec, flow, seq, version, LITEFLOW_RECORD_QUERY);
	memcpy(rec->values, in, app->n_in * sizeof(s32));
	memcpy(rec->values + app->n_in, out, app->n_out * sizeof(s32));
	lf_ring_put(ring, place);
}

/**
 * lf_collects() - does anybody collect the app's records?
 * @app: the app; registered for as long as this runs
 *
 * For those who would have to work for lf_reward(). It may be otherwise at once.
 *
 * Context: any.
 * Return: true or false.
 */
bool lf_collects(struct lf_app *app)
{
	return rcu_access_pointer(app->collector);
}
EXPORT_SYMBOL_GPL(lf_collects);

/**
 * lf_reward() - record how well a query did
 * @app: who asked
 * @flow: for which flow, as it was after that query; NULL: nothing happens. Only its number
 *	and its version are looked at, so where other models may have answered since, a copy
 *	of these will do
 * @seq: which query of the flow: @flow->seq as it was before that query
 * @reward: how well; what that means is between the app and its trainer
 *
 * Recorded if the query was chosen to be. Nothing happens while nobody collects.
 *
 * Context: any but NMI, which is left alone.
 */
void lf_reward(struct lf_app *app, const struct lf_flow *flow, u32 seq, s32 reward)
{
	struct lf_collector *c;
	struct liteflow_record *rec;
	struct lf_ring *ring;
	unsigned long place;

	if (!flow || in_nmi())
		return;
	rcu_read_lock();
	c = rcu_dereference(app->collector);
	if (!c || !lf_collect_this(c, flow, seq, 0))
		goto unlock;
	ring = c->ring_of[raw_smp_processor_id()];
	rec = lf_ring_get(ring, c->size, &place);
	if (!rec)
		goto unlock;
	lf_record_fill(rec, flow, seq, flow->version, LITEFLOW_RECORD_REWARD);
	rec->reward = reward;
	memset(rec->values, 0, c->size - sizeof(*rec));
	lf_ring_put(ring, place);
unlock:
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(lf_reward);

static void lf_ring_kick(struct irq_work *kick)
{
	struct lf_ring *ring = container_of(kick, struct lf_ring, kick);

	mod_delayed_work(lf_wq, &ring->collector->work, 0);
}

/* -- the consumer -------------------------------------------------------- */

/* Once or twice in each delivery of all rings: there may be many. */
static u64 lf_rings_lost(const struct lf_collector *c)
{
	u64 lost = 0;
	unsigned int i;

	for (i = 0; i < c->n_rings; i++)
		lost += atomic64_read(&c->rings[i].lost);
	return lost;
}

/* Whole records that lie in a row, from the tail on. */
static unsigned int lf_ring_whole(const struct lf_ring *ring)
{
	unsigned long place = ring->tail;
	unsigned int n = 0;

	do {
		/* Pairs with the release in lf_ring_put(). */
		if (smp_load_acquire(&ring->done[place & ring->mask]) != place + 1)
			break;
		n++;
	} while (++place & ring->mask);
	return n;
}

/* @lost: of lf_rings_lost() */
static void lf_collect_deliver(struct lf_collector *c, const void *records, unsigned int n,
			       u64 lost)
{
	unsigned int missed;

	lost += c->missed;
	missed = c->desc.deliver(c->desc.priv, c->app, records, n, lost);
	if (n)
		c->missed += missed;
	if (missed < (n ?: 1))
		c->told = lost;
}

static void lf_ring_drain(struct lf_collector *c, struct lf_ring *ring, u64 lost)
{
	unsigned long end;
	unsigned int n;

	WRITE_ONCE(ring->kicked, 0);
	/*
	 * From here on a producer may call again. What it published before it
	 * found the consumer called is seen below, or at the next interval.
	 * Pairs with the xchg() in lf_ring_get().
	 */
	smp_mb();
	/* Not for ever, though producers may go on. */
	end = READ_ONCE(ring->head);
	while ((long)(end - ring->tail) > 0 && (n = lf_ring_whole(ring))) {
		lf_collect_deliver(c, ring->data + (ring->tail & ring->mask) * c->size, n, lost);
		/* Pairs with the acquire in lf_ring_get(): the places are free. */
		smp_store_release(&ring->tail, ring->tail + n);
		cond_resched();
	}
}

static void lf_collect_drain(struct lf_collector *c)
{
	u64 lost = lf_rings_lost(c);
	unsigned int i;

	for (i = 0; i < c->n_rings; i++)
		lf_ring_drain(c, &c->rings[i], lost);
	/* losses that no record took along */
	lost = lf_rings_lost(c);
	if (lost + c->missed != c->told)
		lf_collect_deliver(c, NULL, 0, lost);
}

static void lf_collect_work(struct work_struct *work)
{
	struct lf_collector *c = container_of(work, struct lf_collector, work.work);

	lf_collect_drain(c);
	queue_delayed_work(lf_wq, &c->work, c->interval);
}

/* -- starting and stopping ----------------------------------------------- */

static void lf_collect_free(struct lf_collector *c)
{
	unsigned int i;

	for (i = 0; i < c->n_rings; i++) {
		kvfree(c->rings[i].data);
		kvfree(c->rings[i].done);
	}
	kvfree(c->rings);
	kvfree(c);
}

static int lf_ring_init(struct lf_collector *c, struct lf_ring *ring, unsigned long places,
			int node)
{
	ring->mask = places - 1;
	ring->collector = c;
	init_irq_work(&ring->kick, lf_ring_kick);
	/* Zeroed: the padding of records goes to user space, too. */
	ring->data = kvzalloc_node(array_size(places, c->size), GFP_KERNEL_ACCOUNT, node);
	ring->done = kvzalloc_node(array_size(places, sizeof(*ring->done)), GFP_KERNEL_ACCOUNT,
				   node);
	return ring->data && ring->done ? 0 : -ENOMEM;
}

/* A ring for each CPU that is online; whoever comes later shares one. */
static int lf_collect_rings(struct lf_collector *c, struct lf_error *err)
{
	size_t place = c->size + sizeof(unsigned long);
	unsigned int cpu, i = 0, n = num_online_cpus();
	unsigned long places;

	lockdep_assert_cpus_held();
	if (c->desc.bytes / n / place < LF_RING_MIN) {
		lf_refuse(err, "%u bytes are too few for records: give at least %zu",
			  c->desc.bytes, n * LF_RING_MIN * place);
		return -EINVAL;
	}
	places = rounddown_pow_of_two(c->desc.bytes / n / place);
	c->rings = kvcalloc(n, sizeof(*c->rings), GFP_KERNEL_ACCOUNT);
	if (!c->rings)
		goto no_memory;
	c->n_rings = n;
	for_each_online_cpu(cpu) {
		if (lf_ring_init(c, &c->rings[i], places, cpu_to_node(cpu)))
			goto no_memory;
		c->ring_of[cpu] = &c->rings[i++];
	}
	for_each_possible_cpu(cpu)
		if (!c->ring_of[cpu])
			c->ring_of[cpu] = &c->rings[cpu % n];
	return 0;

no_memory:
	lf_refuse(err, "no memory for %u bytes of records: give fewer", c->desc.bytes);
	return -ENOMEM;
}

static struct lf_collector *lf_collect_new(struct lf_app *app,
					   const struct lf_collect_desc *desc,
					   struct lf_error *err)
{
	struct lf_collector *c;
	int ret;

	c = kvzalloc(struct_size(c, ring_of, nr_cpu_ids), GFP_KERNEL_ACCOUNT);
	if (!c) {
		lf_refuse(err, "no memory for a collector");
		return ERR_PTR(-ENOMEM);
	}
	c->app = app;
	c->desc = *desc;
	c->size = lf_record_size(app);
	c->interval = msecs_to_jiffies(desc->interval_ms ?: LF_COLLECT_INTERVAL_MS);
	INIT_DELAYED_WORK(&c->work, lf_collect_work);
	cpus_read_lock();
	ret = lf_collect_rings(c, err);
	cpus_read_unlock();
	if (ret) {
		lf_collect_free(c);
		return ERR_PTR(ret);
	}
	return c;
}

/**
 * lf_collect_start() - collect an app's records
 * @app: the app; the caller keeps it until lf_collect_stop() returned
 * @desc: how; copied
 * @err: the reason of a refusal
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if somebody collects already; -ENODEV if the app is gone;
 * -EINVAL if @desc makes no sense; -ENOMEM.
 */
int lf_collect_start(struct lf_app *app, const struct lf_collect_desc *desc,
		     struct lf_error *err)
{
	struct lf_collector *c;
	int ret = 0;

	if (!is_power_of_2(desc->every)) {
		lf_refuse(err, "one in %u queries: give a power of two", desc->every);
		return -EINVAL;
	}
	mutex_lock(&app->collect_mutex);
	if (rcu_access_pointer(app->collector)) {
		lf_refuse(err, "app \"%s\" has a reader already: stop that one first", app->name);
		ret = -EBUSY;
		goto unlock;
	}
	/* Whoever sets dead calls lf_collect_stop() after that. */
	ret = lf_check_alive(app, err);
	if (ret)
		goto unlock;
	c = lf_collect_new(app, desc, err);
	if (IS_ERR(c)) {
		ret = PTR_ERR(c);
		goto unlock;
	}
	queue_delayed_work(lf_wq, &c->work, c->interval);
	rcu_assign_pointer(app->collector, c);
unlock:
	mutex_unlock(&app->collect_mutex);
	return ret;
}

/**
 * lf_collect_stop() - collect no more
 * @app: the app
 * @priv: whose collection, see struct lf_collect_desc; NULL: anybody's
 *
 * Records that wait are delivered before it returns, and nothing after that. A
 * collection that is over, or somebody else's, is left alone.
 *
 * Context: process context, sleeps for an RCU grace period and for deliver().
 */
void lf_collect_stop(struct lf_app *app, void *priv)
{
	struct lf_collector *c;
	unsigned int i;

	mutex_lock(&app->collect_mutex);
	c = rcu_dereference_protected(app->collector, lockdep_is_held(&app->collect_mutex));
	if (!c || (priv && priv != c->desc.priv))
		goto unlock;
	RCU_INIT_POINTER(app->collector, NULL);
	/* Producers first, then what they call, then what that calls. */
	synchronize_rcu();
	for (i = 0; i < c->n_rings; i++)
		irq_work_sync(&c->rings[i].kick);
	cancel_delayed_work_sync(&c->work);
	lf_collect_drain(c);
	lf_collect_free(c);
unlock:
	mutex_unlock(&app->collect_mutex);
}
