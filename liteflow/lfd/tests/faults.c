// SPDX-License-Identifier: GPL-2.0
/*
 * What can go wrong, by name: each fault happens to a service that was well before, and
 * what must not change is looked at behind it. KTAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"
#include "clock.h"
#include "fake.h"
#include "faults.h"

bool unchanged(void)
{
	return fake->active == 0 && fake->slots[0].version == 1 && service->state.installs == 0;
}

void path_of(char path[256], const char *name)
{
	snprintf(path, 256, "%s/state/%s/%s", bench_dir, FAKE_APP, name);
}

bool follows(double slope)
{
	double end = bench_now_s() + ENOUGH;

	fake->slope = slope;
	while (bench_now_s() < end && fabs(fake_active_slope() - slope) >= 0.05)
		bench_run(20);
	return fabs(fake_active_slope() - slope) < 0.05;
}

/* -- lfd itself ---------------------------------------------------------------------------- */

int __real_watch_reserve(struct watch *w);
static bool no_memory;

int __wrap_watch_reserve(struct watch *w)
{
	return no_memory ? -1 : __real_watch_reserve(w);
}

int __real_watch_begin(struct watch *w, uint32_t version, uint64_t now_ns);

int __wrap_watch_begin(struct watch *w, uint32_t version, uint64_t now_ns)
{
	return no_memory ? -1 : __real_watch_begin(w, version, now_ns);
}

static void test_memory(void)
{
	bool good;

	bench_begin("good", FAST);
	bench_run(60);
	no_memory = true;
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = unchanged() && service->state.phase == STATE_IDLE &&
	       bench_said("verdict=failed step=watch");
	no_memory = false;
	bench_result(good && follows(1.2),
		     "no memory for a trial: nothing is installed, and later all goes on");
	bench_end();

	bench_begin("good", FAST);
	fake->slope = 1.2;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	no_memory = true;
	bench_restart();
	bench_run(20);
	good = bench_said("verdict=none") == 1 && service->state.phase == STATE_IDLE &&
	       service->watch.base == service->version;
	no_memory = false;
	good &= follows(0.4);
	bench_run(1000);
	bench_result(good && bench_said("event=trial verdict=not-worse"),
		     "no memory for a trial after a start: it is over, the next one is watched");
	bench_end();
}

/* -- others ------------------------------------------------------------------------------ */

static void test_kernel(void)
{
	uint64_t lost;
	bool good;

	bench_begin("good", FAST);
	bench_run(100);
	fake_remove_app();
	bench_run(100);
	good = bench_said("event=down") == 2 && bench_said("the app went away") == 1 &&
	       !strcmp(service_phase(service), "down");
	fake_add_app();
	bench_run(20);
	good &= bench_said("event=no-model") == 1;
	fake_install(0, 0.5, true);
	bench_result(good && follows(1.2), "app removed, and back with another number");
	bench_end();

	bench_begin("good", FAST);
	good = follows(1.2) && bench_said("verdict=active");
	fake->slope = 0.4;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	fake_remove_app();
	fake_add_app();
	fake_install(0, 0.5, true);
	bench_run(30);
	bench_result(good && service->state.phase == STATE_IDLE && fake->active == 0 &&
		     bench_said("event=recovered"), "app removed in a trial: the trial is over");
	bench_end();

	bench_begin("good", FAST);
	fake->there = 0;
	bench_run(60);
	good = bench_said("event=down") == 1;
	fake->there = 1;
	bench_result(good && follows(1.2), "no LiteFlow in the kernel: it waits, and says so once");
	bench_end();

	bench_begin("good", FAST);
	fake->reader = true;
	bench_run(60);
	good = bench_said("does another program collect") == 1;
	fake->reader = false;
	bench_result(good && follows(1.2), "a second reader: it waits, and says so once");
	bench_end();

	bench_begin("good", FAST);
	bench_run(60);
	fake->lose = 123;
	bench_run(60);
	lost = 0;
	if (service->history) {
		struct lf_history_state h;

		lf_history_get_state(service->history, &h);
		lost = h.lost;
	}
	bench_result(bench_said("event=lost records=123") && lost == 123 && follows(1.2),
		     "records lost by the kernel: told, and a gap in the history");
	bench_end();

	bench_begin("good", FAST);
	bench_run(60);
	fake->fail[FAKE_SLOTS] = ENOBUFS;
	bench_run(60);
	good = service->ask != NULL;
	fake->fail[FAKE_SLOTS] = 0;
	bench_result(good && follows(1.2), "answers lost: asked again");
	bench_end();

	bench_begin("good", FAST);
	fake->fail[FAKE_EVAL] = EPERM;
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = unchanged() && bench_said("verdict=unknown");
	fake->fail[FAKE_EVAL] = 0;
	good &= follows(1.2);
	fake->fail[FAKE_EVAL] = EPERM;
	bench_run(900);
	bench_result(good && follows(0.3) && bench_said("answers_of=file"),
		     "no eval: the answers are those of the file, and without one nothing changes");
	bench_end();

	bench_begin("good", FAST);
	fake->fail[FAKE_INSTALL] = EINVAL;
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = unchanged() && bench_said("verdict=failed step=install");
	fake->fail[FAKE_INSTALL] = 0;
	bench_result(good && follows(1.2), "the kernel refuses the model");
	bench_end();
}

