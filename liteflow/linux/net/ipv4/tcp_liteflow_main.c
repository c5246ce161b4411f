// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP congestion control "liteflow": a neural network paces each flow
 *
 * A flow's packets are cut into monitor intervals of half an RTT; at the end of
 * each, a model in a slot of LiteFlow is shown ten of them and answers by how much
 * the rate is to change. tcp_liteflow_law.c has that control law: intervals,
 * features, start-up, what an answer means. Here is what TCP needs of it: a pacing
 * rate, a window, recovery, and what is done without a model.
 *
 * cong_control() replaces what TCP does otherwise for loss recovery: a window that
 * shrinks in proportion. As in BBR, the first round trip of a recovery sends a
 * packet for each that arrives, later ones return to the window that the rate
 * calls for. The rate is the law's: a lost packet by itself does not change it.
 *
 * Classic mode. While no model is active, or one was taken away, or there is no
 * memory for a flow's state, the flow is one of Reno, paced: it has operations
 * without cong_control(), as DCTCP has them for connections without ECN, and all
 * that follows is TCP's own. It asks again at the end of each interval (not without
 * that memory), so a model serves as soon as there is one, and no recovery is under
 * way.
 *
 * Which model: that of the app "cc"; for a socket that has stated preferences
 * (TCP_CC_PARAMS), that of "cc_pref", if one is active when it states them. Whether
 * a flow keeps the model that it began with or follows a switch is the app's policy.
 *
 * Restricted: a model decides what a flow takes of a network that others use, so
 * who may choose it is the administrator's decision, net.ipv4.
 * tcp_allowed_congestion_control.
 */
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/inet_diag.h>
#include <linux/list_bl.h>
#include <linux/liteflow.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rculist_bl.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include "tcp_liteflow_law.h"
#include "tcp_liteflow_reward.h"

#define TLF_PREFERENCES		3
#define TLF_PREF_SUM		1000
#define TLF_HASH_BITS		20	/* at most: 8 MB */
#define TLF_REMOTE_US		USEC_PER_SEC
#define TLF_AHEAD_NS		(4 * NSEC_PER_MSEC)	/* see tlf_keep_paced() */

/*
 * What an interval needs, and the model. Asked for when a flow begins; without it
 * the flow is classic.
 *
 * Who reads a socket's info does not hold its lock: what he finds in icsk_ca_priv
 * may be gone already, or be another control's. So he looks in tlf_states.
 */
struct tlf_state {
	struct hlist_bl_node node;
	struct rcu_head rcu;
	const struct sock *sk;
	struct tlf_flow flow;
	struct lf_flow lf;
	struct lf_app *app;
	struct tlf_claims claims;
	u32 refused;
	s32 action;
	u32 prior_cwnd;		/* before recovery */
	u32 round_delivered;	/* recovery's first round trip ends when this arrives */
	u32 unanswered_us;	/* first question since the remote side acted */
	u16 pref[TLF_PREFERENCES];
	bool remote;
	bool unanswered;
};

/* icsk_ca_priv: what every ACK needs */
struct tlf {
	struct tlf_hot hot;
	struct tlf_state *state;
	u8 prev_ca_state;
	u8 modelled:1,		/* else classic; so before init, when all is 0 */
	   conserving:1,	/* first round trip of a recovery */
	   ece:1;		/* the ACK under way says that there was a mark */
};

static struct tcp_congestion_ops tcp_liteflow, tcp_liteflow_classic;
static struct kmem_cache *tlf_cache __read_mostly;
static struct lf_app *tlf_app __read_mostly;
static struct lf_app *tlf_app_pref __read_mostly;
static atomic64_t tlf_flows = ATOMIC64_INIT(0);

/* Each head has a lock of its own, to add and to delete. */
static struct hlist_bl_head *tlf_states __read_mostly;
static unsigned int tlf_hash_bits __read_mostly;

static unsigned int tlf_rule __ro_after_init;

static int tlf_rule_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, TLF_RULE_PULL, TLF_RULES - 1);
}

static const struct kernel_param_ops tlf_rule_ops = {
	.set = tlf_rule_set,
	.get = param_get_uint,
};

module_param_cb(rule, &tlf_rule_ops, &tlf_rule, 0444);
MODULE_PARM_DESC(rule, "how an action changes the rate: 0: a step and a pull, 1: Aurora's");

