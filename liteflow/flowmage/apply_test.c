// SPDX-License-Identifier: GPL-2.0
/*
 * Plans onto devices that exist here only: they refuse, ignore what they are told, or the
 * program dies, at every single step. KTAP.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "apply.h"
#include "devquery.h"
#include "flowmage.h"
#include "tap.h"

bool opt_json;

#define QUEUES	4
#define KEY	40
#define TABLE	128

/* A device as its driver keeps it. */
struct fake {
	char name[IFNAMSIZ];
	unsigned int queues;
	uint8_t key[KEY];
	uint32_t table[TABLE];
	uint8_t fields[FLOW_TYPES];
	unsigned int rules;
	bool left;	/* it steers by itself, and does not tell */
	bool other;	/* another driver's */
};

/* What goes wrong: at the call that sets something and has this number, from 1; 0: none. */
struct fault {
	unsigned int calls;
	unsigned int refuse_at;
	unsigned int refuse_to;
	unsigned int ignore_at;
	unsigned int die_at;
};

/* Both outlive a process that dies. */
static struct fake *fakes;
static struct fault *fault;
static char dir[] = "/tmp/flowmage-test.XXXXXX";

static const uint32_t flows[FLOW_TYPES] = {
	TCP_V4_FLOW, UDP_V4_FLOW, SCTP_V4_FLOW, IPV4_FLOW,
	TCP_V6_FLOW, UDP_V6_FLOW, SCTP_V6_FLOW, IPV6_FLOW,
};

static int flow_of(uint32_t type)
{
	unsigned int t;

	for (t = 0; t < FLOW_TYPES; t++)
		if (flows[t] == type)
			return t;
	return -1;
}

/* 1: do it; 0: do nothing and say that it was done; -1: refuse */
static int allowed(void)
{
	unsigned int n = ++fault->calls;

	if (n == fault->die_at)
		_exit(77);
	if (n >= fault->refuse_at && n <= fault->refuse_to) {
		errno = EINVAL;
		return -1;
	}
	return n != fault->ignore_at;
}

static int rxfh(struct fake *f, struct ethtool_rxfh *r, bool set)
{
	int go;

	if (!set && !r->indir_size) {
		r->indir_size = TABLE;
		r->key_size = KEY;
		r->hfunc = 1;
		return 0;
	}
	if (!set) {
		memcpy(r->rss_config, f->table, sizeof(f->table));
		memcpy(r->rss_config + TABLE, f->key, KEY);
		return 0;
	}
	go = allowed();
	if (go > 0) {
		if (r->indir_size == TABLE)
			memcpy(f->table, r->rss_config, sizeof(f->table));
		memcpy(f->key, r->rss_config + (r->indir_size == TABLE ? TABLE : 0), KEY);
		f->left = false;
	}
	return go < 0 ? -1 : 0;
}

/* As virtio_net: one set for all or addresses; IPv4 and IPv6 make all of their family alike. */
static int rx_fields(struct fake *f, struct ethtool_rxnfc *r, bool set)
{
	int t = flow_of(r->flow_type), go;

	if (!set) {
		r->data = f->fields[t] << 4;
		return 0;
	}
	go = allowed();
	if (go < 0)
		return -1;
	if (!go)
		return 0;
	if (t == FLOW_IP4 || t == FLOW_IP6)
		memset(f->fields + t - 3, HASH_ADDRESSES, 4);
	f->fields[t] = r->data >> 4;
	return 0;
}

