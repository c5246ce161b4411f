// SPDX-License-Identifier: GPL-2.0
/*
 * forward MODEL...: what the forward pass of a model costs as data and as C, natively
 * and with the kernel's flags: NAME VALUE UNIT. The C is linked in. What a whole query
 * costs is measured in the kernel: in-kernel.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/liteflow_engine.h>

#define ROWS	16
#define BATCHES	101
#define BATCH	1000
#define COLD	101
#define LINE	64

typedef void run_fn(const s32 *in, s32 *out);

void aurora_run(const s32 *in, s32 *out);
void small_run(const s32 *in, s32 *out);

static unsigned char blob[LITEFLOW_MAX_BLOB], memory[64 << 20];
static struct lf_model *model;

static void engine_run(const s32 *in, s32 *out)
{
	s16 scratch[2 * LF_STACK_WIDTH];

	lf_model_run(model, in, out, scratch);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double batch(run_fn *run, const s32 *in)
{
	double begin = now();
	unsigned int i;
	s32 out[8];

	for (i = 0; i < BATCH; i++)
		run(in + i % ROWS * model->n_in, out);
	return (now() - begin) / BATCH;
}

static double cold(run_fn *run, const s32 *in)
{
	double begin;
	size_t i;
	s32 out[8];

	for (i = 0; i < sizeof(memory); i += LINE)
		((volatile unsigned char *)memory)[i]++;
	begin = now();
	run(in, out);
	return now() - begin;
}

/* Both in turn; the fastest batch, as the machine may be shared, and the median of cold ones. */
static void measure(const char *name, run_fn *compiled, const s32 *in)
{
	run_fn *run[2] = { engine_run, compiled };
	static const char *const kind[2] = { "data", "compiled" };
	static double warm[2][BATCHES], once[2][COLD];
	unsigned int i, k;

	for (i = 0; i < BATCHES; i++)
		for (k = 0; k < 2; k++)
			warm[k][i] = batch(run[k], in);
	for (i = 0; i < COLD; i++)
		for (k = 0; k < 2; k++)
			once[k][i] = cold(run[k], in + i % ROWS * model->n_in);
	for (k = 0; k < 2; k++) {
		qsort(warm[k], BATCHES, sizeof(double), compare);
		qsort(once[k], COLD, sizeof(double), compare);
		printf("lf_forward_%s_%s %.1f ns\n", name, kind[k], warm[k][0]);
		printf("lf_forward_%s_%s_cold %.0f ns\n", name, kind[k], once[k][COLD / 2]);
	}
}

static void one(const char *path, const char *name, run_fn *compiled)
{
	struct lf_error error;
	s32 *in, a[8], b[8];
	FILE *f = fopen(path, "r");
	unsigned int i;
	size_t len;

	if (!f)
		err(1, "%s", path);
	len = fread(blob, 1, sizeof(blob), f);
	fclose(f);
	if (lf_model_parse(blob, len, NULL, &model, &error))
		errx(1, "%s: %s", path, error.msg);
	in = calloc(ROWS * model->n_in, sizeof(*in));
	if (!in)
		err(1, "memory");
	srand(1);
	for (i = 0; i < ROWS * model->n_in; i++) {
		const struct lf_scale *s = &model->in[i % model->n_in];

		in[i] = s->lo + rand() % (s->hi - s->lo + 1);
	}
	for (i = 0; i < ROWS; i++) {
		engine_run(in + i * model->n_in, a);
		compiled(in + i * model->n_in, b);
		if (memcmp(a, b, model->n_out * sizeof(*a)))
			errx(1, "%s: the C answers otherwise", path);
	}
	measure(name, compiled, in);
	free(in);
	lf_model_free(model);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: forward AURORA SMALL");
	one(argv[1], "aurora", aurora_run);
	one(argv[2], "small", small_run);
	return 0;
}