static u32 tlf_mss(const struct sock *sk)
{
	return max(tcp_sk(sk)->mss_cache, 1U);
}

static struct tlf_state *tlf_state(const struct sock *sk)
{
	const struct tlf *ca = inet_csk_ca(sk);

	return ca->state;
}

static struct hlist_bl_head *tlf_head(const struct sock *sk)
{
	return &tlf_states[hash_ptr(sk, tlf_hash_bits)];
}

static u32 tlf_srtt_us(const struct sock *sk)
{
	return tcp_sk(sk)->srtt_us >> 3;
}

static u32 tlf_min_tso_segs(struct sock *sk)
{
	return READ_ONCE(sk->sk_pacing_rate) < 150000 ? 1 : 2;
}

/* What TCP sends at once at this rate */
static u32 tlf_tso_segs(struct sock *sk)
{
	u32 segs = tcp_tso_autosize(sk, tlf_mss(sk), tlf_min_tso_segs(sk));

	return min3(segs, (u32)sk->sk_gso_max_segs, tcp_snd_cwnd(tcp_sk(sk)));
}

static void tlf_read_ack(struct sock *sk, long rtt_us, bool app_limited,
			 struct tlf_ack *ack)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	ack->now_us = tp->tcp_mstamp;
	ack->sent_us = tp->first_tx_mstamp;
	ack->rtt_us = clamp_t(long, rtt_us, -1, S32_MAX);
	ack->delivered = tp->delivered;
	ack->lost = tp->lost;
	ack->inflight = tcp_packets_in_flight(tp);
	ack->mss = tlf_mss(sk);
	ack->burst = tlf_tso_segs(sk);
	ack->app_limited = app_limited;
}

static void tlf_set_pacing_rate(struct sock *sk, u64 rate)
{
	WRITE_ONCE(sk->sk_pacing_rate,
		   min_t(u64, rate, READ_ONCE(sk->sk_max_pacing_rate)));
}

/*
 * Once fq has seen a socket, TCP leaves pacing to it, and takes a packet for sent when fq would
 * let it go. Where fq was replaced, nobody paces, and RTTs seem shorter by what TCP is ahead of
 * the clock. With fq that is two milliseconds at most, but at a slow rate: one that may be queued
 * (tcp_small_queue_check()) and a burst of another. Beyond twice that, TCP has to pace by itself;
 * fq, if it is there, has nothing left to do.
 */
static void tlf_keep_paced(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (unlikely(tp->tcp_wstamp_ns > tp->tcp_clock_cache + TLF_AHEAD_NS))
		cmpxchg(&sk->sk_pacing_status, SK_PACING_FQ, SK_PACING_NEEDED);
}

/* The model's app for this flow; a pin on one of the other app's goes. */
static void tlf_choose_app(struct tlf_state *state)
{
	bool prefer = state->pref[0] || state->pref[1] || state->pref[2];
	struct lf_app *app = prefer && lf_app_ready(tlf_app_pref) ? tlf_app_pref : tlf_app;

	/* throughput to latency: the queue that its model keeps */
	state->flow.keeps_queue = app == tlf_app_pref && state->pref[0] > state->pref[1];
	if (app == state->app)
		return;
	lf_flow_release(&state->lf);
	state->claims.n = 0;
	state->app = app;
}

/* Readers of a socket's info look at the pointer without its lock. */
static void tlf_set_modelled(struct sock *sk, struct tlf *ca, bool modelled)
{
	ca->modelled = modelled;
	WRITE_ONCE(inet_csk(sk)->icsk_ca_ops, modelled ? &tcp_liteflow : &tcp_liteflow_classic);
}

/* A model answers, after a time without: from what the flow has now. */
static void tlf_leave_classic(struct sock *sk, struct tlf *ca)
{
	struct tlf_flow *flow = &tlf_state(sk)->flow;

	tlf_set_modelled(sk, ca, true);
	ca->prev_ca_state = inet_csk(sk)->icsk_ca_state;
	ca->conserving = 0;
	ca->ece = 0;
	flow->streak = 0;
	/* what start-up would have found */
	flow->full_bw = max(flow->full_bw, flow->bw);
}

