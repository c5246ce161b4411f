// SPDX-License-Identifier: GPL-2.0
/*
 * Plans with a second RSS context: all or nothing, and a rollback from wherever it ended. KTAP.
 */
#include <linux/ethtool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "devquery.h"
#include "fakedev.h"
#include "flowmage.h"
#include "tap.h"

bool opt_json;

static char dir[] = "/tmp/flowmage-test.XXXXXX";
static struct fake before[2];

/* Both devices have a context and a rule of the user's already. */
static void begin(bool places)
{
	unsigned int d;

	fake_reset();
	for (d = 0; d < 2; d++) {
		fakes[d].n_contexts = CONTEXTS;
		fakes[d].places = places;
		fakes[d].context[0].used = true;
		memset(fakes[d].context[0].key, 0x77, KEY);
		fakes[d].rule[2] = (struct fake_rule){ TCP_V4_FLOW | FLOW_RSS, 1, 0 };
	}
	memcpy(before, fakes, sizeof(before));
}

static void with_contexts(struct plan *plan, uint8_t mark)
{
	unsigned int d, i;

	make_plan(plan, mark);
	plan->way = WAY_CONTEXTS;
	for (d = 0; d < 2; d++) {
		plan->context[d].used = true;
		plan->context[d].rss = plan->set[d];
		memset(plan->context[d].rss.key, mark + 0x40 + d, KEY);
		for (i = 0; i < TABLE; i++)
			plan->context[d].rss.table[i] = (i + mark) / 5 % QUEUES;
	}
}

/* How many contexts and rules a device has that lead to such a key. */
static unsigned int found(unsigned int d, const struct plan *plan)
{
	const struct fake *f = &fakes[d];
	unsigned int c, r, n = 0;

	for (c = 0; c < CONTEXTS; c++) {
		if (!f->context[c].used ||
		    memcmp(f->context[c].key, plan->context[d].rss.key, KEY) ||
		    memcmp(f->context[c].table, plan->context[d].rss.table, 4 * TABLE))
			continue;
		for (r = 0; r < RULES; r++)
			n += f->rule[r].flow_type == (IPV6_USER_FLOW | FLOW_RSS) &&
			     f->rule[r].context == c + 1;
	}
	return n;
}

static unsigned int used(unsigned int d)
{
	unsigned int c, n = 0;

	for (c = 0; c < CONTEXTS; c++)
		n += fakes[d].context[c].used;
	return n;
}

static bool is_set(const struct plan *plan)
{
	return has(plan) && found(0, plan) == 1 && found(1, plan) == 1 && used(0) == 2 &&
	       used(1) == 2;
}

static void good_times(bool places)
{
	const char *where = places ? "named places" : "any place";
	struct plan first, second, plain;

	begin(places);
	with_contexts(&first, 1);
	ok(first.devices[0].contexts == 1, "a device that has contexts, rules in %s", where);
	ok(!apply_commit(&first, dir) && is_set(&first), "contexts are made");
	ok(!apply_commit(&first, dir) && is_set(&first), "a second time nothing is added");
	with_contexts(&second, 9);
	ok(!apply_commit(&second, dir) && is_set(&second), "another plan changes them");
	make_plan(&plain, 3);
	ok(!apply_commit(&plain, dir) && has(&plain) && used(0) == 1 && used(1) == 1,
	   "a plan without contexts takes them away");
	ok(!apply_commit(&second, dir) && is_set(&second), "they come again");
	ok(!apply_rollback(NULL, dir) && fake_is(before), "all go back");
	plan_free(&first);
	plan_free(&second);
	plan_free(&plain);
}

/* Someone has taken the context away meanwhile: it is made anew, or there is nothing to undo. */
static void gone(void)
{
	struct plan plan;

	begin(false);
	with_contexts(&plan, 1);
	ok(!apply_commit(&plan, dir), "contexts are made");
	memcpy(fakes[0].context, before[0].context, sizeof(fakes[0].context));
	memcpy(fakes[0].rule, before[0].rule, sizeof(fakes[0].rule));
	ok(!apply_commit(&plan, dir) && is_set(&plan), "one that is gone is made anew");
	memcpy(fakes[1].context, before[1].context, sizeof(fakes[1].context));
	memcpy(fakes[1].rule, before[1].rule, sizeof(fakes[1].rule));
	ok(!apply_rollback(NULL, dir) && fake_is(before), "and a rollback does without it");
	plan_free(&plan);
}

