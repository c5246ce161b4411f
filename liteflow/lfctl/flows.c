// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl flows: what connections of the congestion control "liteflow" do.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/tcp_liteflow.h>
#include "lfctl.h"

#define CONTROL		"liteflow"
/* INET_DIAG_LITEFLOWINFO of the series; no header of a distribution has it. */
#define LITEFLOW_INFO	64
#define BUFFER		(256 << 10)

/* include/net/tcp_states.h; the C library's header knows an older struct tcp_info */
enum {
	TCP_ESTABLISHED = 1,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_CLOSING = 11,
};

/* States in which a congestion control is at work. */
#define STATES		(1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | \
			 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

struct flows {
	struct mnl_socket *sock;
	unsigned int seq;
	bool watch;
	struct json_object *list;	/* NULL: a line each */
};

static void header(void)
{
	printf("%-27s  %-27s  %7s  %-8s  %10s  %9s  %9s  %7s  %s\n", "LOCAL", "PEER", "VERSION",
	       "MODE", "Mbit/s", "RTT ms", "MIN ms", "ACTION", "FLAGS");
}

static void header_once(void)
{
	static bool done;

	if (!done)
		header();
	done = true;
}

static const char *mode_name(unsigned int mode)
{
	static const char *const names[] = {
		[TCP_LITEFLOW_STARTUP] = "start-up",
		[TCP_LITEFLOW_DRAIN] = "drain",
		[TCP_LITEFLOW_CRUISE] = "cruise",
		[TCP_LITEFLOW_PROBE] = "probe",
	};

	return mode < ARRAY_SIZE(names) ? names[mode] : "?";
}

static const struct {
	unsigned int flag;
	const char *name;
} flag_names[] = {
	{ TCP_LITEFLOW_CLASSIC, "classic" },
	{ TCP_LITEFLOW_COMPETING, "competing" },
	{ TCP_LITEFLOW_REMOTE, "remote" },
	{ TCP_LITEFLOW_PREFER, "prefer" },
};

