// SPDX-License-Identifier: GPL-2.0
/*
 * lf_nlequal: random models, random inputs; does the kernel answer bit by bit
 * what the library answers? Models that remember are asked sequences of 64 to 4,096.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "client.h"
#include "testcell.h"
#include "testmodel.h"

#define APP	"lf-nlequal"
#define ROWS	1000	/* of a sequence, in one message */

static struct client client = { .app = APP };
static int fd;

static void app_add(unsigned int n_in, unsigned int n_out, unsigned int max_state)
{
	client_begin(&client, LITEFLOW_CMD_APP_ADD);
	nl_add_u32(&client.msg, LITEFLOW_A_APP_N_IN, n_in);
	nl_add_u32(&client.msg, LITEFLOW_A_APP_N_OUT, n_out);
	nl_add_u32(&client.msg, LITEFLOW_A_APP_MAX_STATE, max_state);
	client_must(&client, fd, "app-add");
}

static void app_del(void)
{
	client_begin(&client, LITEFLOW_CMD_APP_DEL);
	client_must(&client, fd, "app-del");
}

/* Rows that differ. */
static unsigned long compare(const struct lf_model *model, unsigned int slot, const s32 *in,
			     unsigned int rows, unsigned int seed)
{
	static s16 scratch[2 * LITEFLOW_MAX_WIDTH];
	static s32 out[LITEFLOW_MAX_WIDTH];
	size_t row = model->n_out * sizeof(s32), size = 0;
	unsigned long bad = 0;
	const char *got;
	unsigned int i;

	client_begin(&client, LITEFLOW_CMD_EVAL);
	nl_add_u32(&client.msg, LITEFLOW_A_EVAL_SLOT, slot);
	nl_add_u32(&client.msg, LITEFLOW_A_EVAL_ROWS, rows);
	nl_add(&client.msg, LITEFLOW_A_EVAL_INPUTS, in, rows * model->n_in * sizeof(s32));
	client_must(&client, fd, "eval");
	got = nl_find(client.answer.reply, client.answer.reply_len, LITEFLOW_A_EVAL_OUTPUTS, &size);
	if (!got || size != rows * row)
		errx(1, "eval: %zu bytes of outputs instead of %zu", size, rows * row);
	for (i = 0; i < rows; i++) {
		lf_model_run(model, in + i * model->n_in, out, scratch);
		if (!memcmp(out, got + i * row, row))
			continue;
		if (!bad)
			printf("model %u, row %u: the kernel's answer differs\n", seed, i);
		bad++;
	}
	return bad;
}

/* What both remember of a sequence; the kernel's has a version before it. */
struct memory {
	s32 library[LF_TESTCELL_STATE];
	s32 kernel[1 + LF_TESTCELL_STATE];
	size_t bytes;
};

/* Rows of a sequence that differ; a state that differs counts as one. */
static unsigned long go_on(const struct lf_model *model, const s32 *in, unsigned int rows,
			   struct memory *m)
{
	static s32 scratch[LF_TESTCELL_SCRATCH];
	size_t row = model->n_out * sizeof(s32), size = 0;
	s32 out[LF_TESTCELL_OUT];
	unsigned long bad = 0;
	const char *got;
	unsigned int i;

	client_begin(&client, LITEFLOW_CMD_EVAL);
	nl_add_u32(&client.msg, LITEFLOW_A_EVAL_SLOT, 0);
	nl_add_u32(&client.msg, LITEFLOW_A_EVAL_ROWS, rows);
	nl_add(&client.msg, LITEFLOW_A_EVAL_INPUTS, in, rows * model->n_in * sizeof(s32));
	nl_add(&client.msg, LITEFLOW_A_EVAL_STATE, m->kernel, m->bytes);
	client_must(&client, fd, "eval of a sequence");
	got = nl_find(client.answer.reply, client.answer.reply_len, LITEFLOW_A_EVAL_OUTPUTS, &size);
	if (!got || size != rows * row)
		errx(1, "eval: %zu bytes of outputs instead of %zu", size, rows * row);
	for (i = 0; i < rows; i++) {
		lf_model_step(model, in + i * model->n_in, out, m->library, scratch);
		bad += !!memcmp(out, got + i * row, row);
	}
	got = nl_find(client.answer.reply, client.answer.reply_len, LITEFLOW_A_EVAL_STATE,
		      &m->bytes);
	if (!got || m->bytes != (1 + model->state_len) * sizeof(s32))
		errx(1, "eval: %zu bytes of state", got ? m->bytes : 0);
	memcpy(m->kernel, got, m->bytes);
	return bad + !!memcmp(m->kernel + 1, m->library, m->bytes - sizeof(s32));
}

