#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The qdisc "lemu" as its users treat it: many senders at once, options, qdiscs, devices
# and namespaces that change or go under traffic, other families and sizes of packets.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lemu_lib.sh
. "$DIR/lemu_lib.sh"

FLOWS=4
# a link that loses nothing of theirs
WIDE=(capacity 10mbit queue 10mb)

# flows ARGS...: FLOWS senders, each on a CPU of its own as far as there are so many, until
# flows_end
flows() {
	local i cpus

	cpus=$(nproc)
	FLOW_PIDS=()
	for ((i = 0; i < FLOWS; i++)); do
		# by its own name: of a function, $! is a shell
		nsenter -t "$LEMU_NETNS" -n taskset -c $((i % cpus)) "$DIR/lemu_flow" \
			-p $((5400 + i)) "$@" 127.0.0.1 > "$LF_TMP/flow$i" 2>&1 &
		FLOW_PIDS+=($!)
	done
	LF_TASKS+=("${FLOW_PIDS[@]}")
}

# They end by themselves, or now; all of them well.
flows_end() {
	local pid ret=0

	[ "${1:-}" = wait ] || kill "${FLOW_PIDS[@]}"
	for pid in "${FLOW_PIDS[@]}"; do
		wait "$pid" || ret=1
	done
	sed 's/^/# /' "$LF_TMP"/flow?
	return $ret
}

# none_reordered [lossless]: what flows_end left
none_reordered() {
	local i pattern="^sent [0-9]* received [0-9]* reordered 0 "

	[ "${1:-}" != lossless ] || pattern='^sent \([0-9]*\) received \1 reordered 0 '
	for ((i = 0; i < FLOWS; i++)); do
		grep -q "$pattern" "$LF_TMP/flow$i" || return 1
	done
}

# total NAME: the sum of a figure of all flows
total() {
	awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) n += $(i + 1) }
		END { print n }' "$LF_TMP"/flow?
}

# All that was sent was received, or is counted.
at_once() {
	lemu_clear
	lf model install lemu 0 "$LF_TMP/quick.lfm" --activate &&
		lemu_link app lemu "${WIDE[@]}" && flows -n 1000 && flows_end wait &&
		none_reordered lossless && lemu_is arrived $((FLOWS * 1000)) && lemu_is lost 0 &&
		lemu_is over_limit 0 && lemu_is qlen 0
}

# Far more than the link carries, however slowly they send.
overload() {
	lemu_clear
	lemu_link capacity 100kbit queue 20kb && flows -n 500 && flows_end wait &&
		none_reordered && lemu_above lost $((FLOWS * 250)) && lemu_is qlen 0 &&
		lemu_is arrived $((FLOWS * 500)) &&
		lemu_is lost $((FLOWS * 500 - $(total received)))
}