/* None does, after a time with one: no slow start. A recovery goes on as Reno's. */
static void tlf_enter_classic(struct sock *sk, struct tlf *ca)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd;

	tlf_state(sk)->flow.held = 0;
	cwnd = max(tlf_cwnd(&ca->hot, &tlf_state(sk)->flow, tlf_mss(sk), 0) / 2, 2U);
	tlf_set_modelled(sk, ca, false);
	tlf_state(sk)->claims.n = 0;
	ca->hot.mode = TLF_CRUISE;
	tcp_snd_cwnd_set(tp, min(cwnd, tp->snd_cwnd_clamp));
	tp->snd_cwnd_cnt = 0;
	tp->snd_ssthresh = tcp_snd_cwnd(tp);
}

static void tlf_do(struct sock *sk, struct tlf *ca, s32 action)
{
	tlf_state(sk)->action = action;
	tlf_act(&ca->hot, &tlf_state(sk)->flow, action, tlf_mss(sk), tlf_rule);
}

static int tlf_query(struct tlf_state *state, s32 *out)
{
	s32 in[TLF_PREFERENCES + TLF_N_IN];
	unsigned int i;

	tlf_inputs(&state->flow, in + TLF_PREFERENCES);
	if (state->app != tlf_app_pref)
		return lf_query(state->app, &state->lf, in + TLF_PREFERENCES, TLF_N_IN,
				out, 1);
	for (i = 0; i < TLF_PREFERENCES; i++)
		in[i] = state->pref[i] * TLF_ACTION_ONE / TLF_PREF_SUM;
	return lf_query(state->app, &state->lf, in, ARRAY_SIZE(in), out, 1);
}

/* Actions come from elsewhere; but not for ever, or the rate would be frozen. */
static bool tlf_is_remote(const struct sock *sk, struct tlf_state *state)
{
	u32 now_us = tcp_sk(sk)->tcp_mstamp;

	if (!state->remote)
		return false;
	if (!state->unanswered) {
		state->unanswered = true;
		state->unanswered_us = now_us;
	}
	state->remote = tlf_since(now_us, state->unanswered_us) < TLF_REMOTE_US;
	return state->remote;
}

/* An interval at a model's rate ended: to whose answer does the reward for it belong? */
static void tlf_pay(struct sock *sk, struct tlf *ca)
{
	u32 weights[] = { TLF_WORTH_ONE / 3, TLF_WORTH_ONE / 3, TLF_WORTH_ONE / 3 };
	struct tlf_state *state = tlf_state(sk);
	struct lf_flow then = { .id = state->lf.id };
	struct tlf_claim claim;
	unsigned int i;

	state->flow.seen = false;
	if (!lf_collects(state->app)) {
		state->claims.n = 0;
		return;
	}
	if (!tlf_redeem(&state->claims, state->flow.seen_us, &claim))
		return;
	for (i = 0; state->app == tlf_app_pref && i < TLF_PREFERENCES; i++)
		weights[i] = state->pref[i] * TLF_WORTH_ONE / TLF_PREF_SUM;
	/* another model may have answered since */
	then.version = claim.version;
	lf_reward(state->app, &then, claim.seq,
		  tlf_reward(&ca->hot, &state->flow, tlf_mss(sk), weights));
}

/* What an answer is worth, an interval after the next ones tells. */
static void tlf_wait(const struct sock *sk, struct tlf_state *state)
{
	struct tlf_claim claim = {
		.seq = state->lf.seq - 1,
		.version = state->lf.version,
		.from_us = tcp_sk(sk)->tcp_mstamp,
	};

	if (lf_collects(state->app))
		tlf_claim(&state->claims, &claim);
}

/* An interval ended. */
static void tlf_ask(struct sock *sk, struct tlf *ca)
{
	struct tlf_state *state = tlf_state(sk);
	bool remote = tlf_is_remote(sk, state);
	s32 action;

	if (tlf_query(state, &action)) {
		state->refused++;
		if (ca->modelled && !remote)
			tlf_enter_classic(sk, ca);
		return;
	}
	if (!ca->modelled)
		tlf_leave_classic(sk, ca);
	if (remote)
		return;
	tlf_do(sk, ca, action);
	tlf_wait(sk, state);
}

static void tlf_account(struct sock *sk, struct tlf *ca, const struct rate_sample *rs)
{
	struct tlf_state *state = tlf_state(sk);
	struct tlf_ack ack;
	bool ask;

	tlf_read_ack(sk, rs->rtt_us, rs->is_app_limited, &ack);
	if (ca->ece)
		tlf_on_ecn(&ca->hot, &state->flow, &ack);
	/* an ACK that brings nothing ends nothing */
	ask = rs->acked_sacked && tlf_on_ack(&ca->hot, &state->flow, &ack, tlf_rule);
	if (state->flow.seen)
		tlf_pay(sk, ca);
	if (ask)
		tlf_ask(sk, ca);
}