/* A model that remembers, and one sequence; answers that differ. */
static unsigned long compare_sequence(unsigned int seed, unsigned long *answers)
{
	static const struct lf_limits limits = { .max_state = LF_TESTCELL_STATE };
	static s32 in[ROWS * LF_TESTCELL_IN];
	unsigned int left = 64 << seed % 7, rows, i, n = 0;
	static u8 blob[LF_TESTCELL_BUF];
	struct memory m = {};
	struct lf_error why = {};
	struct lf_model *model;
	unsigned long bad = 0;
	size_t len;

	len = lf_testcell(seed, blob, sizeof(blob));
	if (lf_model_parse(blob, len, &limits, &model, &why))
		errx(1, "model %u with state: %s", seed, why.msg);
	app_add(model->n_in, model->n_out, LF_TESTCELL_STATE);
	client_install(&client, fd, blob, len, 0);
	for (*answers += left; left; left -= rows) {
		rows = left < ROWS ? left : ROWS;
		for (i = 0; i < rows; i++)
			lf_testmodel_inputs(seed * 5000 + n++, blob, in + i * model->n_in);
		bad += go_on(model, in, rows, &m);
	}
	if (bad)
		printf("model %u with state: the kernel's answers differ\n", seed);
	app_del();
	lf_model_free(model);
	return bad;
}

/* Every 16th model is too wide for the stack, every 4th is of Aurora's shape. */
static struct lf_testmodel_spec spec_of(unsigned int seed)
{
	static const u16 aurora[] = { 32, 16, 1 };
	struct lf_testmodel_spec spec = { .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY };

	if (seed % 16 == 0) {
		spec.n_in = 1 + seed % 200;
		spec.width = 65 + seed % 190;
	} else if (seed % 4 == 0) {
		spec.n_in = 30;
		spec.n_out = 1;
		spec.n_layers = 3;
		spec.widths = aurora;
		spec.act = LITEFLOW_ACT_TANH;
		spec.last = LITEFLOW_ACT_NONE;
	}
	return spec;
}

int main(int argc, char **argv)
{
	unsigned int models = 4000, first = 1, i, k, rows, wanted = 64;
	unsigned long pairs = 0, bad = 0, wide = 0, answers = 0, differ = 0;
	static u8 blob[LITEFLOW_MAX_BLOB];
	static s32 in[LITEFLOW_DATA_MAX / sizeof(s32)];
	struct lf_error why = {};
	struct lf_model *model;
	size_t len;
	int opt;

	while ((opt = getopt(argc, argv, "m:r:s:")) != -1) {
		if (opt == 'm')
			models = strtoul(optarg, NULL, 0);
		else if (opt == 'r')
			wanted = strtoul(optarg, NULL, 0);
		else if (opt == 's')
			first = strtoul(optarg, NULL, 0);
		else
			errx(2, "usage: lf_nlequal [-m models] [-r rows of each] [-s first seed]");
	}
	fd = nl_open();
	client.family = nl_family(fd);
	for (i = first; i < first + models; i++) {
		struct lf_testmodel_spec spec = spec_of(i);

		len = lf_testmodel(i, &spec, blob, sizeof(blob));
		if (!len || lf_model_parse(blob, len, NULL, &model, &why))
			errx(1, "model %u: %s", i, why.msg);
		rows = LITEFLOW_DATA_MAX / sizeof(s32) /
		       (model->n_in > model->n_out ? model->n_in : model->n_out);
		rows = rows < wanted ? rows : wanted;
		for (k = 0; k < rows; k++)
			lf_testmodel_inputs(i * 1000 + k, blob, in + k * model->n_in);
		app_add(model->n_in, model->n_out, 0);
		client_install(&client, fd, blob, len, i % 4);
		bad += compare(model, i % 4, in, rows, i);
		pairs += rows;
		wide += model->width > LF_STACK_WIDTH;
		app_del();
		lf_model_free(model);
	}
	printf("lf_nlequal: %u models (%lu wide), %lu model x input pairs, %lu differ\n",
	       models, wide, pairs, bad);
	for (i = first; i < first + models / 20; i++)
		differ += compare_sequence(i, &answers);
	printf("lf_nlequal: %u models with state, %lu answers of sequences, %lu differ\n",
	       models / 20, answers, differ);
	return bad || !pairs || differ;
}
