// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow in debugfs: what there is, and how long queries take.
 *
 * For people; programs have the netlink family.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "core.h"

static const char *const lf_state_names[] = {
	[LF_SLOT_EMPTY] = "empty",
	[LF_SLOT_STANDBY] = "standby",
	[LF_SLOT_ACTIVE] = "active",
	[LF_SLOT_RETIRED] = "retired",
};

/* Positions are app numbers; the entry is the app, with a reference. */
static void *lf_seq_at(loff_t *pos)
{
	struct lf_app *app;
	u16 id = *pos;

	if (*pos > U16_MAX)
		return NULL;
	app = lf_app_next(&id, NULL);
	if (app)
		*pos = id;
	return app;
}

static void *lf_seq_start(struct seq_file *m, loff_t *pos)
{
	return lf_seq_at(pos);
}

static void *lf_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	lf_app_put(v);
	++*pos;
	return lf_seq_at(pos);
}

static void lf_seq_stop(struct seq_file *m, void *v)
{
	if (v)
		lf_app_put(v);
}

static void lf_show_snapshot(struct seq_file *m, const struct lf_snapshot_info *info)
{
	if (info->slot >= 0)
		seq_printf(m, "  slot %d", info->slot);
	else
		seq_puts(m, "  no slot");
	seq_printf(m, " version %u %s%s \"%s\" flows %u queries %llu macs %u bytes %u\n",
		   info->version, lf_state_names[info->state],
		   info->compiled ? " compiled" : "", info->name, info->pins,
		   info->queries, info->macs, info->bytes);
}

static int lf_apps_show(struct seq_file *m, void *v)
{
	struct lf_snapshot_info snap;
	struct lf_app_stats stats;
	struct lf_app_info info;
	struct lf_app *app = v;
	u64 key;

	lf_app_info(app, &info);
	lf_app_stats(app, &stats);
	seq_printf(m, "%u %s %s %s %u->%u%s%s\n", info.id, info.name,
		   info.context == LF_CONTEXT_ATOMIC ? "atomic" : "softirq",
		   info.policy == LF_POLICY_PIN ? "pin" : "follow",
		   info.n_in, info.n_out, info.units[0] ? " units " : "", info.units);
	seq_printf(m, "  queries %llu no_model %llu context %llu repins %llu evictions %llu",
		   stats.c.queries, stats.c.no_model, stats.c.context, stats.c.repins,
		   stats.c.evictions);
	seq_printf(m, " retired_bytes %llu\n", stats.retired_bytes);
	for (key = 0; lf_snapshot_next(app, &key, &snap); key++)
		lf_show_snapshot(m, &snap);
	return 0;
}

static const struct seq_operations lf_apps_sops = {
	.start = lf_seq_start,
	.next = lf_seq_next,
	.stop = lf_seq_stop,
	.show = lf_apps_show,
};
DEFINE_SEQ_ATTRIBUTE(lf_apps);

/* Time of the queries that were sampled, in buckets of powers of two. */
static int lf_latency_show(struct seq_file *m, void *v)
{
	struct lf_app_stats stats;
	struct lf_app_info info;
	struct lf_app *app = v;
	unsigned int i;

	lf_app_info(app, &info);
	lf_app_stats(app, &stats);
	seq_printf(m, "%u %s samples %llu mean_ns %llu\n", info.id, info.name,
		   stats.c.samples, div64_u64(stats.c.ns, stats.c.samples ?: 1));
	for (i = 0; i < LF_HIST_BUCKETS; i++) {
		if (!stats.c.hist[i])
			continue;
		if (i < LF_HIST_BUCKETS - 1)
			seq_printf(m, "  below %llu ns: %llu\n", BIT_ULL(i), stats.c.hist[i]);
		else
			seq_printf(m, "  longer: %llu\n", stats.c.hist[i]);
	}
	return 0;
}

static const struct seq_operations lf_latency_sops = {
	.start = lf_seq_start,
	.next = lf_seq_next,
	.stop = lf_seq_stop,
	.show = lf_latency_show,
};
DEFINE_SEQ_ATTRIBUTE(lf_latency);

static int __init lf_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("liteflow", NULL);

	debugfs_create_file("apps", 0400, dir, NULL, &lf_apps_fops);
	debugfs_create_file("latency", 0400, dir, NULL, &lf_latency_fops);
	return 0;
}
device_initcall(lf_debugfs_init);
