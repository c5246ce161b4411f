// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a service: connections come and go, steps are due.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"
#include "service.h"
#include "utf8.h"

#define STEP_S		1

void service_said(struct service *s, const char *line)
{
	snprintf(s->last, sizeof(s->last), "%s", line);
	/* a character at its end may be cut */
	utf8_mend(s->last);
}

/* -- made and ended ------------------------------------------------------------------ */

/* Root's, and the hook's group may enter: what else is in it has modes of its own. */
static int make_folder(struct service *s)
{
	int err = file_mkdirs(s->path, 0755);

	if (err)
		return err;
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return -errno;
	if (!geteuid() && fchown(s->dir, 0, s->config->hook.gid))
		return -errno;
	return fchmod(s->dir, 0750) ? -errno : 0;
}

/* What was decided before must be known before anything is decided. */
static void load(struct service *s)
{
	char why[200];
	int err = make_folder(s);

	if (!err) {
		s->held = state_load(&s->state, s->dir, why, sizeof(why));
	} else {
		s->held = true;
		snprintf(why, sizeof(why), "%s", strerror(-err));
	}
	if (s->held)
		service_log(s, LOG_ERR, "held", "folder=%s reason=%s", log_quoted(s->path),
			    log_quoted(why));
}

struct service *service_new(struct config *config, const char *root)
{
	struct service *s = calloc(1, sizeof(*s));

	if (!s || asprintf(&s->path, "%s/%s", root, config->app) < 0)
		abort();
	s->config = config;
	s->dir = -1;
	s->active = -1;
	s->spread = s->difference = -1;
	load(s);
	service_log(s, LOG_INFO, "start", "config=%s hook=%s refused=%u", log_quoted(config->file),
		    log_quoted(config->hook.command), s->state.n_refused);
	return s;
}

static void close_kernel(struct service *s)
{
	records_stop(s);
	lf_close(s->collect);
	lf_close(s->ask);
	s->collect = s->ask = NULL;
	lf_app_info_free(&s->info);
	memset(&s->info, 0, sizeof(s->info));
	memset(s->slots, 0, sizeof(s->slots));
	s->active = -1;
	s->version = 0;
	free(s->ring);
	s->ring = NULL;
	s->rows = s->room = 0;
	s->gone = false;
}

void service_free(struct service *s)
{
	if (!s)
		return;
	hook_stop(&s->hook);
	close_kernel(s);
	watch_free(&s->watch);
	state_free(&s->state);
	if (s->dir >= 0)
		close(s->dir);
	service_log(s, LOG_INFO, "end", "%s", "");
	config_free(s->config);
	free(s->path);
	free(s);
}

void service_reload(struct service *s, struct config *config, uint64_t now)
{
	const struct lf_collect_options *a = &s->config->collect, *b = &config->collect;
	bool regroup = s->config->hook.gid != config->hook.gid;
	bool again = a->every != b->every || a->interval_ms != b->interval_ms ||
		     a->ring_bytes != b->ring_bytes ||
		     s->config->history_mib != config->history_mib || regroup;

	config_free(s->config);
	s->config = config;
	if (s->held) {
		if (s->dir >= 0)
			close(s->dir);
		s->dir = -1;
		load(s);
	}
	if (regroup && s->dir >= 0 && !geteuid() && fchown(s->dir, 0, config->hook.gid))
		service_log(s, LOG_ERR, "reload", "reason=%s", log_quoted(strerror(errno)));
	s->failures = 0;
	if (s->adapt_ns > now + config->adapt_s * NS_PER_S)
		s->adapt_ns = now + config->adapt_s * NS_PER_S;
	if (s->ring)
		records_resize(s);
	if (again && s->ask) {
		records_stop(s);
		if (records_start(s, now))
			service_disconnect(s, now, lf_reason(s->collect));
	}
	service_log(s, LOG_NOTICE, "reloaded", "config=%s", log_quoted(config->file));
}

/* -- the kernel ------------------------------------------------------------------------ */

void service_disconnect(struct service *s, uint64_t now, const char *why)
{
	/* each reason once, not at each attempt */
	if (strcmp(s->down, why)) {
		snprintf(s->down, sizeof(s->down), "%s", why);
		service_log(s, LOG_WARNING, "down", "retry_s=%d reason=%s", RETRY_S,
			    log_quoted(why));
	}
	hook_stop(&s->hook);
	close_kernel(s);
	/* the state keeps what was begun, for the next connection */
	watch_reset(&s->watch, 0);
	s->stability.n = 0;
	s->retry_ns = now + RETRY_S * NS_PER_S;
}

