// SPDX-License-Identifier: GPL-2.0
/*
 * traffic - one run of the laboratory
 *
 * Makes the path, sends over it, samples flows and queue, and prints a line of
 * JSON.  All that happens does so in one process with one clock, so that in
 * virtual time two runs with one seed do the same.
 */
#include <argp.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "lab.h"
#include "tool.h"

TOOL_ABOUT("traffic");

#define FIRST_PORT	5000
#define FLOW_SAMPLE	(100 * NS_PER_MS)
#define QUEUE_SAMPLE	(5 * NS_PER_MS)
#define SHORT_EVERY	(500 * NS_PER_MS)
#define THIN_FROM	NS_PER_S
#define NEVER		INT64_MAX
#define MAX_PREFER	8
#define MANY		16

struct run {
	struct shape shape;
	int64_t length;
	struct flow *flows;
	unsigned int n_flows;
	char short_cc[CC_NAME];
	uint64_t short_size;
	struct flow shorts[MAX_SHORT];
	unsigned int n_short;
	int64_t start;
	char agent[CC_NAME];	/* "newest", "each", or "" */
	unsigned int agent_ms;
	const char *model;
	uint16_t preferences[MAX_PREFER][3];	/* of the flows in turn, 1/1000 */
	unsigned int n_preferences;
	const char *reverse;	/* congestion control of the flow on the way back, or none */
	const char *command;
	int epoll;
	uint32_t room;		/* bytes of each socket buffer */
	uint32_t *delay_us;	/* of the queue, each QUEUE_SAMPLE */
	unsigned int samples;
	double mbit;		/* at present */
	double mbit_sum;	/* of all samples of the queue */
	struct queue queue;
};

static struct run run;
/* What stands for deliver.c among those that are watched. */
static struct flow gate;

