#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Network namespaces that come and go with their flows, and the module that
# cannot go while anybody uses it.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lfcc_lib.sh
. "$DIR/lfcc_lib.sh"

PORT=5202
DEFAULT=/proc/sys/net/ipv4/tcp_congestion_control
ALLOWED=/proc/sys/net/ipv4/tcp_allowed_congestion_control

lfcc_init
for tool in ip tc nsenter unshare; do
	type -P $tool > /dev/null || ksft_skip_all "no $tool"
done

# flow: endless, in the namespace of $LFCC_NETNS; its processes are in FLOW. A slow
# link, as no model is asked where the machine is slower than that.
flow()
{
	lfcc_in "$LFCC_NETNS" ip link set lo mtu 1500 &&
		lfcc_in "$LFCC_NETNS" tc qdisc add dev lo root netem delay 5ms rate 10mbit \
			limit 60 || return 1
	# by their own names: of a function, $! is a shell that would leave them behind
	nsenter -t "$LFCC_NETNS" -n "$DIR/lfcc_send" -l $PORT > /dev/null 2>&1 &
	FLOW=($!)
	nsenter -t "$LFCC_NETNS" -n "$DIR/lfcc_send" 127.0.0.1 $PORT 100000000 > /dev/null 2>&1 &
	FLOW+=($!)
	LF_TASKS+=("${FLOW[@]}")
}

# Many at a time, and each is killed while it sends.
come_and_go()
{
	local i n=$((60 / $(ksft_slow)))

	before=$(lf_queries)
	for ((i = 0; i < n; i++)); do
		lfcc_netns && flow || return 1
		# the first ones show that they are flows of this control
		if ((i < 2)) && ! lf_wait 10 asked; then
			ktap_print_msg "namespace $i: no query after the first $before"
			return 1
		fi
		((i)) || before=$(lf_queries)
		sleep 0.1
		((i % 3)) || lfcc_install auto short || return 1
		kill -9 "${FLOW[@]}" "$LFCC_NETNS" 2> /dev/null
		wait "${FLOW[@]}" "$LFCC_NETNS" 2> /dev/null
	done
	ktap_print_msg "$n namespaces"
}

asked()
{
	[ "$(lf_queries)" -gt "$before" ]
}

# queries of the app so far, answered or not
lf_queries()
{
	"$LFCTL" --json stats cc > "$LF_TMP/stats" && python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))[0]
print(d["queries"] + d["no-model"])' "$LF_TMP/stats"
}

# A namespace begins with the default of the first; it cannot make this one its own.
default()
{
	local before allowed

	before=$(cat $DEFAULT)
	allowed=$(cat $ALLOWED)
	echo liteflow > $DEFAULT || return 1
	lfcc_netns
	echo "$before" > $DEFAULT
	echo "$allowed" > $ALLOWED
	[ "$(lfcc_in "$LFCC_NETNS" cat $DEFAULT)" = liteflow ] || return 1
	lfcc_in "$LFCC_NETNS" sh -c "echo reno > $DEFAULT" || return 1
	! lfcc_in "$LFCC_NETNS" sh -c "echo liteflow > $DEFAULT" 2> /dev/null &&
		kill "$LFCC_NETNS"
}

unloads()
{
	lf_wait 60 rmmod tcp_liteflow 2> /dev/null
}

# In use: by a flow that is served, and by a pin alone.
held()
{
	before=$(lf_queries)
	lfcc_netns && flow && lf_wait 10 asked || return 1
	! rmmod tcp_liteflow 2> /dev/null && lfcc_there || return 1
	kill -9 "${FLOW[@]}" "$LFCC_NETNS" 2> /dev/null
	wait "${FLOW[@]}" "$LFCC_NETNS" 2> /dev/null
	return 0
}

# Its apps and models go with it, and are new when it comes again.
reload()
{
	local i

	for ((i = 0; i < 3; i++)); do
		lfcc_install auto steady && unloads && ! lfcc_there &&
			lf_refuses "no such app" model show cc && lf_load tcp_liteflow || return 1
	done
}

ktap_set_plan 4
lfcc_install 0 steady || ktap_exit_fail_msg "no model"
ksft_check "namespaces come and go under traffic" come_and_go
ksft_check "only the first namespace may have it as its default" default
if lf_loaded tcp_liteflow; then
	ksft_check "the module stays while a flow needs it" held
	ksft_check "unloaded and loaded again" reload
else
	ktap_test_skip "the module stays while a flow needs it (it is built in)"
	ktap_test_skip "unloaded and loaded again (it is built in)"
fi
lfcc_clear
ktap_finished
