// SPDX-License-Identifier: GPL-2.0
/*
 * Plans onto devices that exist here only: they refuse, ignore what they are told, or the
 * program dies, at every single step. KTAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "apply.h"
#include "devquery.h"
#include "fakedev.h"
#include "flowmage.h"
#include "tap.h"

bool opt_json;

static char dir[] = "/tmp/flowmage-test.XXXXXX";

static void good_times(const struct fake *before)
{
	struct plan plan, second;

	fake_reset();
	make_plan(&plan, 1);
	ok(plan.devices[0].queues == QUEUES && plan.devices[0].key_len == KEY &&
	   plan.devices[0].table_len == TABLE && plan.devices[0].toeplitz, "a device is read");
	ok(plan.devices[0].now.fields[FLOW_SCTP6] == HASH_ADDRESSES, "what has no hash of its own");
	ok(!apply_commit(&plan, dir) && has(&plan), "a plan is set");
	ok(kept(dir, "eth0") && kept(dir, "eth1"), "what was there is kept");
	ok(!apply_commit(&plan, dir) && has(&plan), "a second time");
	make_plan(&second, 7);
	ok(!apply_commit(&second, dir) && has(&second), "another plan is set");
	ok(!apply_rollback("eth0", dir) && !kept(dir, "eth0") && kept(dir, "eth1"),
	   "one device goes back");
	ok(!memcmp(before, fakes, sizeof(*fakes)), "to what was before the first plan");
	ok(!apply_rollback(NULL, dir) && fake_is(before), "all go back");
	ok(apply_rollback(NULL, dir) && apply_rollback("eth0", dir), "nothing to put back");
	plan_free(&plan);
	plan_free(&second);
}

/* One call fails, each in turn; how many there are. */
static unsigned int one_fault(const struct fake *before, bool ignore)
{
	struct plan plan;
	unsigned int n;
	bool good = true;

	for (n = 1; ; n++) {
		fake_reset();
		make_plan(&plan, 1);
		fault->refuse_at = ignore ? ~0u : n;
		fault->refuse_to = n;
		fault->ignore_at = ignore ? n : 0;
		if (!apply_commit(&plan, dir)) {
			good &= has(&plan) && fault->calls < n;
			plan_free(&plan);
			break;
		}
		good &= fake_is(before) && !kept(dir, "eth0") && !kept(dir, "eth1");
		plan_free(&plan);
	}
	wipe(dir);
	ok(good && n > 6, "%u calls, each %s once: nothing half set", n - 1,
	   ignore ? "ignored" : "refused");
	return n - 1;
}

static void lasting_fault(const struct fake *before, unsigned int calls)
{
	struct plan plan;
	unsigned int n;
	bool good = true;

	for (n = 2; n <= calls; n++) {
		fake_reset();
		make_plan(&plan, 1);
		fault->refuse_at = n;
		fault->refuse_to = ~0u;
		good &= apply_commit(&plan, dir) && kept(dir, "eth0");
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && fake_is(before);
		plan_free(&plan);
		wipe(dir);
	}
	ok(good, "a device that refuses from then on: the rollback finds what was there");
}

static void death(const struct fake *before, unsigned int calls)
{
	struct plan plan;
	unsigned int n;
	bool good = true;
	int status;

	for (n = 1; n <= calls; n++) {
		fake_reset();
		make_plan(&plan, 1);
		fault->die_at = n;
		if (!fork())
			_exit(apply_commit(&plan, dir));
		wait(&status);
		good &= WEXITSTATUS(status) == 77 && kept(dir, "eth0") && kept(dir, "eth1");
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && fake_is(before);
		plan_free(&plan);
	}
	ok(good, "the program dies at each call: the rollback finds what was there");
}

