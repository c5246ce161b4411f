// SPDX-License-Identifier: GPL-2.0
/*
 * The loop, for all apps; and reading the configurations, at the start and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "clock.h"
#include "daemon.h"
#include "file.h"
#include "service.h"
#include "status.h"
#include "tool.h"

#define STATUS_S	5

struct daemon {
	const struct daemon_dirs *dirs;
	char *state;		/* that of @dirs, from the root: hooks are somewhere else */
	struct service **services;
	unsigned int n;
	int run;		/* directory of the status; -1: cannot be written */
	int lock;
	bool status_failed;
};

static volatile sig_atomic_t stop, reload;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload = 1;
	else
		stop = 1;
}

/* -- configurations -------------------------------------------------------------------- */

static struct config *same_app(struct config **configs, unsigned int n, const char *app)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (configs[i] && !strcmp(configs[i]->app, app))
			return configs[i];
	return NULL;
}

static void log_refusal(const char *why)
{
	log_event(LOG_ERR, "", "config-refused", "reason=%s", log_quoted(why));
}

static void print_refusal(const char *why)
{
	complain("%s", why);
}

/* How many are wrong; *@configs has the good ones, NULL where one is not. */
static int read_configs(char **files, int n, struct config ***configs,
			void (*refuse)(const char *why))
{
	struct config *c, *other;
	char why[CONFIG_REASON];
	int i, bad = 0;

	*configs = calloc(n + 1, sizeof(**configs));
	if (!*configs)
		abort();
	for (i = 0; i < n; i++) {
		c = config_read(files[i], why);
		other = c ? same_app(*configs, i, c->app) : NULL;
		if (other) {
			snprintf(why, sizeof(why), "%s: app: %s has \"%s\" already", files[i],
				 other->file, c->app);
			config_free(c);
			c = NULL;
		}
		if (!c) {
			refuse(why);
			bad++;
		}
		(*configs)[i] = c;
	}
	return bad;
}

int daemon_check(const char *dir, char **files, int n)
{
	char why[CONFIG_REASON], **listed = NULL;
	struct config **configs;
	int i, bad, found = n;

	if (!n) {
		found = config_list(dir, &listed, why);
		if (found < 0)
			return complain("%s", why);
		if (!found)
			return complain("%s: no file there ends in .json", dir);
		files = listed;
	}
	bad = read_configs(files, found, &configs, print_refusal);
	for (i = 0; i < found; i++) {
		if (configs[i])
			printf("%s: app %s: well\n", files[i], configs[i]->app);
		config_free(configs[i]);
	}
	free(configs);
	if (listed)
		config_list_free(listed, found);
	return bad ? EXIT_OTHER : 0;
}

static struct service *find(const struct daemon *d, const char *app)
{
	unsigned int i;

	for (i = 0; i < d->n; i++)
		if (!strcmp(d->services[i]->config->app, app))
			return d->services[i];
	return NULL;
}

static void drop(struct daemon *d, unsigned int i)
{
	service_free(d->services[i]);
	d->services[i] = d->services[--d->n];
}

/* A service stays if its file is there and is good, or is there and is not. */
static bool stays(const struct service *s, struct config **configs, char **files, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (configs[i] ? !strcmp(configs[i]->app, s->config->app) :
		    !strcmp(files[i], s->config->file))
			return true;
	return false;
}

/* Files that are wrong leave the service of their name as it is. */
static void read_all(struct daemon *d)
{
	char why[CONFIG_REASON], **files;
	struct config **configs;
	struct service *s;
	int n = config_list(d->dirs->config, &files, why), i;

	if (n < 0) {
		log_refusal(why);
		return;
	}
	read_configs(files, n, &configs, log_refusal);
	for (i = (int)d->n - 1; i >= 0; i--)
		if (!stays(d->services[i], configs, files, n))
			drop(d, i);
	for (i = 0; i < n; i++) {
		if (!configs[i])
			continue;
		s = find(d, configs[i]->app);
		if (s) {
			service_reload(s, configs[i], clock_now());
			continue;
		}
		d->services = realloc(d->services, (d->n + 1) * sizeof(*d->services));
		if (!d->services)
			abort();
		d->services[d->n++] = service_new(configs[i], d->state);
	}
	free(configs);
	config_list_free(files, n);
	if (!d->n)
		log_event(LOG_WARNING, "", "idle", "reason=%s dir=%s",
			  log_quoted("no app is configured"), log_quoted(d->dirs->config));
}