/*
 * The window on the way into, through and out of a recovery; false: it is not in
 * the round trip in which each packet that arrives lets one go.
 */
static bool tlf_recover(struct sock *sk, struct tlf *ca, const struct rate_sample *rs,
			u32 *cwnd)
{
	u8 prev = ca->prev_ca_state, now = inet_csk(sk)->icsk_ca_state;
	struct tlf_state *state = tlf_state(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	ca->prev_ca_state = now;
	if (rs->losses > 0)
		*cwnd = max_t(s32, *cwnd - rs->losses, 1);
	if (now == TCP_CA_Recovery && prev != TCP_CA_Recovery) {
		ca->conserving = 1;
		state->round_delivered = tp->delivered;
		*cwnd = tcp_packets_in_flight(tp) + rs->acked_sacked;
	} else if (now < TCP_CA_Recovery && prev >= TCP_CA_Recovery) {
		ca->conserving = 0;
		*cwnd = max(*cwnd, state->prior_cwnd);
	} else if (ca->conserving && rs->delivered > 0 &&
		   !before(rs->prior_delivered, state->round_delivered)) {
		ca->conserving = 0;
	}
	if (ca->conserving)
		*cwnd = max(*cwnd, tcp_packets_in_flight(tp) + rs->acked_sacked);
	return ca->conserving;
}

static void tlf_set_cwnd(struct sock *sk, struct tlf *ca, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tcp_snd_cwnd(tp), target;

	if (!tlf_recover(sk, ca, rs, &cwnd) && rs->acked_sacked) {
		target = tlf_cwnd(&ca->hot, &tlf_state(sk)->flow, tlf_mss(sk), tlf_tso_segs(sk));
		cwnd = min(cwnd + rs->acked_sacked, target);
		cwnd = max_t(u32, cwnd, TLF_CWND_MIN);
	}
	if (ca->hot.mode == TLF_PROBE) {
		target = tlf_cwnd(&ca->hot, &tlf_state(sk)->flow, tlf_mss(sk), 0);
		cwnd = tlf_probe_cwnd(cwnd, target, tcp_packets_in_flight(tp),
				      tp->lost_out && !tp->retrans_out);
	}
	tcp_snd_cwnd_set(tp, min(cwnd, tp->snd_cwnd_clamp));
}

static void tlf_main(struct sock *sk, const struct rate_sample *rs)
{
	struct tlf *ca = inet_csk_ca(sk);

	/* the ACK of the SYN, before tlf_init_sock() */
	if (unlikely(!tlf_state(sk)))
		return;
	tlf_account(sk, ca, rs);
	ca->ece = 0;
	/* from the next ACK on, TCP does the rest */
	if (unlikely(!ca->modelled))
		return;
	tlf_set_pacing_rate(sk, tlf_pace(&ca->hot, &tlf_state(sk)->flow));
	tlf_keep_paced(sk);
	tlf_set_cwnd(sk, ca, rs);
}

/* The one place that knows what cong_control() is given: that changed in 6.10. */
static void tlf_cong_control(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs)
{
	tlf_main(sk, rs);
}

/*
 * Classic: the intervals go on, at the rate of the window, to ask whether there is a
 * model. The rest of this ACK's work may be done with the model already.
 */
static void tlf_pkts_acked(struct sock *sk, const struct ack_sample *sample)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tlf *ca = inet_csk_ca(sk);
	struct tlf_state *state = tlf_state(sk);
	struct tlf_ack ack;
	u64 window;

	if (!state)
		return;
	window = (u64)tcp_snd_cwnd(tp) * tlf_mss(sk) * USEC_PER_SEC;
	ca->hot.rate = tlf_possible(div_u64(window, max(tlf_srtt_us(sk), 1U)));
	tlf_read_ack(sk, sample->rtt_us, tp->app_limited, &ack);
	/* Reno does not send less in a probe, so its losses are not the path's */
	tlf_quiet_breaks(&state->flow);
	if (ack.delivered != ca->hot.last_delivered &&
	    tlf_on_ack(&ca->hot, &state->flow, &ack, tlf_rule) &&
	    inet_csk(sk)->icsk_ca_state < TCP_CA_CWR)
		tlf_ask(sk, ca);
}

