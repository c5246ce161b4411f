// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: performance counters
 *
 * Two counters of each online CPU, cycles and branch instructions as in the
 * original, sampled whenever that CPU enters the balancing softirq. They are
 * columns of the tracepoint, not inputs of the network.
 *
 * perf_event_read_local() is the read that needs neither a lock nor an IPI; it
 * works only on the event's own CPU, so a decision sees the last sample of
 * the CPU that makes it, with its age.
 *
 * Events follow CPU hotplug. Creating or releasing one may take the hotplug lock
 * (software events flip a static key), which the callbacks run under: they only
 * mark the CPU and unpublish its events, a work item does the rest.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "jc_sched.h"

#define JC_NR_EVENTS	2

enum jc_perf_source {
	JC_PERF_HW,
	JC_PERF_SW,
	JC_PERF_OFF,
};

static const char *const jc_perf_source_name[] = {
	[JC_PERF_HW]	= "hw",
	[JC_PERF_SW]	= "sw",
	[JC_PERF_OFF]	= "off",
};

static const u64 jc_perf_config[][JC_NR_EVENTS] = {
	[JC_PERF_HW]	= { PERF_COUNT_HW_CPU_CYCLES,
			    PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
	[JC_PERF_SW]	= { PERF_COUNT_SW_CPU_CLOCK,
			    PERF_COUNT_SW_CONTEXT_SWITCHES },
};

static const char *const jc_perf_event_name[JC_NR_EVENTS] = {
	"perf_cycles", "perf_branches",
};

static enum jc_perf_source jc_perf_source __ro_after_init = JC_PERF_HW;

/**
 * struct jc_perf_cpu - counters of one CPU
 * @event: published while the CPU is up; NULL where it could not be created
 * @err: why not, 0 otherwise
 * @count: last sample, U64_MAX where there is none
 * @ts: local_clock() of the sample, 0 if nothing could be read
 * @multiplexed: the event had to share its counter
 * @up: the CPU is online, as far as its callbacks have said
 * @made: events were created since it came up
 * @generation: how often it went down
 * @dead: events that it left behind
 *
 * @count and @ts are written and read on their own CPU with IRQs off, the
 * fields from @up on under jc_perf_lock.
 */
struct jc_perf_cpu {
	struct perf_event __rcu *event[JC_NR_EVENTS];
	int err[JC_NR_EVENTS];
	u64 count[JC_NR_EVENTS];
	u64 ts;
	bool multiplexed[JC_NR_EVENTS];
	bool up;
	bool made;
	unsigned int generation;
	struct perf_event *dead[JC_NR_EVENTS];
};

static DEFINE_PER_CPU(struct jc_perf_cpu, jc_perf_cpu) = {
	.count = { U64_MAX, U64_MAX },
};

static DEFINE_SPINLOCK(jc_perf_lock);

static void jc_perf_work(struct work_struct *work);
static DECLARE_WORK(jc_perf_worker, jc_perf_work);

/**
 * jc_perf_sample() - read the counters of this CPU
 *
 * Nothing is read unless the network is on or somebody traces.
 *
 * Context: the balancing softirq.
 */
void jc_perf_sample(void)
{
	struct jc_perf_cpu *c;
	unsigned long flags;
	bool any = false;
	int i;

	if (!jc_sched_enabled())
		return;

	guard(rcu)();

	local_irq_save(flags);
	c = this_cpu_ptr(&jc_perf_cpu);
	for (i = 0; i < JC_NR_EVENTS; i++) {
		struct perf_event *event = rcu_dereference(c->event[i]);
		u64 value, enabled, running;

		if (!event ||
		    perf_event_read_local(event, &value, &enabled, &running)) {
			c->count[i] = U64_MAX;
			continue;
		}
		any = true;
		c->count[i] = value;
		WRITE_ONCE(c->multiplexed[i], running < enabled);
	}
	c->ts = any ? local_clock() : 0;
	local_irq_restore(flags);
}

/**
 * jc_perf_read() - last sample of this CPU
 * @d: result: jc_lb_data::pc, ::pc_cpu and ::pc_age; jc_lb_data::ts must be set
 *
 * Context: IRQs off.
 */
void jc_perf_read(struct jc_lb_data *d)
{
	const struct jc_perf_cpu *c = this_cpu_ptr(&jc_perf_cpu);

	lockdep_assert_irqs_disabled();

	d->pc[0] = c->count[0];
	d->pc[1] = c->count[1];
	d->pc_cpu = c->ts ? smp_processor_id() : -1;
	d->pc_age = c->ts ? d->ts - c->ts : 0;
}

/* How many online CPUs have this event, and in @err the first error of the others. */
static unsigned int jc_perf_present(int event, int *err)
{
	unsigned int present = 0;
	int cpu, e;

	*err = 0;
	for_each_online_cpu(cpu) {
		e = READ_ONCE(per_cpu(jc_perf_cpu, cpu).err[event]);
		present += !e;
		*err = *err ?: e;
	}
	return present;
}

static bool jc_perf_multiplexed(int event)
{
	int cpu;

	for_each_online_cpu(cpu) {
		if (READ_ONCE(per_cpu(jc_perf_cpu, cpu).multiplexed[event]))
			return true;
	}
	return false;
}

static void jc_perf_show_event(struct seq_file *m, int event)
{
	unsigned int present, cpus = num_online_cpus();
	int err;

	present = jc_perf_present(event, &err);
	seq_printf(m, "%s: ", jc_perf_event_name[event]);
	if (!present)
		seq_printf(m, "absent (%pe)\n", ERR_PTR(err));
	else if (present < cpus)
		seq_printf(m, "on %u of %u CPUs (%pe)\n", present, cpus, ERR_PTR(err));
	else
		seq_printf(m, "%s\n", jc_perf_multiplexed(event) ? "multiplexed" : "ok");
}

/**
 * jc_perf_show() - lines of the state file
 * @m: where to
 *
 * Context: process context; takes the CPU hotplug lock.
 */
void jc_perf_show(struct seq_file *m)
{
	int i, err;

	if (jc_perf_source == JC_PERF_OFF) {
		seq_puts(m, "perf: off: boot parameter\n");
		return;
	}

	/* a CPU that has just come up may wait for its events */
	flush_work(&jc_perf_worker);

	guard(cpus_read_lock)();

	if (!jc_perf_present(0, &err) && !jc_perf_present(1, &err))
		seq_puts(m, "perf: off: no such counters on this machine\n");
	else
		seq_printf(m, "perf: %s\n", jc_perf_source == JC_PERF_HW ?
					    "hardware" : "software");

	for (i = 0; i < JC_NR_EVENTS; i++)
		jc_perf_show_event(m, i);
}

static void jc_perf_release(struct perf_event **event)
{
	int i;

	for (i = 0; i < JC_NR_EVENTS; i++) {
		if (event[i])
			perf_event_release_kernel(event[i]);
		event[i] = NULL;
	}
}

/* Publish new events, unless their CPU went down while they were made. */
static void jc_perf_publish(struct jc_perf_cpu *c, struct perf_event **event,
			    unsigned int generation)
{
	int i;

	spin_lock(&jc_perf_lock);
	if (c->up && c->generation == generation) {
		for (i = 0; i < JC_NR_EVENTS; i++) {
			rcu_assign_pointer(c->event[i], event[i]);
			event[i] = NULL;
		}
		c->made = true;
	}
	spin_unlock(&jc_perf_lock);
}

static void jc_perf_make(int cpu, struct jc_perf_cpu *c, unsigned int generation)
{
	struct perf_event_attr attr = {
		.type	= jc_perf_source == JC_PERF_HW ? PERF_TYPE_HARDWARE :
							 PERF_TYPE_SOFTWARE,
		.size	= sizeof(attr),
	};
	struct perf_event *event[JC_NR_EVENTS];
	int i;

	for (i = 0; i < JC_NR_EVENTS; i++) {
		attr.config = jc_perf_config[jc_perf_source][i];
		event[i] = perf_event_create_kernel_counter(&attr, cpu, NULL,
							    NULL, NULL);
		WRITE_ONCE(c->err[i], PTR_ERR_OR_ZERO(event[i]));
		if (IS_ERR(event[i]))
			event[i] = NULL;
	}
	jc_perf_publish(c, event, generation);
	/* whatever was not published */
	jc_perf_release(event);
}

/* Bring the events in line with what the callbacks have said so far. */
static void jc_perf_work(struct work_struct *work)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct jc_perf_cpu *c = per_cpu_ptr(&jc_perf_cpu, cpu);
		struct perf_event *dead[JC_NR_EVENTS];
		unsigned int generation;
		bool make;

		scoped_guard(spinlock, &jc_perf_lock) {
			memcpy(dead, c->dead, sizeof(dead));
			memset(c->dead, 0, sizeof(c->dead));
			generation = c->generation;
			make = c->up && !c->made;
		}
		jc_perf_release(dead);
		if (make)
			jc_perf_make(cpu, c, generation);
	}
}

