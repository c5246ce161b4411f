// SPDX-License-Identifier: GPL-2.0
/*
 * jc_sched - switch the learned migration decision on or off, change its model,
 * or show its state
 *
 * The sysctl is the way in.  The system call is a thin wrapper over the same
 * setter; its number is taken from kernel.sched_jc_syscall and never from a
 * header, because mainline may give that number to another call one day.
 *
 * Models are LiteFlow's business, and so lfctl's: it is run for them.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

TOOL_ABOUT("jc_sched");

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define SYSCTL_DIR	"/proc/sys/kernel"
#define SYSCTL_STATE	SYSCTL_DIR "/sched_jc"
#define SYSCTL_NUMBER	SYSCTL_DIR "/sched_jc_syscall"
#define DEBUGFS_STATE	"/sys/kernel/debug/jc_sched/state"

enum {
	EXIT_ABSENT	= 3,
	EXIT_PRIVILEGE	= 4,
	EXIT_FIXED	= 5,
};

enum jc_op { JC_OFF, JC_ON, JC_QUERY, JC_MODEL };

enum model_op { MODEL_NONE, MODEL_LOAD, MODEL_SHOW, MODEL_RESET };

#define APP	"jc_sched"

struct options {
	bool use_syscall;
	bool quiet;
	int op;
	enum model_op model;
	const char *file;
};

static const char doc[] =
	"Switch the learned task migration decision (CONFIG_JC_SCHED) on or off, show its state, "
	"or change its model while it runs.\n"
	"\vExit status:\n"
	"  0  done; for `status': the state was read\n"
	"  1  another error, named on standard error\n"
	"  2  wrong usage\n"
	"  3  this kernel has no JC_SCHED (or, with --syscall, does not state the call's number)\n"
	"  4  no privilege: switching requires CAP_SYS_ADMIN, asking requires none\n"
	"  5  built with JC_SCHED_REPLACE: the model always decides, nothing to switch\n";

static const struct argp_option option_table[] = {
	{ "syscall", 's', NULL, 0, "use the system call instead of the sysctl", 0 },
	{ "quiet", 'q', NULL, 0, "print only errors", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const char *const commands[] = { "on", "off", "status", "model", "help", NULL };
static const char *const model_commands[] = { "load", "show", "reset", NULL };

static void parse_word(struct options *opts, struct argp_state *state, const char *arg)
{
	bool model = opts->op == JC_MODEL;

	if (!state->arg_num && !strcmp(arg, "on"))
		opts->op = JC_ON;
	else if (!state->arg_num && !strcmp(arg, "off"))
		opts->op = JC_OFF;
	else if (!state->arg_num && !strcmp(arg, "status"))
		opts->op = JC_QUERY;
	else if (!state->arg_num && !strcmp(arg, "model"))
		opts->op = JC_MODEL;
	else if (model && state->arg_num == 1 && !strcmp(arg, "load"))
		opts->model = MODEL_LOAD;
	else if (model && state->arg_num == 1 && !strcmp(arg, "show"))
		opts->model = MODEL_SHOW;
	else if (model && state->arg_num == 1 && !strcmp(arg, "reset"))
		opts->model = MODEL_RESET;
	else if (state->arg_num == 2 && opts->model == MODEL_LOAD)
		opts->file = arg;
	else if (!state->arg_num && !strcmp(arg, "help"))
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
	else if (!state->arg_num)
		argp_error(state, "unknown command '%s'%s: give on, off, status or model", arg,
			   tool_hint(arg, commands));
	else if (model && state->arg_num == 1)
		argp_error(state, "unknown 'model %s'%s: give load FILE, show or reset", arg,
			   tool_hint(arg, model_commands));
	else
		argp_error(state, "too many arguments, from '%s' on", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 's':
		opts->use_syscall = true;
		return 0;
	case 'q':
		opts->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_word(opts, state, arg);
		return 0;
	case ARGP_KEY_END:
		if (!state->arg_num)
			argp_error(state, "no command: give on, off, status or model");
		else if (opts->op == JC_MODEL && opts->model == MODEL_NONE)
			argp_error(state, "'model' does what? give load FILE, show or reset");
		else if (opts->model == MODEL_LOAD && !opts->file)
			argp_error(state, "'model load' needs a file: .lfm, or .json that becomes one");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "on|off|status\nmodel load FILE\nmodel show\nmodel reset",
	.doc = doc,
};

/* Reads one number; returns it or -errno. */
static long read_number(const char *path)
{
	char text[32];
	ssize_t len;
	char *end;
	long value;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0) {
		value = -errno;
		close(fd);
		return value;
	}
	close(fd);
	text[len] = '\0';
	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || errno || value < 0)
		return -EPROTO;
	return value;
}

static int write_state(int op)
{
	int fd, err = 0;

	fd = open(SYSCTL_STATE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, op == JC_ON ? "1\n" : "0\n", 2) != 2)
		err = -errno;
	close(fd);
	return err;
}

static long call_kernel(int op)
{
	long number = read_number(SYSCTL_NUMBER);
	long state;

	if (number < 0)
		return number;
	state = syscall(number, op);
	return state < 0 ? -errno : state;
}

/* Returns the state that holds afterwards, or -errno. */
static long do_operation(const struct options *opts)
{
	int err;

	if (opts->use_syscall)
		return call_kernel(opts->op);
	if (opts->op != JC_QUERY) {
		err = write_state(opts->op);
		if (err)
			return err;
	}
	return read_number(SYSCTL_STATE);
}