changed() {
	local i words=("capacity 11mbit" "delay 3ms" "delay 0" "queue 5mb ecn" "limit 100000"
		"limit auto noecn" "app lemu" "noapp")

	lemu_clear
	lf model install lemu 0 "$LF_TMP/quick.lfm" --activate &&
		lemu_link "${WIDE[@]}" && flows -s 200 -g 5000 -t 3600 || return 1
	for ((i = 0; i < 24; i++)); do
		# shellcheck disable=SC2086
		lemu_tc qdisc change dev lo root lemu ${words[i % ${#words[@]}]} || return 1
	done
	lf_wait 20 lemu_above arrived 100
	flows_end && none_reordered lossless
}

# What waits goes with its qdisc, no more.
replaced() {
	local i

	lemu_link "${WIDE[@]}" && flows -s 200 -g 5000 -t 3600 || return 1
	for ((i = 0; i < 6; i++)); do
		lemu_tc qdisc replace dev lo root netem delay 1ms &&
			lemu_tc qdisc replace dev lo root lemu app lemu "${WIDE[@]}" delay 1ms ||
				return 1
	done
	lf_wait 20 lemu_above arrived 100
	flows_end && lf_wait 10 lemu_is qlen 0
}

# The only model is evicted and comes again.
evicted() {
	local i

	lemu_clear
	lemu_link app lemu "${WIDE[@]}" && flows -s 200 -g 5000 -t 3600 || return 1
	for ((i = 0; i < 6; i++)); do
		lf model install lemu 0 "$LF_TMP/quick.lfm" --activate &&
			lf model remove lemu 0 --force --evict || return 1
	done
	lf_wait 20 lemu_above fallback 100 && lemu_is source no-model && lemu_is version 0 ||
		return 1
	lf model install lemu 0 "$LF_TMP/quick.lfm" --activate && lf_wait 20 lemu_is source model
	flows_end && none_reordered lossless
}

ipv6() {
	lemu_in sysctl -q net.ipv6.conf.lo.disable_ipv6=0
	lemu_link app lemu capacity 20mbit queue 20kb && lemu_tcp 500000 ::1 &&
		lemu_above arrived 340
}

# Packets of 9,000 bytes: an empty queue takes one, and a queue below one is refused.
jumbo() {
	lemu_in ip link set lo mtu 9000
	lemu_refuses "give 9014 (a packet)" \
		qdisc replace dev lo root lemu capacity 20mbit queue 5kb &&
		lemu_link capacity 20mbit queue 20kb &&
		lemu_flow -s 8900 -n 20 -g 10000 127.0.0.1 &&
		[ "$received" = 20 ] && ((min_us >= 3560)) && lemu_tcp 1000000
	local ret=$?

	lemu_in ip link set lo mtu 1500
	return $ret
}

# peer: a namespace behind a veth: 192.0.2.1 here, 192.0.2.2 there, held by LEMU_PEER. Nothing
# is resolved, as that would wait on the links, too.
peer() {
	nsenter -t "$LEMU_NETNS" -n unshare -n sleep 3600 &
	LEMU_PEER=$!
	LF_TASKS+=("$LEMU_PEER")
	lf_wait 20 other_netns && lemu_in ip link add va address 02:00:00:00:00:01 type veth \
		peer name vb address 02:00:00:00:00:02 netns "$LEMU_PEER" &&
		lemu_in ip addr add 192.0.2.1/24 dev va && lemu_in ip link set va up &&
		there ip addr add 192.0.2.2/24 dev vb && there ip link set vb up &&
		lemu_in ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev va &&
		there ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev vb
}

other_netns() {
	local pid mine

	mine=$(readlink "/proc/$LEMU_PEER/ns/net") || return 1
	for pid in self "$LEMU_NETNS"; do
		[ "$mine" != "$(readlink "/proc/$pid/ns/net")" ] || return 1
	done
}

there() {
	nsenter -t "$LEMU_PEER" -n "$@"
}

# there and back, ms, at least
rtt() {
	there python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 7))
print(flush=True)
for _ in range(10):
    data, sender = s.recvfrom(100)
    s.sendto(data, sender)' > "$LF_TMP/echo" &
	LF_TASKS+=($!)
	lf_wait 20 test -s "$LF_TMP/echo" && lemu_in python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(60)
least = 1e9
for number in range(10):
    begin = time.monotonic()
    s.sendto(b"%d" % number, ("192.0.2.2", 7))
    assert s.recv(100) == b"%d" % number
    least = min(least, time.monotonic() - begin)
print(int(least * 1000))'
}

# Each direction has a link and a model of its own: 10,000 bytes at 10 Mbit/s are 8 ms, at
# 5 Mbit/s 16 ms.
directions() {
	local ms

	lemu_clear
	lf_app lemu-back --inputs 4 --outputs 3 --units bytes --max-state 8 &&
		lf model install lemu 0 "$LF_TMP/slow.lfm" --activate &&
		lf model install lemu-back 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_tc qdisc add dev va root lemu app lemu capacity 10mbit queue 50kb &&
		there tc qdisc add dev vb root lemu app lemu-back capacity 5mbit queue 50kb ||
			return 1
	ms=$(rtt) || return 1
	ktap_print_msg "there and back $ms ms"
	((ms >= 24)) && [ "$(lemu_stat source va)" = model ] &&
		[ "$(lemu_stat fallback va)" = 0 ] &&
		there tc -s -j qdisc show dev vb | python3 -c 'import json, sys
q = json.load(sys.stdin)[0]
sys.exit(not (q["options"]["app"] == "lemu-back" and q["source"] == "model" and
	 q["arrived"] >= 10 and q["fallback"] == 0))'
}

# A device goes while packets are on its link; its peer goes with it.
device_goes() {
	lemu_tc qdisc replace dev va root lemu app lemu capacity 8kbit queue 50kb delay 100s ||
		return 1
	lemu_send 6 192.0.2.2
	[ "$(lemu_stat qlen va)" -gt 2 ] && lemu_in ip link del va &&
		! lemu_in ip link show va > /dev/null 2>&1
}

# With their senders in them: a namespace goes when the last one has ended, and the last
# packet has left, as that holds its socket.
namespaces_go() {
	local i before

	before=$(lsns_net)
	for i in 1 2 3 4 5; do
		# bash would say that it was killed
		# shellcheck disable=SC2016
		{
			unshare -n bash -c '
				ip link set lo mtu 1500 up && tc qdisc add dev lo root \
					lemu app lemu capacity 100kbit queue 20kb delay 2s &&
				exec timeout -s KILL 1 "$0/lemu_flow" -g 1000 -t 60 127.0.0.1' \
				"$DIR" > "$LF_TMP/gone"
		} 2> /dev/null
		[ $? = 137 ] || return 1
	done
	# their qdiscs hold the module until the kernel has cleaned up
	lemu_in tc qdisc del dev lo root 2> /dev/null
	! lf_loaded sch_lemu || lf_wait 30 unused ||
		ktap_print_msg "sch_lemu is still in use"
	[ "$(lsns_net)" = "$before" ]
}

lsns_net() {
	readlink /proc/[0-9]*/ns/net | sort -u | wc -l
}

unused() {
	grep -q "^sch_lemu [0-9]* 0 " /proc/modules
}

lemu_init
for model in "slow 10000 1 0" "quick 100 1 0"; do
	# shellcheck disable=SC2086
	lemu_constant $model || ktap_exit_fail_msg "the model $model is not packed"
done
ktap_set_plan 11
ksft_check "several senders at once" at_once
ksft_check "several senders, overload" overload
ksft_check "changed under traffic" changed
ksft_check "replaced by netem and back under traffic" replaced
ksft_check "the only model is evicted under traffic" evicted
if [ -d /proc/sys/net/ipv6 ]; then
	ksft_check "IPv6" ipv6
else
	ktap_test_skip "IPv6 (kernel without CONFIG_IPV6)"
fi
ksft_check "packets of 9,000 bytes" jumbo
if peer; then
	ksft_check "directions with models of their own" directions
	ksft_check "a device goes" device_goes
else
	ktap_test_fail "directions with models of their own (no veth between namespaces)"
	ktap_test_fail "a device goes (no veth between namespaces)"
fi
ksft_check "namespaces go with their senders" namespaces_go
ksft_check "TCP after all of that" eval 'lemu_link capacity 10mbit queue 20kb && lemu_tcp 300000'
ktap_finished
