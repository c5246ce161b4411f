// SPDX-License-Identifier: GPL-2.0
/*
 * The engine in user space: engine_test CHECK. Built with -Wl,--wrap=calloc, and
 * once more with sanitizers.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "testmodel.h"

static unsigned char blob[LF_TESTMODEL_DIGEST_BUF];

/* Allocations until one fails; negative: none does. */
static int until_failure = -1;

void *__real_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (!until_failure)
		return NULL;
	if (until_failure > 0)
		until_failure--;
	return __real_calloc(n, size);
}

/* Greatest error against floating point, in units of the last place. */
static int check_tanh(void)
{
	const double in = 1 << LITEFLOW_TANH_IN_FRAC, out = 1 << LITEFLOW_TANH_OUT_FRAC;
	double worst = 0, e;

	for (int a = -(10 << LITEFLOW_TANH_IN_FRAC); a <= 10 << LITEFLOW_TANH_IN_FRAC; a++) {
		e = fabs(lf_tanh(a) - tanh(a / in) * out);
		worst = e > worst ? e : worst;
	}
	printf("error at most %.3f * 2^-%d\n", worst, LITEFLOW_TANH_OUT_FRAC);
	return worst >= 2;
}

static int check_digest(u32 n, u32 want)
{
	u32 digest;
	int err = lf_testmodel_digest(n, blob, sizeof(blob), &digest);

	printf("%u models: %#x, in the kernel %#x\n", n, digest, want);
	return err || digest != want;
}

static int check_digest_1000(void)
{
	return check_digest(1000, LF_TESTMODEL_DIGEST_1000);
}

static int check_digest_100000(void)
{
	return check_digest(100000, LF_TESTMODEL_DIGEST_100000);
}

/* Memory runs out at every place where it can. */
static int check_memory(void)
{
	size_t len = lf_testmodel(1, NULL, blob, sizeof(blob));
	struct lf_model *model;
	int n, err;

	for (n = 0;; n++) {
		until_failure = n;
		err = lf_model_parse(blob, len, NULL, &model, NULL);
		until_failure = -1;
		if (!err)
			break;
		if (err != -ENOMEM || model)
			return 1;
	}
	lf_model_free(model);
	lf_model_free(NULL);
	printf("%d allocations\n", n);
	return n < 1;
}

/* Bytes changed anywhere, and the checksum set: refused, or within the ranges. */
static int check_damage(void)
{
	const struct lf_testmodel_spec spec = {
		.n_in = 4, .n_out = 2, .n_layers = 2, .width = 6, .act = LF_TESTMODEL_ANY,
		.last = LITEFLOW_ACT_NONE, .provenance = "damage",
	};
	unsigned int accepted = 0, tried = 0;
	s16 scratch[2 * LITEFLOW_MAX_WIDTH];
	s32 in[4] = { INT32_MIN, INT32_MAX, 0, -1 }, out[2];
	struct lf_error err;
	struct lf_model *m;

	for (u32 seed = 0; seed < 200; seed++) {
		size_t len = lf_testmodel(seed, &spec, blob, sizeof(blob));

		for (size_t at = 0; at < len; at++) {
			unsigned char before = blob[at];

			blob[at] = before + 1 + (seed * 31 + at * 7) % 255;
			lf_testmodel_fix(blob, len);
			tried++;
			if (lf_model_parse(blob, len, NULL, &m, &err)) {
				if (m || !err.msg[0])
					return 1;
			} else {
				accepted++;
				lf_model_run(m, in, out, scratch);
				for (int i = 0; i < 2; i++) {
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

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*check)(void);
	} checks[] = {
		{ "tanh", check_tanh },
		{ "digest-1000", check_digest_1000 },
		{ "digest-100000", check_digest_100000 },
		{ "memory", check_memory },
		{ "damage", check_damage },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!strcmp(argv[1], checks[i].name))
			return checks[i].check();
	}
	fprintf(stderr, "usage: engine_test tanh|digest-1000|digest-100000|memory|damage\n");
	return 2;
}
