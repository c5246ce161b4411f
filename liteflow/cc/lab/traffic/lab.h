/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One run of the laboratory: links, flows and what is measured of them.
 */
#ifndef LAB_H
#define LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/tcp.h>

#ifndef TCP_CC_PARAMS
#define TCP_CC_PARAMS	60
#endif

#define NS_PER_S	1000000000LL
#define NS_PER_MS	1000000LL

#define PACKET		1514	/* bytes on the wire, as the queueing discipline counts them */

#define MAX_FLOWS	160
#define MAX_CHANGES	1024
#define MAX_RTTS	4	/* types of service that differ in priority */
#define MAX_SHORT	1024
#define CC_NAME		16

/* Ends the program with what was wrong. */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *allocate(size_t count, size_t size);

/* The clock of all that happens here, in ns. */
int64_t now(void);

/* -- link.c: sender - router - far router - receiver ---------------------- */

struct change {
	int64_t at;		/* ns since the run's start */
	double mbit;
	double rtt_ms;
};

/* What a path does beside its bottleneck, from some time on. */
struct noise {
	int64_t at;		/* ns since the run's start */
	double loss;		/* percent */
	double jitter_ms;
};

/* What the bottleneck is. */
enum bottleneck {
	BOTTLENECK_TBF,
	BOTTLENECK_CODEL,	/* a tbf whose queue CoDel keeps */
	BOTTLENECK_LEMU,	/* emulated: lemu's byte queue, or a model */
	BOTTLENECK_NETEM,	/* delay and loss at random, whatever is sent */
};

struct shape {
	enum bottleneck bottleneck;
	const char *app;	/* of lemu; "": the byte queue */
	double netem_ms;	/* netem's delay */
	double netem_loss;	/* percent */
	double mbit[2];		/* capacity; the second one from step_s on, and so on */
	double step_s;		/* 0: it stays */
	double rtt_ms;
	double loss;		/* percent */
	double bursts;		/* packets lost in a row, mean; 0: independently */
	double jitter_ms;	/* that ACKs are late, mean: batches at random */
	double reorder_ms;	/* the same, each by itself: they overtake each other */
	double slots_ms;	/* between two batches of ACKs; 0: they come as they come */
	double thin;		/* one ACK of so many arrives, from the first second on */
	uint32_t buffer;	/* bytes */
	uint32_t police;	/* bytes that a policer passes at once; 0: a buffer, not that */
	uint32_t seed;
	struct change changes[MAX_CHANGES];	/* of capacity and round trip, by time */
	unsigned int n_changes;
	struct noise noises[MAX_CHANGES];	/* loss and jitter take these values, by time */
	unsigned int n_noises;
	double rtts_ms[MAX_RTTS];	/* of the flows in turn, where they differ */
	unsigned int n_rtts;
	double back_mbit;	/* capacity of the way back; 0: no limit */
	/* what tbf cannot do, see deliver.c */
	const char *trace;	/* a file of deliveries */
	bool poisson;		/* they come at random */
	double stall_ms;	/* pauses, */
	double stall_s;		/* so often */
};

struct queue {
	uint32_t backlog;	/* bytes */
	uint32_t drops;
	uint32_t packets;	/* that have left it */
	uint64_t bytes;
};

/* Enter a namespace by its name, for the sockets to come. */
void enter(const char *name);

double noise_ms(const struct shape *shape);
/* The highest that the path gets. */
double top_mbit(const struct shape *shape);
double top_rtt_ms(const struct shape *shape);
bool delivers(const struct shape *shape);
void links_open(const struct shape *shape);
void links_capacity(double mbit);
void links_rtt(double rtt_ms);
void links_thin(void);
/* Loss and jitter are now what the shape says. */
void links_noise(void);
void links_read(struct queue *queue);
void links_read_tail(struct queue *queue);
void links_close(void);

/* -- deliver.c: the bottleneck that tbf cannot be -------------------------- */

int deliver_open(const struct shape *shape, int64_t length);
void deliver_read(int64_t t);
void deliver(int64_t t);
int64_t deliver_next(void);
void deliver_stats(struct queue *queue);
int64_t deliver_delay(int64_t t);
double deliver_mbit(int64_t length);
void deliver_close(void);

/* -- flow.c ---------------------------------------------------------------- */

struct flow {
	char cc[CC_NAME];
	bool back;		/* it sends from rcv to snd */
	unsigned int band;	/* which of the round trips it has */
	int64_t start;		/* ns since the run's start */
	int64_t end;		/* 0: that of the run */
	uint64_t size;		/* bytes to send; 0: until the end */
	int fd;			/* sender, or -1 */
	int listener;
	int peer;		/* receiver, or -1 */
	int64_t connected;	/* connect() was called */
	int64_t done;		/* all of size has arrived */
	uint64_t queued;	/* bytes written */
	uint64_t received;
	uint64_t last_received;	/* at the last sample */
	uint32_t retrans;
	uint32_t segs_out;
	uint32_t min_rtt_us;
	/* samples in which a flow of liteflow had no model, and in which it competed */
	unsigned int classic;
	unsigned int competing;
	uint32_t *kbit;		/* of each sample: goodput, */
	uint32_t *rtt_us;	/* smoothed RTT, */
	uint32_t *rate_kbit;	/* and what it is paced by; 0: it is not */
	unsigned int samples;
};

void flow_listen(struct flow *flow, uint16_t port, uint32_t room);
void flow_start(struct flow *flow, uint16_t port, uint32_t room);
void flow_accept(struct flow *flow);
void flow_write(struct flow *flow);

/* Of throughput, latency and loss, in 1/1000; the connection stands. */
void flow_prefer(struct flow *flow, const uint16_t preferences[3]);
void flow_read(struct flow *flow);
void flow_sample(struct flow *flow, int64_t span);
void flow_close(struct flow *flow);

/* -- agent.c ---------------------------------------------------------------- */

/* The file descriptor to watch. */
int agent_open(const char *path, bool each, unsigned int interval_ms);
void agent_take(struct flow *flow);
void agent_read(void);
unsigned int agent_actions(void);

#endif /* LAB_H */
