// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's flows: pins, policies, limits, evictions.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/vmalloc.h>

#include <trace/events/liteflow.h>

#include "core_kunit.h"

static void lf_test_pin(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_flow old = {}, new = {}, idle = {};
	struct lf_snapshot_info info;
	struct lf_error err;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, lft_ask(test, &old), LFT_NO_MODEL);
	KUNIT_EXPECT_NULL(test, old.pin);
	lft_install(test, 0, 100);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &old), 100);
	KUNIT_EXPECT_EQ(test, old.seq, 1);
	KUNIT_EXPECT_EQ(test, old.version, 1);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, &info), LF_SLOT_ACTIVE);
	KUNIT_EXPECT_EQ(test, info.pins, 1);

	/* the model leaves its slot after two switches, but not its flow */
	for (i = 1; i <= 1000; i++) {
		u8 slot = i % 2;

		lft_install(test, slot, 100 + i);
		lft_activate(test, slot);
		KUNIT_ASSERT_EQ(test, lft_ask(test, &old), 100);
		KUNIT_ASSERT_EQ(test, old.version, 1);
		KUNIT_ASSERT_EQ(test, lft_ask(test, NULL), 100 + i);
	}
	KUNIT_EXPECT_EQ(test, lft_ask(test, &new), 1100);
	KUNIT_EXPECT_EQ(test, new.version, 1001);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 3);
	KUNIT_EXPECT_EQ(test, lft_state(test, -1, &info), LF_SLOT_RETIRED);
	KUNIT_EXPECT_EQ(test, info.version, 1);
	KUNIT_EXPECT_EQ(test, info.pins, 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->retired_bytes, info.bytes);

	/* even if nothing is active */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_FORCE, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &old), 100);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &new), 1100);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &idle), LFT_NO_MODEL);

	/* the last flow takes it along */
	lf_flow_release(&old);
	KUNIT_EXPECT_NULL(test, old.pin);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	lf_flow_release(&new);
	lf_flow_release(&new);
	lf_flow_release(&idle);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->retired_bytes, 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 2 + 2000 + 1 + 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 0);
}

static void lf_test_follow(struct kunit *test)
{
	struct lf_app_desc desc = lft_desc;
	struct lf_flow flow = {};
	struct lf_app *app;

	desc.policy = LF_POLICY_FOLLOW;
	app = lft_open(test, &desc);
	lft_install(test, 0, 1);
	lft_install(test, 1, 2);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), 1);
	KUNIT_EXPECT_NULL(test, flow.pin);
	lft_activate(test, 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), 2);
	KUNIT_EXPECT_EQ(test, flow.version, 2);
	KUNIT_EXPECT_EQ(test, flow.seq, 2);

	/* from now on pinned, and then not any more */
	KUNIT_EXPECT_EQ(test, lf_app_set(app, LF_POLICY_PIN, -1, -1, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), 2);
	KUNIT_EXPECT_NOT_NULL(test, flow.pin);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), 2);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, LF_POLICY_FOLLOW, -1, -1, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), 1);
	KUNIT_EXPECT_NULL(test, flow.pin);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 0);
}

static void lf_test_evict(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_flow a = {}, b = {}, none = {};
	struct lf_error err;

	lft_install(test, 0, 1);
	lft_activate(test, 0);
	lft_ask(test, &a);
	lft_ask(test, &b);
	lft_install(test, 1, 2);
	lft_activate(test, 1);

	/* flows lose it at once, and go over when they ask */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_EVICT, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), 2);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 1);

	/* nowhere to go: counted once there is */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, LF_REMOVE_EVICT | LF_REMOVE_FORCE, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_live(test), 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 1);
	lft_install(test, 0, 3);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), 3);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &b), 3);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 3);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 2);

	/* what no flow holds is not evicted, only removed */
	lft_install(test, 1, 4);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, LF_REMOVE_EVICT, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 2);
	lf_flow_release(&a);
	lf_flow_release(&b);
	lf_flow_release(&none);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
}

