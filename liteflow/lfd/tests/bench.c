// SPDX-License-Identifier: GPL-2.0
/*
 * The bench.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "bench.h"
#include "clock.h"
#include "fake.h"
#include "file.h"

#define MOST_LINES	20000

char bench_dir[64];
const char *bench_user = "nobody";
struct service *service;

static const char *hook_program;
static uint64_t now_ns;
static char *lines[MOST_LINES];
static unsigned int n_lines, number, failed;

uint64_t clock_now(void)
{
	return now_ns;
}

int clock_wait_ms(uint64_t until)
{
	(void)until;
	return 0;
}

double bench_now_s(void)
{
	return now_ns / 1e9;
}

static void keep(const char *line)
{
	if (n_lines < MOST_LINES)
		lines[n_lines++] = strdup(line);
}

void bench_forget(void)
{
	while (n_lines)
		free(lines[--n_lines]);
}

unsigned int bench_said(const char *text)
{
	unsigned int i, n = 0;

	for (i = 0; i < n_lines; i++)
		n += strstr(lines[i], text) != NULL;
	return n;
}

void bench_print_log(void)
{
	unsigned int i, from = n_lines > 40 ? n_lines - 40 : 0;

	for (i = from; i < n_lines; i++)
		printf("# %s\n", lines[i]);
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The hook reads the history even where set-group-ID bits are dropped without a word. */
static void drop_fsetid(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	must(!syscall(SYS_capget, &head, data), "capget");
	data[0].effective &= ~(1U << CAP_FSETID);
	must(!syscall(SYS_capset, &head, data), "capset");
}

void bench_init(const char *testhook)
{
	drop_fsetid();
	hook_program = testhook;
	/* what a keeper leaves behind comes here */
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
	log_to(keep);
	fake_open(NULL);
}

/* The hook's user must be able to run it, wherever it was built. */
static void copy_hook(const char *to)
{
	FILE *in = fopen(hook_program, "re"), *out = fopen(to, "we");
	char buf[65536];
	size_t n;

	must(in && out, hook_program);
	while ((n = fread(buf, 1, sizeof(buf), in)))
		must(fwrite(buf, 1, n, out) == n, to);
	fclose(in);
	must(!fclose(out) && !chmod(to, 0755), to);
}

static struct config *configure(const char *hook, const char *more, char *why)
{
	char path[128], file[128], user[64] = "";
	struct config *c;
	FILE *f;

	snprintf(path, sizeof(path), "%s/hook-%s", bench_dir, hook);
	if (access(path, X_OK))
		copy_hook(path);
	if (!geteuid())
		snprintf(user, sizeof(user), ", \"hook_user\": \"%s\"", bench_user);
	snprintf(file, sizeof(file), "%s/mine.json", bench_dir);
	f = fopen(file, "we");
	must(f, file);
	fprintf(f, "{ \"app\": \"%s\", \"hook\": \"%s\"%s, \"history_mib\": 4%s }\n", FAKE_APP, path,
		user, more);
	must(!fclose(f), file);
	c = config_read(file, why);
	if (!c)
		log_event(LOG_ERR, "", "config-refused", "reason=%s", log_quoted(why));
	return c;
}

static void start(struct config *c)
{
	char root[80];

	snprintf(root, sizeof(root), "%s/state", bench_dir);
	service = service_new(c, root);
}

void bench_begin(const char *hook, const char *more)
{
	struct config *c;
	char why[CONFIG_REASON];

	strcpy(bench_dir, "/tmp/lfd-test-XXXXXX");
	must(mkdtemp(bench_dir), bench_dir);
	must(!chmod(bench_dir, 0755), bench_dir);
	bench_forget();
	fake_reset();
	now_ns = 1000 * NS_PER_S;
	c = configure(hook, more, why);
	must(c, why);
	start(c);
}

bool bench_configure(const char *hook, const char *more)
{
	char why[CONFIG_REASON];
	struct config *c = configure(hook, more, why);

	if (c)
		service_reload(service, c, now_ns);
	return c;
}

void bench_restart(void)
{
	char why[CONFIG_REASON], file[128];
	struct config *c;

	snprintf(file, sizeof(file), "%s", service->config->file);
	/* nothing of its memory is used again; a real one closes its sockets as well */
	hook_stop(&service->hook);
	records_stop(service);
	lf_close(service->collect);
	service = NULL;
	c = config_read(file, why);
	must(c, why);
	start(c);
}

void bench_end(void)
{
	service_free(service);
	service = NULL;
	file_remove_tree(AT_FDCWD, bench_dir, true);
}

/* A hook takes none of this time. */
static bool step(void)
{
	struct pollfd fds[SERVICE_FDS];

	service_step(service, now_ns);
	if (!hook_runs(&service->hook))
		return false;
	service_poll(service, fds);
	poll(fds, SERVICE_FDS, 1000);
	return true;
}

static bool run(double seconds, bool to_hook)
{
	uint64_t end = now_ns + (uint64_t)(seconds * 1e9), next;

	for (;;) {
		while (step())
			if (to_hook)
				return true;
		next = service_next(service);
		if (fake_next() < next)
			next = fake_next();
		if (next <= now_ns)
			next = now_ns + NS_PER_S / 100;
		if (next > end)
			break;
		now_ns = next;
	}
	now_ns = end;
	return false;
}

void bench_run(double seconds)
{
	run(seconds, false);
}

bool bench_run_until_hook(double seconds)
{
	return run(seconds, true);
}

void bench_clock_step(double seconds)
{
	now_ns += (int64_t)(seconds * 1e9);
}

/* Parent of a process that can still do something, else 0; is its name a hook's? */
static pid_t parent_of(pid_t pid, bool *hook)
{
	char path[40], text[512] = "", *p, state;
	int parent, threads;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	p = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	*hook = strstr(text, "(hook-");
	if (!p || sscanf(p + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			 " %d", &state, &parent, &threads) != 3)
		return 0;
	return state == 'Z' && threads <= 1 ? 0 : parent;
}

/* Others may run such tests at the same time: only descendants count. */
static bool is_hook(pid_t pid)
{
	bool hook = false, other;

	for (pid = parent_of(pid, &hook); hook && pid > 0; pid = parent_of(pid, &other))
		if (pid == getpid())
			return true;
	return false;
}

unsigned int bench_processes(void)
{
	return bench_signal(0);
}

unsigned int bench_signal(int sig)
{
	DIR *dir = opendir("/proc");
	unsigned int n = 0;
	struct dirent *d;

	while ((d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]) && is_hook(atoi(d->d_name)))
			n += !kill(atoi(d->d_name), sig);
	closedir(dir);
	return n;
}

void bench_result(bool good, const char *fmt, ...)
{
	va_list ap;

	if (!good)
		bench_print_log();
	failed += !good;
	printf("%s %d ", good ? "ok" : "not ok", ++number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

int bench_finish(void)
{
	printf("1..%u\n", number);
	return failed != 0;
}
