// SPDX-License-Identifier: GPL-2.0
/*
 * The talk with the hook: adapt, evaluate, and once it has settled freeze. Then the
 * question whether the model that it handed back is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "file.h"
#include "jsonput.h"
#include "service.h"
#include "tool.h"

#define FORMAT		"lfd-hook"
#define VERSION		1
#define WORK		"work"
#define OUT		"out"

/* After failures in a row the next one waits longer, up to so many times. */
#define MOST_BACKOFF	5

/* -- what it is asked ------------------------------------------------------------ */

static void put_path(const struct service *s, struct json_object *o, const char *key,
		     const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", s->path, name);
	json_put_text(o, key, path);
}

static struct json_object *columns(const struct service *s, unsigned int from, unsigned int n)
{
	struct json_object *array = json_object_new_array();
	char name[LF_NAME_LEN];
	unsigned int i;

	for (i = from; i < from + n; i++) {
		lf_app_column(&s->info, i, name);
		json_object_array_add(array, json_object_new_string(name));
	}
	return array;
}

static struct json_object *active_model(const struct service *s)
{
	const struct lf_model_info *m = s->slots + s->active;
	struct json_object *o = json_object_new_object();
	char text[DIGEST_TEXT], file[DIGEST_TEXT + 16];

	json_object_object_add(o, "version", json_object_new_int64(m->version));
	json_put_text(o, "name", m->name);
	if (!m->has_digest)
		return o;
	json_put_text(o, "digest", digest_text(m->digest, text));
	snprintf(file, sizeof(file), "models/%s.lfm", text);
	if (!faccessat(s->dir, file, R_OK, 0))
		put_path(s, o, "file", file);
	return o;
}

static struct json_object *request(const struct service *s, const char *verb)
{
	struct json_object *o = json_object_new_object(), *last;
	char text[DIGEST_TEXT];

	json_put_text(o, "format", FORMAT);
	json_object_object_add(o, "version", json_object_new_int(VERSION));
	json_put_text(o, "verb", verb);
	json_object_object_add(o, "serial", json_object_new_uint64(s->serial));
	json_put_text(o, "app", s->config->app);
	json_put_text(o, "units", s->info.units);
	json_put_text(o, "policy", lf_policy_name(s->info.policy));
	json_object_object_add(o, "inputs", columns(s, 0, s->info.n_in));
	json_object_object_add(o, "outputs", columns(s, s->info.n_in, s->info.n_out));
	put_path(s, o, "history", "history");
	put_path(s, o, "folder", OUT);
	json_object_object_add(o, "records", json_object_new_uint64(s->fresh));
	json_object_object_add(o, "active", active_model(s));
	if (!s->state.last_verdict[0])
		return o;
	last = json_object_new_object();
	json_put_text(last, "digest", digest_text(s->state.trial.sum, text));
	json_put_text(last, "verdict", s->state.last_verdict);
	json_object_object_add(o, "last-trial", last);
	return o;
}

