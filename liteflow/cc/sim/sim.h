/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulator of one bottleneck, for training: see sim.c.
 */
#ifndef CCSIM_SIM_H
#define CCSIM_SIM_H

#include <stdint.h>

#define SIM_MAX_FLOWS	128
#define SIM_MAX_STEPS	12
#define SIM_MSS		1448		/* bytes of payload in a packet */
#define SIM_WIRE	1514		/* and on the link */

#define SIM_PREFERENCES	3		/* weights of throughput, latency, loss */
#define SIM_HIDDEN1	32
#define SIM_HIDDEN2	16

enum sim_kind {
	SIM_LITEFLOW,		/* the kernel's control law with a policy */
	SIM_FIXED,		/* sends at its rate, on and off */
	SIM_RENO,		/* window, halved by loss */
	SIM_CUBIC,		/* window, as a cubic function of time since loss */
	SIM_KINDS
};

/* Where the policy of SIM_LITEFLOW runs: decide.c. */
enum sim_agent {
	SIM_AGENT_NONE,		/* in the kernel */
	SIM_AGENT_NEWEST,	/* in user space, asked for the newest interval, */
	SIM_AGENT_EACH,		/* for each, */
	SIM_AGENT_OWNS,		/* with all of the law */
	SIM_AGENTS
};

/* Times in seconds, rates in bit/s on the link. Mirrored in simlib.py. */
struct sim_flow_desc {
	double kind;
	double start;
	double stop;
	double rtt;		/* without a queue */
	double rate;		/* of SIM_FIXED */
	double on;		/* of SIM_FIXED: so long on, so long off; 0: always on */
	double off;
	double preferences[SIM_PREFERENCES];	/* all 0: those of the scenario */
};

struct sim_scenario {
	double seed;
	double duration;
	double buffer;		/* bytes */
	double loss;		/* probability, beside what the buffer does not take */
	double loss_burst;	/* packets lost one after the other, mean; 0: independently */
	double police_rate;	/* bit/s that a policer lets pass; 0: none */
	double police_bucket;	/* bytes that it lets pass at once */
	double jitter;		/* seconds that ACKs are late, mean; they keep their order */
	double stall_every;	/* seconds; so often no ACK arrives */
	double stall;		/* for so long; both the same: ACKs come in batches */
	double thin;		/* one ACK of so many arrives; 0, 1: each */
	double rule;		/* enum tlf_rule */
	double min_rtt_window;	/* seconds; 0: the kernel's */
	double preferences[SIM_PREFERENCES];	/* the score's, and those of flows without */
	double agent;		/* enum sim_agent */
	double report;		/* seconds from one report to the agent to the next; 0: an interval */
	double n_steps;
	double n_flows;
	double step_time[SIM_MAX_STEPS];
	double step_rate[SIM_MAX_STEPS];
	struct sim_flow_desc flow[SIM_MAX_FLOWS];
};

/* What a run was like. Mirrored in simlib.py. */
struct sim_result {
	double utilisation;	/* of the link, by all */
	double queue_mean;	/* wait of packets of SIM_LITEFLOW, seconds */
	double queue_p50;
	double queue_p95;
	double queue_p95_rtt;	/* over the flow's own RTT without a queue */
	double loss;		/* share of their packets that the buffer did not take */
	double jain;		/* of their rates over the last third */
	double up;		/* round trips until 80 % is used after a step, -1: none */
	double down;		/* until the queue is below half an RTT and 5 packets */
	double utility;		/* mean ln(rate / fair share) */
	double delay_cost;
	double loss_cost;
	double score;		/* what training raises */
	double reward;		/* mean of what the kernel leaves in records, per interval */
	double decisions;	/* of the policy */
	double events;
	double goodput[SIM_MAX_FLOWS];	/* bit/s of payload, from its start */
	double late[SIM_MAX_FLOWS];	/* the same over the last third */
	double sent[SIM_MAX_FLOWS];	/* packets */
	double lost[SIM_MAX_FLOWS];	/* of these */
};

/* One row of a trace, of a flow. */
struct sim_sample {
	double time;
	double flow;
	double rate;		/* pacing, bit/s of payload */
	double action;
	double feature[3];	/* the newest */
	double queue;		/* seconds of wait in the link now */
	double mode;
};

/*
 * A policy: n_in inputs, tanh 32, tanh 16, 1; or linear, n_in inputs and 1. Layers one
 * after the other, weights [in][out], then bias. Without @params the expert decides; with both, the rows of a
 * trace hold what the expert would have done.
 */
struct policy {
	int n_in;
	int linear;
	const float *params;
	const float *gains;
};

#define POLICY_PARAMS(n_in)						\
	((n_in) * SIM_HIDDEN1 + SIM_HIDDEN1 + SIM_HIDDEN1 * SIM_HIDDEN2 +	\
	 SIM_HIDDEN2 + SIM_HIDDEN2 + 1)

/* What of a feature matters; beyond, models are shown these. As in simlib.py. */
#define FEATURE_LO	{ -2, 0.5, 0 }
#define FEATURE_HI	{ 2, 8, 4 }

/* More extreme ones count as these: whoever asks for all must not get it from others. */
#define PREFERENCE_LO	0.1f
#define PREFERENCE_HI	0.8f

float policy_run(const float *params, int n_in, int linear, const float *in);

/* What only the expert sees. Rates in bytes of payload per second. */
struct expert_view {
	float rate;
	float share;		/* what each of those who listen should have */
	float queue;		/* in round trips */
	float burst;		/* what it sends at once, the same */
	float rest;		/* what keeps the rate, sixteenths */
	float lean;		/* preference of throughput over latency, -1 to 1 */
	int aurora;		/* its rule: an action is a fortieth, without anything else */
};

#define EXPERT_GAINS	{ 4, 0.06, 1, 0.2 }		/* as in simlib.py */

float expert_run(const float *gains, const struct expert_view *view);

struct sim_trace {
	struct sim_sample *sample;
	int64_t room;
	int64_t n;
	/* each decision's inputs and the action, n_in + 1 floats each */
	float *rows;
	int64_t rows_room;
	int64_t rows_n;
};

int sim_run(const struct sim_scenario *scenario, const struct policy *policy,
	    struct sim_result *result, struct sim_trace *trace);

/* random.c: splitmix64 */
struct rnd {
	uint64_t state;
};

uint64_t rnd_next(struct rnd *r);
double rnd_uniform(struct rnd *r, double lo, double hi);
double rnd_log_uniform(struct rnd *r, double lo, double hi);

#endif
