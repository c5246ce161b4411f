// SPDX-License-Identifier: GPL-2.0
/*
 * compare FOLDER ROWS: the C made of models against the engine. The table of what to
 * ask is made by test_code.py.
 */
#include <linux/liteflow.h>

#include "ask.h"
#include "compare.h"

#define MAX_MODULES	4096
#define SEQUENCE	256

static const struct lf_compiled_model *modules[MAX_MODULES];
static unsigned int n_modules;

/* The modules' init runs before main(). */
struct lf_app *lf_app_get_by_name(const char *name)
{
	return (struct lf_app *)name;
}

void lf_app_put(struct lf_app *app)
{
	(void)app;
}

int lf_compiled_register(struct lf_app *app, struct lf_compiled_model *model)
{
	(void)app;
	if (n_modules == MAX_MODULES)
		return -1;
	modules[n_modules++] = model;
	return 0;
}

void lf_compiled_unregister(struct lf_compiled_model *model)
{
	(void)model;
}

static run_fn *module_of(const struct lf_model *m)
{
	unsigned int i;

	for (i = 0; i < n_modules; i++) {
		if (strcmp(modules[i]->name, m->name))
			continue;
		if (modules[i]->n_in != m->n_in || modules[i]->n_out != m->n_out ||
		    modules[i]->width != m->width || modules[i]->macs != m->macs)
			errx(1, "%s: the module says another shape", m->name);
		return modules[i]->run;
	}
	return NULL;
}

/* Sequences of rows: answers and states that differ. */
static unsigned long differing(struct asked *a, const struct compared *c, unsigned int rows,
			       u32 seed)
{
	static s32 state[LITEFLOW_MAX_STATE + 1];
	s32 out[LITEFLOW_MAX_WIDTH];
	size_t len = a->model->state_len * sizeof(*state);
	unsigned long differ = 0;
	unsigned int row;

	for (row = 0; row < rows; row++) {
		if (!(row % SEQUENCE)) {
			memset(a->state, 0, len);
			memset(state, 0, len);
			state[a->model->state_len] = 0x55;
		}
		asked_next(a, seed + row);
		memset(out, 0x55, sizeof(out));
		c->step(a->in, out, state);
		if (!asked_differs(a, out) && !memcmp(state, a->state, len) &&
		    state[a->model->state_len] == 0x55)
			continue;
		if (!differ++)
			printf("# state, model %u, row %u\n", c->nth, row);
	}
	return differ;
}

int main(int argc, char **argv)
{
	unsigned long answers[4] = { 0 }, differ[4] = { 0 };
	static const char *const kinds[] = { "user", "module", "bpf", "state" };
	unsigned int i, k, row, rows;
	char path[4096];
	s32 out[LITEFLOW_MAX_WIDTH];

	if (argc != 3)
		errx(2, "usage: compare FOLDER ROWS");
	rows = atoi(argv[2]);
	for (i = 0; i < n_compared; i++) {
		run_fn *fns[3] = { compared[i].user, NULL, compared[i].bpf };
		struct asked *a;

		snprintf(path, sizeof(path), "%s/%u.lfm", argv[1], compared[i].nth);
		a = asked_open(path);
		if (compared[i].step) {
			answers[3] += rows;
			differ[3] += differing(a, &compared[i], rows, rows * i);
		}
		fns[1] = module_of(a->model);
		for (row = 0; row < rows; row++) {
			asked_next(a, rows * i + row);
			for (k = 0; k < 3; k++) {
				if (!fns[k])
					continue;
				memset(out, 0x55, sizeof(out));
				fns[k](a->in, out);
				answers[k]++;
				if (!asked_differs(a, out))
					continue;
				if (!differ[k]++)
					printf("# %s, model %u, row %u\n", kinds[k], compared[i].nth, row);
			}
		}
		asked_close(a);
	}
	for (k = 0; k < 4; k++)
		printf("%s %lu answers %lu differ\n", kinds[k], answers[k], differ[k]);
	return differ[0] || differ[1] || differ[2] || differ[3];
}
