/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lfd must not forget of an app: state.json in the app's folder. It is replaced as a
 * whole, so after a kill it says what was true before or behind a step.
 */
#ifndef _LFD_STATE_H
#define _LFD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "liblf.h"
#include "watch.h"

#define STATE_FILE	"state.json"
#define BOOT_ID_LEN	37

/**
 * enum state_phase - what lfd is doing with the kernel's models
 * @STATE_IDLE: nothing
 * @STATE_INSTALLING: a model is to be put into a slot and activated
 * @STATE_TRIAL: it is active, and watched
 * @STATE_RETURNING: it was found worse; the one before is to be active again
 */
enum state_phase { STATE_IDLE, STATE_INSTALLING, STATE_TRIAL, STATE_RETURNING };

/* A digest of a model; a compiled one has none. */
struct state_digest {
	uint8_t sum[LF_DIGEST_LEN];
};

/**
 * struct state - what is known
 * @boot_id: of the boot that versions and times belong to
 * @phase: see there
 * @trial: digest of the model on trial
 * @source: digest of the file that it was packed from
 * @base_version: version that was active before, and that it is compared with
 * @base: digest of that; zeroes if it is a compiled model
 * @hold_until_ns: no change before, CLOCK_MONOTONIC; 0: no hold-off
 * @before: means of the rewards' blocks of @base_version
 * @n_before: their number
 * @refused: models that never come back
 * @n_refused: their number
 * @sources: digests of the files that those were packed from
 * @n_sources: their number
 * @own: models that lfd installed and that may be in slots
 * @n_own: their number
 * @installs: models that were activated
 * @rollbacks: those of them that were found worse
 * @last_verdict: of the last trial; "" if there was none
 */
struct state {
	char boot_id[BOOT_ID_LEN];
	enum state_phase phase;
	struct state_digest trial;
	struct state_digest source;
	uint32_t base_version;
	struct state_digest base;
	uint64_t hold_until_ns;
	double before[WATCH_BLOCKS];
	unsigned int n_before;
	struct state_digest *refused;
	unsigned int n_refused;
	struct state_digest *sources;
	unsigned int n_sources;
	struct state_digest *own;
	unsigned int n_own;
	uint64_t installs;
	uint64_t rollbacks;
	char last_verdict[16];
};

extern const char *const state_phase_names[];

/*
 * Read it, from the folder @dir. If there is no file, all is empty. -1 and a reason if
 * there is one that cannot be used: it is left as it is, and nothing may be changed in
 * the kernel, as models that must not come back would be forgotten.
 */
int state_load(struct state *s, int dir, char *why, size_t whylen);

/* Write it; on disk on return. 0 or a negative errno: then the old one is still there. */
int state_save(const struct state *s, int dir);

void state_free(struct state *s);

/* Of this boot, from the kernel; "" if it does not tell. */
void state_boot_id(char id[BOOT_ID_LEN]);

bool state_is_refused(const struct state *s, const uint8_t *digest);
/* The same of the file that a model was packed from. */
bool state_is_source_refused(const struct state *s, const uint8_t *digest);
bool state_is_own(const struct state *s, const uint8_t *digest);
/* The model on trial. */
void state_refuse(struct state *s);
void state_add_own(struct state *s, const uint8_t *digest);

/* Forget those of the own models for which @keep is false. */
void state_prune_own(struct state *s, bool (*keep)(void *data, const uint8_t *digest), void *data);

/* 64 hexadecimal digits and a zero byte */
#define DIGEST_TEXT	(2 * LF_DIGEST_LEN + 1)
const char *digest_text(const uint8_t *digest, char text[DIGEST_TEXT]);

#endif /* _LFD_STATE_H */