static void changes(const struct fake *before)
{
	struct plan plan;

	fake_reset();
	make_plan(&plan, 1);
	ok(!apply_check("plan", &plan), "nothing has changed");
	fakes[1].queues = 2;
	ok(apply_check("plan", &plan), "a device with fewer queues");
	fakes[1].queues = QUEUES;
	fakes[0].name[0] = 'x';
	ok(apply_check("plan", &plan), "a device that is gone");
	plan_free(&plan);

	fake_reset();
	make_plan(&plan, 1);
	plan.files[plan.n_files].path = strdup("/proc/self/stat");
	strcpy(plan.files[plan.n_files++].digest, "0");
	ok(apply_check("plan", &plan), "a file that has changed");
	plan_free(&plan);

	make_plan(&plan, 1);
	ok(!apply_commit(&plan, dir), "a plan is set");
	fakes[0].queues = 2;
	ok(apply_rollback("eth0", dir) && kept(dir, "eth0"), "not back onto another device");
	fakes[0].queues = QUEUES;
	ok(!apply_rollback(NULL, dir) && fake_is(before), "but onto this one");
	ok(apply_commit(&plan, "/proc/none"), "no place to keep what was there");
	ok(fake_is(before), "then nothing is set");
	plan_free(&plan);
}

/* virtio_net: an XDP program has come or gone, and the device steers by itself. */
static void left(void)
{
	struct fake set[2];
	struct plan plan;

	fake_reset();
	make_plan(&plan, 1);
	ok(!apply_commit(&plan, dir), "a plan is set");
	memcpy(set, fakes, sizeof(set));
	fakes[0].left = fakes[1].left = true;
	ok(!apply_commit(&plan, dir) && fake_is(set), "a device that has left it takes it again");
	fakes[0].left = true;
	ok(!device_renew("eth0") && fake_is(set), "its own key brings the device back");
	fault->refuse_at = fault->calls + 1;
	fault->refuse_to = fault->refuse_at;
	ok(device_renew("eth1") == EXIT_OTHER && fake_is(set), "unless it is refused");
	fakes[1].other = true;
	fault->calls = 0;
	ok(!device_renew("eth1") && !device_renew("none") && !fault->calls,
	   "devices of other drivers are left alone");
	fakes[1].other = false;
	ok(!apply_rollback(NULL, dir), "all go back");
	plan_free(&plan);
}

/* How many lines device_warn() writes. */
static unsigned int warnings(const char *sysfs)
{
	struct device dev = { .name = "eth0", .queues = QUEUES };
	unsigned int lines = 0;
	int c, saved = dup(STDERR_FILENO);
	FILE *f = tmpfile();

	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	device_warn(&dev, sysfs);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	return lines;
}

/* The files of a queue, as sysfs has them. */
static void write_queue(const char *sysfs, const char *name, const char *value)
{
	static const char *const parts[] = { "/class", "/net", "/eth0", "/queues", "/rx-2" };
	char path[PATH_LEN];
	unsigned int i;
	FILE *f;

	snprintf(path, sizeof(path), "%s", sysfs);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		strcat(path, parts[i]);
		mkdir(path, 0700);
	}
	strcat(path, name);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fputs(value, f);
	fclose(f);
}

static void others(void)
{
	char sysfs[] = "/tmp/flowmage-sys.XXXXXX", command[64];

	fake_reset();
	if (!mkdtemp(sysfs))
		exit(1);
	ok(!warnings(sysfs), "nobody takes packets elsewhere");
	write_queue(sysfs, "/rps_cpus", "00000000,00000000\n");
	write_queue(sysfs, "/rps_flow_cnt", "0\n");
	ok(!warnings(sysfs), "RPS is off");
	write_queue(sysfs, "/rps_cpus", "00000000,00000003\n");
	ok(warnings(sysfs) == 1, "RPS is on");
	write_queue(sysfs, "/rps_flow_cnt", "4096\n");
	fakes[0].rules = 3;
	ok(warnings(sysfs) == 3, "RFS, too, and rules for flows");
	snprintf(command, sizeof(command), "rm -r %s", sysfs);
	ok(!system(command), "tidied up");
}

int main(void)
{
	struct fake before[2];
	unsigned int calls;

	complain_as = "flowmage";
	if (fake_begin() || !mkdtemp(dir) || !freopen("/dev/null", "w", stderr))
		return 1;
	memcpy(before, fakes, sizeof(before));
	printf("TAP version 13\n");
	good_times(before);
	calls = one_fault(before, false);
	one_fault(before, true);
	lasting_fault(before, calls);
	death(before, calls);
	changes(before);
	left();
	others();
	wipe(dir);
	rmdir(dir);
	return tap_end();
}