static void test_models(void)
{
	unsigned int i;
	bool good;

	bench_begin("good", FAST);
	fake->active = -1;
	memset(fake->slots, 0, sizeof(fake->slots));
	bench_run(300);
	good = bench_said("event=no-model") == 1 && !bench_said("hook-done") &&
	       !strcmp(service_phase(service), "no-model");
	fake_install(2, 0.5, true);
	bench_result(good && follows(1.2), "no model at boot: it waits for one");
	bench_end();

	bench_begin("good", FAST);
	for (i = 1; i < fake->n_slots; i++)
		fake_install(i, 0.1 * i, false);
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = fake->active == 0 && bench_said("others' models are in all slots");
	for (i = 1; i < fake->n_slots; i++)
		good &= fake->slots[i].version == i + 1;
	fake->slots[2].state = 0;
	bench_result(good && follows(1.2) && fake->active == 2, "others' models in all slots: they stay");
	bench_end();

	bench_begin("good", FAST);
	good = bench_run_until_hook(300);
	fake_install(1, 0.9, true);
	bench_run(100);
	bench_result(good && fake->active == 1 && bench_said("event=activated-by-others") == 1 &&
		     service->watch.base == 2, "activated by hand while adapting: it holds");
	bench_end();

	bench_begin("good", FAST);
	fake->slope = 1.2;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	fake_install(3, 1.25, true);
	bench_run(ENOUGH);
	bench_result(fake->active == 3 && bench_said("trial=given-up") == 1 &&
		     service->state.phase == STATE_IDLE, "activated by hand in a trial: it holds");
	bench_end();

	bench_begin("good", FAST);
	bench_run(100);
	fake->active = -1;
	bench_run(100);
	good = fake->active == -1 && bench_said("event=no-model") == 1;
	fake->active = 0;
	bench_result(good && follows(1.2), "active model removed by hand: it waits");
	bench_end();
}

/* -- in the moment between ---------------------------------------------------------------- */

static jmp_buf killed;
static enum fake_op race_at;
static unsigned int race_count;

static void take_slot(enum fake_op op)
{
	if (op != race_at || race_count++)
		return;
	fake_install(1, 0.77, false);
}

static void kill_lfd(enum fake_op op)
{
	if (op != race_at || race_count++)
		return;
	longjmp(killed, 1);
}

/* A change, and lfd is killed at its first @op behind the time that it takes to settle. */
static void kill_at(enum fake_op op)
{
	race_at = op;
	race_count = 0;
	bench_begin("good", FAST);
	fake_race = kill_lfd;
	fake->slope = 1.2;
	if (!setjmp(killed))
		bench_run(ENOUGH);
	fake_race = NULL;
}