static u32 tlf_ssthresh(struct sock *sk)
{
	struct tlf_state *state = tlf_state(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tlf *ca = inet_csk_ca(sk);

	if (!state)
		return tp->snd_ssthresh;
	if (ca->prev_ca_state < TCP_CA_Recovery)
		state->prior_cwnd = tcp_snd_cwnd(tp);
	else
		state->prior_cwnd = max(state->prior_cwnd, tcp_snd_cwnd(tp));
	return tp->snd_ssthresh;
}

/* The loss was none. */
static u32 tlf_undo_cwnd(struct sock *sk)
{
	struct tlf_state *state = tlf_state(sk);
	struct tlf *ca = inet_csk_ca(sk);
	u32 cwnd = tcp_snd_cwnd(tcp_sk(sk));

	if (!state)
		return cwnd;
	tlf_on_undo(&ca->hot, &state->flow);
	return max(cwnd, state->prior_cwnd);
}

static void tlf_set_state(struct sock *sk, u8 new_state)
{
	struct tlf *ca = inet_csk_ca(sk);
	struct tlf_state *state = tlf_state(sk);
	u8 old_state = inet_csk(sk)->icsk_ca_state;

	if (new_state == old_state)
		return;
	if (old_state == TCP_CA_Loss && state)
		tlf_on_mended(&state->flow);
	if (new_state != TCP_CA_Loss)
		return;
	ca->conserving = 0;
	ca->prev_ca_state = TCP_CA_Loss;
	if (state)
		tlf_on_timeout(&ca->hot, &state->flow);
}

static void tlf_in_ack_event(struct sock *sk, u32 flags)
{
	struct tlf *ca = inet_csk_ca(sk);

	if (flags & CA_ACK_ECE)
		ca->ece = 1;
}

static void tlf_cwnd_event(struct sock *sk, enum tcp_ca_event event)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tlf *ca = inet_csk_ca(sk);
	u32 silent = tcp_jiffies32 - tp->lsndtime;

	if (event != CA_EVENT_TX_START || !tlf_state(sk))
		return;
	/* the receiver's window may have been closed; after a timeout, packets are out */
	if (!tp->app_limited && (tp->packets_out || silent < HZ))
		return;
	/* a minute is as good as an hour, which 32 bits do not hold */
	tlf_on_restart(&ca->hot, &tlf_state(sk)->flow, tcp_clock_us(),
		       jiffies_to_usecs(min_t(u32, silent, 60 * HZ)));
}

static void tlf_init_sock(struct sock *sk)
{
	struct tlf_ack ack = { .rtt_us = -1 };
	struct tcp_sock *tp = tcp_sk(sk);
	struct tlf *ca = inet_csk_ca(sk);
	struct hlist_bl_head *head;
	struct tlf_state *state;

	memset(ca, 0, sizeof(*ca));
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, SK_PACING_NEEDED);
	ca->hot.rate = TLF_RATE_MIN;

	/* a passive open gets here in softirq */
	state = kmem_cache_zalloc(tlf_cache, GFP_ATOMIC | __GFP_NOWARN);
	tlf_set_modelled(sk, ca, state && lf_app_ready(tlf_app));
	if (!state)
		return;
	state->sk = sk;
	state->app = tlf_app;
	state->lf.id = atomic64_inc_return(&tlf_flows);
	ack.now_us = tcp_clock_us();
	ack.sent_us = ack.now_us;
	ack.delivered = tp->delivered;
	ack.lost = tp->lost;
	ack.mss = tlf_mss(sk);
	tlf_init(&ca->hot, &state->flow, &ack, tlf_srtt_us(sk), tcp_snd_cwnd(tp));
	ca->state = state;
	head = tlf_head(sk);
	local_bh_disable();
	hlist_bl_lock(head);
	hlist_bl_add_head_rcu(&state->node, head);
	hlist_bl_unlock(head);
	local_bh_enable();
	if (ca->modelled)
		tlf_set_pacing_rate(sk, ca->hot.rate);
	else
		ca->hot.mode = TLF_CRUISE;
}

