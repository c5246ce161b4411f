// SPDX-License-Identifier: GPL-2.0
/*
 * The status, written and read.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "file.h"
#include "pack.h"
#include "status.h"

#define MAX_FILE	(4 << 20)
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* A figure: its key in JSON, what Prometheus calls it, and how to get it. */
struct figure {
	const char *key;
	const char *metric;
	bool counter;
	double (*get)(const struct service *s, uint64_t now);
};

static double hold_off_s(const struct service *s, uint64_t now)
{
	return s->state.hold_until_ns > now ? (s->state.hold_until_ns - now) / 1e9 : 0;
}

static double up(const struct service *s, uint64_t now)
{
	(void)now;
	return s->ask ? 1 : 0;
}

static double trial(const struct service *s, uint64_t now)
{
	(void)now;
	return s->state.phase == STATE_TRIAL;
}

static double lost(const struct service *s, uint64_t now)
{
	struct lf_history_state h = { .lost = s->lost };

	(void)now;
	if (s->history)
		lf_history_get_state(s->history, &h);
	return h.lost;
}

static double history_bytes(const struct service *s, uint64_t now)
{
	struct lf_history_state h = { 0 };

	(void)now;
	if (s->history)
		lf_history_get_state(s->history, &h);
	return h.bytes;
}

static double unwritten(const struct service *s, uint64_t now)
{
	struct lf_history_state h = { 0 };

	(void)now;
	if (s->history)
		lf_history_get_state(s->history, &h);
	return h.unwritten + s->missed;
}

#define MEMBER(name, member)						\
	static double name(const struct service *s, uint64_t now)	\
	{								\
		(void)now;						\
		return s->member;					\
	}

MEMBER(version, version)
MEMBER(records, records)
MEMBER(adaptations, adaptations)
MEMBER(candidates, candidates)
MEMBER(refusals, refusals)
MEMBER(installs, state.installs)
MEMBER(rollbacks, state.rollbacks)
MEMBER(refused, state.n_refused)
MEMBER(spread, spread)
MEMBER(far, difference)
MEMBER(rewards, watch.rewards[1])
MEMBER(rewards_before, watch.rewards[0])

static const struct figure figures[] = {
	{ "up", "lfd_up", false, up },
	{ "active-version", "lfd_active_version", false, version },
	{ "trial", "lfd_trial", false, trial },
	{ "hold-off-s", "lfd_hold_off_seconds", false, hold_off_s },
	{ "records", "lfd_records_total", true, records },
	{ "lost", "lfd_lost_records_total", true, lost },
	{ "unwritten", "lfd_unwritten_records_total", true, unwritten },
	{ "history-bytes", "lfd_history_bytes", false, history_bytes },
	{ "adaptations", "lfd_adaptations_total", true, adaptations },
	{ "refusals", "lfd_refusals_total", true, refusals },
	{ "candidates", "lfd_candidates_total", true, candidates },
	{ "installs", "lfd_installs_total", true, installs },
	{ "rollbacks", "lfd_rollbacks_total", true, rollbacks },
	{ "refused-models", "lfd_refused_models", false, refused },
	{ "stability-spread", "lfd_stability_spread", false, spread },
	{ "difference", "lfd_difference", false, far },
	{ "trial-rewards", "lfd_trial_rewards", false, rewards },
	{ "trial-rewards-before", "lfd_trial_rewards_before", false, rewards_before },
};

static struct json_object *app_status(const struct service *s, uint64_t now)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	json_object_object_add(o, "app", json_object_new_string(s->config->app));
	json_object_object_add(o, "phase", json_object_new_string(service_phase(s)));
	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		double value = figures[i].get(s, now);

		json_object_object_add(o, figures[i].key, value == (int64_t)value ?
				       json_object_new_int64(value) :
				       json_object_new_double(value));
	}
	json_object_object_add(o, "last-verdict", json_object_new_string(s->state.last_verdict));
	json_object_object_add(o, "last-event", json_object_new_string(s->last));
	return o;
}

static int write_json(int dir, struct service *const *services, unsigned int n, uint64_t now)
{
	struct json_object *o = json_object_new_object(), *apps = json_object_new_array();
	const char *text;
	unsigned int i;
	int ret;

	json_object_object_add(o, "format", json_object_new_string("lfd-status"));
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "pid", json_object_new_int(getpid()));
	for (i = 0; i < n; i++)
		json_object_array_add(apps, app_status(services[i], now));
	json_object_object_add(o, "apps", apps);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	ret = file_replace(dir, STATUS_FILE, text, strlen(text), 0644, false);
	json_object_put(o);
	return ret;
}

static int write_metrics(int dir, struct service *const *services, unsigned int n, uint64_t now)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	unsigned int i, j;
	int ret;

	if (!f)
		return -errno;
	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		fprintf(f, "# TYPE %s %s\n", figures[i].metric,
			figures[i].counter ? "counter" : "gauge");
		for (j = 0; j < n; j++)
			fprintf(f, "%s{app=\"%s\"} %.10g\n", figures[i].metric,
				services[j]->config->app, figures[i].get(services[j], now));
	}
	ret = fclose(f) ? -errno : file_replace(dir, METRICS_FILE, text, len, 0644, false);
	free(text);
	return ret;
}

int status_write(int dir, struct service *const *services, unsigned int n, uint64_t now)
{
	int ret = write_json(dir, services, n, now);

	return ret ? ret : write_metrics(dir, services, n, now);
}

/* -- lfd status ------------------------------------------------------------------- */

static void print_app(struct json_object *o)
{
	struct json_object *phase, *app;

	if (!json_object_object_get_ex(o, "app", &app) ||
	    !json_object_object_get_ex(o, "phase", &phase))
		return;
	printf("%s: %s\n", json_object_get_string(app), json_object_get_string(phase));
	json_object_object_foreach(o, key, value)
		if (value != app && value != phase && *json_object_get_string(value))
			printf("  %-22s%s\n", key, json_object_get_string(value));
}

int status_print(const char *dir, bool json)
{
	struct json_object *o, *apps, *pid;
	char path[512], err[160];
	struct stat st;
	size_t len, i;
	char *text;

	snprintf(path, sizeof(path), "%s/%s", dir, STATUS_FILE);
	text = file_read(AT_FDCWD, path, 0, MAX_FILE, &st, &len, err, sizeof(err));
	if (!text)
		return complain("%s: %s: has lfd run?", path, err);
	o = json_parse_strictly(text, len, err, sizeof(err));
	if (!json_object_object_get_ex(o, "apps", &apps) ||
	    !json_object_object_get_ex(o, "pid", &pid)) {
		free(text);
		json_object_put(o);
		return complain("%s: %s", path, o ? "this is no status of lfd" : err);
	}
	if (json)
		fputs(text, stdout);
	else if (kill(json_object_get_int(pid), 0) && errno == ESRCH)
		printf("lfd does not run; what it said last, %.0f s ago:\n",
		       difftime(time(NULL), st.st_mtime));
	for (i = 0; i < json_object_array_length(apps) && !json; i++)
		print_app(json_object_array_get_idx(apps, i));
	free(text);
	json_object_put(o);
	return fflush(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}
