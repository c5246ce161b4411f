#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets through the qdisc "lemu": delay, loss, marks, limits, segments; as a leaf of
# others, and on the way in.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lemu_lib.sh
. "$DIR/lemu_lib.sh"

# 1,000 bytes of data are 1,042 with the headers: 4.168 ms at 2 Mbit/s, and 10 ms.
delay() {
	lemu_link capacity 2mbit queue 50kb delay 10ms &&
		lemu_flow -n 20 -g 20000 127.0.0.1 || return 1
	ktap_print_msg "$sent sent, delay $min_us to $max_us us"
	[ "$received" = 20 ] && ((min_us >= 14168)) && lemu_is lost 0 && lemu_is fallback 0
}

# Ten times the capacity: what is sent is no error, what is lost is counted.
loss() {
	lemu_link capacity 2mbit queue 5kb &&
		lemu_flow -n 300 -g 400 127.0.0.1 || return 1
	ktap_print_msg "$sent sent, $received received, $(lemu_stat lost) lost"
	[ "$sent" = 300 ] && [ "$reordered" = 0 ] && ((received < 300)) && lemu_is arrived 300 &&
		lemu_is lost $((300 - received)) && lemu_is drops $((300 - received)) &&
		lemu_is over_limit 0 && lemu_is qlen 0 && lemu_is backlog 0
}

# Marked packets are no drops.
marks() {
	lemu_link capacity 2mbit queue 5kb ecn &&
		lemu_flow -e -n 300 -g 400 127.0.0.1 || return 1
	[ "$received" = 300 ] && ((marked > 0)) && lemu_is marked "$marked" && lemu_is lost 0 &&
		lemu_is drops 0 || return 1
	# without ECT they are lost
	lemu_flow -n 300 -g 400 127.0.0.1 && ((received < 300)) && [ "$marked" = 0 ] &&
		lemu_is lost $((300 - received))
}

# Drops for want of room here have a counter of their own, and are told to the sender.
limit() {
	lemu_link capacity 8kbit queue 100kb delay 1000s limit 3 &&
		lemu_send 6
	lemu_is qlen 3 && lemu_is lost 0 && lemu_above over_limit 2 &&
		lemu_is drops "$(lemu_stat over_limit)"
}

# lo has segmentation offload, so TCP's packets are up to 64 KB: none of them is that here.
segments() {
	local packets

	lemu_link capacity 50mbit queue 100kb &&
		lemu_tcp 2000000 || return 1
	packets=$(lemu_stat packets)
	ktap_print_msg "$packets packets, $(lemu_stat bytes) bytes"
	((packets > 2000000 / 1448)) && lemu_is qlen 0 && lemu_is backlog 0
}

# parent PARENT: 1:1 of qdisc 1: holds a lemu; TCP with offload and losses goes through,
# and when all is quiet, all is empty
parent() {
	local lost

	lemu_tc qdisc add dev lo parent 1:1 handle 10: lemu capacity 20mbit queue 20kb &&
		lemu_tcp 1000000 && lemu_flow -n 200 -g 100 127.0.0.1 || return 1
	lost=$(lemu_stat lost lo handle 10:)
	ktap_print_msg "$1: $(lemu_stat arrived lo handle 10:) packets, $lost lost"
	((lost > 0)) && lf_wait 10 lemu_empty 10: && lf_wait 10 lemu_empty 1:
}

leaves() {
	lemu_in tc qdisc del dev lo root 2> /dev/null
	lemu_tc qdisc add dev lo root handle 1: htb default 1 &&
		lemu_tc class add dev lo parent 1: classid 1:1 htb rate 1gbit && parent htb &&
		lemu_tc qdisc del dev lo root &&
		lemu_tc qdisc add dev lo root handle 1: hfsc default 1 &&
		lemu_tc class add dev lo parent 1: classid 1:1 hfsc sc rate 1gbit ul rate 1gbit &&
		parent hfsc && lemu_tc qdisc del dev lo root &&
		lemu_tc qdisc add dev lo root handle 1: prio bands 2 \
			priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 && parent prio &&
		lemu_tc qdisc del dev lo root
}

# A parent goes while packets wait in the leaf.
parent_goes() {
	lemu_in tc qdisc del dev lo root 2> /dev/null
	lemu_tc qdisc add dev lo root handle 1: prio bands 2 \
		priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 &&
		lemu_tc qdisc add dev lo parent 1:1 handle 10: lemu capacity 8kbit queue 20kb \
			delay 1000s || return 1
	lemu_send 5
	lemu_above qlen 2 && ! lemu_empty 1: > /dev/null &&
		lemu_tc qdisc replace dev lo parent 1:1 handle 20: lemu capacity 1mbit queue 20kb &&
		lemu_empty 20: && lemu_empty 1: && lemu_tc qdisc del dev lo root
}