/* TCP calls this also for a socket that was never given to tlf_init_sock(). */
static void tlf_release_sock(struct sock *sk)
{
	struct hlist_bl_head *head = tlf_head(sk);
	struct tlf *ca = inet_csk_ca(sk);
	struct tlf_state *state = tlf_state(sk);

	if (!state)
		return;
	ca->state = NULL;
	ca->modelled = 0;
	local_bh_disable();
	hlist_bl_lock(head);
	hlist_bl_del_rcu(&state->node);
	hlist_bl_unlock(head);
	local_bh_enable();
	lf_flow_release(&state->lf);
	kfree_rcu(state, rcu);
}

static void tlf_fill_info(const struct tlf *ca, const struct tlf_state *state,
			  struct tcp_liteflow_info *out)
{
	out->flow = state->lf.id;
	out->bw = state->flow.bw;
	out->min_rtt_us = ca->hot.min_rtt_us == U32_MAX ? 0 : ca->hot.min_rtt_us;
	out->rtt_us = state->flow.rtt_us;
	out->version = state->lf.version;
	out->intervals = state->flow.intervals;
	out->refused = state->refused;
	out->action = state->action;
	out->throughput = state->pref[0];
	out->latency = state->pref[1];
	out->loss = state->pref[2];
	if (state->flow.competing)
		out->flags |= TCP_LITEFLOW_COMPETING;
	if (state->remote)
		out->flags |= TCP_LITEFLOW_REMOTE;
	if (state->app == tlf_app_pref)
		out->flags |= TCP_LITEFLOW_PREFER;
}

/* Under RCU, and the socket may not be locked: what it says need not fit together. */
static size_t tlf_get_info(struct sock *sk, u32 ext, int *attr, union tcp_cc_info *info)
{
	const struct tlf *ca = inet_csk_ca(sk);
	struct tcp_liteflow_info *out = &info->liteflow;
	const struct hlist_bl_node *node;
	const struct tlf_state *state;

	if (!(ext & (BIT(INET_DIAG_VEGASINFO - 1))))
		return 0;
	memset(out, 0, sizeof(*out));
	out->rate = ca->hot.rate;
	out->flags = ca->modelled ? 0 : TCP_LITEFLOW_CLASSIC;
	out->mode = ca->hot.mode;
	hlist_bl_for_each_entry_rcu(state, node, tlf_head(sk), node) {
		if (state->sk == sk) {
			tlf_fill_info(ca, state, out);
			break;
		}
	}
	*attr = INET_DIAG_LITEFLOWINFO;
	return sizeof(*out);
}

/* The socket is locked. */
static int tlf_set_params(struct sock *sk, const void *data, unsigned int len, bool admin)
{
	const struct tcp_liteflow_params *params = data;
	struct tlf *ca = inet_csk_ca(sk);
	struct tlf_state *state = tlf_state(sk);
	const u16 known = TCP_LITEFLOW_REMOTE | TCP_LITEFLOW_ACT;
	unsigned int sum;
	bool act, remote;

	if (len != sizeof(*params) || params->pad || params->flags & ~known)
		return -EINVAL;
	sum = params->throughput + params->latency + params->loss;
	if (sum && sum != TLF_PREF_SUM)
		return -EINVAL;
	act = params->flags & TCP_LITEFLOW_ACT;
	remote = params->flags & TCP_LITEFLOW_REMOTE;
	if ((act && !remote) || (params->action && !act))
		return -EINVAL;
	if (remote && !admin)
		return -EPERM;
	/* before the handshake is over, or without memory */
	if (!state)
		return -ENOTCONN;

	state->pref[0] = params->throughput;
	state->pref[1] = params->latency;
	state->pref[2] = params->loss;
	tlf_choose_app(state);
	state->remote = remote;
	state->unanswered = false;
	/* the rate is no longer the model's */
	if (remote)
		state->claims.n = 0;
	if (act && ca->modelled && ca->hot.mode == TLF_CRUISE) {
		tlf_do(sk, ca, params->action);
		tlf_set_pacing_rate(sk, ca->hot.rate);
	}
	return 0;
}

static struct tcp_congestion_ops tcp_liteflow __read_mostly = {
	.name		= "liteflow",
	.owner		= THIS_MODULE,
	.init		= tlf_init_sock,
	.release	= tlf_release_sock,
	.cong_control	= tlf_cong_control,
	.in_ack_event	= tlf_in_ack_event,
	.cwnd_event	= tlf_cwnd_event,
	.set_state	= tlf_set_state,
	.ssthresh	= tlf_ssthresh,
	.undo_cwnd	= tlf_undo_cwnd,
	.min_tso_segs	= tlf_min_tso_segs,
	.get_info	= tlf_get_info,
	.set_params	= tlf_set_params,
};

