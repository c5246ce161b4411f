// SPDX-License-Identifier: GPL-2.0
/*
 * cost MODEL.json [ROWS]: what a decision costs lfd, beside the hook: to read and pack the
 * model that was handed back, to check it, and to compare its answers. The least time of
 * some, as others run on the machine.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "net.h"
#include "pack.h"
#include "service.h"

#define TIMES	20

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int fail(const char *why)
{
	fprintf(stderr, "cost: %s\n", why);
	return 1;
}

/* The app that such a model is for, and rows that it could be asked. */
static int32_t *inputs_of(const char *file, struct lf_app_info *info, unsigned int rows)
{
	struct json_object *o = json_object_from_file(file);
	char err[128];
	struct reason why = { err, sizeof(err) };
	struct net *net = o ? net_read(o, &why) : NULL;
	uint64_t state = 1;
	int32_t *inputs;
	unsigned int i, j;

	if (!net)
		return NULL;
	info->n_in = net->n_in;
	info->n_out = net->n_out;
	inputs = calloc((size_t)rows * net->n_in, sizeof(*inputs));
	for (i = 0; i < rows && inputs; i++)
		for (j = 0; j < net->n_in; j++)
			inputs[i * net->n_in + j] = net->in[j].ilo + pack_random(&state) *
				((double)net->in[j].ihi - net->in[j].ilo);
	net_free(net);
	json_object_put(o);
	return inputs;
}

int main(int argc, char **argv)
{
	unsigned int rows = argc > 2 ? atoi(argv[2]) : 1000, i;
	double taken = 1e9, compared = 1e9, begin, middle, end;
	struct lf_app_info info = { 0 };
	char why[HOOK_REASON], *file, *copy;
	int32_t *inputs, *a, *b;
	struct candidate c;
	int dir;

	if (argc < 2 || !rows)
		return 2;
	inputs = inputs_of(argv[1], &info, rows);
	copy = strdup(argv[1]);
	file = basename(argv[1]);
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY);
	if (!inputs || dir < 0)
		return fail("no model there");
	for (i = 0; i < TIMES; i++) {
		begin = now_ms();
		if (candidate_read(&c, dir, file, geteuid(), &info, inputs, rows, why))
			return fail(why);
		middle = now_ms();
		a = candidate_run(&c, inputs, rows);
		b = candidate_run(&c, inputs, rows);
		if (!a || !b || difference(c.model, a, b, rows))
			return fail("a model differs from itself");
		end = now_ms();
		taken = middle - begin < taken ? middle - begin : taken;
		compared = end - middle < compared ? end - middle : compared;
		free(a);
		free(b);
		candidate_free(&c);
	}
	printf("lfd_take_model %.2f ms\n", taken);
	printf("lfd_compare %.3f ms\n", compared);
	free(inputs);
	free(copy);
	close(dir);
	return 0;
}