# Each queue of a device has a link of its own, below mq.
queues() {
	lemu_in ip link add va numtxqueues 2 numrxqueues 2 type veth peer name vb &&
		lemu_in ip link set va up && lemu_in ip link set vb up &&
		lemu_in ip addr add 192.0.2.1/24 dev va &&
		lemu_in ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev va &&
		lemu_tc qdisc replace dev va root handle 1: mq || return 1
	below_mq queue && lf model install lemu 0 "$LF_TMP/quick.lfm" --activate &&
		below_mq model app lemu
}

# below_mq SOURCE OPTION...: both links are so, SOURCE answers, and each has packets
below_mq() {
	local source="$1" parent

	shift
	for parent in 1:1 1:2; do
		lemu_tc qdisc replace dev va parent $parent handle 1${parent#*:}: \
			lemu capacity 20mbit queue 20kb "$@" || return 1
	done
	to_many_ports
	lemu_in tc -s -j qdisc show dev va | python3 -c 'import json, sys
shown = [q for q in json.load(sys.stdin) if q["kind"] == "lemu"]
sys.exit(len(shown) != 2 or min(q["arrived"] for q in shown) < 10 or
	 sum(q["arrived"] for q in shown) < 100 or
	 any(q["source"] != sys.argv[1] or q["fallback"] or q["lost"] for q in shown))' "$source"
}

to_many_ports() {
	# shellcheck disable=SC2016
	lemu_in bash -c 'for i in {1..100}; do echo > /dev/udp/192.0.2.2/$i; done' 2> /dev/null
}

# At the root of such a device there is one link for all queues.
one_for_all() {
	lemu_tc qdisc del dev va root && lemu_tc qdisc add dev va root \
		lemu app lemu capacity 20mbit queue 20kb || return 1
	to_many_ports
	[ "$(lemu_stat arrived va)" -ge 100 ] && [ "$(lemu_stat source va)" = model ] &&
		lemu_in ip link del va
}

# What comes in goes through a link, too: by way of an ifb.
incoming() {
	lemu_in tc qdisc del dev lo root 2> /dev/null
	lemu_in ip link add ifb7 type ifb && lemu_in ip link set ifb7 up &&
		lemu_tc qdisc add dev lo handle ffff: ingress &&
		lemu_tc filter add dev lo parent ffff: matchall \
			action mirred egress redirect dev ifb7 &&
		lemu_tc qdisc add dev ifb7 root lemu capacity 2mbit queue 50kb delay 10ms &&
		lemu_flow -n 10 -g 20000 127.0.0.1 || return 1
	[ "$received" = 10 ] && ((min_us >= 14000)) && [ "$(lemu_stat arrived ifb7)" -ge 10 ] &&
		lemu_in ip link del ifb7 && lemu_tc qdisc del dev lo ingress
}

# It forgets what was on the link.
down_and_up() {
	lemu_link capacity 8kbit queue 20kb delay 1000s || return 1
	lemu_send 5
	lemu_above emulated_backlog 40 && lemu_above qlen 2 && lemu_in ip link set lo down &&
		lemu_in ip link set lo up && lemu_is emulated_backlog 0 && lemu_is qlen 0
}

lemu_init
lemu_constant quick 100 1 0 || ktap_exit_fail_msg "the model quick is not packed"
ktap_set_plan 12
ksft_check "delay of size, capacity and path" delay
ksft_check "loss is the link's, not this machine's" loss
ksft_check "marks instead of losses" marks
ksft_check "the limit has its own counter" limit
ksft_check "segments, not what is offloaded" segments
ksft_check "a leaf of htb, hfsc and prio" leaves
ksft_check "replaced while packets wait" parent_goes
ksft_check "a link for each queue" queues
ksft_check "one for all queues" one_for_all
if lemu_in ip link add ifb8 type ifb 2> /dev/null; then
	ksft_check "incoming packets" incoming
else
	ktap_test_skip "incoming packets (no ifb)"
fi
ksft_check "down and up" down_and_up
ksft_check "TCP over a lossy link" eval 'lemu_link \
	capacity 10mbit queue 8kb delay 2ms && lemu_tcp 1000000 && lemu_above lost 0'
ktap_finished
