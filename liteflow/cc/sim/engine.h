/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the simulator: the link, the senders, what is measured.
 */
#ifndef CCSIM_ENGINE_H
#define CCSIM_ENGINE_H

#include <stdbool.h>
#include <stdlib.h>
#include <linux/types.h>

#include "../../linux/net/ipv4/tcp_liteflow.h"
#include "sim.h"

#define NS_PER_SEC	1000000000LL
#define NEVER		INT64_MAX

/* First in, first out, with room for so many bytes; time is in ns. */
struct link {
	const struct sim_scenario *scenario;
	int step;		/* which rate is in force at backlog_at */
	double buffer;
	double backlog;		/* bytes not yet sent */
	s64 backlog_at;
};

/* Packets sent together, some of which will be acknowledged, all at once. */
struct record {
	s64 sent_at;
	s64 ack_at;
	u32 end;		/* number of the first packet after them */
	u32 arrived;
};

struct hole {
	u32 end;
	u32 n;
};

/* A queue in an array that grows. */
#define FIFO(type)							\
struct {								\
	type *at;							\
	u32 room, head, tail;						\
}

#define fifo_empty(q)	((q)->head == (q)->tail)
#define fifo_first(q)	(&(q)->at[(q)->head & ((q)->room - 1)])
#define fifo_drop(q)	((q)->head++)

/* A place behind the last one; NULL without memory. */
#define fifo_add(q)							\
({									\
	if ((q)->tail - (q)->head == (q)->room) {			\
		u32 _room = (q)->room ? 2 * (q)->room : 64, _i;		\
		typeof((q)->at) _at = malloc(_room * sizeof(*_at));	\
									\
		if (_at) {						\
			for (_i = (q)->head; _i != (q)->tail; _i++)	\
				_at[_i & (_room - 1)] = (q)->at[_i & ((q)->room - 1)]; \
			free((q)->at);					\
			(q)->at = _at;					\
			(q)->room = _room;				\
		}							\
	}								\
	(q)->tail - (q)->head < (q)->room ? &(q)->at[(q)->tail++ & ((q)->room - 1)] : NULL; \
})

/* What a policy is asked. */
struct question {
	float in[TLF_N_IN + SIM_PREFERENCES];
};

enum flow_state {
	FLOW_WAITS,
	FLOW_SHAKES_HANDS,
	FLOW_RUNS,
	FLOW_ENDED,
};

struct flow {
	const struct sim_flow_desc *desc;
	enum sim_kind kind;
	enum flow_state state;
	int nr;
	s64 rtt;		/* without a queue */
	s64 srtt;
	s64 start_at;
	s64 stop_at;
	s64 send_at;		/* pacing: not before */
	s64 last_ack_at;
	bool probed;		/* the tail, since then */
	FIFO(struct record) flying;
	FIFO(struct hole) holes;
	u32 sent;		/* packets, all three */
	u32 delivered;
	u32 lost;
	u32 cwnd;
	s64 next;		/* event, NEVER if none */

	struct tlf_hot hot;	/* SIM_LITEFLOW */
	struct tlf_flow law;
	float action;
	s64 report_at;		/* to the agent in user space, NEVER: there is none */
	FIFO(struct tlf_ack) heard;
	FIFO(struct question) asked;

	double window;		/* SIM_RENO, SIM_CUBIC */
	double threshold;
	double top;		/* window at the last loss */
	s64 least_rtt;		/* SIM_CUBIC: HyStart */
	s64 epoch_at;
	double epoch_window;
	u32 recovers;		/* losses up to this packet were answered */

	s64 ack_at;		/* when the last of its packets is acknowledged */
	s64 jitter;		/* by how much ACKs are late, */
	s64 jitter_until;	/* and until when */
	u32 held;		/* records that arrived and whose ACK did not, */
	u32 held_packets;	/* and the packets of these */

	bool on;		/* SIM_FIXED */
	s64 toggle_at;
};

#define HIST_BINS	384

/* Log-scaled histogram. */
struct histogram {
	double weight[HIST_BINS];
	double sum;
	double total;
};

/*
 * What is delivered and how long it waited, over time: in short bins of about a
 * round trip, and in long ones of LONG_BINS short ones for what each flow got.
 */
#define LONG_BINS	4

struct measure {
	enum sim_kind kind;	/* whose score it is */
	s64 bin;		/* ns */
	int n_bins;
	int n_long;
	double *delivered;	/* packets of all, per bin */
	double *fixed;		/* of SIM_FIXED */
	double *waited;		/* ns times packets of that kind */
	double *packets;	/* of that kind */
	double *share;		/* per long bin and flow: packets */
	struct histogram seconds;
	struct histogram rtts;
	struct histogram cost;
	double offered;		/* packets of that kind */
	double dropped;		/* of these by the buffer */
	double reward;		/* sum of what the kernel would have left in records, */
	double rewards;		/* of so many intervals */
};

struct sim {
	const struct sim_scenario *scenario;
	const struct policy *policy;
	struct link link;
	struct flow flow[SIM_MAX_FLOWS];
	int n_flows;
	u32 least_burst;	/* packets */
	s64 now;
	s64 end;
	struct rnd random;
	double until_loss;	/* packets that pass before one is lost */
	double tokens;		/* of the policer, bytes */
	s64 tokens_at;
	struct measure measure;
	struct sim_trace *trace;
	u64 decisions;
	u64 events;
	bool failed;		/* out of memory */
};

static inline s64 to_ns(double seconds)
{
	return seconds * 1e9 < 9e18 ? (s64)(seconds * 1e9) : NEVER;
}

/* link.c */
void link_init(struct link *l, const struct sim_scenario *scenario);
void link_advance(struct link *l, s64 now);
double link_rate(const struct link *l);			/* bytes per ns */
u32 link_room(const struct link *l);			/* packets */
s64 link_finish(const struct link *l);			/* when it is empty */
double link_capacity(const struct sim_scenario *scenario, double from, double to);

/* path.c */
void path_init(struct sim *sim);
u32 path_survivors(struct sim *sim, u32 n);
s64 path_ack(struct sim *sim, struct flow *f, s64 at);

/* sender.c */
void sender_init(struct sim *sim, struct flow *f, int nr);
void sender_event(struct sim *sim, struct flow *f);
void sender_free(struct flow *f);
u32 sender_burst(const struct sim *sim, double bytes_per_sec);
u32 sender_cwnd(const struct sim *sim, const struct flow *f);

/* decide.c */
const double *preferences_of(const struct sim *sim, const struct flow *f);
void decide_on_ack(struct sim *sim, struct flow *f, const struct tlf_ack *ack);
void agent_begin(struct sim *sim, struct flow *f);
void agent_hears(struct sim *sim, struct flow *f, const struct tlf_ack *ack);
void agent_report(struct sim *sim, struct flow *f);

/* measure.c */
int measure_init(struct sim *sim);
void measure_packets(struct sim *sim, struct flow *f, u32 n, u32 arrived, u32 dropped,
		     double wait, s64 finish);
void measure_result(struct sim *sim, struct sim_result *result);
void measure_free(struct measure *m);

#endif
