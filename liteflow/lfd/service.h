/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lfd does for one app: collect, adapt, decide, install, watch. Nothing here waits,
 * and the time is the caller's, so that tests can run it in a time of their own.
 */
#ifndef _LFD_SERVICE_H
#define _LFD_SERVICE_H

#include <linux/liteflow_engine.h>
#include "config.h"
#include "decide.h"
#include "history.h"
#include "hook.h"
#include "liblf.h"
#include "log.h"
#include "state.h"
#include "watch.h"

#define STATE_DIR	"/var/lib/liteflow/lfd"
#define SERVICE_FDS	(HOOK_FDS + 1)

#define NS_PER_S	1000000000ULL

/* After this what could not be opened is tried again. */
#define RETRY_S		5

/**
 * struct service - an app that is served
 * @config: as it is now
 * @path: folder of the app: state, history, models, the hook's
 * @dir: the same, open; -1: not yet
 * @held: the state cannot be read: nothing is done before somebody mends it
 * @state: what is kept on disk
 * @unsaved: the state on disk is an older one: the disk was full
 *
 * @ask: for requests; NULL: the kernel or the app is not there
 * @collect: collects, and hears of changes
 * @info: of the app
 * @slots: what was last seen in its slots
 * @active: the active one's slot; -1: none, or not seen yet
 * @version: the active one's version; 0: none
 * @down: why there is no connection; told once
 * @retry_ns: when to try again
 * @look_ns: when to look at the slots again
 * @gone: the app went away
 *
 * @history: records on disk; NULL: it cannot be opened
 * @history_ns: when to try that again
 * @unwritten: opening or writing failed; told once
 * @missed: records that came while there was no history, and do not stand in it yet
 * @collecting_ns: when this collection began, CLOCK_REALTIME
 * @unsynced: batches were appended since the last sync
 * @ring: the last inputs, [@room][n_in]; @next is the oldest if all are there
 * @room: rows that fit
 * @next: row to be written next
 * @rows: rows that are there
 * @records: all that came
 * @fresh: those since the last adaptation
 * @lost: that the kernel lost in this collection
 * @lost_told: the same, when it was logged last
 *
 * @watch: rewards
 * @stability: of the hook's adaptation
 * @spread: of it, when it was last judged; -1: too few values
 * @difference: of the last candidate from the active model; -1: there was none
 * @hook: the call that runs
 * @adapt_ns: when the next adaptation is due
 * @failures: calls in a row that failed
 * @serial: number of the call
 * @adaptations: that went well
 * @candidates: that were compared
 * @refusals: answers and models that could not be taken
 *
 * @last: the last line that was logged
 */
struct service {
	struct config *config;
	char *path;
	int dir;
	bool held;
	struct state state;
	bool unsaved;

	struct lf *ask;
	struct lf *collect;
	struct lf_app_info info;
	struct lf_model_info slots[LITEFLOW_SLOTS_MAX];
	int active;
	uint32_t version;
	char down[200];
	uint64_t retry_ns;
	uint64_t look_ns;
	bool gone;

	struct lf_history *history;
	uint64_t history_ns;
	bool unwritten;
	uint64_t missed;
	int64_t collecting_ns;
	bool unsynced;
	int32_t *ring;
	unsigned int room;
	unsigned int next;
	unsigned int rows;
	uint64_t records;
	uint64_t fresh;
	uint64_t lost;
	uint64_t lost_told;

	struct watch watch;
	struct stability stability;
	double spread;
	double difference;
	struct hook hook;
	uint64_t adapt_ns;
	unsigned int failures;
	uint64_t serial;
	uint64_t adaptations;
	uint64_t candidates;
	uint64_t refusals;

	char last[600];
};

/* Takes over @config. The app's folder is made below @root. */
struct service *service_new(struct config *config, const char *root);

/* Stops the hook, writes what is left; what is on trial in the kernel stays. */
void service_free(struct service *s);

/* Takes over @config, of the same app. A call that runs keeps the limits it began with. */
void service_reload(struct service *s, struct config *config, uint64_t now);

/* Do all that is due. */
void service_step(struct service *s, uint64_t now);

/* When service_step() has something to do, if no descriptor is ready before. */
uint64_t service_next(const struct service *s);

/* SERVICE_FDS of them; those that are not there are -1. */
void service_poll(const struct service *s, struct pollfd *fds);

/* "down", "held", "no-model", "collecting", "adapting", "trial", "returning" */
const char *service_phase(const struct service *s);

/* -- between the files of a service --------------------------------------------- */

#define service_log(s, priority, event, ...) \
	service_said(s, log_event(priority, (s)->config->app, event, __VA_ARGS__))

void service_said(struct service *s, const char *line);

/* The connection failed or the app went away; @why as of lf_reason(). */
void service_disconnect(struct service *s, uint64_t now, const char *why);

/* The app's policy as it is now: no notification tells of its change. */
uint32_t service_policy(struct service *s);

/* records.c: what is collected. */
int records_start(struct service *s, uint64_t now);
void records_stop(struct service *s);
int records_take(struct service *s);
/* If the history could not be opened, and it is time: try again. */
void records_retry(struct service *s, uint64_t now);
void records_resize(struct service *s);
/* The last inputs, oldest first, [rows][n_in], and their number; free them. */
int32_t *records_inputs(const struct service *s, unsigned int *rows);

/* adapt.c: the talk with the hook, up to a model that is needed. */
void adapt_start(struct service *s, uint64_t now);
void adapt_step(struct service *s, uint64_t now);

/**
 * struct candidate - a model that the hook handed back
 * @blob: as the kernel takes it
 * @len: bytes of it
 * @digest: of it
 * @source: of the file that it was made of: what is packed depends on the last inputs
 * @model: the same, ready to run
 */
struct candidate {
	void *blob;
	size_t len;
	uint8_t digest[LF_DIGEST_LEN];
	uint8_t source[LF_DIGEST_LEN];
	const struct lf_model *model;
};

/*
 * candidate.c: a file of the folder @dir, JSON or a model, which belongs to @uid. -1 and
 * a reason if it cannot be taken. @rows of inputs show which ranges occur.
 */
int candidate_read(struct candidate *c, int dir, const char *name, uid_t uid,
		   const struct lf_app_info *info, const int32_t *inputs, unsigned int rows,
		   char why[HOOK_REASON]);
/* From a file that was written by candidate_save(). */
int candidate_load(struct candidate *c, int dir, const uint8_t *digest);
int candidate_save(const struct candidate *c, int dir);
/* Answers to @rows of inputs, [rows][n_out]; free them. */
int32_t *candidate_run(const struct candidate *c, const int32_t *inputs, unsigned int rows);
void candidate_free(struct candidate *c);

/* switch.c: the kernel's slots. */
/* What is there? Notices what others did. -1: the connection is over. */
int switch_look(struct service *s, uint64_t now);
/* After a start: go on with what was begun. */
void switch_recover(struct service *s, uint64_t now);
/* Put it into a slot, activate it, and begin its trial. */
void switch_install(struct service *s, const struct candidate *c, uint64_t now);
/* Judge the trial, and return if it is worse. */
void switch_judge(struct service *s, uint64_t now);
/* What is known as STATE_RETURNING: make the one before active. */
void switch_return(struct service *s, uint64_t now);

#endif /* _LFD_SERVICE_H */