/* A directory of the hook's user in the app's folder; open, or a negative errno. */
static int hook_dir(const struct service *s, const char *name, bool empty)
{
	const struct hook_config *h = &s->config->hook;
	struct stat st;
	int fd, err = 0;

	if (mkdirat(s->dir, name, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (empty)
		err = file_remove_tree(s->dir, name, false);
	/* another user goes on with what the one before left: no hook runs now */
	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err && !geteuid() && (st.st_uid != h->uid || st.st_gid != h->gid))
		err = file_give_tree(s->dir, name, h->uid, h->gid);
	if (!err && fchmod(fd, 0755))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void failed(struct service *s, uint64_t now, const char *verb, const char *reason)
{
	uint64_t wait = (uint64_t)s->config->adapt_s * NS_PER_S;

	s->refusals++;
	if (s->failures < MOST_BACKOFF)
		s->failures++;
	s->adapt_ns = now + (wait << (s->failures - 1));
	service_log(s, LOG_WARNING, "hook-refused", "verb=%s serial=%llu next_s=%llu reason=%s",
		    verb, (unsigned long long)s->serial,
		    (unsigned long long)((s->adapt_ns - now) / NS_PER_S), log_quoted(reason));
}

static void call(struct service *s, const char *verb, uint64_t now)
{
	struct json_object *o;
	char work[1024];
	int fd, ret;

	fd = hook_dir(s, OUT, true);
	if (fd >= 0)
		close(fd);
	ret = fd < 0 ? fd : hook_dir(s, WORK, false);
	if (ret >= 0)
		close(ret);
	if (ret < 0) {
		failed(s, now, verb, strerror(-ret));
		return;
	}
	s->serial++;
	service_policy(s);
	o = request(s, verb);
	snprintf(work, sizeof(work), "%s/" WORK, s->path);
	ret = hook_start(&s->hook, &s->config->hook, verb, work, o);
	json_object_put(o);
	if (ret)
		failed(s, now, verb, s->hook.reason);
}

void adapt_start(struct service *s, uint64_t now)
{
	s->adapt_ns = now + (uint64_t)s->config->adapt_s * NS_PER_S;
	call(s, "adapt", now);
	s->fresh = 0;
}

/* -- what it answers ------------------------------------------------------------- */

struct answer {
	bool has_stability;
	bool none_yet;		/* there was nothing to train with */
	double stability;
	const char *model;
	const char *note;
};

static bool take_key(struct answer *a, const char *key, struct json_object *v, char *why)
{
	if (!strcmp(key, "stability")) {
		a->has_stability = true;
		a->none_yet = json_object_is_type(v, json_type_null);
		a->stability = json_object_get_double(v);
		if (a->none_yet || ((json_object_is_type(v, json_type_double) ||
				     json_object_is_type(v, json_type_int)) &&
				    isfinite(a->stability)))
			return true;
		snprintf(why, HOOK_REASON, "stability: must be a finite number, or null");
		return false;
	}
	if (strcmp(key, "model") && strcmp(key, "note")) {
		static const char *const keys[] = { "stability", "model", "note", NULL };

		snprintf(why, HOOK_REASON, "unknown key \"%.40s\"%s", key, tool_hint(key, keys));
		return false;
	}
	if (!json_object_is_type(v, json_type_string)) {
		snprintf(why, HOOK_REASON, "%s: must be a text", key);
		return false;
	}
	*(*key == 'm' ? &a->model : &a->note) = json_object_get_string(v);
	return true;
}

static bool take_answer(struct service *s, struct answer *a, char *why)
{
	const char *verb = s->hook.verb;

	memset(a, 0, sizeof(*a));
	if (!s->hook.answer) {
		snprintf(why, HOOK_REASON, "%s", s->hook.reason);
		return false;
	}
	json_object_object_foreach(s->hook.answer, key, v)
		if (!take_key(a, key, v, why))
			return false;
	if (!strcmp(verb, "evaluate") && !a->has_stability)
		snprintf(why, HOOK_REASON, "stability: missing");
	else if (!strcmp(verb, "freeze") && !a->model)
		snprintf(why, HOOK_REASON, "model: missing");
	else if (strcmp(verb, "freeze") && a->model)
		snprintf(why, HOOK_REASON, "model: belongs to the answer of freeze");
	else
		return true;
	return false;
}

/* -- is it needed? --------------------------------------------------------------- */

/* The kernel's answers; if it gives none, those of the same model from disk. */
static int32_t *active_outputs(struct service *s, const int32_t *inputs, unsigned int rows,
			       const char **by)
{
	size_t n = (size_t)rows * s->info.n_out;
	int32_t *outputs = calloc(n + 1, sizeof(*outputs));
	struct candidate c;
	int dir;

	*by = "kernel";
	if (outputs && !lf_eval(s->ask, &s->info, s->active, rows, inputs, outputs))
		return outputs;
	free(outputs);
	outputs = NULL;
	*by = "file";
	dir = openat(s->dir, "models", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !s->slots[s->active].has_digest)
		goto out;
	if (!candidate_load(&c, dir, s->slots[s->active].digest)) {
		if (c.model->n_in == s->info.n_in && c.model->n_out == s->info.n_out)
			outputs = candidate_run(&c, inputs, rows);
		candidate_free(&c);
	}
out:
	if (dir >= 0)
		close(dir);
	return outputs;
}

static bool necessary(struct service *s, const struct candidate *c, const int32_t *inputs,
		      unsigned int rows)
{
	const char *by, *verdict;
	int32_t *active = active_outputs(s, inputs, rows, &by), *new;
	char text[DIGEST_TEXT];

	new = active ? candidate_run(c, inputs, rows) : NULL;
	if (!new) {
		service_log(s, LOG_WARNING, "necessity", "verdict=unknown reason=%s",
			    log_quoted(active ? "out of memory" : lf_reason(s->ask)));
		free(active);
		return false;
	}
	s->difference = difference(c->model, active, new, rows);
	s->candidates++;
	free(active);
	free(new);
	verdict = s->difference > s->config->alpha ? "needed" : "unneeded";
	service_log(s, LOG_INFO, "necessity",
		    "verdict=%s difference_percent=%.3f alpha_percent=%.3f inputs=%u active=%u "
		    "answers_of=%s candidate=%.16s", verdict, 100 * s->difference,
		    100 * s->config->alpha, rows, s->version, by, digest_text(c->digest, text));
	return s->difference > s->config->alpha;
}

static void consider(struct service *s, struct candidate *c, const int32_t *inputs,
		     unsigned int rows, uint64_t now)
{
	char text[DIGEST_TEXT];

	if (state_is_refused(&s->state, c->digest) ||
	    state_is_source_refused(&s->state, c->source)) {
		service_log(s, LOG_NOTICE, "candidate", "verdict=refused digest=%.16s reason=%s",
			    digest_text(c->digest, text), log_quoted("it was worse before"));
		return;
	}
	/* others may have changed the slots while the hook was busy */
	if (switch_look(s, now) || s->active < 0 || s->state.phase != STATE_IDLE)
		return;
	if (!necessary(s, c, inputs, rows))
		return;
	if (s->config->install)
		switch_install(s, c, now);
	else
		service_log(s, LOG_NOTICE, "install", "verdict=off reason=%s",
			    log_quoted("\"install\" is false"));
}

static void frozen(struct service *s, const char *name, uint64_t now)
{
	int dir = openat(s->dir, OUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	unsigned int rows;
	int32_t *inputs = records_inputs(s, &rows);
	struct candidate c;
	char why[HOOK_REASON];

	if (dir < 0 || !inputs) {
		failed(s, now, "freeze", strerror(errno));
	} else if (candidate_read(&c, dir, name, s->config->hook.uid, &s->info, inputs, rows,
				  why)) {
		failed(s, now, "freeze", why);
	} else {
		consider(s, &c, inputs, rows, now);
		candidate_free(&c);
	}
	if (dir >= 0)
		close(dir);
	free(inputs);
}

/* -- step by step ---------------------------------------------------------------- */

/* Why no model is asked for now; NULL: there is no reason. */
static const char *wait_for(const struct service *s, uint64_t now)
{
	if (s->state.phase != STATE_IDLE)
		return "trial";
	if (now < s->state.hold_until_ns)
		return "hold-off";
	if (s->rows < s->room)
		return "inputs";
	return NULL;
}

static void stability_came(struct service *s, double value, uint64_t now)
{
	const struct config *c = s->config;
	const char *wait = wait_for(s, now);
	bool settled;

	stability_add(&s->stability, value, c->window);
	settled = stability_settled(&s->stability, c->window, c->spread, &s->spread);
	service_log(s, LOG_INFO, "stability",
		    "value=%.6g spread_percent=%.3f limit_percent=%.3f window=%u/%u settled=%s%s%s",
		    value, s->spread < 0 ? -1 : 100 * s->spread, 100 * c->spread, s->stability.n,
		    c->window, settled ? "yes" : "no", settled && wait ? " waits_for=" : "",
		    settled && wait ? wait : "");
	if (settled && !wait)
		call(s, "freeze", now);
}

static void said(void *data, const char *line)
{
	struct service *s = data;

	service_log(s, LOG_INFO, "hook-says", "verb=%s text=%s", s->hook.verb, log_quoted(line));
}

void adapt_step(struct service *s, uint64_t now)
{
	char verb[sizeof(s->hook.verb)], why[HOOK_REASON];
	struct json_object *answer;
	struct answer a;

	if (!hook_step(&s->hook, said, s))
		return;
	strcpy(verb, s->hook.verb);
	if (!take_answer(s, &a, why)) {
		failed(s, now, verb, why);
		json_object_put(s->hook.answer);
		s->hook.answer = NULL;
		return;
	}
	s->failures = 0;
	service_log(s, LOG_INFO, "hook-done", "verb=%s serial=%llu cpu_s=%.3f wall_s=%.3f%s%s",
		    verb, (unsigned long long)s->serial, s->hook.cpu_s, s->hook.wall_s,
		    a.note ? " note=" : "", a.note ? log_quoted(a.note) : "");
	/* the answer's texts live as long as it does, and the next call makes a new one */
	answer = s->hook.answer;
	s->hook.answer = NULL;
	if (!strcmp(verb, "freeze")) {
		frozen(s, a.model, now);
	} else {
		s->adaptations += !strcmp(verb, "adapt");
		if (!a.has_stability)
			call(s, "evaluate", now);
		else if (!a.none_yet)
			stability_came(s, a.stability, now);
	}
	json_object_put(answer);
}