static int fake_ioctl(const char *name, void *data)
{
	struct fake *f = fakes;

	while (f < fakes + 2 && strcmp(f->name, name))
		f++;
	if (f == fakes + 2) {
		errno = ENODEV;
		return -1;
	}
	switch (*(uint32_t *)data) {
	case ETHTOOL_GDRVINFO:
		strcpy(((struct ethtool_drvinfo *)data)->driver,
		       f->other ? "other" : "virtio_net");
		return 0;
	case ETHTOOL_GRXRINGS:
		((struct ethtool_rxnfc *)data)->data = f->queues;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		((struct ethtool_rxnfc *)data)->rule_cnt = f->rules;
		return 0;
	case ETHTOOL_GRSSH:
	case ETHTOOL_SRSSH:
		return rxfh(f, data, *(uint32_t *)data == ETHTOOL_SRSSH);
	case ETHTOOL_GRXFH:
	case ETHTOOL_SRXFH:
		return rx_fields(f, data, *(uint32_t *)data == ETHTOOL_SRXFH);
	}
	errno = EOPNOTSUPP;
	return -1;
}

static void reset(void)
{
	unsigned int d, i;

	memset(fault, 0, sizeof(*fault));
	for (d = 0; d < 2; d++) {
		memset(&fakes[d], 0, sizeof(fakes[d]));
		snprintf(fakes[d].name, IFNAMSIZ, "eth%u", d);
		fakes[d].queues = QUEUES;
		memset(fakes[d].key, 0x5a + d, KEY);
		for (i = 0; i < TABLE; i++)
			fakes[d].table[i] = i % QUEUES;
		memset(fakes[d].fields, HASH_ADDRESSES, FLOW_TYPES);
		fakes[d].fields[FLOW_IP4] = 0;
		fakes[d].fields[FLOW_SCTP4] = 0;
	}
}

/* A plan that changes fields, key and table of both devices. */
static void make_plan(struct plan *plan, uint8_t mark)
{
	unsigned int d, i;

	memset(plan, 0, sizeof(*plan));
	plan->way = WAY_FIELDS;
	plan->n_devices = 2;
	for (d = 0; d < 2; d++) {
		if (device_load(&plan->devices[d], d ? "eth1" : "eth0", NULL))
			exit(1);
		plan_device_digest(&plan->devices[d], plan->digest[d]);
		plan->set[d] = plan->devices[d].now;
		memset(plan->set[d].key, mark + d, KEY);
		for (i = 0; i < TABLE; i++)
			plan->set[d].table[i] = (i + mark) / 3 % QUEUES;
		memset(plan->set[d].fields, HASH_ADDRESSES, FLOW_TYPES);
		plan->set[d].fields[FLOW_TCP4] = HASH_ALL;
		plan->set[d].fields[FLOW_UDP6] = HASH_ALL;
	}
}

static bool has(const struct plan *plan)
{
	struct rss now;
	unsigned int d;

	for (d = 0; d < 2; d++)
		if (device_read(&plan->devices[d], &now) ||
		    !rss_equal(&plan->devices[d], &now, &plan->set[d]))
			return false;
	return true;
}

static bool kept(const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	return !access(path, F_OK);
}

static bool untouched(const struct fake *before)
{
	return !memcmp(before, fakes, 2 * sizeof(*fakes));
}

static void wipe(void)
{
	char path[PATH_LEN];
	unsigned int d;

	for (d = 0; d < 2; d++) {
		snprintf(path, sizeof(path), "%s/eth%u.json", dir, d);
		unlink(path);
	}
}

