// SPDX-License-Identifier: GPL-2.0
/*
 * Recording: ring buffer to spool, beside a command
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "record.h"
#include "spool.h"
#include "util.h"

/* Rarely, so that the recorder is not a load itself. */
#define LOOK_MS		500
#define BENCH_LOOK_MS	10

struct live {
	struct recording *r;
	struct probe probe;
	struct spool spool;
	pid_t child;
	pthread_t producer;
	atomic_bool stop_producer;
	double end;		/* 0: open */
	bool draining;
	unsigned int calls;
	double start, said, looked;
	unsigned long long said_rows, gained;
	bool knows_gained;
};

static int got(void *ctx, void *data, size_t size)
{
	struct live *l = ctx;
	size_t want = event_size(((struct dl_head *)data)->kind);

	if (want && want <= size)
		spool_add(&l->spool, data, want);
	/* a buffer that fills as fast as it is read is never empty: look up at times */
	if (!(++l->calls % 1024) && !l->draining &&
	    (*l->r->interrupted || l->spool.full || seconds() - l->looked >= 1))
		return -EINTR;
	return 0;
}

/* What a reader of the spool needs to know. */
static char *about(const struct live *l)
{
	static const char *const sources[] = {
		[FROM_TRACEPOINT] = "jc_sched:jc_sched_decision",
		[FROM_FUNCTION] = "can_migrate_task",
		[FROM_BENCH] = "synthetic",
	};
	const struct recording *r = l->r;
	struct json_object *o = json_object_new_object(), *list, *reasons;
	char *text;
	int i;

	json_object_object_add(o, "tag", json_object_new_string(r->tag));
	json_object_object_add(o, "time", json_object_new_int64(time(NULL)));
	json_object_object_add(o, "seconds_each", json_object_new_double(r->seconds));
	json_object_object_add(o, "source", json_object_new_string(sources[r->probe.source]));
	json_object_object_add(o, "workload", json_object_new_string(r->workload));
	json_object_object_add(o, "machine", machine());
	if (r->probe.outcomes) {
		json_object_object_add(o, "horizon_ns",
				       json_object_new_uint64(r->probe.horizon_ns));
		json_object_object_add(o, "bucket_ns",
				       json_object_new_uint64(l->probe.bucket_ns));
		json_object_object_add(o, "hint_faults_seen",
				       json_object_new_boolean(l->probe.faults));
	}
	if (r->command) {
		list = json_object_new_array();
		for (i = 0; r->command[i]; i++)
			json_object_array_add(list, json_object_new_string(r->command[i]));
		json_object_object_add(o, "command", list);
	}
	list = json_object_new_array();
	for (i = 0; i < l->probe.nodes.nr_cpus; i++)
		json_object_array_add(list, json_object_new_int(l->probe.nodes.of_cpu[i]));
	json_object_object_add(o, "cpu_nodes", list);
	if (r->probe.source == FROM_TRACEPOINT) {
		reasons = json_object_get(l->probe.reasons);
	} else {
		/* what on_return() of the BPF side writes */
		reasons = json_object_new_object();
		json_object_object_add(reasons, "0", json_object_new_string("rule"));
		json_object_object_add(reasons, "2", json_object_new_string("forced"));
	}
	json_object_object_add(o, "reasons", reasons);
	json_object_object_add(o, "imbalance_types", json_object_get(l->probe.imbalance_types));
	text = need(strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)));
	json_object_put(o);
	return text;
}

