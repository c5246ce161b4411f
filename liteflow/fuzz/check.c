// SPDX-License-Identifier: GPL-2.0
/*
 * One blob for lf_model_parse(), and questions to what it accepts. Sanitizers see
 * overflows and bad accesses; judge.c says what is sound and what is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "check.h"
#include "judge.h"

#define QUESTIONS	6
#define FEW_QUESTIONS	3
#define LARGE		20000	/* multiply-adds */

char check_case[80];

void fail(const char *what, const char *more)
{
	fprintf(stderr, "WRONG: %s%s%s\n%s\n", what, more ? ": " : "", more ? more : "",
		check_case);
	abort();
}

static s32 question(const struct lf_model *m, int nth, int i, u32 *random)
{
	switch (nth) {
	case 0:
		return INT32_MIN;
	case 1:
		return INT32_MAX;
	case 2:
		return i & 1 ? m->in[i].lo : m->in[i].hi;
	case 3:
		return i & 1 ? m->in[i].hi : m->in[i].lo;
	}
	*random = *random * 1664525 + 1013904223;
	if (nth == 4)
		return m->in[i].lo + (s64)(*random * ((u64)m->in[i].hi - m->in[i].lo + 1) >> 32);
	return *random & 1 << 16 ? (s32)*random : *random & 1 << 17 ? INT32_MIN : INT32_MAX;
}

/* What the state might be: zeroes, or anything that its format has. */
static void draw_state(const struct lf_model *m, s32 *state, u32 *random)
{
	int kind = *random >> 16 & 3;

	for (int k = 0; k < m->n_cells; k++) {
		const struct lf_cell *cell = &m->cells[k];
		int n = cell->type == LITEFLOW_LAYER_LSTM ? 2 * cell->n_out : cell->n_out;
		s64 most = cell->state_bits == 32 ? INT32_MAX : INT16_MAX;
		s64 least = cell->act == LITEFLOW_ACT_RELU ? 0 : -most;

		for (int i = 0; i < n; i++) {
			if (i == cell->n_out) {
				most = INT32_MAX;
				least = INT32_MIN;
			}
			*random = *random * 1664525 + 1013904223;
			*state++ = !kind ? 0 : kind == 1 ? *random & 1 << 16 ? least : most :
				   least + (s64)(*random * (u64)(most - least + 1) >> 32);
		}
	}
}

static void ask(const struct lf_model *m, const struct judge *j)
{
	/* of the right size, not of the largest: whoever writes beyond is seen */
	s32 *in = malloc(m->n_in * sizeof(*in));
	s32 *out = malloc(m->n_out * sizeof(*out));
	s32 *want = malloc(m->n_out * sizeof(*want));
	s32 *state = malloc((m->state_len + 1) * sizeof(*state));
	s32 *after = malloc((m->state_len + 1) * sizeof(*after));
	void *scratch = malloc(2 * m->width * (m->n_cells ? sizeof(s32) : sizeof(s16)));
	int n = m->macs > LARGE ? FEW_QUESTIONS : QUESTIONS;
	bool narrow[LITEFLOW_MAX_LAYERS];
	u32 random = m->crc;
	const char *bad;

	draw_state(m, state, &random);
	if (!lf_state_sound(m, state))
		fail("a state within its format is refused", NULL);
	for (int k = 0; k < m->n_cells + m->n_layers; k++) {
		narrow[k] = k < m->n_cells ? !m->cells[k].wide : !m->layers[k - m->n_cells].wide;
		if (narrow[k] != j->narrow[k])
			fail("a layer has sums of another width than it needs", NULL);
	}
	for (int nth = 0; nth < n; nth++) {
		for (int i = 0; i < m->n_in; i++)
			in[i] = question(m, (nth + m->crc) % QUESTIONS, i, &random);
		memcpy(after, state, m->state_len * sizeof(*after));
		if (m->n_cells)
			lf_model_step(m, in, out, state, scratch);
		else
			lf_model_run(m, in, out, scratch);
		bad = judge_run(j, narrow, after, in, want);
		if (bad)
			fail("an accepted model", bad);
		if (memcmp(state, after, m->state_len * sizeof(*after)))
			fail("a state is wrong", NULL);
		if (memcmp(out, want, m->n_out * sizeof(*out)))
			fail("an output is wrong", NULL);
	}
	free(in);
	free(out);
	free(want);
	free(state);
	free(after);
	free(scratch);
}

static void check_text(const char *text, size_t room, bool empty)
{
	size_t len = strnlen(text, room);

	if (len == room || (!len && !empty))
		fail("a text has no end, or there is none", NULL);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			fail("a text has a control character", NULL);
	}
}

static void check_texts(const struct lf_model *m)
{
	check_text(m->name, LITEFLOW_NAME_LEN, false);
	check_text(m->units, LITEFLOW_NAME_LEN, true);
	check_text(m->provenance, LITEFLOW_MAX_PROVENANCE + 1, true);
	for (int i = 0; i < m->n_in; i++)
		check_text(m->in_names[i], LITEFLOW_NAME_LEN, false);
	for (int i = 0; i < m->n_out; i++)
		check_text(m->out_names[i], LITEFLOW_NAME_LEN, false);
}

static void check_limits(const struct lf_model *m, const void *blob, size_t len)
{
	struct lf_limits limits = {
		.n_in = m->n_in, .n_out = m->n_out, .max_width = m->width,
		.max_macs = m->macs, .max_bytes = m->bytes, .max_state = m->state_len,
		.units = m->units,
	};
	struct lf_model *again;

	if (lf_model_parse(blob, len, &limits, &again, NULL))
		fail("a model does not keep to its own limits", NULL);
	lf_model_free(again);
	limits.max_bytes--;
	if (!lf_model_parse(blob, len, &limits, &again, NULL))
		fail("a model takes too much memory", NULL);
	limits.max_bytes++;
	if (!limits.max_state)
		return;
	limits.max_state--;
	if (!lf_model_parse(blob, len, &limits, &again, NULL))
		fail("a model has too much state", NULL);
}

bool check(const void *blob, size_t len, const char *reason)
{
	static const struct lf_limits any = { .max_state = LITEFLOW_MAX_STATE };
	static struct judge judge;
	const char *unsound = judge_read(&judge, blob, len);
	struct lf_error err;
	struct lf_model *m;
	int ret;

	memset(&err, 'x', sizeof(err));
	ret = lf_model_parse(blob, len, &any, &m, &err);
	if (!memchr(err.msg, 0, sizeof(err.msg)))
		fail("the reason has no end", NULL);
	if (reason && !(ret && strstr(err.msg, reason)))
		fail(ret ? err.msg : "accepted", reason);
	if (ret) {
		if (m || !err.msg[0])
			fail("a refusal without a reason, or with a model", NULL);
		if (!unsound)
			fail("a sound model was refused", err.msg);
		return false;
	}
	if (err.msg[0])
		fail("a reason without a refusal", err.msg);
	if (unsound)
		fail("accepted", unsound);
	if (m->n_in != judge.n_in || m->n_out != judge.n_out || m->n_cells != judge.n_cells ||
	    m->n_cells + m->n_layers != judge.n_layers || m->state_len != judge.state_len ||
	    m->width != judge.width || m->macs != judge.macs)
		fail("a model's shape is not that of its blob", NULL);
	check_texts(m);
	check_limits(m, blob, len);
	ask(m, &judge);
	lf_model_free(m);
	return true;
}