static void good_times(const struct fake *before)
{
	struct plan plan, second;

	reset();
	make_plan(&plan, 1);
	ok(plan.devices[0].queues == QUEUES && plan.devices[0].key_len == KEY &&
	   plan.devices[0].table_len == TABLE && plan.devices[0].toeplitz, "a device is read");
	ok(plan.devices[0].now.fields[FLOW_SCTP6] == HASH_ADDRESSES, "what has no hash of its own");
	ok(!apply_commit(&plan, dir) && has(&plan), "a plan is set");
	ok(kept("eth0") && kept("eth1"), "what was there is kept");
	ok(!apply_commit(&plan, dir) && has(&plan), "a second time");
	make_plan(&second, 7);
	ok(!apply_commit(&second, dir) && has(&second), "another plan is set");
	ok(!apply_rollback("eth0", dir) && !kept("eth0") && kept("eth1"), "one device goes back");
	ok(!memcmp(before, fakes, sizeof(*fakes)), "to what was before the first plan");
	ok(!apply_rollback(NULL, dir) && untouched(before), "all go back");
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
		reset();
		make_plan(&plan, 1);
		fault->refuse_at = ignore ? ~0u : n;
		fault->refuse_to = n;
		fault->ignore_at = ignore ? n : 0;
		if (!apply_commit(&plan, dir)) {
			good &= has(&plan) && fault->calls < n;
			plan_free(&plan);
			break;
		}
		good &= untouched(before) && !kept("eth0") && !kept("eth1");
		plan_free(&plan);
	}
	wipe();
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
		reset();
		make_plan(&plan, 1);
		fault->refuse_at = n;
		fault->refuse_to = ~0u;
		good &= apply_commit(&plan, dir) && kept("eth0");
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && untouched(before);
		plan_free(&plan);
		wipe();
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
		reset();
		make_plan(&plan, 1);
		fault->die_at = n;
		if (!fork())
			_exit(apply_commit(&plan, dir));
		wait(&status);
		good &= WEXITSTATUS(status) == 77 && kept("eth0") && kept("eth1");
		memset(fault, 0, sizeof(*fault));
		good &= !apply_rollback(NULL, dir) && untouched(before);
		plan_free(&plan);
	}
	ok(good, "the program dies at each call: the rollback finds what was there");
}

static void changes(const struct fake *before)
{
	struct plan plan;

	reset();
	make_plan(&plan, 1);
	ok(!apply_check("plan", &plan), "nothing has changed");
	fakes[1].queues = 2;
	ok(apply_check("plan", &plan), "a device with fewer queues");
	fakes[1].queues = QUEUES;
	fakes[0].name[0] = 'x';
	ok(apply_check("plan", &plan), "a device that is gone");
	plan_free(&plan);

	reset();
	make_plan(&plan, 1);
	plan.files[plan.n_files].path = strdup("/proc/self/stat");
	strcpy(plan.files[plan.n_files++].digest, "0");
	ok(apply_check("plan", &plan), "a file that has changed");
	plan_free(&plan);

	make_plan(&plan, 1);
	ok(!apply_commit(&plan, dir), "a plan is set");
	fakes[0].queues = 2;
	ok(apply_rollback("eth0", dir) && kept("eth0"), "not back onto another device");
	fakes[0].queues = QUEUES;
	ok(!apply_rollback(NULL, dir) && untouched(before), "but onto this one");
	ok(apply_commit(&plan, "/proc/none"), "no place to keep what was there");
	ok(untouched(before), "then nothing is set");
	plan_free(&plan);
}

/* virtio_net: an XDP program has come or gone, and the device steers by itself. */
static void left(void)
{
	struct fake set[2];
	struct plan plan;

	reset();
	make_plan(&plan, 1);
	ok(!apply_commit(&plan, dir), "a plan is set");
	memcpy(set, fakes, sizeof(set));
	fakes[0].left = fakes[1].left = true;
	ok(!apply_commit(&plan, dir) && untouched(set), "a device that has left it takes it again");
	fakes[0].left = true;
	ok(!device_renew("eth0") && untouched(set), "its own key brings the device back");
	fault->refuse_at = fault->calls + 1;
	fault->refuse_to = fault->refuse_at;
	ok(device_renew("eth1") == EXIT_OTHER && untouched(set), "unless it is refused");
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

	reset();
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
	fakes = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fakes == MAP_FAILED || !mkdtemp(dir) || !freopen("/dev/null", "w", stderr))
		return 1;
	fault = (void *)((char *)fakes + 4096);
	device_ioctl = fake_ioctl;
	reset();
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
	wipe();
	rmdir(dir);
	return tap_end();
}
