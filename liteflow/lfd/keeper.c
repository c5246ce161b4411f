// SPDX-License-Identifier: GPL-2.0
/*
 * The keeper of a call: a process between lfd and the hook, so that what the hook leaves
 * behind has a parent that knows it, and dies with lfd.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "hook.h"

#define NICE		10
#define OOM_ADJ		"500"	/* it goes before what it is to serve */
#define KILL_S		5	/* processes that do not die within are in the kernel's hands */

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* -- the hook's side --------------------------------------------------------- */

/* Where the keeper hears why the program was not started. */
static int told = -1;

static __attribute__((noreturn)) void fail(void)
{
	int err = errno;

	_exit(write(told, &err, sizeof(err)) != sizeof(err));
}

static void limit(int what, rlim_t value)
{
	/* of CPU time a second more: the first limit tells what it is, the other kills */
	struct rlimit r = { value, value + (what == RLIMIT_CPU) };

	if (setrlimit(what, &r))
		fail();
}

/* An unprivileged user has none; what lfd itself was given goes here. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		fail();
	if (syscall(SYS_capset, &header, none))
		fail();
}

static void become_user(const struct hook_config *c)
{
	if (!geteuid() &&
	    (setgroups(0, NULL) || setresgid(c->gid, c->gid, c->gid) ||
	     setresuid(c->uid, c->uid, c->uid)))
		fail();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail();
	drop_capabilities();
}

static void write_once(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* a kernel may not let it: then it is as lfd */
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

/* What a shell or Python needs, and nothing of lfd's. */
static char **environment(const struct hook_config *c, const char *folder)
{
	static char home[PATH_MAX + 16], tmp[PATH_MAX + 16], user[64];
	static char *env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8", home, tmp, user, NULL
	};

	snprintf(home, sizeof(home), "HOME=%s", folder);
	snprintf(tmp, sizeof(tmp), "TMPDIR=%s", folder);
	snprintf(user, sizeof(user), "LOGNAME=%.50s", c->user ? c->user : "lfd");
	return env;
}

/* @exec is closed by a program that starts, else it gets the error. */
static void run_hook(const struct hook_config *c, const char *verb, const char *folder,
		     const int fds[3], int exec)
{
	char *argv[] = { c->command, (char *)verb, NULL };
	pid_t keeper = getppid();
	sigset_t none;
	int i;

	told = exec;
	for (i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			fail();
	if (dup2(exec, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC))
		fail();
	told = 3;
	syscall(SYS_close_range, 4, ~0U, 0);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	write_once("/proc/self/oom_score_adj", OOM_ADJ);
	setpriority(PRIO_PROCESS, 0, NICE);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_AS, (rlim_t)c->memory_mib << 20);
	limit(RLIMIT_CPU, c->cpu_s);
	limit(RLIMIT_FSIZE, (rlim_t)c->file_mib << 20);
	limit(RLIMIT_NOFILE, 1024);
	limit(RLIMIT_NPROC, c->processes);
	if (chdir(folder))
		fail();
	become_user(c);
	/* behind the change of the user, which takes it away */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == keeper)
		execve(c->command, argv, environment(c, folder));
	fail();
}

/* -- ending all of them -------------------------------------------------------- */

struct process {
	pid_t pid;
	pid_t parent;
	bool ours;
};

struct processes {
	struct process *list;
	size_t n;
	size_t room;
};

/*
 * Parent of a process, -1 if it is gone. Its line has a name in brackets, which may have
 * anything in it, then the state, the parent, and as the 20th field the number of threads.
 */
static pid_t parent_of(pid_t pid)
{
	char path[40], text[512], *p, state;
	int fd, parent, threads;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			 " %d", &state, &parent, &threads) != 3)
		return -1;
	/* a zombie can do nothing any more, but its other threads can */
	return (state == 'Z' && threads <= 1) || state == 'X' ? -1 : parent;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* False if there is no memory for more. */
static bool add(struct processes *all, const struct process *p)
{
	size_t room = all->room ? 2 * all->room : 64;
	struct process *list;

	if (all->n == all->room) {
		list = realloc(all->list, room * sizeof(*list));
		if (!list)
			return false;
		all->list = list;
		all->room = room;
	}
	all->list[all->n++] = *p;
	return true;
}

/* Those that are alive, by number. Without memory not all: the next round has the others. */
static void list_processes(struct processes *all)
{
	DIR *dir = opendir("/proc");
	struct process p = { .ours = false };
	struct dirent *d;

	all->n = 0;
	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		p.pid = atoi(d->d_name);
		p.parent = parent_of(p.pid);
		if (p.parent > 0 && !add(all, &p))
			break;
	}
	if (dir)
		closedir(dir);
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), by_pid);
}

