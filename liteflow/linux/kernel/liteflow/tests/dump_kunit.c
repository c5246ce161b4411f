// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what LiteFlow's interfaces see: dumps, statistics, and that a
 * slow callback of one app keeps nobody else waiting.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "../engine.h"
#include "core_kunit.h"

/* -- dumps -------------------------------------------------------------------- */

static u32 generation(struct lf_app *app)
{
	struct lf_app_info info;

	lf_app_info(app, &info);
	return info.generation;
}

/* A dump that goes on after a change neither skips an item nor shows it twice. */
static void lf_test_keys(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_flow flow[4] = {};
	struct lf_snapshot_info info;
	unsigned int i;
	u64 key = 0;

	KUNIT_EXPECT_FALSE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.generation, generation(app));
	/* versions 1 to 4 retire, 5 is in slot 0; the app's flows hold them */
	for (i = 0; i < ARRAY_SIZE(flow); i++) {
		lft_install(test, i % 2, i);
		lft_activate(test, i % 2);
		lft_ask(test, &flow[i]);
	}
	lft_install(test, 0, 4);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, NULL), 0);

	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.slot, 0);
	KUNIT_EXPECT_EQ(test, info.version, 5);
	KUNIT_EXPECT_EQ(test, info.state, LF_SLOT_ACTIVE);
	key++;
	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.slot, -1);
	KUNIT_EXPECT_EQ(test, info.version, 1);
	KUNIT_EXPECT_EQ(test, info.queries, 1);
	KUNIT_EXPECT_EQ(test, info.pins, 1);
	key++;
	/* the one that was shown goes: the next is the one behind it */
	lf_flow_release(&flow[0]);
	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.version, 2);
	key++;
	/* the next one goes: it is left out */
	lf_flow_release(&flow[2]);
	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.version, 4);
	/* the message did not fit: the same again */
	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	KUNIT_EXPECT_EQ(test, info.version, 4);
	key++;
	KUNIT_EXPECT_FALSE(test, lf_snapshot_next(app, &key, &info));
	for (i = 0; i < ARRAY_SIZE(flow); i++)
		lf_flow_release(&flow[i]);
	key = 0;
	KUNIT_EXPECT_TRUE(test, lf_snapshot_next(app, &key, &info));
	key++;
	KUNIT_EXPECT_FALSE(test, lf_snapshot_next(app, &key, &info));
}

/* Whatever a dump shows changes the generation; what it does not show does not. */
static void lf_test_generation(struct kunit *test)
{
	struct lf_compiled_model sum = LFT_COMPILED("sum", 1, lft_run_sum);
	struct lf_app *app = lft_open(test, &lft_desc), *other;
	struct lf_app_desc desc = lft_desc;
	struct lf_snapshot_info info;
	struct lf_flow flow = {};
	u32 before, table, now;
	u16 id = 1;
	u64 key;

#define CHANGES(call)								\
do {										\
	before = generation(app);						\
	call;									\
	KUNIT_EXPECT_NE_MSG(test, before, generation(app), #call);		\
	/* which stands for "not known" in netlink */				\
	KUNIT_EXPECT_NE(test, generation(app), 0);				\
} while (0)

	CHANGES(lft_install(test, 0, 1));
	CHANGES(lft_activate(test, 0));
	CHANGES(lft_install(test, 1, 2));
	lft_ask(test, &flow);
	CHANGES(lft_activate(test, 1));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_rollback(app, NULL, NULL), 0));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, -1, 3, NULL), 0));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_FORCE, NULL), 0));
	CHANGES(lf_flow_release(&flow));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), 0));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 2, "sum", NULL, NULL), 0));
	CHANGES(lf_compiled_unregister(&sum));
	CHANGES(KUNIT_EXPECT_EQ(test, lf_remove(app, 1, LF_REMOVE_EVICT, NULL), 0));
#undef CHANGES

	/* refusals, queries and looks are no changes, nor are those of others */
	lft_install(test, 0, 1);
	lft_activate(test, 0);
	before = generation(app);
	lft_ask(test, NULL);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lf_activate(app, 3, NULL, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, lft_try_install(test, 0, 1, NULL), -EBUSY);
	for (key = 0; lf_snapshot_next(app, &key, &info); key++)
		KUNIT_EXPECT_EQ(test, info.generation, before);
	KUNIT_EXPECT_EQ(test, info.generation, before);
	KUNIT_EXPECT_EQ(test, generation(app), before);

	lf_app_put(lf_app_next(&id, &table));
	KUNIT_EXPECT_NE(test, table, 0);
	desc.name = "core-test-other";
	other = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	lf_app_put(lf_app_next(&id, &now));
	KUNIT_EXPECT_NE(test, now, table);
	KUNIT_EXPECT_EQ(test, generation(app), before);
	table = now;
	lf_app_unregister(other);
	lf_app_put(lf_app_next(&id, &now));
	KUNIT_EXPECT_NE(test, now, table);
}

