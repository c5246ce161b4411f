#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Transfers over a link that loses, reorders, and is gone for a second: each
# completes, fast enough, and without sending all of it again.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lfcc_lib.sh
. "$DIR/lfcc_lib.sh"

KBIT=8000	# of the link, in 1/1000 Mbit/s
KBYTES=2000	# of a transfer: two seconds
PORT=5201

lfcc_init
for tool in ip tc nsenter unshare; do
	type -P $tool > /dev/null || ksft_skip_all "no $tool"
done

# shape DEVICE... : netem's words follow for the sender's side; the way back takes 10 ms
shape()
{
	lfcc_in "$SENDER" tc qdisc replace dev lfcc0 root netem limit 60 delay 10ms "$@"
}

link()
{
	lfcc_netns && SENDER=$LFCC_NETNS && lfcc_netns && RECEIVER=$LFCC_NETNS &&
		lfcc_in "$SENDER" ip link add lfcc0 type veth peer name lfcc1 netns "$RECEIVER" &&
		lfcc_in "$SENDER" ip link set lfcc0 up gso_max_segs 1 &&
		lfcc_in "$SENDER" ip addr add 10.77.0.1/24 dev lfcc0 &&
		lfcc_in "$RECEIVER" ip link set lfcc1 up &&
		lfcc_in "$RECEIVER" ip addr add 10.77.0.2/24 dev lfcc1 &&
		lfcc_in "$RECEIVER" tc qdisc add dev lfcc1 root netem delay 10ms &&
		shape rate ${KBIT}kbit
}

# transfer [CONTROL]: MS, PACKETS, AGAIN, FLAGS, VERSION of one, and CWND, the largest
# window; false: it failed
transfer()
{
	local status=0 receiver

	nsenter -t "$RECEIVER" -n "$DIR/lfcc_send" -l $PORT > "$LF_TMP/received" &
	receiver=$!
	LF_TASKS+=("$receiver")
	lfcc_in "$SENDER" "$DIR/lfcc_send" 10.77.0.2 $PORT "$KBYTES" "$@" > "$LF_TMP/sent" ||
		status=1
	[ $status = 0 ] || kill $receiver
	wait $receiver || status=1
	read -r MS PACKETS AGAIN FLAGS VERSION CWND < "$LF_TMP/sent"
	ktap_print_msg "${MS:-no} ms, $PACKETS packets, $AGAIN again, flags $FLAGS," \
		"model $VERSION, cwnd $CWND"
	[ "$(cat "$LF_TMP/received")" = $((KBYTES * 1024)) ] && [ $status = 0 ]
}

# fast PERCENT: at least so much of the link was used, or of what Reno used of it: a
# machine may be slower than the link
fast()
{
	((LINK_MS * 100 >= MS * $1))
}

# LINK_MS: for how long a transfer keeps the link busy. The link has to be what limits a
# transfer, else no model is asked: where the machine is slower, it becomes half as fast
# as that.
reference()
{
	transfer reno || return 1
	LINK_MS=$((KBYTES * 1024 * 8 / KBIT))
	if ((MS * 2 > LINK_MS * 3)); then
		LINK_MS=$((MS * 2))
		KBIT=$((KBYTES * 1024 * 8 / LINK_MS))
		ktap_print_msg "a slow machine: a link of $KBIT kbit/s"
		shape rate ${KBIT}kbit
	elif ((MS > LINK_MS)); then
		LINK_MS=$MS
	fi
}

# again PERCENT: at most so many packets were sent twice
again()
{
	((AGAIN * 100 <= PACKETS * $1))
}

served()
{
	((VERSION > 0 && !(FLAGS & 1)))
}

# What it can do, so that the others are not measured against nothing.
clean()
{
	transfer && served && fast 50 && again 5
}

lossy()
{
	shape rate ${KBIT}kbit loss 1% && transfer && served && fast 40 && again 5 &&
		((AGAIN > 0))
}

# One of four packets overtakes those of ten milliseconds; nothing is lost.
reordered()
{
	shape rate ${KBIT}kbit reorder 25% 50% && transfer && served && fast 25 && again 25
}

# under_way BYTES: until so much more has left, a minute at most. Programs take their time to
# begin where the host is busy, so that none does meanwhile.
under_way()
{
	# shellcheck disable=SC2016 # those are the inner shell's
	lfcc_in "$SENDER" bash -c '
		sent()
		{
			while read -r name _ _ _ _ _ _ _ _ bytes _; do
				[ "$name" != lfcc0: ] || return 0
			done < /proc/net/dev
		}
		exec 3<> <(:)
		sent
		last=$((bytes + $1))
		until [ "$bytes" -gt $last ] || [ $SECONDS -gt 60 ]; do
			read -rt 0.05 -u 3
			sent
		done' bash "$1"
}

# Everything is lost for a second, while half of it is yet to come: a timeout, and on it
# goes.
outage()
{
	local status KBYTES=$((2 * KBYTES)) LINK_MS=$((2 * LINK_MS))

	shape rate ${KBIT}kbit || return 1
	(
		under_way $((KBYTES * 1024 / 4))
		shape loss 100%
		sleep 1
		shape rate ${KBIT}kbit
	) &
	transfer
	status=$?
	wait $!
	[ $status = 0 ] && served && ((MS > LINK_MS / 2 + 1000)) && fast 12 && again 25 &&
		((AGAIN > 0))
}

no_model()
{
	lfcc_clear
	shape rate ${KBIT}kbit loss 1% && transfer && ((VERSION == 0 && FLAGS & 1)) &&
		fast 15 && again 5
}

# What looked like a loss was none, before there was any: the window is given back, and
# does not become the infinite threshold.
no_model_reordered()
{
	shape rate ${KBIT}kbit reorder 25% 50% && transfer && ((VERSION == 0 && FLAGS & 1)) &&
		fast 15 && ((CWND < 1000))
}

link > "$LF_TMP/out" 2>&1 || {
	sed 's/^/# /' "$LF_TMP/out"
	ksft_skip_all "no link to emulate: kernel without CONFIG_VETH or CONFIG_NET_SCH_NETEM"
}
ktap_set_plan 6
reference || ktap_exit_fail_msg "no transfer by Reno"
lfcc_install 0 steady || ktap_exit_fail_msg "no model"
ksft_check "nothing is wrong" clean
ksft_check "1 % is lost" lossy
ksft_check "a quarter is reordered" reordered
ksft_check "nothing comes through for a second" outage
ksft_check "1 % is lost and there is no model" no_model
ksft_check "a quarter is reordered and there is no model" no_model_reordered
ktap_finished
