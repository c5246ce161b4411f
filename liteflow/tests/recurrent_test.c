// SPDX-License-Identifier: GPL-2.0
/*
 * Models that remember, in user space: recurrent_test CHECK. Built once more with
 * sanitizers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "checks.h"
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

static int check_damage(void)
{
	return checks_damage(lf_testcell, blob, sizeof(blob), 20, 31);
}

/* Whoever does not ask for state is not given a model that has some. */
static int check_limits(void)
{
	size_t len = lf_testqueue(NULL, blob, sizeof(blob));
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
	static const struct check checks[] = {
		{ "queue", check_queue },
		{ "queue-short", check_queue_short },
		{ "digest-200", check_digest_200 },
		{ "digest-1000", check_digest_1000 },
		{ "kinds", check_kinds },
		{ "damage", check_damage },
		{ "limits", check_limits },
	};

	return checks_main(argc, argv, checks, sizeof(checks) / sizeof(checks[0]));
}
