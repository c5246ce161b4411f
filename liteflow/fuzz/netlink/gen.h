/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages, made from a number.
 */
#ifndef GEN_H
#define GEN_H

#include "nl.h"
#include "oracle.h"

#define BLOB_ROOM	(LITEFLOW_MAX_BLOB + 64)

/* a model on its way: what a socket is about to send */
struct plan {
	bool going;
	struct o_app *app;		/* may be gone by now: only its number counts */
	uint32_t app_id, slot;
	size_t len, sent;
	uint8_t *blob;			/* BLOB_ROOM */
};

extern uint64_t gen_state;
extern struct plan plans[N_SOCKS];

uint32_t rnd(uint32_t below);
bool one_in(uint32_t n);

bool gen_blob(struct plan *p, const struct o_app *app);
void gen_mutate(uint8_t *blob, size_t *len);
void gen_plan_step(struct message *m, struct plan *p, uint16_t family);
void gen_op(struct message *m, uint16_t family);
void gen_spoil(struct message *m);
void gen_raw(struct message *m, uint16_t family);
struct o_app *gen_some_app(void);

#endif /* GEN_H */