/* "1.2.3.4:5", "[fe80::1]:5" */
static void end_name(char *buf, size_t len, int family, const void *addr, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, text, sizeof(text));
	snprintf(buf, len, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

static struct json_object *flow_json(const struct tcp_liteflow_info *info,
				     const struct tcp_info *tcp, const char *local,
				     const char *peer)
{
	struct json_object *o = json_object_new_object(), *flags = json_object_new_array();
	unsigned int i;

	json_object_object_add(o, "local", json_object_new_string(local));
	json_object_object_add(o, "peer", json_object_new_string(peer));
	json_object_object_add(o, "flow", json_object_new_uint64(info->flow));
	json_object_object_add(o, "version", json_object_new_uint64(info->version));
	json_object_object_add(o, "mode", json_object_new_string(mode_name(info->mode)));
	json_object_object_add(o, "rate", json_object_new_uint64(info->rate));
	json_object_object_add(o, "delivered-rate", json_object_new_uint64(info->bw));
	json_object_object_add(o, "rtt-us", json_object_new_uint64(info->rtt_us));
	json_object_object_add(o, "min-rtt-us", json_object_new_uint64(info->min_rtt_us));
	json_object_object_add(o, "segments-sent", json_object_new_uint64(tcp->tcpi_data_segs_out));
	json_object_object_add(o, "segments-resent",
			       json_object_new_uint64(tcp->tcpi_total_retrans));
	json_object_object_add(o, "intervals", json_object_new_uint64(info->intervals));
	json_object_object_add(o, "refused", json_object_new_uint64(info->refused));
	json_object_object_add(o, "action", json_object_new_double(info->action / 65536.0));
	json_object_object_add(o, "throughput", json_object_new_double(info->throughput / 1e3));
	json_object_object_add(o, "latency", json_object_new_double(info->latency / 1e3));
	json_object_object_add(o, "loss", json_object_new_double(info->loss / 1e3));
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (info->flags & flag_names[i].flag)
			json_object_array_add(flags, json_object_new_string(flag_names[i].name));
	json_object_object_add(o, "flags", flags);
	return o;
}

static void show(struct flows *f, const struct inet_diag_msg *m,
		 const struct tcp_liteflow_info *info, const struct tcp_info *tcp)
{
	char local[INET6_ADDRSTRLEN + 9], peer[INET6_ADDRSTRLEN + 9];
	unsigned int i, n = 0;

	end_name(local, sizeof(local), m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
	end_name(peer, sizeof(peer), m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
	if (opt_json) {
		struct json_object *o = flow_json(info, tcp, local, peer);

		if (f->list)
			json_object_array_add(f->list, o);
		else
			print_json_line(o);
		return;
	}
	if (!f->watch)
		header_once();
	printf("%-27s  %-27s  %7u  %-8s  %10.3f  %9.3f  %9.3f  %7.3f  ", local, peer, info->version,
	       mode_name(info->mode), (double)info->rate * 8e-6, info->rtt_us * 1e-3,
	       info->min_rtt_us * 1e-3, info->action / 65536.0);
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (info->flags & flag_names[i].flag)
			printf("%s%s", n++ ? "," : "", flag_names[i].name);
	puts(n ? "" : "-");
}

static int on_socket(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct tcp_liteflow_info info;
	struct tcp_info tcp = { 0 };
	const struct nlattr *attr, *found = NULL;
	bool ours = false;
	size_t len;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == INET_DIAG_CONG)
			ours = !strcmp(mnl_attr_get_str(attr), CONTROL);
		else if (mnl_attr_get_type(attr) == LITEFLOW_INFO &&
			 mnl_attr_get_payload_len(attr) >= sizeof(info))
			found = attr;
		if (mnl_attr_get_type(attr) != INET_DIAG_INFO)
			continue;
		/* a kernel's may be longer, or shorter */
		len = mnl_attr_get_payload_len(attr);
		memcpy(&tcp, mnl_attr_get_payload(attr), len < sizeof(tcp) ? len : sizeof(tcp));
	}
	if (!ours || !found)
		return MNL_CB_OK;
	memcpy(&info, mnl_attr_get_payload(found), sizeof(info));
	show(data, m, &info, &tcp);
	return MNL_CB_OK;
}

static int dump(struct flows *f, int family, char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *r;
	ssize_t got;
	int ret;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++f->seq;
	r = mnl_nlmsg_put_extra_header(nlh, sizeof(*r));
	r->sdiag_family = family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_ext = 1 << (INET_DIAG_VEGASINFO - 1) | 1 << (INET_DIAG_CONG - 1) |
		       1 << (INET_DIAG_INFO - 1);
	r->idiag_states = STATES;
	if (mnl_socket_sendto(f->sock, nlh, nlh->nlmsg_len) < 0)
		return complain("flows: %s", strerror(errno));
	do {
		got = mnl_socket_recvfrom(f->sock, buf, BUFFER);
		if (got < 0)
			return complain("flows: %s", strerror(errno));
		ret = mnl_cb_run(buf, got, f->seq, mnl_socket_get_portid(f->sock), on_socket, f);
	} while (ret > 0);
	/* a kernel without IPv6 has no such sockets */
	if (ret < 0 && errno == ENOENT && family == AF_INET)
		return complain("flows: the kernel tells nothing of TCP sockets: it needs CONFIG_INET_DIAG");
	if (ret < 0 && errno != ENOENT)
		return complain("flows: %s", strerror(errno));
	return 0;
}

static int once(struct flows *f, char *buf)
{
	int ret = dump(f, AF_INET, buf);

	return ret ? ret : dump(f, AF_INET6, buf);
}

static int watch(struct flows *f, double seconds, char *buf)
{
	struct timespec pause;
	double whole;
	int ret;

	pause.tv_nsec = (long)(modf(seconds, &whole) * 1e9);
	pause.tv_sec = (time_t)whole;
	for (;;) {
		if (!opt_json)
			header();
		ret = once(f, buf);
		if (!opt_json)
			putchar('\n');
		fflush(stdout);
		if (ret || ferror(stdout))
			return ret;
		nanosleep(&pause, NULL);
	}
}

static error_t flows_option(int key, char *arg, struct argp_state *state)
{
	double *seconds = state->input;
	char *end;

	if (key == ARGP_KEY_ARG)
		argp_error(state, "no argument is expected: \"%s\"", arg);
	if (key != 'w')
		return ARGP_ERR_UNKNOWN;
	*seconds = 1;
	if (!arg)
		return 0;
	*seconds = strtod(arg, &end);
	if (*end || !*arg || !(*seconds >= 0.01 && *seconds <= 1e6))
		argp_error(state, "--watch is \"%s\", must be seconds from 0.01 on", arg);
	return 0;
}

int cmd_flows(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "repeat every SECONDS (1)", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = flows_option, .children = children,
		.doc = "Show the connections that the congestion control \"liteflow\" paces, in this network namespace.",
	};
	struct flows f = { 0 };
	double seconds = 0;
	char *buf;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &seconds);
	f.watch = seconds > 0;
	buf = malloc(BUFFER);
	if (!buf)
		return complain("flows: out of memory");
	f.sock = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!f.sock || mnl_socket_bind(f.sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = complain("flows: netlink: %s", strerror(errno));
		goto out;
	}
	if (f.watch) {
		ret = watch(&f, seconds, buf);
		goto out;
	}
	if (opt_json)
		f.list = json_object_new_array();
	ret = once(&f, buf);
	finish_list(ret, f.list, header_once);
out:
	if (f.sock)
		mnl_socket_close(f.sock);
	free(buf);
	return ret;
}