static void test_races(void)
{
	bool good;

	race_at = FAKE_ACTIVATE;
	race_count = 0;
	bench_begin("good", FAST);
	fake_race = take_slot;
	fake->slope = 1.2;
	while (!race_count && bench_now_s() < 9000)
		bench_run(10);
	fake_race = NULL;
	good = fake->active == 0 && bench_said("somebody else took the slot");
	bench_result(good && follows(1.2), "slot taken in the last moment: theirs is not active");
	bench_end();

	race_at = FAKE_EVAL;
	race_count = 0;
	bench_begin("good", FAST);
	fake_race = take_slot;
	fake->slope = 1.2;
	while (!race_count && bench_now_s() < 9000)
		bench_run(10);
	fake_race = NULL;
	good = follows(1.2) && fake->slots[1].version == 2 && fake->active == 2;
	bench_result(good, "slot taken while answers are compared: it stays theirs");
	bench_end();

	kill_at(FAKE_INSTALL);
	good = race_count == 1;
	bench_restart();
	bench_run(20);
	good &= fake->active == 0 && bench_said("from=installing result=nothing-left");
	bench_result(good && follows(1.2), "kill before the model is in its slot");
	bench_end();

	kill_at(FAKE_ACTIVATE);
	good = race_count == 1;
	bench_restart();
	bench_run(20);
	good &= fake->active == 0 && bench_said("from=installing result=removed") &&
		!fake->slots[1].state;
	bench_result(good && follows(1.2), "kill before it is active: it is taken away");
	bench_end();

	bench_begin("good", FAST);
	fake->slope = 1.2;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(1);
	bench_restart();
	bench_run(20);
	good = bench_said("from=trial result=trial-begins-anew") && service->watch.trial == 2 &&
	       service->watch.n_before > 8;
	bench_run(900);
	bench_result(good && bench_said("event=trial verdict=not-worse") == 1 &&
		     fabs(fake_active_slope() - 1.2) < 0.05,
		     "kill in a trial: it begins anew, with what was before");
	bench_end();

	/* the model is worse, and lfd is killed as it wants to return */
	bench_begin("freeze-worse", FAST);
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(1);
	race_at = FAKE_ACTIVATE;
	race_count = 0;
	fake_race = kill_lfd;
	if (!setjmp(killed))
		bench_run(ENOUGH);
	fake_race = NULL;
	good = race_count == 1 && fake->active == 1;
	bench_restart();
	bench_run(10);
	bench_result(good && fake->active == 0 && !fake->slots[1].state &&
		     bench_said("event=rollback verdict=done"), "kill before the return: it returns");
	bench_end();
}

/* -- models that are worse ------------------------------------------------------------- */

static void test_worse(uint32_t policy, const char *name)
{
	uint8_t digest[LF_DIGEST_LEN];
	bool good;

	bench_begin("freeze-worse", FAST);
	fake->policy = policy;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	memcpy(digest, fake->slots[1].digest, sizeof(digest));
	bench_run(700);
	good = fake->active == 0 && !fake->slots[1].state &&
	       bench_said("event=trial verdict=worse") == 1 &&
	       bench_said("event=rollback verdict=done") == 1 &&
	       state_is_refused(&service->state, digest);
	bench_run(800);
	good &= service->state.installs == 1 && bench_said("it was worse before");
	bench_restart();
	bench_run(800);
	bench_result(good && service->state.installs == 1 && fake->active == 0,
		     "%s: a model that is worse: back, and never again", name);
	bench_end();
}

/* What is packed depends on the last inputs, what is refused does not. */
static void test_worse_packed_anew(void)
{
	char first[DIGEST_TEXT], said[64];
	bool good;

	bench_begin("freeze-hidden", FAST);
	fake->slope = 0.3;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	digest_text(fake->slots[1].digest, first);
	bench_run(800);
	fake->slope = 1.8;
	bench_run(3000);
	snprintf(said, sizeof(said), "verdict=refused digest=%.16s", first);
	good = bench_said("event=rollback verdict=done") == 1 &&
	       bench_said("event=candidate verdict=refused") > bench_said(said) &&
	       service->state.n_refused == 1;
	bench_restart();
	bench_run(3000);
	bench_result(good && service->state.installs == 1 && fake->active == 0,
		     "a model that is worse, packed anew: never again either");
	bench_end();
}