static void lf_test_limit_repin(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_flow flow[6] = {};
	struct lf_snapshot_info info;
	unsigned int i;

	lft_install(test, 0, 0);
	lft_activate(test, 0);
	lft_state(test, 0, &info);
	/* room for two */
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, 2 * info.bytes + 1, -1, NULL), 0);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[i]), i);
		lft_install(test, (i + 1) % 2, i + 1);
		lft_activate(test, (i + 1) % 2);
		KUNIT_EXPECT_LE(test, lft_stats(test)->retired_bytes, 2 * info.bytes);
	}
	/* slots: 5 and 6; retired: 3 and 4; evicted: 0, 1 and 2 */
	KUNIT_EXPECT_EQ(test, lft_live(test), 4);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 3);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 0);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[i]), i < 3 ? 6 : i);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 3);

	/* a lower limit holds at once, and the oldest goes first */
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, info.bytes, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 4);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[3]), 6);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[4]), 4);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, 0, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[4]), 6);
	/* the retired one in a slot is not meant */
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[5]), 5);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 5);
	for (i = 0; i < 6; i++)
		lf_flow_release(&flow[i]);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->retired_bytes, 0);
}

/* Few bytes, but so many that looking at each would take too long. */
static void lf_test_limit_number(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	unsigned int i, n = LF_MAX_RETIRED + 10;
	struct lf_flow *flow;

	flow = kunit_kcalloc(test, n, sizeof(*flow), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, flow);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, U32_MAX, -1, NULL), 0);
	for (i = 0; i < n; i++) {
		lft_install(test, i % 2, i);
		lft_activate(test, i % 2);
		KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[i]), i);
	}
	/* two are in slots */
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, n - 2 - LF_MAX_RETIRED);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, lft_ask(test, &flow[i]),
				i < n - 2 - LF_MAX_RETIRED ? n - 1 : i);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, n - 2 - LF_MAX_RETIRED);
	for (i = 0; i < n; i++)
		lf_flow_release(&flow[i]);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->retired_bytes, 0);
}

static void lf_test_limit_refuse(struct kunit *test)
{
	struct lf_app_desc desc = lft_desc;
	struct lf_flow a = {}, b = {};
	struct lf_error err;
	struct lf_app *app;

	desc.at_limit = LF_AT_LIMIT_REFUSE;
	desc.max_retired = 1;
	app = lft_open(test, &desc);
	lft_install(test, 0, 1);
	lft_activate(test, 0);
	lft_ask(test, &a);
	lft_install(test, 1, 2);
	lft_activate(test, 1);

	LFT_REFUSED(test, lft_try_install(test, 0, 3, &err), &err, -ENOSPC);
	LFT_REFUSED(test, lf_remove(app, 0, 0, &err), &err, -ENOSPC);
	lft_ask(test, &b);
	LFT_REFUSED(test, lf_remove(app, 1, LF_REMOVE_FORCE, &err), &err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &a), 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &b), 2);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 0);

	/* ways out: the flow ends; it is evicted on purpose; a higher limit */
	lf_flow_release(&a);
	KUNIT_EXPECT_EQ(test, lft_try_install(test, 0, 3, &err), 0);
	lft_activate(test, 0);
	LFT_REFUSED(test, lf_remove(app, 1, 0, &err), &err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, SZ_1M, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &b), 2);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, 0, -1, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &b), 2);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 0);
	lft_ask(test, &a);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_FORCE | LF_REMOVE_EVICT, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.evictions, 1);
	lf_flow_release(&a);
	lf_flow_release(&b);
	KUNIT_EXPECT_EQ(test, lft_live(test), 0);
}

static void lf_test_unregister_pins(struct kunit *test)
{
	struct lf_flow slot = {}, retired = {}, evicted = {};
	struct lf_app *app = lft_open(test, &lft_desc);

	lft_install(test, 0, 1);
	lft_activate(test, 0);
	lft_ask(test, &evicted);
	lft_install(test, 1, 2);
	lft_activate(test, 1);
	lft_ask(test, &retired);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_EVICT, NULL), 0);
	lft_install(test, 0, 3);
	lft_activate(test, 0);
	lft_ask(test, &slot);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);

	lft_close(test);
	KUNIT_EXPECT_EQ(test, lft_seen.released, 3);
	lf_drain();
	/* KASAN looks on */
	lf_flow_release(&slot);
	lf_flow_release(&retired);
	lf_flow_release(&evicted);
	rcu_barrier();
}

static struct {
	u32 from;
	u32 to;
	u64 flow;
	unsigned int n;
} traced;

static void probe_switch(void *data, const char *app, u32 from, u32 to)
{
	traced.from = from;
	traced.to = to;
	traced.n++;
}

static void probe_evict(void *data, const char *app, u32 version, unsigned int flows)
{
	traced.from = version;
	traced.flow = flows;
	traced.n++;
}

static void probe_repin(void *data, const char *app, u64 flow, u32 from, u32 to)
{
	traced.from = from;
	traced.to = to;
	traced.flow = flow;
	traced.n++;
}

