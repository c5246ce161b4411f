# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests of the qdisc "lemu" share. The including test sets DIR first.
# TC_LIB_DIR: where q_lemu.so is, if not where tc looks by itself.

# shellcheck source=../liteflow/lf_lib.sh
. "$DIR/../liteflow/lf_lib.sh"

# lemu_netns: a network namespace of the host, held by process LEMU_NETNS; lo as a link
lemu_netns() {
	unshare -n sleep 3600 &
	LEMU_NETNS=$!
	LF_TASKS+=("$LEMU_NETNS")
	lf_wait 20 lemu_other_netns && lemu_in ip link set lo mtu 1500 up
}

lemu_other_netns() {
	[ "$(readlink "/proc/$LEMU_NETNS/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# lemu_in COMMAND...: in that namespace
lemu_in() {
	nsenter -t "$LEMU_NETNS" -n "$@"
}

# The qdisc, tc with its plugin, a namespace; skips all if they are not to be had.
lemu_init() {
	local tool

	lf_init
	for tool in ip tc nsenter unshare python3; do
		type -P $tool > /dev/null || ksft_skip_all "no $tool"
	done
	lf_loaded sch_lemu || [ -d /sys/module/sch_lemu ] || lf_load sch_lemu ||
		ksft_skip_all "no qdisc lemu: CONFIG_NET_SCH_LEMU, or set LF_MODULES"
	tc qdisc add dev lo root lemu help 2>&1 | grep -q "lemu capacity" ||
		ksft_skip_all "tc has no q_lemu.so: set TC_LIB_DIR"
	lemu_clear
	lemu_netns || ktap_exit_fail_msg "no network namespace"
}

# The app of the module has no models.
lemu_clear() {
	local slot

	for slot in 0 1 2 3; do
		"$LFCTL" model remove lemu $slot --force --evict > /dev/null 2>&1
	done
	return 0
}

# lemu_tc ARGS...: tc in the namespace; what it says is shown if it fails
lemu_tc() {
	lemu_in tc "$@" > "$LF_TMP/tc" 2>&1 && return
	sed 's/^/# /' "$LF_TMP/tc"
	return 1
}

# lemu_link OPTION...: lo as a new link; replacing one would only change it
lemu_link() {
	lemu_in tc qdisc del dev lo root 2> /dev/null
	lemu_tc qdisc add dev lo root lemu "$@"
}

# lemu_refuses TEXT ARGS...: tc fails, and says so with TEXT
lemu_refuses() {
	local text="$1"

	shift
	if lemu_in tc "$@" > "$LF_TMP/tc" 2>&1; then
		ktap_print_msg "tc $* succeeded"
		return 1
	fi
	grep -qF -- "$text" "$LF_TMP/tc" && return
	sed 's/^/# /' "$LF_TMP/tc"
	return 1
}

# lemu_stat NAME [DEV [FILTER...]]: of the first lemu, as JSON has it; options as options/NAME.
# FILTER: words of tc; that of iproute2 6.1 has wrong JSON for hfsc
lemu_stat() {
	local name="$1" dev="${2:-lo}"

	shift $(($# > 2 ? 2 : $#))
	lemu_in tc -s -j qdisc show dev "$dev" "$@" | python3 -c 'import json, sys
for qdisc in json.load(sys.stdin):
    if qdisc["kind"] == "lemu":
        value = qdisc
        for key in sys.argv[1].split("/"):
            value = value[key]
        print(value)
        break' "$name"
}

# lemu_empty HANDLE: nothing waits in that qdisc of lo
lemu_empty() {
	lemu_in tc -s qdisc show dev lo handle "$1" > "$LF_TMP/tc" &&
		grep -q "^ backlog 0b 0p " "$LF_TMP/tc" && return
	sed 's/^/# /' "$LF_TMP/tc"
	return 1
}

# lemu_is NAME VALUE: a statistic is that
lemu_is() {
	local value

	value=$(lemu_stat "$1")
	[ "$value" = "$2" ] && return
	ktap_print_msg "$1 is \"$value\", not \"$2\""
	return 1
}

# lemu_above NAME VALUE
lemu_above() {
	local value

	value=$(lemu_stat "$1")
	[ -n "$value" ] && [ "$value" -gt "$2" ] && return
	ktap_print_msg "$1 is \"$value\", not above $2"
	return 1
}

# lemu_flow ARGS...: its figures, as variables sent received reordered marked min_us max_us
lemu_flow() {
	local line

	line=$(lemu_in "$DIR/lemu_flow" "$@") || return 1
	# shellcheck disable=SC2034
	read -r _ sent _ received _ reordered _ marked _ min_us _ max_us <<< "$line"
}

# lemu_tcp BYTES [ADDRESS]: a transfer within the namespace, whole
lemu_tcp() {
	lemu_in python3 - "$1" "${2:-127.0.0.1}" > "$LF_TMP/bytes" << 'END'
import socket
import sys
import threading

total, address = int(sys.argv[1]), sys.argv[2]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
server = socket.create_server((address, 0), family=family)
client = socket.create_connection(server.getsockname()[:2])
peer, _ = server.accept()


def send():
    client.sendall(b"x" * total)
    client.shutdown(socket.SHUT_WR)


thread = threading.Thread(target=send)
thread.start()
n = 0
while data := peer.recv(65536):
    n += len(data)
thread.join()
print(n)
END
	[ "$(cat "$LF_TMP/bytes")" = "$1" ]
}

# lemu_send N [ADDRESS]: small packets to nobody, at once
lemu_send() {
	# shellcheck disable=SC2016
	lemu_in bash -c 'for ((i = 0; i < $0; i++)); do echo > "/dev/udp/$1/9"; done' \
		"$1" "${2:-127.0.0.1}" 2> /dev/null
}

# lemu_constant NAME BACKLOG KEEP DROP: a model that always says so, in $LF_TMP/NAME.lfm
lemu_constant() {
	python3 - "$@" > "$LF_TMP/$1.json" << 'END' || return 1
import json
import sys

outputs = zip(("backlog", "keep", "drop"), map(int, sys.argv[2:]))
json.dump({
    "format": "liteflow-model", "version": 1, "name": sys.argv[1], "units": "bytes",
    "inputs": [{"name": name, "lo": 0, "hi": hi} for name, hi in
               (("work", 100000), ("size", 1514), ("capacity", 1250), ("queue", 100000))],
    "outputs": [{"name": name, "lo": -1000000, "hi": 1000000, "offset": value}
                for name, value in outputs],
    "layers": [{"activation": "none", "weights": [[0] * 4] * 3, "bias": [0] * 3}],
}, sys.stdout)
END
	lf model pack "$LF_TMP/$1.json" -o "$LF_TMP/$1.lfm"
}
