# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests of the congestion control "liteflow" share. The including
# test sets DIR first.

# shellcheck source=../liteflow/lf_lib.sh
. "$DIR/../liteflow/lf_lib.sh"

lfcc_there() {
	grep -qw liteflow /proc/sys/net/ipv4/tcp_available_congestion_control
}

# The control is there, its apps are empty; skips all if it is not to be had.
lfcc_init() {
	lf_init
	lfcc_there || lf_load tcp_liteflow ||
		ksft_skip_all "no control liteflow: CONFIG_TCP_CONG_LITEFLOW, or set LF_MODULES"
	lfcc_clear
	lf app set cc --policy pin
	for name in steady short; do
		"$DIR/lfcc_model" $name > "$LF_TMP/$name.lfm" ||
			ktap_exit_fail_msg "lfcc_model does not run"
	done
}

# lfcc_install SLOT NAME: a model of lfcc_model, active at once
lfcc_install() {
	lf model install cc "$1" "$LF_TMP/$2.lfm" --activate
}

lfcc_clear() {
	local slot

	for slot in 0 1 2 3; do
		"$LFCTL" model remove cc $slot --force --evict > /dev/null 2>&1
	done
	return 0
}

lfcc_other_netns() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# lfcc_netns: a network namespace of its own, held by process $LFCC_NETNS
lfcc_netns() {
	unshare -n sleep 3600 &
	LFCC_NETNS=$!
	LF_TASKS+=("$LFCC_NETNS")
	lf_wait 20 lfcc_other_netns $LFCC_NETNS && lfcc_in $LFCC_NETNS ip link set lo up
}

# lfcc_in PROCESS COMMAND...: in its network namespace
lfcc_in() {
	local pid="$1"

	shift
	nsenter -t "$pid" -n "$@"
}