static void test_policy_changes(void)
{
	bench_begin("freeze-worse", FAST);
	bench_run(60);
	fake->policy = LITEFLOW_POLICY_PIN;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	bench_run(700);
	bench_result(fake->active == 0 && bench_said("verdict=worse how=side-by-side") == 1,
		     "the policy is changed while lfd runs: the trial is judged by the new one");
	bench_end();
}

static void test_return_fails(void)
{
	bool good;

	bench_begin("freeze-worse", FAST);
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	fake->fail[FAKE_ACTIVATE] = EPERM;
	bench_run(700);
	good = fake->active == 1 && service->state.phase == STATE_RETURNING &&
	       bench_said("event=rollback verdict=failed");
	fake->fail[FAKE_ACTIVATE] = 0;
	bench_run(30);
	bench_result(good && fake->active == 0, "the return fails: it is tried until it works");
	bench_end();

	bench_begin("freeze-worse", FAST);
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	fake->fail[FAKE_ACTIVATE] = EPERM;
	bench_run(1200);
	bench_result(service->state.phase == STATE_RETURNING && service_next(service) > clock_now(),
		     "the return fails while an adaptation would be due: lfd waits in between");
	bench_end();
}

static void test_no_way_back(void)
{
	uint8_t digest[LF_DIGEST_LEN];
	bool good;

	bench_begin("freeze-worse", FAST);
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	memcpy(digest, fake->slots[1].digest, sizeof(digest));
	fake->slots[0].state = 0;
	fake->previous = -1;
	bench_run(1200);
	good = fake->active == 1 && service->state.phase == STATE_IDLE &&
	       bench_said("event=trial verdict=worse") == 1 &&
	       bench_said("event=rollback verdict=impossible") == 1 &&
	       bench_said("event=rollback") == 1 && state_is_refused(&service->state, digest) &&
	       service_next(service) > clock_now();
	good &= bench_configure("good", FAST);
	bench_result(good && follows(0.5) && fake->active == 0 && service->state.installs == 2,
		     "no model to return to: told once, and the next one replaces the worse one");
	bench_end();
}

static void test_no_rewards(void)
{
	bool good;

	bench_begin("good", FAST);
	fake->no_reward = true;
	good = follows(1.2);
	bench_run(700);
	bench_result(good && bench_said("event=trial verdict=unknown") == 1 &&
		     fabs(fake_active_slope() - 1.2) < 0.05,
		     "no rewards: the trial's end is unknown, the model stays");
	bench_end();
}

/* -- time, and configurations ------------------------------------------------------------ */

static void replace_in_state(const char *from, const char *to)
{
	char path[256], text[65536], *at;
	size_t n;
	FILE *f;

	path_of(path, "state.json");
	f = fopen(path, "re");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	at = strstr(text, from);
	if (!at)
		return;
	memcpy(at + strlen(from), to, strlen(to));
	f = fopen(path, "we");
	fputs(text, f);
	fclose(f);
}

static void test_clocks(void)
{
	bool good;

	bench_begin("good", FAST);
	fake->slope = 1.2;
	while (service->state.phase != STATE_TRIAL && bench_now_s() < 9000)
		bench_run(10);
	bench_clock_step(86400);
	fake_sleep();
	bench_run(100);
	bench_result(service->state.installs == 1 && service->state.phase == STATE_IDLE &&
		     fake_active_slope() > 1 && bench_said("event=trial verdict=unknown") == 1,
		     "a day asleep in a trial: too little is known, nothing breaks");
	bench_end();

	bench_begin("good", ", \"stability_window\": 3, \"hold_off_s\": 100000");
	good = follows(1.2);
	bench_run(700);
	bench_restart();
	fake->slope = 0.3;
	bench_run(ENOUGH);
	bench_result(good && service->state.installs == 1 && bench_said("waits_for=hold-off"),
		     "hold-off: a new start does not end it");
	replace_in_state("\"boot\": \"", "00000000");
	replace_in_state("\"boot\":\"", "00000000");
	bench_restart();
	bench_result(follows(0.3), "hold-off: another boot does");
	bench_end();

	/* times of a clock that began anew: as far ahead as one can write */
	bench_begin("good", FAST);
	bench_run(10);
	service->state.hold_until_ns = UINT64_MAX / 2;
	state_save(&service->state, service->dir);
	bench_restart();
	bench_result(follows(1.2), "hold-off: none is longer than configured");
	bench_end();
}

