// SPDX-License-Identifier: GPL-2.0
/*
 * bpfrun ROWS {OBJECT MODEL}...: loads BPF programs of ask.bpf.c into the kernel that
 * this runs on, and compares their answers with the engine's. Status 4: BPF is not
 * allowed here.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ask.h"

#define NOT_ALLOWED	4

static unsigned long answers, differ, ns;

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static struct bpf_object *load(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);

	if (!obj)
		err(1, "%s", path);
	if (!bpf_object__load(obj))
		return obj;
	if (errno == EPERM || errno == ENOSYS) {
		printf("bpf() is not allowed here: %s\n", strerror(errno));
		exit(NOT_ALLOWED);
	}
	err(1, "%s: the verifier refuses it", path);
}

static void run(const char *object, const char *path, unsigned int rows)
{
	struct bpf_object *obj = load(object);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "ask");
	struct bpf_map *bss = bpf_object__find_map_by_name(obj, ".bss");
	struct asked *a = asked_open(path);
	size_t len = (a->model->n_in + a->model->n_out) * sizeof(s32);
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	unsigned int row;
	s32 *io;

	len = (len + getpagesize() - 1) / getpagesize() * getpagesize();
	io = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, bss ? bpf_map__fd(bss) : -1, 0);
	if (!prog || io == MAP_FAILED)
		errx(1, "%s: no program or no memory for its answers", object);
	for (row = 0; row < rows; row++) {
		asked_next(a, row);
		memcpy(io, a->in, a->model->n_in * sizeof(s32));
		memset(io + a->model->n_in, 0x55, a->model->n_out * sizeof(s32));
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
			err(1, "%s: test run", object);
		answers++;
		differ += asked_differs(a, io + a->model->n_in);
	}
	/* the last row, often: the mean of it */
	opts.repeat = 10000;
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		err(1, "%s: test run", object);
	ns = opts.duration;
	printf("# %s: %u multiply-adds, %lu ns\n", a->model->name, a->model->macs, ns);
	munmap(io, len);
	asked_close(a);
	bpf_object__close(obj);
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 4 || argc % 2)
		errx(2, "usage: bpfrun ROWS {OBJECT MODEL}...");
	libbpf_set_print(quiet);
	for (i = 2; i < argc; i += 2)
		run(argv[i], argv[i + 1], atoi(argv[1]));
	printf("bpf %lu answers %lu differ\n", answers, differ);
	return !!differ;
}