static int start_command(struct live *l)
{
	int null, report[2], err = 0;
	pid_t self = getpid();

	if (pipe2(report, O_CLOEXEC))
		return fail("cannot make a pipe: %s", strerror(errno));
	l->child = fork();
	if (l->child < 0)
		return fail("cannot fork: %s", strerror(errno));
	if (!l->child) {
		setpgid(0, 0);
		/* it must not go on when this program is killed */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != self)
			_exit(1);
		null = open("/dev/null", O_RDONLY);
		dup2(null, STDIN_FILENO);
		/* stdout of this program is not the command's to write to */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		execvp(l->r->command[0], l->r->command);
		err = errno;
		if (write(report[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	setpgid(l->child, l->child);
	close(report[1]);
	if (read(report[0], &err, sizeof(err)) == sizeof(err)) {
		waitpid(l->child, NULL, 0);
		l->child = 0;
		fail("cannot run %s: %s", l->r->command[0], strerror(err));
	}
	close(report[0]);
	return l->child ? 0 : -1;
}

static bool command_over(struct live *l)
{
	int status;

	if (!l->child || waitpid(l->child, &status, WNOHANG) != l->child)
		return false;
	l->child = 0;
	l->r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

static void end_command(struct live *l)
{
	int i;

	if (!l->child)
		return;
	kill(-l->child, SIGTERM);
	for (i = 0; i < 50 && !command_over(l); i++)
		usleep(100000);
	if (l->child) {
		kill(-l->child, SIGKILL);
		while (!command_over(l))
			usleep(100000);
	}
	/* its end was wanted */
	if (l->r->status == 128 + SIGTERM)
		l->r->status = 0;
}

/* Never so fast that the reader could not follow: what is measured is the path. */
static void *produce(void *data)
{
	struct live *l = data;
	long backlog = 0;

	while (!l->stop_producer && backlog >= 0) {
		if (backlog > (long)l->r->probe.buffer / 2)
			usleep(1000);
		backlog = probe_bench(&l->probe,
				      backlog > (long)l->r->probe.buffer / 2 ? 0 : DL_BATCH);
	}
	return NULL;
}

static void progress(struct live *l, bool last)
{
	bool terminal = isatty(STDERR_FILENO);
	double now = seconds(), gap = terminal ? 1 : 5;
	struct dl_counters n;

	if (l->r->quiet || (!last && now - l->said < gap))
		return;
	probe_count(&l->probe, &n);
	fprintf(stderr, "%sdump_lb: %s: %.0f s, %llu rows, %.0f rows/s, %llu lost%s%s",
		terminal ? "\r" : "", l->r->workload, now - l->start, n.rows,
		last ? n.rows / (now - l->start) : (n.rows - l->said_rows) / (now - l->said),
		n.lost, terminal ? "\033[K" : "", last || !terminal ? "\n" : "");
	l->said = now;
	l->said_rows = n.rows;
}

static void run(struct live *l)
{
	struct recording *r = l->r;
	int look = r->probe.source == FROM_BENCH ? BENCH_LOOK_MS : LOOK_MS;
	double left;

	while (!*r->interrupted && !l->spool.full) {
		if (r->command && command_over(l))
			break;
		l->looked = seconds();
		left = l->end ? (l->end - l->looked) * 1000 : look;
		if (left <= 0)
			break;
		if (ring_buffer__poll(l->probe.ring, left < look ? (int)left + 1 : look) == 0)
			ring_buffer__consume(l->probe.ring);
		progress(l, false);
	}
}

/* A call of can_migrate_task() that was not seen is one that has been inlined. */
static void check_seen(const struct live *l)
{
	unsigned long long now;

	if (!l->knows_gained || !tasks_gained(&now))
		return;
	if (now - l->gained > l->r->sum.yes)
		say("WARNING: the balancer moved %llu tasks, but can_migrate_task() was only seen to let %llu go: the compiler has put it into one of its callers, and the rows are a part of the decisions",
		    now - l->gained, l->r->sum.yes);
}

static void stop(struct live *l)
{
	struct recording *r = l->r;
	struct dl_end end = { .head.kind = DL_END };
	struct timespec t;

	if (r->probe.source == FROM_BENCH) {
		l->stop_producer = true;
		pthread_join(l->producer, NULL);
	}
	probe_detach_decisions(&l->probe);
	if (r->probe.outcomes && !l->spool.full) {
		/* the last decision's horizon, and the end of its bucket */
		t.tv_sec = r->probe.horizon_ns / 1000000000;
		t.tv_nsec = r->probe.horizon_ns % 1000000000;
		nanosleep(&t, NULL);
		usleep(2 * l->probe.bucket_ns / 1000);
	}
	probe_detach(&l->probe);
	l->draining = true;
	ring_buffer__consume(l->probe.ring);
	probe_count(&l->probe, &r->sum);
	check_seen(l);
	r->took = seconds() - l->start;
	clock_gettime(CLOCK_MONOTONIC, &t);
	end.head.ts = t.tv_sec * 1000000000ULL + t.tv_nsec;
	end.sum = r->sum;
	spool_add(&l->spool, &end, sizeof(end));
	r->disk_full = !spool_finish(&l->spool) || l->spool.full;
	progress(l, true);
	end_command(l);
}

int record(struct recording *r)
{
	struct live l = { .r = r, .spool.fd = -1 };
	char *text = NULL;
	int err = -1;

	r->status = -1;
	if (probe_open(&l.probe, &r->probe, got, &l))
		goto out;
	text = about(&l);
	if (spool_create(&l.spool, r->spool, text, r->probe.buffer))
		goto out;
	if (probe_attach(&l.probe))
		goto out_unlink;
	l.knows_gained = r->probe.source == FROM_FUNCTION && tasks_gained(&l.gained);
	l.start = l.said = seconds();
	l.end = r->seconds ? l.start + r->seconds : 0;
	if (!r->quiet)
		say("%s: recording%s", r->workload,
		    r->command || r->seconds ? "" : ", Ctrl-C ends it");
	if (r->command && start_command(&l))
		goto out_unlink;
	if (r->probe.source == FROM_BENCH &&
	    pthread_create(&l.producer, NULL, produce, &l)) {
		fail("cannot start a thread");
		goto out_unlink;
	}
	run(&l);
	stop(&l);
	err = r->disk_full;
	goto out;
out_unlink:
	unlink(r->spool);
out:
	free(text);
	spool_close(&l.spool);
	if (l.probe.skel)
		probe_close(&l.probe);
	return err;
}