uint32_t service_policy(struct service *s)
{
	struct lf_app_info info = { 0 };

	if (!lf_app_get_by_name(s->ask, s->config->app, &info))
		s->info.policy = info.policy;
	lf_app_info_free(&info);
	return s->info.policy;
}

static int open_kernel(struct service *s, uint64_t now, const char **why)
{
	int err = lf_open(&s->ask);

	if (err) {
		*why = lf_reason(s->ask);
		return err;
	}
	err = lf_open(&s->collect);
	if (err) {
		*why = lf_reason(s->collect);
		return err;
	}
	*why = lf_reason(s->ask);
	err = lf_app_get_by_name(s->ask, s->config->app, &s->info);
	if (err)
		return err;
	err = lf_get_slots(s->ask, s->config->app, s->slots);
	if (err)
		return err;
	*why = lf_reason(s->collect);
	return records_start(s, now);
}

static void connect_kernel(struct service *s, uint64_t now)
{
	const char *why = "";
	char text[200];
	int err;

	err = open_kernel(s, now, &why);
	if (err) {
		/* the reason is the handle's, which goes */
		snprintf(text, sizeof(text), "%s%s", why, err == -EBUSY ?
			 ": does another program collect from it?" : "");
		service_disconnect(s, now, text);
		return;
	}
	s->down[0] = 0;
	s->active = lf_active_slot(s->slots);
	s->version = s->active < 0 ? 0 : s->slots[s->active].version;
	s->look_ns = now;
	if (s->adapt_ns < now)
		s->adapt_ns = now + s->config->adapt_s * NS_PER_S;
	watch_reset(&s->watch, s->version);
	service_log(s, LOG_NOTICE, "connected",
		    "id=%u inputs=%u outputs=%u policy=%s active=%u rows=%u",
		    s->info.id, s->info.n_in, s->info.n_out, lf_policy_name(s->info.policy),
		    s->version, s->rows);
	if (s->active < 0)
		service_log(s, LOG_WARNING, "no-model", "reason=%s",
			    log_quoted("no model is active, so nothing is collected: lfctl model "
				       "install, or lfctl restore"));
	switch_recover(s, now);
}

/* -- steps ------------------------------------------------------------------------------- */

/* Nothing but the time keeps the next adaptation from being due. */
static bool may_adapt(const struct service *s)
{
	return !hook_runs(&s->hook) && s->active >= 0 &&
	       s->fresh >= s->config->adapt_records && s->state.phase != STATE_RETURNING;
}

void service_step(struct service *s, uint64_t now)
{
	int err;

	if (s->held)
		return;
	if (!s->ask) {
		if (now >= s->retry_ns)
			connect_kernel(s, now);
		return;
	}
	err = records_take(s);
	if (err || s->gone) {
		service_disconnect(s, now, s->gone ? "the app went away" : lf_reason(s->collect));
		return;
	}
	if (now >= s->look_ns) {
		records_retry(s, now);
		if (s->unsaved)
			s->unsaved = state_save(&s->state, s->dir);
		if (switch_look(s, now))
			return;
	}
	if (s->state.phase == STATE_RETURNING && now >= s->retry_ns)
		switch_return(s, now);
	if (s->state.phase == STATE_TRIAL)
		switch_judge(s, now);
	if (hook_runs(&s->hook))
		adapt_step(s, now);
	/* the step may have ended the connection */
	if (s->ask && now >= s->adapt_ns && may_adapt(s))
		adapt_start(s, now);
}

uint64_t service_next(const struct service *s)
{
	uint64_t next;

	if (s->held)
		return UINT64_MAX;
	if (!s->ask)
		return s->retry_ns;
	next = s->look_ns;
	if (s->state.phase == STATE_TRIAL && watch_next(&s->watch, &s->config->watch) < next)
		next = watch_next(&s->watch, &s->config->watch);
	if (s->state.phase == STATE_RETURNING && s->retry_ns < next)
		next = s->retry_ns;
	if (may_adapt(s) && s->adapt_ns < next)
		next = s->adapt_ns;
	return next;
}

void service_poll(const struct service *s, struct pollfd *fds)
{
	hook_poll(&s->hook, fds);
	fds[HOOK_FDS].fd = s->collect ? lf_fd(s->collect) : -1;
	fds[HOOK_FDS].events = POLLIN;
	fds[HOOK_FDS].revents = 0;
}

const char *service_phase(const struct service *s)
{
	if (s->held)
		return "held";
	if (!s->ask)
		return "down";
	if (s->state.phase == STATE_TRIAL || s->state.phase == STATE_RETURNING)
		return state_phase_names[s->state.phase];
	if (s->active < 0)
		return "no-model";
	return hook_runs(&s->hook) ? "adapting" : "collecting";
}
