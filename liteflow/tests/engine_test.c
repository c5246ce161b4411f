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
#include "checks.h"
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

static size_t small_model(u32 seed, void *buf, size_t size)
{
	const struct lf_testmodel_spec spec = {
		.n_in = 4, .n_out = 2, .n_layers = 2, .width = 6, .act = LF_TESTMODEL_ANY,
		.last = LITEFLOW_ACT_NONE, .provenance = "damage",
	};

	return lf_testmodel(seed, &spec, buf, size);
}

static int check_damage(void)
{
	return checks_damage(small_model, blob, sizeof(blob), 200, 1);
}

int main(int argc, char **argv)
{
	static const struct check checks[] = {
		{ "tanh", check_tanh },
		{ "digest-1000", check_digest_1000 },
		{ "digest-100000", check_digest_100000 },
		{ "memory", check_memory },
		{ "damage", check_damage },
	};

	return checks_main(argc, argv, checks, sizeof(checks) / sizeof(checks[0]));
}
