/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel should say to a message, and what it should have done then: a
 * second account of the interface, made from its documentation. Models are the
 * library's business: the kernel has to accept what lf_model_parse() accepts.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/liteflow_engine.h>
#include <linux/liteflow.h>

#define N_SOCKS		4
#define N_SLOTS		8

/* a model that was installed */
struct o_slot {
	struct lf_model *model;		/* NULL: empty */
	uint8_t digest[LITEFLOW_DIGEST_LEN];
	uint32_t version;
	uint32_t state;			/* LITEFLOW_STATE_* */
	uint64_t activated;
};

struct o_app {
	bool alive;
	uint32_t id;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	uint32_t n_in, n_out, context, n_slots, capability;
	uint32_t policy, at_limit, max_retired, sample_shift;
	struct lf_limits limits;
	struct o_slot slots[N_SLOTS];
	uint32_t versions;
	uint64_t activations;
	int reader;			/* socket, or -1 */
	struct o_app *next;
};

/* a socket of the fuzzer */
struct o_sock {
	int fd;
	struct o_app *up;		/* NULL: no model is being sent */
	uint32_t slot, length, received;
	uint8_t digest[LITEFLOW_DIGEST_LEN];
	uint8_t *blob;
	struct o_app *collects;
};

enum verdict {
	IGNORED,	/* no request: nothing happens, no error either */
	REFUSED,
	ACCEPTED,
};

/* of the largest attribute set */
#define ATTRS_MAX	LITEFLOW_A_MODEL_MAX

/*
 * Attributes of one message, as the kernel's parser sees them. In all sets the
 * app's number, its name and the slot have the same numbers.
 */
struct attrs {
	const uint8_t *at[ATTRS_MAX + 1];
	uint16_t len[ATTRS_MAX + 1];
};

/* how it went, for the tally */
struct tally {
	unsigned long messages, accepted[LITEFLOW_CMD_MAX + 1], refused[LITEFLOW_CMD_MAX + 1];
	unsigned long headers, attributes, ignored;
	unsigned long whole, installed, unsound, evals, rows;
};

extern struct o_sock socks[N_SOCKS];
extern struct o_app *apps;
extern struct tally tally;
extern char oracle_why[160];	/* why a complete model was refused */

bool rules_known(unsigned int cmd, bool dump);
bool rules_parse(unsigned int cmd, bool dump, const uint8_t *data, size_t len,
		 struct attrs *attrs);

/*
 * Judge a message's header, attributes and sense. With @reply, the attributes of
 * the kernel's answer: it was accepted, so do it, and check what was answered;
 * a complaint is left in @bad.
 */
enum verdict oracle(struct o_sock *s, const uint8_t *msg, size_t len, uint16_t family,
		    unsigned int *cmd);
void oracle_apply(struct o_sock *s, const uint8_t *msg, const void *reply, size_t reply_len,
		  char bad[160]);
/* it was refused */
void oracle_refused(struct o_sock *s);
void oracle_close(struct o_sock *s);
struct o_app *oracle_app(uint32_t id, const char *name);

#endif /* ORACLE_H */
