// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of the hook: its answers, its files, its processes, its user.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"
#include "fake.h"
#include "faults.h"
#include "utf8.h"

static const struct {
	const char *hook;
	const char *more;
	const char *says;
} hook_faults[] = {
	{ "adapt-crash", "", "ended by signal 6" },
	{ "adapt-status", "", "ended with status 3" },
	{ "adapt-hang", ", \"hook_wall_s\": 1", "took more than 1 s (hook_wall_s)" },
	{ "adapt-spin", ", \"hook_cpu_s\": 1", "hook_cpu_s" },
	{ "adapt-memory", ", \"hook_memory_mib\": 64", "ended by signal 6" },
	{ "adapt-file", ", \"hook_file_mib\": 1", "hook_file_mib" },
	{ "adapt-bomb", ", \"hook_wall_s\": 1, \"hook_processes\": 40", "hook_wall_s" },
	{ "adapt-flood", "", "more than 64 KiB (hook_output_kib)" },
	{ "adapt-half", "", "unexpected end of data" },
	{ "adapt-list", "", "no JSON object" },
	{ "adapt-text", "", "not JSON" },
	{ "adapt-nothing", "", "gave no answer" },
	{ "adapt-early", "", "belongs to the answer of freeze" },
	{ "evaluate-nan", "", "finite number" },
	{ "evaluate-infinite", "", "finite number" },
	{ "evaluate-word", "", "finite number" },
	{ "evaluate-unknown", "", "did you mean 'stability'" },
	{ "evaluate-twice", "", "there twice" },
	{ "evaluate-crash", "", "verb=evaluate" },
	{ "freeze-hang", ", \"hook_wall_s\": 1", "verb=freeze" },
	{ "freeze-outside", "", "is no name of a file" },
	{ "freeze-absolute", "", "is no name of a file" },
	{ "freeze-missing", "", "No such file" },
	{ "freeze-old", "", "No such file" },
	{ "freeze-link", "", "is a symbolic link" },
	{ "freeze-fifo", "", "no regular file" },
	{ "freeze-folder", "", "no regular file" },
	{ "freeze-large", "", "larger than" },
	{ "freeze-long", "", "larger than 4194304 bytes" },
	{ "freeze-shape", "", "weights" },
	{ "freeze-weight", "", "weights" },
	{ "freeze-torn", "", "freeze" },
	{ "freeze-garbage", "", "model 'net.json'" },
	{ "freeze-state", "", "keeps 1 values of state, and lfd judges models that keep none" },
	{ "freeze-onnx", "", "this is an ONNX network" },
};

static void test_hooks(void)
{
	char more[200], path[256];
	bool good;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hook_faults); i++) {
		snprintf(more, sizeof(more), "%s%s", hook_faults[i].more, FAST);
		bench_begin(hook_faults[i].hook, more);
		bench_run_until_hook(300);
		path_of(path, "out/net.json");
		if (strstr(hook_faults[i].hook, "old"))
			fclose(fopen(path, "we"));
		fake->slope = 1.2;
		bench_run(300);
		good = unchanged() && bench_said("event=hook-refused") &&
		       bench_said(hook_faults[i].says) && !bench_processes();
		/* and the next one is well: of some of them, as it takes time */
		if (i % 8 == 0)
			good &= bench_configure("good", FAST) && follows(1.2);
		bench_result(good, "hook %s: refused with a reason, nothing changes",
			     hook_faults[i].hook);
		bench_end();
	}
}

DIR *__real_opendir(const char *name);
static bool blind;

/* The keeper does not see any process, as with a /proc that hides others'. */
DIR *__wrap_opendir(const char *name)
{
	return blind && !strcmp(name, "/proc") ? NULL : __real_opendir(name);
}

static void test_left(void)
{
	bool good;

	bench_begin("adapt-thread", FAST);
	bench_run(200);
	bench_result(bench_said("hook-done verb=adapt") && !bench_processes(),
		     "hook adapt-thread: a process whose first thread ended is gone");
	bench_signal(SIGKILL);
	bench_end();

	bench_begin("adapt-talker", FAST);
	blind = true;
	while (!bench_said("event=hook-refused") && bench_now_s() < 2000)
		bench_run(10);
	blind = false;
	good = unchanged() && bench_said("cannot be killed, and go on") && bench_processes();
	while (bench_signal(SIGKILL))
		usleep(1000);
	bench_result(good && bench_configure("good", FAST) && follows(1.2),
		     "hook adapt-talker: what cannot be killed is told, and the answer refused");
	bench_end();

	/* without what /proc tells, its session can be killed */
	bench_begin("adapt-pair", ", \"hook_wall_s\": 1" FAST);
	blind = true;
	while (!bench_said("event=hook-refused") && bench_now_s() < 2000)
		bench_run(10);
	blind = false;
	bench_result(unchanged() && bench_said("took more than 1 s") && !bench_processes(),
		     "hook adapt-pair: its session is killed even if /proc does not show it");
	bench_signal(SIGKILL);
	bench_end();
}