/* One call fails, each in turn; @first: with a plan that is there already. */
static unsigned int one_fault(bool ignore, bool first)
{
	struct fake was[2];
	struct plan plan, old;
	unsigned int n;
	bool good = true;

	for (n = 1; ; n++) {
		begin(n & 1);
		with_contexts(&old, 20);
		if (first && apply_commit(&old, dir))
			good = false;
		memcpy(was, fakes, sizeof(was));
		with_contexts(&plan, 1);
		memset(fault, 0, sizeof(*fault));
		fault->refuse_at = ignore ? ~0u : n;
		fault->refuse_to = n;
		fault->ignore_at = ignore ? n : 0;
		if (!apply_commit(&plan, dir)) {
			good &= is_set(&plan) && fault->calls < n;
			break;
		}
		good &= fake_is(was) && kept(dir, "eth0") == first && kept(dir, "eth1") == first;
		wipe(dir);
	}
	wipe(dir);
	ok(good && n > (first ? 4 : 12), "%u calls %s, each %s once: nothing half set", n - 1,
	   first ? "to another plan" : "to the first plan", ignore ? "ignored" : "refused");
	return n - 1;
}

static void lasting_fault(unsigned int calls)
{
	struct plan plan;
	unsigned int n;
	bool good = true;

	for (n = 2; n <= calls; n++) {
		begin(n & 1);
		with_contexts(&plan, 1);
		fault->refuse_at = n;
		fault->refuse_to = ~0u;
		good &= apply_commit(&plan, dir) && kept(dir, "eth0");
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && fake_is(before);
		wipe(dir);
	}
	ok(good, "a device that refuses from then on: the rollback takes the contexts away");
}

/* Dies before or after a call: after a context was made, and before its number is on disk. */
static void death(unsigned int calls, bool after)
{
	struct plan plan;
	unsigned int n;
	bool good = true;
	int status;

	for (n = 1; n <= calls - after; n++) {
		begin(n & 1);
		with_contexts(&plan, 1);
		fault->die_at = after ? 0 : n;
		fault->die_after = after ? n : 0;
		if (!fork())
			_exit(apply_commit(&plan, dir));
		wait(&status);
		good &= WEXITSTATUS(status) == 77;
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && fake_is(before);
		wipe(dir);
	}
	ok(good, "the program dies %s each call: the rollback takes the contexts away",
	   after ? "after" : "before");
}

/* What a dry run tells of it. */
static void words(void)
{
	char line[1024];
	struct plan plan;
	int saved, made = 0, rule = 0;
	FILE *f = tmpfile();

	begin(false);
	with_contexts(&plan, 1);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(f), STDOUT_FILENO);
	plan_print_commands(&plan.devices[1], &plan.devices[1].now, &plan.set[1], &plan.context[1]);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		made += !strncmp(line, "ethtool -X eth1 context new hkey 42:42:", 39);
		rule += !strcmp(line, "ethtool -N eth1 flow-type ip6 context NEW\n");
	}
	fclose(f);
	ok(made == 1 && rule == 1, "a dry run tells of the context and the rule");
	plan_free(&plan);
}

static void without(void)
{
	struct plan plan;

	begin(false);
	with_contexts(&plan, 1);
	fakes[0].n_contexts = 0;
	ok(apply_check("plan", &plan), "a device that has no contexts any more");
	plan_free(&plan);
	begin(false);
	with_contexts(&plan, 1);
	fakes[1].n_contexts = 1;
	memcpy(before, fakes, sizeof(before));
	ok(apply_commit(&plan, dir) && fake_is(before) && !kept(dir, "eth0"),
	   "a device whose contexts are all in use: none is made on the other one");
	plan_free(&plan);
}

int main(void)
{
	unsigned int calls;

	complain_as = "flowmage";
	if (fake_begin() || !mkdtemp(dir) || !freopen("/dev/null", "w", stderr))
		return 1;
	printf("TAP version 13\n");
	good_times(false);
	good_times(true);
	gone();
	calls = one_fault(false, false);
	one_fault(true, false);
	one_fault(false, true);
	one_fault(true, true);
	lasting_fault(calls);
	death(calls, false);
	death(calls, true);
	without();
	words();
	wipe(dir);
	rmdir(dir);
	return tap_end();
}