static const char *const bad_configs[] = {
	", \"alpha\": 5", ", \"alpha_percent\": -1", ", \"alpha_percent\": \"5\"",
	", \"hook_wall_s\": 1.5", ", \"hook_user\": \"root\"", ", \"collect_every\": 3",
	", \"trial_s\": 20", ", \"stability_window\": NaN", ", \"app\": \"mine\"", "}",
};

/* A script with this first line is refused, and why. */
static bool refused_script(const char *first, const char *says)
{
	char path[128], file[128], why[CONFIG_REASON];
	struct config *c;
	FILE *f;

	snprintf(path, sizeof(path), "%s/script", bench_dir);
	f = fopen(path, "we");
	fprintf(f, "%s\necho '{}'\n", first);
	fclose(f);
	chmod(path, 0755);
	snprintf(file, sizeof(file), "%s/script.json", bench_dir);
	f = fopen(file, "we");
	fprintf(f, "{ \"app\": \"mine\", \"hook\": \"%s\", \"hook_user\": \"nobody\" }", path);
	fclose(f);
	c = config_read(file, why);
	if (!c)
		return says && strstr(why, says);
	config_free(c);
	return !says;
}

static void test_scripts(void)
{
	bool good;

	if (geteuid()) {
		bench_result(true, "a hook's interpreter # SKIP hook_user needs root");
		return;
	}
	bench_begin("good", FAST);
	good = refused_script("#!/bin/sh", NULL) && refused_script("#! /bin/sh -eu", NULL) &&
	       refused_script("#!/bin/sh\r", "\"/bin/sh\": its lines end with a carriage return") &&
	       refused_script("#!/no/such/python -u", "\"/no/such/python\": No such file");
	bench_result(good, "a hook whose interpreter is not there: told by the check");
	bench_end();
}

static void test_configs(void)
{
	unsigned int i, refused = 0;
	bool good = true;

	bench_begin("good", FAST);
	bench_run(50);
	for (i = 0; i < ARRAY_SIZE(bad_configs); i++) {
		refused += !bench_configure("good", bad_configs[i]);
		good &= bench_said("event=config-refused") == i + 1;
	}
	bench_result(good && refused == i && follows(1.2),
		     "bad configurations, %u of them: the old one goes on", i);
	bench_end();

	bench_begin("adapt-hang", ", \"hook_wall_s\": 2" FAST);
	good = bench_run_until_hook(300) && bench_configure("good", ", \"necessity_inputs\": 50" FAST) &&
	       hook_runs(&service->hook);
	bench_run(1);
	good &= bench_said("took more than 2 s") == 1;
	bench_result(good && service->room == 50 && follows(1.2),
		     "reload while adapting: the call goes on under its limits, then the new ones hold");
	bench_end();

	bench_begin("good", ", \"install\": false" FAST);
	fake->slope = 1.2;
	bench_run(ENOUGH);
	bench_result(unchanged() && bench_said("verdict=off"), "\"install\": false: nothing changes");
	bench_end();
}
int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	bench_init(argv[1]);
	puts("KTAP version 1");
	test_worse(LITEFLOW_POLICY_FOLLOW, "follow");
	test_worse(LITEFLOW_POLICY_PIN, "pin");
	test_worse_packed_anew();
	test_policy_changes();
	test_return_fails();
	test_no_way_back();
	test_no_rewards();
	test_memory();
	test_kernel();
	test_models();
	test_races();
	test_clocks();
	test_configs();
	test_scripts();
	test_disk_faults();
	test_hook_faults();
	return bench_finish();
}