/* Anyone may dump, so nobody may have to wait for a dump. */
static void lf_test_no_lock(struct kunit *test)
{
	struct lf_compiled_model sum = LFT_COMPILED("sum", 1, lft_run_sum);
	struct lf_app *app = lft_open(test, &lft_desc);
	unsigned int snapshots = 0, compiled = 0;
	char name[LITEFLOW_NAME_LEN];
	struct lf_snapshot_info info;
	struct lf_app_stats stats;
	struct lf_flow flow = {};
	u32 now, number = 0;
	u64 key;

	lft_install(test, 0, 1);
	lft_activate(test, 0);
	lft_ask(test, &flow);
	lft_install(test, 1, 2);
	lft_activate(test, 1);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), 0);

	/* one who wants the lock as well would wait for ever */
	read_seqlock_excl_irq(&app->lock);
	for (key = 0; lf_snapshot_next(app, &key, &info); key++)
		snapshots++;
	for (; lf_compiled_next(app, &number, name, NULL); number++)
		compiled++;
	now = generation(app);
	lf_app_stats(app, &stats);
	read_sequnlock_excl_irq(&app->lock);
	KUNIT_EXPECT_EQ(test, snapshots, 2);
	KUNIT_EXPECT_EQ(test, compiled, 1);
	KUNIT_EXPECT_EQ(test, info.generation, now);
	KUNIT_EXPECT_EQ(test, stats.c.queries, 1);
	lf_flow_release(&flow);
	lf_compiled_unregister(&sum);
}

/* -- text that is cut --------------------------------------------------------- */