static int jc_perf_online(unsigned int cpu)
{
	scoped_guard(spinlock, &jc_perf_lock)
		per_cpu_ptr(&jc_perf_cpu, cpu)->up = true;

	schedule_work(&jc_perf_worker);
	return 0;
}

static int jc_perf_offline(unsigned int cpu)
{
	struct jc_perf_cpu *c = per_cpu_ptr(&jc_perf_cpu, cpu);
	struct perf_event *event[JC_NR_EVENTS];
	int i;

	scoped_guard(spinlock, &jc_perf_lock) {
		for (i = 0; i < JC_NR_EVENTS; i++) {
			event[i] = rcu_replace_pointer(c->event[i], NULL,
						       lockdep_is_held(&jc_perf_lock));
			WRITE_ONCE(c->multiplexed[i], false);
		}
		c->up = false;
		c->made = false;
		c->generation++;
	}

	/* no softirq of this CPU reads them any more */
	synchronize_rcu();

	/* the work item takes these before it makes new ones: none is lost */
	scoped_guard(spinlock, &jc_perf_lock) {
		for (i = 0; i < JC_NR_EVENTS; i++) {
			if (event[i])
				c->dead[i] = event[i];
		}
	}

	schedule_work(&jc_perf_worker);
	return 0;
}

static int __init jc_perf_setup(char *str)
{
	int i = match_string(jc_perf_source_name,
			     ARRAY_SIZE(jc_perf_source_name), str);

	if (i < 0)
		pr_warn("jc_sched_perf=%s: must be hw, sw or off\n", str);
	else
		jc_perf_source = i;
	return 1;
}
__setup("jc_sched_perf=", jc_perf_setup);

static int __init jc_perf_init(void)
{
	int ret;

	if (jc_perf_source == JC_PERF_OFF)
		return 0;

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "sched/jc_perf:online",
				jc_perf_online, jc_perf_offline);
	return min(ret, 0);
}
late_initcall(jc_perf_init);