/* Signal all descendants; their number. */
static unsigned int signal_all(int sig)
{
	static struct processes all;
	struct process key, *parent;
	unsigned int found = 0;
	bool more = true;
	size_t i;

	list_processes(&all);
	while (more) {
		more = false;
		for (i = 0; i < all.n; i++) {
			if (all.list[i].ours)
				continue;
			key.pid = all.list[i].parent;
			parent = bsearch(&key, all.list, all.n, sizeof(key), by_pid);
			all.list[i].ours = key.pid == getpid() || (parent && parent->ours);
			more |= all.list[i].ours;
		}
	}
	for (i = 0; i < all.n; i++)
		if (all.list[i].ours && !kill(all.list[i].pid, sig))
			found++;
	return found;
}

/* Take in those that ended, and their CPU time; true if children are left. */
static bool reap(pid_t hook, int *status, bool *over, double *cpu)
{
	struct rusage usage;
	pid_t pid;
	int st;

	while ((pid = wait4(-1, &st, WNOHANG, &usage)) > 0) {
		*cpu += usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
			(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
		if (pid == hook) {
			*status = st;
			*over = true;
		}
	}
	return !pid;
}

/* Until it was waited for, nobody else has its number. */
static void signal_hook(pid_t hook, bool over, int sig)
{
	if (over)
		return;
	/* the keeper is in lfd's session, the hook is not */
	kill(-hook, sig);
	kill(hook, sig);
}

/*
 * Stopped processes count against the limit of processes, so one round after the other
 * finds fewer that can fork; then all are killed. Orphans become the keeper's children, so
 * it is over when it has none; what /proc does not show is not taken for gone. True if
 * some are left.
 */
static bool kill_all(pid_t hook, bool over, double *cpu)
{
	double end = now_s() + KILL_S;
	unsigned int n, before = 0;
	bool left;
	int status;

	signal_hook(hook, over, SIGSTOP);
	while ((n = signal_all(SIGSTOP)) > before && now_s() < end)
		before = n;
	for (;;) {
		signal_hook(hook, over, SIGKILL);
		signal_all(SIGKILL);
		left = reap(hook, &status, &over, cpu);
		if (!left || now_s() >= end)
			return left;
		usleep(1000);
	}
}

/* -- the keeper ---------------------------------------------------------------- */

static __attribute__((noreturn)) void finish(int fd, const struct hook_report *report)
{
	_exit(write(fd, report, sizeof(*report)) != sizeof(*report));
}

/* Until it ends, its time is over, or lfd says so or dies. */
static enum hook_end wait_hook(pid_t hook, const sigset_t *signals, double end, int *status,
			       double *cpu, bool *over)
{
	struct timespec left;
	double rest;
	int sig;

	for (;;) {
		reap(hook, status, over, cpu);
		if (*over)
			return WIFSIGNALED(*status) ? HOOK_KILLED : HOOK_EXITED;
		rest = end - now_s();
		if (rest <= 0)
			return HOOK_TIMEOUT;
		left.tv_sec = rest;
		left.tv_nsec = (rest - left.tv_sec) * 1e9;
		sig = sigtimedwait(signals, NULL, &left);
		if (sig == SIGTERM)
			return HOOK_STOPPED;
	}
}

void keeper_run(const struct hook_config *c, const char *verb, const char *folder,
		const int fds[3], int report)
{
	struct hook_report r = { .end = HOOK_NOT_STARTED };
	double begin = now_s();
	bool over = false;
	sigset_t signals;
	int exec[2], status = 0;
	pid_t hook;

	prctl(PR_SET_NAME, "lfd-keeper");
	sigfillset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	signal(SIGCHLD, SIG_DFL);
	/* so that a loss of lfd is heard, and no process of the hook gets lost */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe2(exec, O_CLOEXEC)) {
		r.code = errno;
		finish(report, &r);
	}
	hook = fork();
	if (!hook)
		run_hook(c, verb, folder, fds, exec[1]);
	close(exec[1]);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	if (hook < 0) {
		r.code = errno;
		finish(report, &r);
	}
	if (read(exec[0], &r.code, sizeof(r.code)) == sizeof(r.code)) {
		waitpid(hook, &status, 0);
		finish(report, &r);
	}
	r.end = wait_hook(hook, &signals, begin + c->wall_s, &status, &r.cpu_s, &over);
	r.code = r.end == HOOK_KILLED ? WTERMSIG(status) : r.end == HOOK_EXITED ?
		WEXITSTATUS(status) : 0;
	r.left = kill_all(hook, over, &r.cpu_s);
	r.wall_s = now_s() - begin;
	finish(report, &r);
}