void fail(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("traffic: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		fail("out of memory");
	return memory;
}

int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* No flow: the agent. */
static void watch(struct flow *flow, int fd, uint32_t events, bool reader)
{
	struct epoll_event event = {
		.events = events,
		.data.u64 = (uintptr_t)flow | reader,
	};

	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll: %s", strerror(errno));
}

static uint16_t port_of(const struct flow *flow)
{
	if (flow >= run.shorts && flow < run.shorts + MAX_SHORT)
		return FIRST_PORT + MAX_FLOWS + (flow - run.shorts);
	return FIRST_PORT + (flow - run.flows);
}

static void begin(struct flow *flow)
{
	flow_start(flow, port_of(flow), run.room);
	watch(flow, flow->listener, EPOLLIN | EPOLLONESHOT, true);
	watch(flow, flow->fd, EPOLLOUT | EPOLLET, false);
}

/* The listener's event comes first, then those of the connection. */
static void handle(const struct epoll_event *event)
{
	struct flow *flow = (struct flow *)(uintptr_t)(event->data.u64 & ~1ULL);

	if (!flow) {
		agent_read();
		return;
	}
	if (flow == &gate) {
		deliver_read(now() - run.start);
		return;
	}
	if (flow->fd < 0)
		return;
	if (!(event->data.u64 & 1)) {
		if (run.agent[0] && !flow->queued)
			agent_take(flow);
		if (run.n_preferences && !flow->queued && !flow->size)
			flow_prefer(flow, run.preferences[(flow - run.flows) %
							  run.n_preferences]);
		flow_write(flow);
	} else if (flow->peer < 0) {
		flow_accept(flow);
		watch(flow, flow->peer, EPOLLIN, true);
	} else {
		flow_read(flow);
	}
}

static void sample_queue(int64_t t)
{
	uint32_t *delay_us = &run.delay_us[run.samples++];

	run.mbit_sum += run.mbit;
	if (delivers(&run.shape)) {
		deliver_stats(&run.queue);
		*delay_us = deliver_delay(t) / 1000;
		return;
	}
	links_read(&run.queue);
	*delay_us = run.queue.backlog * 8 / run.mbit;
}

static void next_short(void)
{
	struct flow *flow = &run.shorts[run.n_short];

	if (run.n_short == MAX_SHORT)
		fail("more than %u short flows", MAX_SHORT);
	run.n_short++;
	strcpy(flow->cc, run.short_cc);
	flow->size = run.short_size;
	flow_listen(flow, port_of(flow), run.room);
	begin(flow);
}

struct clock {
	int64_t at;
	int64_t every;
};

static bool due(struct clock *clock, int64_t t)
{
	if (t < clock->at)
		return false;
	clock->at += clock->every;
	return true;
}

static void emulate(void)
{
	struct clock queue = { QUEUE_SAMPLE, QUEUE_SAMPLE };
	struct clock flows = { FLOW_SAMPLE, FLOW_SAMPLE };
	struct clock step = { NEVER, run.shape.step_s * NS_PER_S };
	struct clock shorts = { NEVER, SHORT_EVERY };
	struct clock thin = { run.shape.thin > 1 ? THIN_FROM : NEVER, run.length };
	struct epoll_event events[64];
	struct timespec start;
	int64_t t = 0, wake;
	const struct change *change = run.shape.changes;
	const struct change *changes_end = change + run.shape.n_changes;
	const struct noise *noise = run.shape.noises;
	const struct noise *noises_end = noise + run.shape.n_noises;
	unsigned int i, steps = 0, waiting = run.n_flows;
	int n;

	/* deliver.c knows of the steps itself */
	if (step.every && !delivers(&run.shape))
		step.at = step.every;
	if (run.short_size)
		/* not before the long one has filled the path */
		shorts.at = 5 * NS_PER_S;
	/* timers count in ticks: always begin with the same fraction of one */
	run.start = (now() / NS_PER_S + 1) * NS_PER_S;
	start = (struct timespec){ .tv_sec = run.start / NS_PER_S };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &start, NULL);
	while (t < run.length) {
		wake = queue.at < step.at ? queue.at : step.at;
		if (change < changes_end && change->at < wake)
			wake = change->at;
		if (noise < noises_end && noise->at < wake)
			wake = noise->at;
		if (deliver_next() < wake)
			wake = deliver_next();
		for (i = 0; i < run.n_flows; i++)
			if (!run.flows[i].connected && run.flows[i].start < wake)
				wake = run.flows[i].start;
		if (wake > t) {
			struct timespec ts = {
				.tv_sec = (wake - t) / NS_PER_S,
				.tv_nsec = (wake - t) % NS_PER_S,
			};

			n = epoll_pwait2(run.epoll, events, 64, &ts, NULL);
			if (n < 0 && errno != EINTR)
				fail("epoll: %s", strerror(errno));
			for (i = 0; n > 0 && i < (unsigned int)n; i++)
				handle(&events[i]);
		}
		t = now() - run.start;
		deliver(t);
		for (i = 0; waiting && i < run.n_flows; i++) {
			if (run.flows[i].connected || run.flows[i].start > t)
				continue;
			begin(&run.flows[i]);
			waiting--;
		}
		for (i = 0; i < run.n_flows; i++)
			if (run.flows[i].end && run.flows[i].end <= t)
				flow_close(&run.flows[i]);
		if (due(&queue, t))
			sample_queue(t);
		if (due(&flows, t))
			for (i = 0; i < run.n_flows; i++)
				if (run.flows[i].connected && run.flows[i].fd >= 0)
					flow_sample(&run.flows[i], FLOW_SAMPLE);
		if (due(&step, t)) {
			run.mbit = run.shape.mbit[++steps & 1];
			links_capacity(run.mbit);
		}
		for (; change < changes_end && change->at <= t; change++) {
			run.mbit = change->mbit;
			links_capacity(change->mbit);
			links_rtt(change->rtt_ms);
		}
		for (; noise < noises_end && noise->at <= t; noise++) {
			run.shape.loss = noise->loss;
			run.shape.jitter_ms = noise->jitter_ms;
			links_noise();
		}
		if (due(&thin, t))
			links_thin();
		for (i = 0; i < run.n_short; i++)
			if (run.shorts[i].done)
				flow_close(&run.shorts[i]);
		if (due(&shorts, t))
			next_short();
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void add(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_number(struct json_object *o, const char *key, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", v);
	json_object_object_add(o, key, json_object_new_double_s(v, text));
}

static void add_seconds(struct json_object *o, const char *key, int64_t ns)
{
	add_number(o, key, ns / 1e9);
}

static struct json_object *add_list(struct json_object *o, const char *key)
{
	struct json_object *list = json_object_new_array();

	json_object_object_add(o, key, list);
	return list;
}

static void add_numbers(struct json_object *o, const char *key, const uint32_t *numbers,
			unsigned int n)
{
	struct json_object *list = add_list(o, key);

	while (n--)
		json_object_array_add(list, json_object_new_uint64(*numbers++));
}

static struct json_object *queue_json(void)
{
	static const unsigned int parts[] = { 50, 95, 99, 100 };
	unsigned int each = FLOW_SAMPLE / QUEUE_SAMPLE, n = run.samples / each, i;
	uint32_t *series = allocate(n + 1, sizeof(*series));
	struct json_object *o = json_object_new_object();
	double sum = 0;
	char key[16];

	for (i = 0; i < n; i++)
		series[i] = run.delay_us[(i + 1) * each - 1];
	for (i = 0; i < run.samples; i++)
		sum += run.delay_us[i];
	qsort(run.delay_us, run.samples, sizeof(*run.delay_us), by_value);
	add(o, "mean_us", sum / run.samples + 0.5);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		snprintf(key, sizeof(key), "p%u_us", parts[i]);
		add(o, key, run.delay_us[(uint64_t)(run.samples - 1) * parts[i] / 100]);
	}
	add(o, "drops", run.queue.drops);
	add(o, "packets", run.queue.packets);
	add(o, "bytes", run.queue.bytes);
	add_numbers(o, "us", series, n);
	free(series);
	return o;
}

static struct json_object *flow_json(const struct flow *flow)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "cc", json_object_new_string(flow->cc));
	if (flow->back)
		json_object_object_add(o, "back", json_object_new_boolean(true));
	add_seconds(o, "start", flow->start);
	add(o, "bytes", flow->last_received);
	add(o, "retrans", flow->retrans);
	add(o, "packets", flow->segs_out);
	add(o, "min_rtt_us", flow->min_rtt_us);
	add(o, "classic", flow->classic);
	add(o, "competing", flow->competing);
	add_numbers(o, "kbit", flow->kbit, flow->samples);
	add_numbers(o, "rtt_us", flow->rtt_us, flow->samples);
	add_numbers(o, "rate_kbit", flow->rate_kbit, flow->samples);
	return o;
}