/* -- the loop ---------------------------------------------------------------------------- */

static int open_dirs(struct daemon *d)
{
	char path[512];
	int err;

	d->run = d->lock = -1;
	err = file_mkdirs(d->dirs->state, 0755);
	if (!err) {
		d->state = realpath(d->dirs->state, NULL);
		err = d->state ? 0 : -errno;
	}
	if (err)
		return complain("%s: %s", d->dirs->state, strerror(-err));
	snprintf(path, sizeof(path), "%s/lock", d->state);
	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return complain("%s: %s", path, strerror(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB))
		return complain("%s: %s", path, errno == EWOULDBLOCK ? "another lfd runs" :
				strerror(errno));
	err = file_mkdirs(d->dirs->run, 0755);
	if (!err)
		d->run = open(d->dirs->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->run < 0)
		return complain("%s: %s", d->dirs->run, strerror(err ? -err : errno));
	return 0;
}

static void tell(struct daemon *d, uint64_t now)
{
	int err = status_write(d->run, d->services, d->n, now);

	if (err && !d->status_failed)
		log_event(LOG_WARNING, "", "status-error", "reason=%s", log_quoted(strerror(-err)));
	d->status_failed = err;
}

static void catch_signals(sigset_t *old)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t block;
	unsigned int i;

	sigemptyset(&block);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(&block, signals[i]);
		sigaction(signals[i], &act, NULL);
	}
	/* they are only heard while it waits */
	sigprocmask(SIG_BLOCK, &block, old);
	signal(SIGPIPE, SIG_IGN);
}

static void wait_for_work(const struct daemon *d, uint64_t until, const sigset_t *mask)
{
	struct pollfd *fds = calloc(d->n * SERVICE_FDS + 1, sizeof(*fds));
	struct timespec ts;
	unsigned int i;
	int ms;

	if (!fds)
		abort();
	for (i = 0; i < d->n; i++) {
		uint64_t next = service_next(d->services[i]);

		service_poll(d->services[i], fds + i * SERVICE_FDS);
		if (next < until)
			until = next;
	}
	ms = clock_wait_ms(until);
	ts.tv_sec = ms / 1000;
	ts.tv_nsec = ms % 1000 * 1000000L;
	ppoll(fds, d->n * SERVICE_FDS, &ts, mask);
	free(fds);
}

static void loop(struct daemon *d, const sigset_t *mask)
{
	uint64_t told = 0, now;
	unsigned int i;

	while (!stop) {
		if (reload) {
			reload = 0;
			read_all(d);
		}
		now = clock_now();
		for (i = 0; i < d->n; i++)
			service_step(d->services[i], now);
		if (!told || now >= told + STATUS_S * NS_PER_S) {
			tell(d, now);
			told = now;
		}
		wait_for_work(d, told + STATUS_S * NS_PER_S, mask);
	}
}

int daemon_run(const struct daemon_dirs *dirs)
{
	struct daemon d = { .dirs = dirs };
	sigset_t mask;
	int ret;

	catch_signals(&mask);
	ret = open_dirs(&d);
	if (!ret) {
		read_all(&d);
		loop(&d, &mask);
		tell(&d, clock_now());
	}
	while (d.n)
		drop(&d, d.n - 1);
	free(d.services);
	free(d.state);
	if (d.run >= 0)
		close(d.run);
	if (d.lock >= 0)
		close(d.lock);
	return ret;
}
