// SPDX-License-Identifier: GPL-2.0
/*
 * The slots: what is in them, who changed it, and changing it. The kernel's models are
 * shared with everybody who may change them, so each step looks first, and what others
 * did holds. The state on disk is always ahead of the kernel: it says what is to be done,
 * so that a lfd that was killed in between knows what it finds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <dirent.h>
#include <unistd.h>
#include "service.h"

#define LOOK_S		1
#define RETURN_S	10	/* after a return that failed */

static bool save(struct service *s, const char *step)
{
	int err = state_save(&s->state, s->dir);

	s->unsaved = err;
	if (err)
		service_log(s, LOG_ERR, "state-error", "step=%s reason=%s", step,
			    log_quoted(strerror(-err)));
	return !err;
}

static void hold_off(struct service *s, uint64_t now)
{
	s->state.hold_until_ns = now + (uint64_t)s->config->hold_off_s * NS_PER_S;
}

static int slot_of(const struct service *s, const uint8_t *digest)
{
	int i;

	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		if (s->slots[i].state && s->slots[i].has_digest &&
		    !memcmp(s->slots[i].digest, digest, LF_DIGEST_LEN))
			return i;
	return -1;
}

/* -- models on disk ---------------------------------------------------------------- */

static int models_dir(const struct service *s)
{
	if (mkdirat(s->dir, "models", 0755) && errno != EEXIST)
		return -1;
	return openat(s->dir, "models", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool in_slots(void *data, const uint8_t *digest)
{
	return slot_of(data, digest) >= 0;
}

/* Of those that no slot has any more nobody asks. */
static void prune_models(struct service *s)
{
	int fd = models_dir(s);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char text[DIGEST_TEXT];
	struct dirent *d;
	unsigned int i;
	bool used;

	while (dir && (d = readdir(dir))) {
		used = d->d_name[0] == '.';
		for (i = 0; i < LITEFLOW_SLOTS_MAX && !used; i++)
			used = s->slots[i].state && s->slots[i].has_digest &&
			       !strncmp(d->d_name, digest_text(s->slots[i].digest, text),
					DIGEST_TEXT - 1);
		if (!used)
			unlinkat(fd, d->d_name, 0);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	state_prune_own(&s->state, in_slots, s);
}

/* -- looking --------------------------------------------------------------------- */

/* That of the base. If the app went and came, versions began anew: the digest tells. */
static int base_slot(const struct service *s)
{
	int i;

	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		if (s->slots[i].state && s->slots[i].version == s->state.base_version &&
		    !memcmp(s->slots[i].digest, s->state.base.sum, LF_DIGEST_LEN))
			return i;
	return -1;
}

static void begin_anew(struct service *s)
{
	watch_reset(&s->watch, s->version);
	s->stability.n = 0;
	s->state.phase = STATE_IDLE;
	s->state.n_before = 0;
}

/* Somebody else activated a model, or took the active one away: that holds. */
static void others_changed(struct service *s, uint32_t before, uint64_t now)
{
	const struct lf_model_info *m = s->active < 0 ? NULL : s->slots + s->active;
	char text[DIGEST_TEXT] = "none";

	if (m && m->has_digest)
		digest_text(m->digest, text);
	service_log(s, LOG_NOTICE, m ? "activated-by-others" : "no-model",
		    "before=%u version=%u name=%s digest=%.16s trial=%s%s", before, s->version,
		    log_quoted(m ? m->name : ""), text,
		    s->state.phase == STATE_TRIAL ? "given-up" : "none",
		    m && m->has_digest && state_is_refused(&s->state, m->digest) ?
		    " note=\"it was refused before\"" : "");
	hold_off(s, now);
	begin_anew(s);
	save(s, "begin-anew");
}

int switch_look(struct service *s, uint64_t now)
{
	uint32_t before = s->version;
	int err = lf_get_slots(s->ask, s->config->app, s->slots);

	if (err == -ENOBUFS || err == -ETIMEDOUT || err == -EBUSY) {
		/* too much goes on: once more later */
		s->look_ns = now + LOOK_S * NS_PER_S;
		return -1;
	}
	if (err) {
		service_disconnect(s, now, lf_reason(s->ask));
		return -1;
	}
	s->look_ns = now + LOOK_S * NS_PER_S;
	s->active = lf_active_slot(s->slots);
	s->version = s->active < 0 ? 0 : s->slots[s->active].version;
	if (s->version != before)
		others_changed(s, before, now);
	return 0;
}

/* -- going on with what was begun --------------------------------------------------- */

static bool begin_trial(struct service *s, uint64_t now)
{
	s->watch.base = s->state.base_version;
	memcpy(s->watch.before, s->state.before, sizeof(s->watch.before));
	s->watch.n_before = s->state.n_before;
	if (!watch_begin(&s->watch, s->version, now))
		return true;
	service_log(s, LOG_ERR, "trial", "verdict=none reason=%s", log_quoted("out of memory"));
	return false;
}

void switch_recover(struct service *s, uint64_t now)
{
	enum state_phase phase = s->state.phase;
	int slot = slot_of(s, s->state.trial.sum);
	char boot[BOOT_ID_LEN], text[DIGEST_TEXT];
	const char *what = "nothing-left";

	state_boot_id(boot);
	if (strcmp(boot, s->state.boot_id)) {
		/* another boot: other versions, another clock; models that are worse stay so */
		strcpy(s->state.boot_id, boot);
		s->state.hold_until_ns = 0;
		s->state.base_version = 0;
		s->state.n_before = 0;
		s->state.n_own = 0;
		s->state.phase = STATE_IDLE;
		slot = -1;
	}
	if (s->state.hold_until_ns > now + (uint64_t)s->config->hold_off_s * NS_PER_S)
		hold_off(s, now);
	if (phase == STATE_IDLE) {
		if (s->active >= 0 && s->slots[s->active].has_digest &&
		    state_is_refused(&s->state, s->slots[s->active].digest))
			service_log(s, LOG_WARNING, "refused-is-active", "version=%u reason=%s",
				    s->version, log_quoted("it was worse before; others activated it"));
		save(s, "start");
		return;
	}
	if (slot >= 0 && slot == s->active && s->state.phase == STATE_RETURNING) {
		switch_return(s, now);
		return;
	}
	if (slot >= 0 && slot == s->active && s->state.phase != STATE_IDLE) {
		s->state.phase = STATE_TRIAL;
		what = "trial-begins-anew";
		if (base_slot(s) < 0 || !begin_trial(s, now)) {
			what = "trial-given-up";
			begin_anew(s);
		}
	} else {
		/* what never became active, or was left already */
		if (slot >= 0 && s->slots[slot].state != LITEFLOW_STATE_ACTIVE &&
		    state_is_own(&s->state, s->state.trial.sum) &&
		    !lf_remove(s->ask, s->config->app, slot, LITEFLOW_REMOVE_FLAGS_EVICT)) {
			memset(s->slots + slot, 0, sizeof(*s->slots));
			what = "removed";
		}
		s->state.phase = STATE_IDLE;
	}
	service_log(s, LOG_NOTICE, "recovered", "from=%s result=%s digest=%.16s active=%u",
		    state_phase_names[phase], what, digest_text(s->state.trial.sum, text),
		    s->version);
	save(s, "recover");
}

/* -- installing -------------------------------------------------------------------- */

/* An empty slot, else the oldest model that lfd put there; never anybody else's. */
static int choose_slot(const struct service *s)
{
	int i, best = -1;

	for (i = 0; i < (int)s->info.n_slots && i < LITEFLOW_SLOTS_MAX; i++) {
		const struct lf_model_info *m = s->slots + i;

		if (!m->state)
			return i;
		if (m->state != LITEFLOW_STATE_ACTIVE && m->has_digest &&
		    state_is_own(&s->state, m->digest) &&
		    (best < 0 || m->version < s->slots[best].version))
			best = i;
	}
	return best;
}

static void not_installed(struct service *s, const char *step, const char *reason)
{
	s->refusals++;
	service_log(s, LOG_WARNING, "install", "verdict=failed step=%s reason=%s", step,
		    log_quoted(reason));
	s->state.phase = STATE_IDLE;
	save(s, "install");
}

/* Written down first: models, the step, and what it is compared with. */
static bool prepare(struct service *s, const struct candidate *c)
{
	int dir = models_dir(s), err;

	err = dir < 0 ? -errno : candidate_save(c, dir);
	if (dir >= 0)
		close(dir);
	if (err) {
		service_log(s, LOG_ERR, "install", "verdict=failed step=save reason=%s",
			    log_quoted(strerror(-err)));
		return false;
	}
	s->state.phase = STATE_INSTALLING;
	memcpy(s->state.trial.sum, c->digest, LF_DIGEST_LEN);
	memcpy(s->state.source.sum, c->source, LF_DIGEST_LEN);
	s->state.base_version = s->version;
	memcpy(s->state.base.sum, s->slots[s->active].digest, LF_DIGEST_LEN);
	s->state.n_before = s->watch.n_before;
	memcpy(s->state.before, s->watch.before, sizeof(s->state.before));
	state_add_own(&s->state, c->digest);
	if (save(s, "install"))
		return true;
	s->state.phase = STATE_IDLE;
	return false;
}

/* Nobody else's model must become active by this: look at what the slot has. */
static bool still_ours(struct service *s, int slot, uint32_t version)
{
	int active;

	if (lf_get_slots(s->ask, s->config->app, s->slots))
		return false;
	active = lf_active_slot(s->slots);
	return s->slots[slot].version == version && active >= 0 &&
	       s->slots[active].version == s->state.base_version;
}

void switch_install(struct service *s, const struct candidate *c, uint64_t now)
{
	uint32_t before = s->version, version, active;
	char text[DIGEST_TEXT];
	uint64_t ns;
	int slot;

	/* to compare answers took its time: the slots may be others' by now */
	if (switch_look(s, now))
		return;
	if (s->version != before) {
		service_log(s, LOG_NOTICE, "install", "verdict=void reason=%s",
			    log_quoted("it was compared with a model that is no longer active"));
		return;
	}
	slot = choose_slot(s);
	if (slot < 0) {
		service_log(s, LOG_WARNING, "install", "verdict=failed step=slot reason=%s",
			    log_quoted("others' models are in all slots: lfctl model remove one"));
		return;
	}
	if (slot_of(s, c->digest) == s->active) {
		service_log(s, LOG_INFO, "install", "verdict=unneeded reason=%s",
			    log_quoted("it is active already"));
		return;
	}
	/* nothing is activated that cannot be watched */
	if (watch_reserve(&s->watch)) {
		service_log(s, LOG_ERR, "install", "verdict=failed step=watch reason=%s",
			    log_quoted("out of memory"));
		return;
	}
	if (!prepare(s, c))
		return;
	if (lf_install(s->ask, s->config->app, slot, c->blob, c->len, &version)) {
		not_installed(s, "install", lf_reason(s->ask));
		return;
	}
	if (!still_ours(s, slot, version)) {
		not_installed(s, "look", "somebody else changed the slots meanwhile");
		s->look_ns = 0;
		return;
	}
	if (lf_activate(s->ask, s->config->app, slot, &active, &ns)) {
		not_installed(s, "activate", lf_reason(s->ask));
		return;
	}
	if (active != version) {
		/* in the moment between: what was active before is right again */
		lf_rollback(s->ask, s->config->app, NULL, NULL);
		not_installed(s, "activate", "somebody else took the slot meanwhile");
		s->look_ns = 0;
		return;
	}
	s->version = version;
	s->active = slot;
	s->state.phase = STATE_TRIAL;
	s->state.installs++;
	s->stability.n = 0;
	hold_off(s, now);
	save(s, "trial");
	begin_trial(s, now);
	service_log(s, LOG_NOTICE, "install",
		    "verdict=active slot=%d version=%u before=%u digest=%.16s kernel_ns=%llu "
		    "trial_s=%.0f", slot, version, s->state.base_version,
		    digest_text(c->digest, text), (unsigned long long)ns,
		    s->config->watch.trial_ns / 1e9);
	if (!lf_get_slots(s->ask, s->config->app, s->slots))
		prune_models(s);
}

/* -- the trial ---------------------------------------------------------------------- */

/*
 * Others removed what was active before, unless it is the app that is not there. The worse
 * model stays active, as none at all may be worse yet, until one that is newly adapted
 * takes its place: for that one there is no hold-off.
 */
static void no_way_back(struct service *s, uint64_t now)
{
	if (switch_look(s, now) || s->state.phase != STATE_RETURNING || base_slot(s) >= 0)
		return;
	service_log(s, LOG_CRIT, "rollback", "verdict=impossible version=%u reason=%s", s->version,
		    log_quoted("the model before was removed: the next one replaces this"));
	begin_anew(s);
	s->state.hold_until_ns = 0;
	save(s, "no-way-back");
}

void switch_return(struct service *s, uint64_t now)
{
	int slot = base_slot(s);
	int bad = slot_of(s, s->state.trial.sum);
	uint32_t from = s->version, version = 0;
	int err;

	/* without it, the kernel knows what was active before */
	err = slot >= 0 ? lf_activate(s->ask, s->config->app, slot, &version, NULL) :
			  lf_rollback(s->ask, s->config->app, &version, NULL);
	if (err == -ENOENT && slot < 0) {
		s->retry_ns = now + RETURN_S * NS_PER_S;
		no_way_back(s, now);
		return;
	}
	if (err) {
		service_log(s, LOG_CRIT, "rollback", "verdict=failed version=%u reason=%s", from,
			    log_quoted(lf_reason(s->ask)));
		s->retry_ns = now + RETURN_S * NS_PER_S;
		return;
	}
	/* flows that hold it would keep it */
	if (bad >= 0 && lf_remove(s->ask, s->config->app, bad, LITEFLOW_REMOVE_FLAGS_EVICT))
		service_log(s, LOG_WARNING, "remove", "slot=%d reason=%s", bad,
			    log_quoted(lf_reason(s->ask)));
	s->state.rollbacks++;
	s->version = version;
	s->state.phase = STATE_IDLE;
	s->stability.n = 0;
	hold_off(s, now);
	if (s->watch.trial)
		watch_end(&s->watch, false);
	if (s->watch.base != version)
		watch_reset(&s->watch, version);
	if (!lf_get_slots(s->ask, s->config->app, s->slots)) {
		s->active = lf_active_slot(s->slots);
		prune_models(s);
	}
	save(s, "rollback");
	service_log(s, LOG_WARNING, "rollback", "verdict=done from=%u to=%u", from, version);
}

static void worse(struct service *s, uint64_t now)
{
	state_refuse(&s->state);
	s->state.phase = STATE_RETURNING;
	/* if this cannot be written, a kill in between would let it go on: rather now */
	save(s, "worse");
	switch_return(s, now);
}

void switch_judge(struct service *s, uint64_t now)
{
	static const char *const names[] = { "wait", "goes-on", "worse", "not-worse", "unknown" };
	struct watch_params p = s->config->watch;
	struct watch_report r;
	enum watch_verdict v;

	if (now >= watch_next(&s->watch, &p))
		p.side_by_side = service_policy(s) == LITEFLOW_POLICY_PIN;
	v = watch_judge(&s->watch, &p, now, &r);
	if (v == WATCH_WAIT)
		return;
	service_log(s, v == WATCH_WORSE ? LOG_WARNING : LOG_NOTICE, "trial",
		    "verdict=%s how=%s look=%u/%u version=%u before=%u mean=%.6g mean_before=%.6g "
		    "n=%.1f n_before=%.1f t=%.3f p=%.3g level=%.3g", names[v],
		    r.side_by_side ? "side-by-side" : "before-after", s->watch.looked, p.looks,
		    s->watch.trial, s->watch.base, r.mean[1], r.mean[0], r.n[1], r.n[0], r.t, r.p,
		    r.level);
	if (v == WATCH_GOES_ON)
		return;
	snprintf(s->state.last_verdict, sizeof(s->state.last_verdict), "%s", names[v]);
	if (v == WATCH_WORSE) {
		worse(s, now);
		return;
	}
	watch_end(&s->watch, true);
	s->state.phase = STATE_IDLE;
	s->state.n_before = 0;
	save(s, "trial-over");
}