/* 1 to 4 bytes per character: cut between characters, and only where needed. */
static void lf_test_text(struct kunit *test)
{
	static const char *const chars[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	char text[64], cut[16], whole[64];
	unsigned int i, before, n;

	for (i = 0; i < ARRAY_SIZE(chars); i++) {
		n = strlen(chars[i]);
		KUNIT_ASSERT_EQ(test, n, i + 1);
		for (before = 0; before <= sizeof(cut); before++) {
			memset(text, 'x', before);
			strscpy(text + before, chars[i], sizeof(text) - before);
			strcat(text, chars[i]);
			lf_copy_text(whole, text, sizeof(whole));
			KUNIT_EXPECT_STREQ(test, whole, text);

			memset(cut, 0x55, sizeof(cut));
			lf_copy_text(cut, text, sizeof(cut));
			/* as many whole characters as fit 15 bytes */
			if (before + 2 * n < sizeof(cut))
				text[before + 2 * n] = 0;
			else if (before + n < sizeof(cut))
				text[before + n] = 0;
			else
				text[min(before, sizeof(cut) - 1)] = 0;
			KUNIT_EXPECT_STREQ(test, cut, text);
		}
	}
}

static void lf_test_provenance(struct kunit *test)
{
	struct lf_testmodel_spec spec = lft_spec;
	struct lft *t = test->priv;
	struct lf_snapshot_info info;
	char text[300];
	size_t len;

	lft_open(test, &lft_desc);
	memset(text, 'x', sizeof(text));
	/* bytes 253 to 256, of which 255 fit */
	strscpy(text + 253, "\xf0\x9f\x98\x80 and more", sizeof(text) - 253);
	spec.provenance = text;
	len = lf_testmodel_constant(7, &spec, t->blob, LFT_BLOB_SIZE);
	KUNIT_ASSERT_EQ(test, lf_install(t->app, 0, t->blob, len, NULL, NULL), 0);
	lft_state(test, 0, &info);
	text[253] = 0;
	KUNIT_EXPECT_STREQ(test, info.provenance, text);
}

static void lf_test_refusal_text(struct kunit *test)
{
	struct lf_error err;

	lf_refuse(&err, "%*s\xe2\x82\xac\xe2\x82\xac", LF_ERROR_LEN - 5, "");
	KUNIT_EXPECT_EQ(test, strlen(err.msg), LF_ERROR_LEN - 2);
	lf_refuse(&err, "%*s\xe2\x82\xac\xe2\x82\xac", LF_ERROR_LEN - 6, "");
	KUNIT_EXPECT_EQ(test, strlen(err.msg), LF_ERROR_LEN - 3);
}

/* -- a slow callback ---------------------------------------------------------- */

static struct {
	struct completion began;
	struct completion go;
} slow;

static int slow_prepare(struct lf_app *app, const struct lf_model *model, void **priv,
			struct lf_error *err)
{
	complete(&slow.began);
	wait_for_completion(&slow.go);
	return 0;
}

static const struct lf_app_ops slow_ops = {
	.prepare = slow_prepare,
};

struct job {
	struct work_struct work;
	struct completion done;
	struct kunit *test;
	struct lf_app *app;
	struct lf_app *slow;
	const void *blob;
	size_t len;
	u32 steps;
	int ret;
};

static void slow_install(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	job->ret = lf_install(job->slow, 1, job->blob, job->len, NULL, NULL);
	complete(&job->done);
}

/* All that must go on while the other app's callback waits. */
static void others_go_on(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	struct lf_snapshot_info snap;
	char name[LITEFLOW_NAME_LEN];
	struct lf_app_stats stats;
	struct lf_app_desc desc = lft_desc;
	s32 in[2] = {}, out = 0;
	struct lf_app *app;
	u32 number = 0;
	u64 key = 0;
	u16 id;

	desc.name = "core-test-third";
	job->steps += lf_install(job->app, 0, job->blob, job->len, NULL, NULL) == 0;
	job->steps += lf_activate(job->app, 0, NULL, NULL) == 0;
	app = lf_app_get_by_name("core-test-slow");
	job->steps += app == job->slow;
	lf_app_put(app);
	id = lf_app_id(job->slow);
	app = lf_app_next(&id, NULL);
	job->steps += app == job->slow;
	lf_app_put(app);
	job->steps += generation(job->slow) != 0;
	lf_app_stats(job->slow, &stats);
	job->steps += stats.c.queries == 0;
	job->steps += lf_snapshot_next(job->slow, &key, &snap) && !snap.slot;
	job->steps += !lf_compiled_next(job->slow, &number, name, NULL);
	job->steps += lf_eval(job->slow, 0, in, &out, 1, NULL) == 0 && out == 9;
	app = lf_app_register(&desc);
	job->steps += !IS_ERR(app);
	lf_app_unregister(app);
	complete(&job->done);
}

#define SLOW_STEPS	10

static void run_job(struct job *job, work_func_t func)
{
	init_completion(&job->done);
	INIT_WORK_ONSTACK(&job->work, func);
	queue_work(system_unbound_wq, &job->work);
}

/* One app's prepare() waits: others, and whoever looks at this one, do not. */
static void lf_test_slow_callback(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_app_desc desc = lft_desc;
	struct job install = { .ret = 1 }, others = {};
	struct lft *t = test->priv;
	bool finished;

	init_completion(&slow.began);
	init_completion(&slow.go);
	desc.name = "core-test-slow";
	desc.ops = &slow_ops;
	install.slow = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, install.slow);
	install.blob = t->blob;
	install.len = lf_testmodel_constant(9, &lft_spec, t->blob, LFT_BLOB_SIZE);
	others = install;
	others.app = app;

	/* once without waiting, so that there is something to look at */
	complete(&slow.go);
	KUNIT_EXPECT_EQ(test, lf_install(install.slow, 0, t->blob, install.len, NULL, NULL), 0);
	wait_for_completion(&slow.began);

	run_job(&install, slow_install);
	wait_for_completion(&slow.began);
	run_job(&others, others_go_on);
	finished = wait_for_completion_timeout(&others.done, 10 * HZ);
	KUNIT_EXPECT_TRUE(test, finished);
	KUNIT_EXPECT_FALSE(test, completion_done(&install.done));
	complete(&slow.go);
	wait_for_completion(&install.done);
	if (!finished)
		wait_for_completion(&others.done);
	flush_work(&install.work);
	flush_work(&others.work);
	destroy_work_on_stack(&install.work);
	destroy_work_on_stack(&others.work);
	KUNIT_EXPECT_EQ(test, others.steps, SLOW_STEPS);
	KUNIT_EXPECT_EQ(test, install.ret, 0);
	lf_app_unregister(install.slow);
}

static struct kunit_case lf_dump_cases[] = {
	KUNIT_CASE(lf_test_keys),
	KUNIT_CASE(lf_test_generation),
	KUNIT_CASE(lf_test_no_lock),
	KUNIT_CASE(lf_test_text),
	KUNIT_CASE(lf_test_provenance),
	KUNIT_CASE(lf_test_refusal_text),
	KUNIT_CASE(lf_test_slow_callback),
	{}
};

static struct kunit_suite lf_dump_suite = {
	.name = "liteflow_dump",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = lf_dump_cases,
};

kunit_test_suite(lf_dump_suite);
