// SPDX-License-Identifier: GPL-2.0
/*
 * lf_nlequal: random models, random inputs; does the kernel answer bit by bit
 * what the library answers?
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "client.h"
#include "testmodel.h"

#define APP	"lf-nlequal"

static struct client client = { .app = APP };
static int fd;

static void app_add(unsigned int n_in, unsigned int n_out)
{
	client_begin(&client, LITEFLOW_CMD_APP_ADD);
	nl_add_u32(&client.msg, LITEFLOW_A_APP_N_IN, n_in);
	nl_add_u32(&client.msg, LITEFLOW_A_APP_N_OUT, n_out);
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
	unsigned long pairs = 0, bad = 0, wide = 0;
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
		app_add(model->n_in, model->n_out);
		client_install(&client, fd, blob, len, i % 4);
		bad += compare(model, i % 4, in, rows, i);
		pairs += rows;
		wide += model->width > LF_STACK_WIDTH;
		app_del();
		lf_model_free(model);
	}
	printf("lf_nlequal: %u models (%lu wide), %lu model x input pairs, %lu differ\n",
	       models, wide, pairs, bad);
	return bad || !pairs;
}
