// SPDX-License-Identifier: GPL-2.0
/*
 * Models that remember, in user space: recurrent_test CHECK. Built once more with
 * sanitizers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "testcell.h"
#include "testmodel.h"

#define QUEUE_PACKETS	20000000
#define QUEUE_SHORT	1000000

static unsigned char blob[LF_TESTCELL_BUF];
static const struct lf_limits limits = { .max_state = LF_TESTCELL_STATE };

static int queue(u32 packets)
{
	u32 drops, wrong;
	int err = lf_testqueue_run(1, packets, blob, sizeof(blob), &drops, &wrong);

	printf("%u packets, %u dropped: %u differ\n", packets, drops, wrong);
	return err || wrong || drops < packets / 50 || drops > packets / 2;
}

static int check_queue(void)
{
	return queue(QUEUE_PACKETS);
}

static int check_queue_short(void)
{
	return queue(QUEUE_SHORT);
}

static int check_digest(u32 n, u32 want)
{
	u32 digest, answers;
	int err = lf_testcell_digest(n, blob, sizeof(blob), &digest, &answers);

	printf("%u models, %u answers: error %d, %#x, in the kernel %#x\n", n, answers, err, digest,
	       want);
	return err || digest != want;
}

static int check_digest_200(void)
{
	return check_digest(200, LF_TESTCELL_DIGEST_200);
}

static int check_digest_1000(void)
{
	return check_digest(1000, LF_TESTCELL_DIGEST_1000);
}

/* Random models are of every kind, so the digests are of all of the code. */
static int check_kinds(void)
{
	unsigned int wide = 0, narrow = 0, kinds = 0;

	for (u32 seed = 0; seed < 200; seed++) {
		size_t len = lf_testcell(seed, blob, sizeof(blob));
		struct lf_model *m;

		if (lf_model_parse(blob, len, &limits, &m, NULL))
			return 1;
		for (unsigned int c = 0; c < m->n_cells; c++) {
			const struct lf_cell *cell = &m->cells[c];

			wide += cell->wide;
			narrow += !cell->wide;
			kinds |= 1U << (cell->wide + 2 * (cell->type + 4 * (cell->act & 1)));
		}
		lf_model_free(m);
	}
	printf("%u wide, %u narrow layers, %d kinds\n", wide, narrow, __builtin_popcount(kinds));
	/* RNN with tanh and with ReLU, GRU, LSTM, each narrow and wide */
	return __builtin_popcount(kinds) != 8;
}

/* Every byte changed: refused with a reason, or asked without harm. */
static int check_damage(void)
{
	static s32 state[LITEFLOW_MAX_STATE], scratch[2 * LITEFLOW_MAX_WIDTH];
	unsigned int accepted = 0, tried = 0;
	s32 in[LF_TESTCELL_IN], out[LITEFLOW_MAX_WIDTH];
	struct lf_limits any = { .max_state = LITEFLOW_MAX_STATE };
	struct lf_error err;
	struct lf_model *m;

	for (u32 seed = 0; seed < 20; seed++) {
		size_t len = lf_testcell(seed, blob, sizeof(blob));

		for (size_t at = 0; at < len; at += 1 + (at > 700) * 30) {
			unsigned char before = blob[at];

			lf_testmodel_inputs(seed, blob, in);
			blob[at] = before + 1 + (seed * 31 + at * 7) % 255;
			lf_testmodel_fix(blob, len);
			tried++;
			if (lf_model_parse(blob, len, &any, &m, &err)) {
				if (m || !err.msg[0])
					return 1;
			} else {
				accepted++;
				memset(state, 0, m->state_len * sizeof(*state));
				for (int i = 0; i < 3; i++)
					lf_model_step(m, in, out, state, scratch);
				if (!lf_state_sound(m, state))
					return 1;
				for (int i = 0; i < m->n_out; i++) {
					if (out[i] < m->out[i].lo || out[i] > m->out[i].hi)
						return 1;
				}
				lf_model_free(m);
			}
			blob[at] = before;
		}
	}
	printf("%u blobs, %u accepted\n", tried, accepted);
	return !accepted || accepted == tried;
}

/* Whoever does not ask for state is not given a model that has some. */
static int check_limits(void)
{
	size_t len = lf_testqueue(blob, sizeof(blob));
	struct lf_limits few = { .max_state = 3 };
	struct lf_error err;
	struct lf_model *m;

	if (!lf_model_parse(blob, len, NULL, &m, &err) || !strstr(err.msg, "the app keeps none"))
		return 1;
	if (!lf_model_parse(blob, len, &few, &m, &err) || !strstr(err.msg, "the app allows 3"))
		return 1;
	few.max_state = 4;
	if (lf_model_parse(blob, len, &few, &m, &err) || m->state_len != 4)
		return 1;
	lf_model_free(m);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*check)(void);
	} checks[] = {
		{ "queue", check_queue },
		{ "queue-short", check_queue_short },
		{ "digest-200", check_digest_200 },
		{ "digest-1000", check_digest_1000 },
		{ "kinds", check_kinds },
		{ "damage", check_damage },
		{ "limits", check_limits },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!strcmp(argv[1], checks[i].name))
			return checks[i].check();
	}
	fprintf(stderr, "usage: recurrent_test queue|queue-short|digest-200|digest-1000|kinds|"
		"damage|limits\n");
	return 2;
}