static void lf_test_traced(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_flow flow = { .id = 99 };

	memset(&traced, 0, sizeof(traced));
	lft_install(test, 0, 1);
	lft_install(test, 1, 2);
	lft_activate(test, 0);
	lft_ask(test, &flow);
	if (register_trace_lf_switch(probe_switch, NULL))
		kunit_skip(test, "tracepoints are not built");
	lft_activate(test, 1);
	unregister_trace_lf_switch(probe_switch, NULL);
	KUNIT_EXPECT_EQ(test, traced.n, 1);
	KUNIT_EXPECT_EQ(test, traced.from, 1);
	KUNIT_EXPECT_EQ(test, traced.to, 2);

	KUNIT_ASSERT_EQ(test, register_trace_lf_evict(probe_evict, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_EVICT, NULL), 0);
	unregister_trace_lf_evict(probe_evict, NULL);
	KUNIT_EXPECT_EQ(test, traced.n, 2);
	KUNIT_EXPECT_EQ(test, traced.from, 1);
	KUNIT_EXPECT_EQ(test, traced.flow, 1);

	KUNIT_ASSERT_EQ(test, register_trace_lf_repin(probe_repin, NULL), 0);
	lft_ask(test, &flow);
	lft_ask(test, &flow);
	unregister_trace_lf_repin(probe_repin, NULL);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, traced.n, 3);
	KUNIT_EXPECT_EQ(test, traced.from, 1);
	KUNIT_EXPECT_EQ(test, traced.to, 2);
	KUNIT_EXPECT_EQ(test, traced.flow, 99);
	lf_flow_release(&flow);
}

#define MANY	1000000
#define FEW	1000

static void many_flows(struct kunit *test, struct lf_flow *flow, unsigned int n, u64 *ns)
{
	u64 start = ktime_get_ns();
	unsigned int i, lost = 0;

	for (i = 0; i < n; i++)
		lost += lft_ask(test, &flow[i]) != 1;
	ns[0] = div_u64(ktime_get_ns() - start, n);
	start = ktime_get_ns();
	for (i = 0; i < n; i++)
		lost += lft_ask(test, &flow[i]) != 1;
	ns[1] = div_u64(ktime_get_ns() - start, n);
	start = ktime_get_ns();
	for (i = 0; i < n; i++)
		lf_flow_release(&flow[i]);
	ns[2] = div_u64(ktime_get_ns() - start, n);
	KUNIT_EXPECT_EQ(test, lost, 0);
}

/* No list, no table, no allocation: a flow costs the same among a million. */
static void lf_test_million_flows(struct kunit *test)
{
	struct lf_flow *flow = vzalloc(array_size(MANY, sizeof(*flow)));
	u64 few[3], warm[3], many[3];
	struct lf_snapshot_info info;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, flow);
	KUNIT_EXPECT_LE(test, sizeof(*flow), 24);
	lft_open(test, &lft_desc);
	lft_install(test, 0, 1);
	lft_activate(test, 0);
	many_flows(test, flow, FEW, warm);
	many_flows(test, flow, FEW, few);
	many_flows(test, flow, MANY, many);
	kunit_info(test, "bytes per flow: %zu", sizeof(*flow));
	kunit_info(test, "ns per flow, first query / further query / release: %llu / %llu / %llu among 1e3",
		   few[0], few[1], few[2]);
	kunit_info(test, "ns per flow, first query / further query / release: %llu / %llu / %llu among 1e6",
		   many[0], many[1], many[2]);
	/* a walk of a list would take a thousand times as long; a busy machine does not */
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_LT(test, many[i], 500 * few[i] + 5000);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, &info), LF_SLOT_ACTIVE);
	KUNIT_EXPECT_EQ(test, info.pins, 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	vfree(flow);
}

static struct kunit_case lf_flows_cases[] = {
	KUNIT_CASE(lf_test_pin),
	KUNIT_CASE(lf_test_follow),
	KUNIT_CASE(lf_test_evict),
	KUNIT_CASE(lf_test_limit_repin),
	KUNIT_CASE(lf_test_limit_number),
	KUNIT_CASE(lf_test_limit_refuse),
	KUNIT_CASE(lf_test_unregister_pins),
	KUNIT_CASE(lf_test_traced),
	KUNIT_CASE_SLOW(lf_test_million_flows),
	{}
};

static struct kunit_suite lf_flows_suite = {
	.name = "liteflow_flows",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = lf_flows_cases,
};

kunit_test_suite(lf_flows_suite);