static int report_error(const struct options *opts, long err)
{
	const char *way = opts->use_syscall ? "system call" : SYSCTL_STATE;

	switch (-err) {
	case ENOENT:
		if (access(SYSCTL_DIR, X_OK)) {
			fprintf(stderr, "jc_sched: %s: %s; is /proc mounted?\n", SYSCTL_DIR,
				strerror(errno));
			return EXIT_OTHER;
		}
		if (opts->use_syscall && !access(SYSCTL_STATE, F_OK)) {
			fprintf(stderr,
				"jc_sched: this kernel does not state the call's number in %s; leave out --syscall\n",
				SYSCTL_NUMBER);
			return EXIT_ABSENT;
		}
		fprintf(stderr,
			"jc_sched: this kernel has no JC_SCHED (no %s): boot one built with CONFIG_JC_SCHED=y\n",
			SYSCTL_STATE);
		return EXIT_ABSENT;
	case EPERM:
	case EACCES:
		fprintf(stderr,
			"jc_sched: %s: switching needs CAP_SYS_ADMIN (run it as root, outside a user namespace)\n",
			way);
		return EXIT_PRIVILEGE;
	case EOPNOTSUPP:
		fprintf(stderr,
			"jc_sched: this kernel is built with JC_SCHED_REPLACE: the model always decides, nothing to switch\n");
		return EXIT_FIXED;
	case EPROTO:
		fprintf(stderr, "jc_sched: %s: no number in it\n", way);
		return EXIT_OTHER;
	}
	fprintf(stderr, "jc_sched: %s: %s\n", way, strerror((int)-err));
	return EXIT_OTHER;
}

/* Only root sees debugfs: without it the switch alone is shown. */
static void print_details(void)
{
	static const char * const wanted[] = {
		"mode:", "arithmetic:", "model:", "model_from:", "model_checksum:", "guard:",
		"perf:", "sched_ext:",
	};
	char line[256];
	size_t i;
	FILE *file;

	file = fopen(DEBUGFS_STATE, "re");
	if (!file) {
		printf("details: %s: %s\n", DEBUGFS_STATE, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		for (i = 0; i < ARRAY_SIZE(wanted); i++) {
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fputs(line, stdout);
		}
	}
	fclose(file);
}

/* Beside this program's folder as it is built, or where LFCTL or PATH say. */
static const char *find_lfctl(void)
{
	static char path[PATH_MAX + 32];
	const char *given = getenv("LFCTL");
	ssize_t len;
	char *slash;

	if (given && *given)
		return given;
	len = readlink("/proc/self/exe", path, PATH_MAX);
	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash, "/../liteflow/lfctl");
		if (!access(path, X_OK))
			return path;
	}
	return "lfctl";
}

/* Runs it; its exit status, or EXIT_OTHER and a reason. */
static int run_lfctl(const char *const *args)
{
	const char *lfctl = find_lfctl();
	const char *argv[16] = { lfctl };
	int status, i;
	pid_t pid;

	for (i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("jc_sched: fork");
		return EXIT_OTHER;
	}
	if (!pid) {
		execvp(lfctl, (char *const *)argv);
		fprintf(stderr, "jc_sched: %s: %s: build it with 'make lfctl', or set LFCTL\n",
			lfctl, strerror(errno));
		_exit(EXIT_OTHER);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		fprintf(stderr, "jc_sched: %s did not end by itself\n", lfctl);
		return EXIT_OTHER;
	}
	return WEXITSTATUS(status);
}

/* The text of a model has to be packed first. */
static int load_model(const char *file)
{
	const char *install[] = { "model", "install", APP, "auto", file, "--activate", NULL };
	char packed[] = "/tmp/jc_sched-XXXXXX";
	const char *pack[] = { "model", "pack", "--output", packed, file, NULL };
	size_t len = strlen(file);
	int fd, ret;

	if (len < 5 || strcmp(file + len - 5, ".json"))
		return run_lfctl(install);
	fd = mkstemp(packed);
	if (fd < 0) {
		fprintf(stderr, "jc_sched: %s: %s\n", packed, strerror(errno));
		return EXIT_OTHER;
	}
	close(fd);
	install[4] = packed;
	ret = run_lfctl(pack);
	if (!ret)
		ret = run_lfctl(install);
	unlink(packed);
	return ret;
}

static bool builtin_answers(void)
{
	FILE *file = fopen(DEBUGFS_STATE, "re");
	bool found = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		found |= !strcmp(line, "model_from: kernel\n");
	if (file)
		fclose(file);
	return found;
}

/* Which one answers, the built-in one included, and what lies in the slots. */
static int do_model(const struct options *opts)
{
	static const char *const show[] = { "model", "show", APP, NULL };
	static const char *const reset[] = {
		"model", "remove", APP, "active", "--force", NULL
	};

	switch (opts->model) {
	case MODEL_LOAD:
		return load_model(opts->file);
	case MODEL_RESET:
		if (builtin_answers()) {
			printf("the built-in model answers already\n");
			return EXIT_SUCCESS;
		}
		return run_lfctl(reset);
	default:
		print_details();
		return run_lfctl(show);
	}
}

int main(int argc, char **argv)
{
	struct options opts = { .op = JC_QUERY };
	long state;

	argp_parse(&parser, argc, argv, 0, NULL, &opts);

	if (opts.op == JC_MODEL)
		return do_model(&opts);
	state = do_operation(&opts);
	if (state < 0)
		return report_error(&opts, state);
	if (opts.op != JC_QUERY && state != opts.op) {
		fprintf(stderr,
			"jc_sched: asked for %s, but the kernel now says %ld: did another process switch it?\n",
			opts.op == JC_ON ? "on" : "off", state);
		return EXIT_OTHER;
	}
	if (!opts.quiet) {
		printf("%s\n", state ? "on" : "off");
		if (opts.op == JC_QUERY)
			print_details();
	}
	if (fflush(stdout)) {
		perror("jc_sched: standard output");
		return EXIT_OTHER;
	}
	return EXIT_SUCCESS;
}