/* While there is no model. It goes by the same name. */
static struct tcp_congestion_ops tcp_liteflow_classic __read_mostly = {
	.name		= "liteflow",
	.owner		= THIS_MODULE,
	.init		= tlf_init_sock,
	.release	= tlf_release_sock,
	.pkts_acked	= tlf_pkts_acked,
	.cwnd_event	= tlf_cwnd_event,
	.set_state	= tlf_set_state,
	.ssthresh	= tcp_reno_ssthresh,
	.cong_avoid	= tcp_reno_cong_avoid,
	.undo_cwnd	= tcp_reno_undo_cwnd,
	.get_info	= tlf_get_info,
	.set_params	= tlf_set_params,
};

#define TLF_INTERVAL(n)	"inflation" #n, "ratio" #n, "send" #n

/* the newest has number 0 */
static const char *const tlf_names[TLF_PREFERENCES + TLF_N_IN] = {
	"throughput", "latency", "loss",
	TLF_INTERVAL(9), TLF_INTERVAL(8), TLF_INTERVAL(7), TLF_INTERVAL(6), TLF_INTERVAL(5),
	TLF_INTERVAL(4), TLF_INTERVAL(3), TLF_INTERVAL(2), TLF_INTERVAL(1), TLF_INTERVAL(0),
};

static const struct lf_app_desc tlf_desc = {
	.name		= "cc",
	.id		= 2,
	.n_in		= TLF_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.at_limit	= LF_AT_LIMIT_REPIN,
	.capability	= CAP_NET_ADMIN,
	.units		= "cc-1",
	.features	= tlf_names + TLF_PREFERENCES,
	.owner		= THIS_MODULE,
};

static const struct lf_app_desc tlf_desc_pref = {
	.name		= "cc_pref",
	.id		= 3,
	.n_in		= TLF_PREFERENCES + TLF_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.at_limit	= LF_AT_LIMIT_REPIN,
	.capability	= CAP_NET_ADMIN,
	.units		= "cc-pref-1",
	.features	= tlf_names,
	.owner		= THIS_MODULE,
};

static int __init tlf_register(void)
{
	int ret;

	BUILD_BUG_ON(sizeof(struct tlf) > ICSK_CA_PRIV_SIZE);

	/* a head per 16 KB of memory, within limits: a socket takes 4, so a chain stays short */
	tlf_hash_bits = clamp(ilog2(totalram_pages() * (PAGE_SIZE >> 10) >> 4), 8, TLF_HASH_BITS);
	tlf_states = kvcalloc(1U << tlf_hash_bits, sizeof(*tlf_states), GFP_KERNEL);
	if (!tlf_states)
		return -ENOMEM;
	ret = -ENOMEM;
	tlf_cache = KMEM_CACHE(tlf_state, SLAB_ACCOUNT);
	if (!tlf_cache)
		goto free_states;
	tlf_app = lf_app_register(&tlf_desc);
	if (IS_ERR(tlf_app)) {
		ret = PTR_ERR(tlf_app);
		goto free_cache;
	}
	tlf_app_pref = lf_app_register(&tlf_desc_pref);
	if (IS_ERR(tlf_app_pref)) {
		ret = PTR_ERR(tlf_app_pref);
		goto unregister_app;
	}
	ret = tcp_register_congestion_control(&tcp_liteflow);
	if (ret)
		goto unregister_pref;
	return 0;

unregister_pref:
	lf_app_unregister(tlf_app_pref);
unregister_app:
	lf_app_unregister(tlf_app);
free_cache:
	kmem_cache_destroy(tlf_cache);
free_states:
	kvfree(tlf_states);
	return ret;
}

static void __exit tlf_unregister(void)
{
	tcp_unregister_congestion_control(&tcp_liteflow);
	lf_app_unregister(tlf_app_pref);
	lf_app_unregister(tlf_app);
	kmem_cache_destroy(tlf_cache);
	kvfree(tlf_states);
}

module_init(tlf_register);
module_exit(tlf_unregister);

MODULE_LICENSE("GPL");
/* the law, where its tests are built in */
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_DESCRIPTION("TCP congestion control by neural networks in LiteFlow's slots");