static void report(int64_t cpu)
{
	struct json_object *o = json_object_new_object(), *list;
	struct queue tail = { 0 };
	unsigned int i;

	if (run.shape.loss > 0 || run.shape.n_noises)
		links_read_tail(&tail);
	add_seconds(o, "seconds", run.length);
	add_seconds(o, "cpu_s", cpu);
	add_number(o, "mbit", delivers(&run.shape) ? deliver_mbit(run.length) :
			      run.mbit_sum / run.samples);
	add(o, "lost", tail.drops);
	add(o, "actions", agent_actions());
	json_object_object_add(o, "queue", queue_json());
	list = add_list(o, "flows");
	for (i = 0; i < run.n_flows; i++)
		json_object_array_add(list, flow_json(&run.flows[i]));
	list = add_list(o, "short_us");
	for (i = 0; i < run.n_short; i++) {
		const struct flow *flow = &run.shorts[i];

		json_object_array_add(list, json_object_new_int64(flow->done ?
					(flow->done - flow->connected) / 1000 : -1));
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

enum { KEY_NOISE = 256, KEY_BURSTS, KEY_JITTER, KEY_REORDER, KEY_SLOTS, KEY_THIN, KEY_POLICE, KEY_CHANGE,
       KEY_RTTS, KEY_BACK, KEY_REVERSE, KEY_TRACE, KEY_ARRIVALS, KEY_STALL, KEY_BOTTLENECK };

static const struct argp_option options[] = {
	{ "capacity", 'c', "MBIT[:MBIT:S]", 0, "capacity of the bottleneck; alternates every S seconds", 0 },
	{ "rtt", 'r', "MS", 0, "base round-trip time", 0 },
	{ "buffer", 'b', "BYTES", 0, "buffer of the bottleneck", 0 },
	{ "bottleneck", KEY_BOTTLENECK, "KIND", 0, "what it is: tbf, codel, lemu (its byte queue), "
	  "lemu:APP (its model), or netem:MS:PERCENT (delay and loss) instead (tbf)", 0 },
	{ "loss", 'l', "PERCENT", 0, "random loss behind the bottleneck (0)", 0 },
	{ "bursts", KEY_BURSTS, "PACKETS", 0, "mean length of bursts of that loss (independent)", 0 },
	{ "jitter", KEY_JITTER, "MS", 0, "ACKs are late by this on average, in batches at random "
	  "times (0)", 0 },
	{ "reorder", KEY_REORDER, "MS", 0, "the same, but each by itself, so that they overtake each "
	  "other (0)", 0 },
	{ "slots", KEY_SLOTS, "MS", 0, "ACKs come in batches, so far apart (as they come)", 0 },
	{ "thin", KEY_THIN, "N", 0, "one ACK of N arrives, from the first second on (each)", 0 },
	{ "police", KEY_POLICE, "BYTES", 0, "the bottleneck has no buffer, but passes so much at once", 0 },
	{ "change", KEY_CHANGE, "S:MBIT:MS", 0, "capacity and round trip from S on; may be repeated", 0 },
	{ "noise", KEY_NOISE, "S:PERCENT:MS", 0, "loss and jitter from S on; may be repeated", 0 },
	{ "rtts", KEY_RTTS, "MS:MS...", 0, "round trips of the flows in turn, --rtt at least", 0 },
	{ "back", KEY_BACK, "MBIT", 0, "capacity of the way back (no limit)", 0 },
	{ "reverse", KEY_REVERSE, "CC", 0, "a flow that sends on the way back, from the start on", 0 },
	{ "trace", KEY_TRACE, "FILE", 0, "the bottleneck passes 1500 bytes in each millisecond that "
	  "is a line of the file, which repeats", 0 },
	{ "arrivals", KEY_ARRIVALS, "even|poisson", 0, "how it passes them else (even)", 0 },
	{ "stall", KEY_STALL, "MS:S", 0, "the bottleneck stops for MS every S seconds", 0 },
	{ "seed", 's', "N", 0, "seed of what is random (1)", 0 },
	{ "time", 't', "S", 0, "duration of the traffic", 0 },
	{ "short", 'f', "CC:KB", 0, "start a short flow every 0.5 s", 0 },
	{ "agent", 'a', "newest|each:MS", 0, "run the flow's network in user space", 0 },
	{ "model", 'm', "FILE", 0, "the packed model of --agent", 0 },
	{ "prefer", 'p', "T:L:S[/T:L:S...]", 0, "weights of throughput, latency and loss, from 1 to "
	  "1000, for flows of liteflow, in turn", 0 },
	{ "exec", 'x', "PROGRAM", 0, "run a program over the path instead of flows", 0 },
	{ 0 }
};

static void parse_capacity(char *arg, struct argp_state *state)
{
	char *second = strchr(arg, ':'), *step = second ? strchr(second + 1, ':') : NULL;

	if (second && !step)
		argp_error(state, "'%s' is not MBIT or MBIT:MBIT:S", arg);
	if (second) {
		*second = 0;
		*step = 0;
		run.shape.mbit[1] = tool_number(second + 1, 0.1, 1e5, state);
		run.shape.step_s = tool_number(step + 1, 0.01, 1e4, state);
	}
	run.shape.mbit[0] = tool_number(arg, 0.1, 1e5, state);
}

/* NUMBER:NUMBER... into numbers; how many there are */
static unsigned int parse_numbers(char *arg, double *numbers, unsigned int most, double min,
				  double max, struct argp_state *state)
{
	unsigned int n = 0;
	char *word;

	while ((word = strsep(&arg, ":"))) {
		if (n == most)
			argp_error(state, "more than %u numbers", most);
		numbers[n++] = tool_number(word, min, max, state);
	}
	return n;
}

/* They have to add up to 1000: the last one takes what rounding leaves. */
static void parse_preferences(char *arg, struct argp_state *state)
{
	double weight[3], sum;
	char *one;
	int i;

	while ((one = strsep(&arg, "/"))) {
		uint16_t *preferences = run.preferences[run.n_preferences];

		if (run.n_preferences++ == MAX_PREFER)
			argp_error(state, "preferences of more than %u flows", MAX_PREFER);
		if (parse_numbers(one, weight, 3, 1, 1000, state) != 3)
			argp_error(state, "preferences are three weights");
		sum = weight[0] + weight[1] + weight[2];
		for (i = 0; i < 2; i++)
			preferences[i] = 1000 * weight[i] / sum + 0.5;
		preferences[2] = 1000 - preferences[0] - preferences[1];
	}
}

static void parse_change(char *arg, struct argp_state *state)
{
	struct change *change = &run.shape.changes[run.shape.n_changes];
	double numbers[3];

	if (run.shape.n_changes++ == MAX_CHANGES)
		argp_error(state, "more than %u changes", MAX_CHANGES);
	if (parse_numbers(arg, numbers, 3, 0.1, 1e5, state) != 3)
		argp_error(state, "a change is S:MBIT:MS");
	change->at = numbers[0] * NS_PER_S;
	change->mbit = numbers[1];
	change->rtt_ms = numbers[2];
	if (run.shape.n_changes > 1 && change[-1].at > change->at)
		argp_error(state, "changes have to be in the order of time");
}

static void parse_noise(char *arg, struct argp_state *state)
{
	struct noise *noise = &run.shape.noises[run.shape.n_noises];
	double numbers[3];

	if (run.shape.n_noises++ == MAX_CHANGES)
		argp_error(state, "more than %u times of noise", MAX_CHANGES);
	if (parse_numbers(arg, numbers, 3, 0, 1e5, state) != 3 || numbers[1] > 50 ||
	    numbers[2] > 1000)
		argp_error(state, "noise is S:PERCENT:MS, up to 50 %% and 1000 ms");
	noise->at = numbers[0] * NS_PER_S;
	noise->loss = numbers[1];
	noise->jitter_ms = numbers[2];
	if (run.shape.n_noises > 1 && noise[-1].at > noise->at)
		argp_error(state, "noise has to be in the order of time");
}

static void parse_stall(char *arg, struct argp_state *state)
{
	double numbers[2];

	if (parse_numbers(arg, numbers, 2, 0.01, 1e5, state) != 2 ||
	    numbers[0] >= numbers[1] * 1000)
		argp_error(state, "a stall is MS:S, and shorter than S");
	run.shape.stall_ms = numbers[0];
	run.shape.stall_s = numbers[1];
}

static void parse_bottleneck(char *arg, struct argp_state *state)
{
	char *rest = strchr(arg, ':');
	double numbers[2] = { 0 };

	if (rest)
		*rest++ = 0;
	if (!strcmp(arg, "lemu")) {
		run.shape.bottleneck = BOTTLENECK_LEMU;
		run.shape.app = rest ?: "";
	} else if (!strcmp(arg, "netem")) {
		run.shape.bottleneck = BOTTLENECK_NETEM;
		if (!rest || parse_numbers(rest, numbers, 2, 0, 1e4, state) != 2 || numbers[1] > 50)
			argp_error(state, "netem:MS:PERCENT, up to 50 %%");
		run.shape.netem_ms = numbers[0];
		run.shape.netem_loss = numbers[1];
	} else if (!strcmp(arg, "codel") && !rest) {
		run.shape.bottleneck = BOTTLENECK_CODEL;
	} else if (strcmp(arg, "tbf") || rest) {
		argp_error(state, "there is no bottleneck '%s'", arg);
	}
}

/* NAME:NUMBER */
static double parse_named(char *arg, char *cc, double min, double max, struct argp_state *state)
{
	char *colon = strchr(arg, ':');

	if (!colon || colon == arg || colon - arg >= CC_NAME)
		argp_error(state, "'%s' is not CC:NUMBER", arg);
	*colon = 0;
	strcpy(cc, arg);
	return tool_number(colon + 1, min, max, state);
}

static void parse_flow(char *arg, struct argp_state *state)
{
	struct flow *flow = &run.flows[run.n_flows];
	char *first = strchr(arg, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (run.n_flows++ == MAX_FLOWS)
		argp_error(state, "more than %u flows", MAX_FLOWS);
	if (second) {
		*second = 0;
		flow->end = NS_PER_S * tool_number(second + 1, 0, 1e5, state);
	}
	flow->start = NS_PER_S * parse_named(arg, flow->cc, 0, 1e5, state);
	if (second && flow->end <= flow->start)
		argp_error(state, "a flow ends after its start");
}

static void check_options(struct argp_state *state)
{
	const struct shape *shape = &run.shape;
	unsigned int i;

	if (!shape->mbit[0] || !shape->rtt_ms || !shape->buffer ||
	    (!run.command && (!run.n_flows || !run.length)))
		argp_error(state, "capacity, rtt, buffer, time and a flow are needed");
	if (run.agent[0] && (!run.model || run.n_flows != 1))
		argp_error(state, "an agent needs a model, and takes one flow");
	if (shape->jitter_ms && shape->slots_ms)
		argp_error(state, "batches come at random (jitter) or evenly (slots), not both");
	if (shape->trace && (shape->step_s || shape->stall_s || shape->poisson))
		argp_error(state, "a trace says itself when it passes what");
	if (delivers(shape) && (shape->police || shape->n_changes || run.command))
		argp_error(state, "trace, arrivals and stall go with flows, and with neither police nor change");
	if (shape->bottleneck != BOTTLENECK_TBF && (delivers(shape) || shape->police))
		argp_error(state, "trace, arrivals, stall and police are other bottlenecks");
	if (shape->n_changes && (shape->step_s || shape->thin || shape->n_rtts))
		argp_error(state, "change goes with none of steps, thin and rtts");
	if (shape->n_noises && (shape->n_changes || shape->thin || shape->slots_ms))
		argp_error(state, "noise goes with none of change, thin and slots");
	for (i = 0; i < shape->n_rtts; i++)
		if (shape->rtts_ms[i] < shape->rtt_ms)
			argp_error(state, "rtt is the least of rtts");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'c':
		parse_capacity(arg, state);
		return 0;
	case 'r':
		run.shape.rtt_ms = tool_number(arg, 0.1, 1e4, state);
		return 0;
	case 'b':
		run.shape.buffer = tool_number(arg, PACKET, 1e9, state);
		return 0;
	case KEY_BOTTLENECK:
		parse_bottleneck(arg, state);
		return 0;
	case 'l':
		run.shape.loss = tool_number(arg, 0, 50, state);
		return 0;
	case KEY_BURSTS:
		run.shape.bursts = tool_number(arg, 1, 1000, state);
		return 0;
	case KEY_REORDER:
		run.shape.reorder_ms = tool_number(arg, 0, 1000, state);
		return 0;
	case KEY_JITTER:
		run.shape.jitter_ms = tool_number(arg, 0, 1000, state);
		return 0;
	case KEY_SLOTS:
		run.shape.slots_ms = tool_number(arg, 0, 1000, state);
		return 0;
	case KEY_THIN:
		run.shape.thin = tool_number(arg, 1, 1000, state);
		return 0;
	case KEY_POLICE:
		run.shape.police = tool_number(arg, PACKET, 1e9, state);
		return 0;
	case KEY_CHANGE:
		parse_change(arg, state);
		return 0;
	case KEY_NOISE:
		parse_noise(arg, state);
		return 0;
	case KEY_RTTS:
		run.shape.n_rtts = parse_numbers(arg, run.shape.rtts_ms, MAX_RTTS, 0.1, 1e4, state);
		return 0;
	case KEY_BACK:
		run.shape.back_mbit = tool_number(arg, 0.01, 1e5, state);
		return 0;
	case KEY_REVERSE:
		if (strlen(arg) >= CC_NAME)
			argp_error(state, "'%s' is no congestion control", arg);
		run.reverse = arg;
		return 0;
	case KEY_TRACE:
		run.shape.trace = arg;
		return 0;
	case KEY_ARRIVALS:
		run.shape.poisson = !strcmp(arg, "poisson");
		if (!run.shape.poisson && strcmp(arg, "even"))
			argp_error(state, "arrivals are 'even' or 'poisson', not '%s'", arg);
		return 0;
	case KEY_STALL:
		parse_stall(arg, state);
		return 0;
	case 's':
		run.shape.seed = tool_number(arg, 0, 1e9, state);
		return 0;
	case 't':
		run.length = tool_number(arg, 0.1, 1e5, state) * NS_PER_S;
		return 0;
	case 'f':
		run.short_size = 1000 * parse_named(arg, run.short_cc, 1, 1e6, state);
		return 0;
	case 'a':
		run.agent_ms = parse_named(arg, run.agent, 1, 60000, state);
		if (strcmp(run.agent, "newest") && strcmp(run.agent, "each"))
			argp_error(state, "an agent is 'newest' or 'each', not '%s'", run.agent);
		return 0;
	case 'm':
		run.model = arg;
		return 0;
	case 'p':
		parse_preferences(arg, state);
		return 0;
	case 'x':
		run.command = arg;
		return 0;
	case ARGP_KEY_ARG:
		parse_flow(arg, state);
		return 0;
	case ARGP_KEY_END:
		check_options(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "CC:START[:END]...",
	.doc = "One run of the laboratory, as a line of JSON: flows of congestion control CC from "
	       "START (seconds) to END or the run's end. lab/guest calls it.",
};

int main(int argc, char **argv)
{
	double path;
	unsigned int i;
	struct timespec cpu;

	run.shape.seed = 1;
	run.flows = allocate(MAX_FLOWS, sizeof(*run.flows));
	argp_parse(&argp, argc, argv, 0, NULL, NULL);

	if (run.reverse) {
		if (run.n_flows == MAX_FLOWS)
			fail("more than %u flows", MAX_FLOWS);
		strcpy(run.flows[run.n_flows].cc, run.reverse);
		run.flows[run.n_flows++].back = true;
	}
	for (i = 0; i < run.n_flows && run.shape.n_rtts; i++)
		run.flows[i].band = i % run.shape.n_rtts;

	path = top_mbit(&run.shape) * 1e3 * (top_rtt_ms(&run.shape) + noise_ms(&run.shape)) / 8 +
	       run.shape.buffer;
	/*
	 * Twice what fits into path and buffer, at what the kernel charges for a packet. One
	 * of many flows gets a part only, and all of them would have no room in this memory.
	 */
	if (run.n_flows > MANY)
		path *= (double)MANY / run.n_flows;
	run.room = 2 * 2 * path + (1 << 20);
	run.mbit = run.shape.mbit[0];
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.delay_us = allocate(run.length / QUEUE_SAMPLE + 2, sizeof(*run.delay_us));
	if (run.agent[0])
		watch(NULL, agent_open(run.model, !strcmp(run.agent, "each"), run.agent_ms),
		      EPOLLIN, false);
	links_open(&run.shape);
	if (run.command)
		return !!system(run.command);
	if (delivers(&run.shape))
		watch(&gate, deliver_open(&run.shape, run.length), EPOLLIN, false);
	for (i = 0; i < run.n_flows; i++) {
		run.flows[i].kbit = allocate(run.length / FLOW_SAMPLE + 2, sizeof(uint32_t));
		run.flows[i].rtt_us = allocate(run.length / FLOW_SAMPLE + 2, sizeof(uint32_t));
		run.flows[i].rate_kbit = allocate(run.length / FLOW_SAMPLE + 2, sizeof(uint32_t));
		flow_listen(&run.flows[i], port_of(&run.flows[i]), run.room);
	}
	emulate();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	report(cpu.tv_sec * NS_PER_S + cpu.tv_nsec);
	for (i = 0; i < run.n_flows; i++)
		flow_close(&run.flows[i]);
	for (i = 0; i < run.n_short; i++)
		flow_close(&run.shorts[i]);
	deliver_close();
	links_close();
	return 0;
}