static void test_hook_rights(void)
{
	setenv("SECRET", "1", 1);
	bench_begin("adapt-privileges", FAST);
	bench_run(300);
	bench_result(bench_said("verb=adapt") && !bench_said("hook-refused"),
		     "hook: another user, no capabilities, no new ones, own session, no files of lfd");
	bench_end();
	bench_begin("adapt-children", FAST);
	bench_run(200);
	bench_result(bench_said("hook-done verb=adapt") && !bench_processes(),
		     "hook adapt-children: processes that it left are gone");
	bench_end();
	bench_begin("adapt-noise", FAST);
	bench_run(120);
	bench_result(bench_said("the rest of what it says is left out") &&
		     bench_said("hook-done verb=adapt") && bench_said("hook-says") < 300,
		     "hook adapt-noise: a flood of messages is cut, the answer counts");
	bench_end();
	bench_begin("adapt-hang", FAST);
	bench_run_until_hook(300);
	service_free(service);
	bench_result(!bench_processes(), "hook adapt-hang: lfd ends, and it with it");
	service = NULL;
	bench_end();
}

/* What is asked of files of the app's folder. */
static bool belongs(const char *name, uid_t uid, gid_t gid)
{
	char path[256];
	struct stat st;

	path_of(path, name);
	return !lstat(path, &st) && st.st_uid == uid && st.st_gid == gid;
}

static void test_other_user(void)
{
	const struct passwd *other = getpwnam("daemon");
	char from[256], to[256];
	bool good;

	if (geteuid() || !other) {
		bench_result(true, "another user of the hook # SKIP only root has one");
		return;
	}
	bench_begin("good", FAST);
	bench_run(100);
	path_of(from, "history/lock");
	path_of(to, "work/link");
	good = !symlink(from, to);
	path_of(to, "work/name");
	good &= !link(from, to);
	path_of(to, "work/folder");
	good &= !mkdir(to, 0755);
	bench_user = "daemon";
	good &= bench_configure("good", FAST);
	good &= belongs("history/00000001.lfh", 0, other->pw_gid) &&
		belongs("history", 0, other->pw_gid) && belongs("", 0, other->pw_gid);
	good &= follows(1.2) && !bench_said("event=hook-refused");
	good &= belongs("work", other->pw_uid, other->pw_gid) &&
		belongs("work/slope", other->pw_uid, other->pw_gid) &&
		belongs("work/folder", other->pw_uid, other->pw_gid) &&
		belongs("history/lock", 0, getegid());
	bench_user = "nobody";
	bench_result(good, "another user of the hook: it reads and goes on with what is there");
	bench_end();
}

/* With nothing to train on a hook waits, and is called again when that is due. */
static void test_none_yet(void)
{
	unsigned int calls;
	bool good;

	bench_begin("adapt-null", FAST);
	bench_run(300);
	calls = bench_said("hook-done verb=adapt");
	good = calls > 3 && !bench_said("hook-refused") && !bench_said("event=stability") &&
	       !bench_said("verb=evaluate") && unchanged();
	fake->slope = 1.2;
	bench_result(good && bench_configure("good", FAST) && follows(1.2),
		     "hook adapt-null: no stability yet is no failure");
	bench_end();
}

static bool is_utf8(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		n = utf8_len(text);
		if (!n)
			return false;
	}
	return true;
}

static void test_bytes(void)
{
	char text[1024] = "x";
	bool good;
	int i;

	bench_begin("adapt-latin", FAST);
	bench_run(100);
	good = bench_said("hook-says verb=adapt text=\"?t? ") && is_utf8(service->last);
	for (i = 0; i < 500; i++)
		strcat(text, "\xc3\xa9");
	for (i = 0; i < 2; i++) {
		service_said(service, text + i);
		good &= is_utf8(service->last) && strlen(service->last) == sizeof(service->last) - 1;
	}
	bench_result(good, "hook adapt-latin: what is no UTF-8 does not come into log and status");
	bench_end();
}

void test_hook_faults(void)
{
	test_hook_rights();
	test_left();
	test_other_user();
	test_bytes();
	test_none_yet();
	test_hooks();
}
