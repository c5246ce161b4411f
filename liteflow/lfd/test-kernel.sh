#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lfd against a kernel with LiteFlow and its congestion control: run it there, as root.
# KTAP.
#
#	scripts/uml.sh -- liteflow/lfd/test-kernel.sh

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../build}
LFCTL=$BUILD/liteflow/lfctl LFD=$BUILD/liteflow/lfd
n=0 failed=0
work=$(mktemp -d)
chmod 755 "$work"
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		printf 'ok %d %s\n' "$n" "$2"
	else
		failed=$((failed + 1))
		tail -n 20 "$work/log" | sed 's/^/# /'
		printf 'not ok %d %s\n' "$n" "$2"
	fi
}

# said NAME PATTERN [SECONDS]: a line of the log, sooner or later
said()
{
	local i

	for ((i = 0; i < ${3:-120} * 5; i++)); do
		grep -qE -- "$2" "$work/log" && break
		sleep 0.2
	done
	grep -qE -- "$2" "$work/log"
	result $? "$1"
}

start()
{
	: >"$work/log"
	"$LFD" -c "$work/config" -s "$work/state" -r "$work/run" 2>>"$work/log" &
	lfd=$!
}

# Connections over loopback, as long as it runs. A model is asked only by flows that have
# more to send, so they are paced, in packets of Ethernet's size (SO_MAX_PACING_RATE is 47).
traffic()
{
	exec /usr/bin/python3 -c 'import select, socket
listener = socket.create_server(("127.0.0.1", 0))
flows = []
for i in range(4):
    out = socket.socket()
    out.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"liteflow")
    out.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1448)
    out.setsockopt(socket.SOL_SOCKET, 47, 1000000)
    out.connect(listener.getsockname())
    flows.append((out, listener.accept()[0]))
    out.setblocking(False)
while True:
    for out, into in flows:
        try:
            out.send(bytes(200000))
        except BlockingIOError:
            pass
    for into in select.select([into for _, into in flows], [], [], 0)[0]:
        into.recv(200000)
    select.select([], [], [], 0.01)'
}

echo 'TAP version 13'
module=${UML_OUT:-/nowhere}/net/ipv4/tcp_liteflow.ko
[ ! -f "$module" ] || insmod "$module"
if ! "$LFCTL" app show cc >/dev/null 2>"$work/err"; then
	echo "1..0 # SKIP $(cat "$work/err")"
	exit 4
fi
cc=$here/../cc/models/cc.json
"$LFCTL" model pack "$cc" -o "$work/cc.lfm"
"$LFCTL" model install cc 0 "$work/cc.lfm" --activate >/dev/null
result $? 'a model to begin with'
traffic &
mkdir "$work/config"
sed "s|/etc/liteflow/next|$work/next|" "$here/examples/hook-sh" >"$work/hook"
chmod 755 "$work/hook"
cat >"$work/config/cc.json" <<-END
	{ "app": "cc", "hook": "$work/hook", "hook_user": "nobody", "collect_interval_ms": 200,
	  "adapt_interval_s": 1, "adapt_records": 50, "stability_window": 2, "necessity_inputs": 200,
	  "hold_off_s": 2, "trial_s": 8, "trial_block_s": 0.5, "trial_settle_s": 1 }
END
"$LFD" --check "$work/config/cc.json" >/dev/null
result $? 'the configuration'

cp "$cc" "$work/next"
start
said 'connected' 'event=connected .*inputs=30 outputs=1'
said 'as before: unneeded' 'event=necessity verdict=unneeded difference_percent=0\.0.*answers_of=kernel'
"$LFCTL" collect cc >/dev/null 2>"$work/err"
[ $? = 1 ]
result $? 'it is the only reader'

/usr/bin/python3 -c 'import json, sys
net = json.load(open(sys.argv[1], encoding="utf-8"))
last = net["layers"][-1]
last["weights"] = [[-w for w in row] for row in last["weights"]]
last["bias"] = [b + 0.5 for b in last["bias"]]
net.pop("checksum", None)
json.dump(net, sys.stdout)' "$cc" >"$work/next.new" && mv "$work/next.new" "$work/next"
said 'another one: needed' 'event=necessity verdict=needed'
said 'installed and active' 'event=install verdict=active slot=1 version=2 before=1'
digest=$(sed -n 's/.*event=install verdict=active.* digest=\([0-9a-f]*\).*/\1/p' "$work/log")
"$LFCTL" --json model show cc >"$work/out"
/usr/bin/python3 -c 'import json, sys
active = [m for m in json.load(open(sys.argv[1])) if m["state"] == "active"]
sys.exit(not (len(active) == 1 and active[0]["digest"].startswith(sys.argv[2])
              and active[0]["version"] == 2))' "$work/out" "$digest"
result $? 'the kernel has it'
"$LFD" status -r "$work/run" >"$work/out"
grep -q '^cc: ' "$work/out"
result $? 'status'

kill -KILL "$lfd"
wait "$lfd" 2>/dev/null
start
said 'killed: the trial begins anew' 'event=recovered from=trial result=trial-begins-anew'
said 'the trial ends' 'event=trial verdict=(worse|not-worse|unknown)'
"$LFCTL" --json model show cc >"$work/out"
before=$(grep -o '"state": *"active"' "$work/out" | wc -l)
[ "$before" = 1 ]
result $? 'one model is active'
"$LFCTL" model install cc 2 "$work/cc.lfm" --activate >/dev/null
said 'activated by hand: it holds' 'event=activated-by-others'
kill -HUP "$lfd"
said 'read again' 'event=reloaded'
kill -TERM "$lfd"
wait "$lfd"
result $? 'ended'
"$LFCTL" history "$work/state/cc/history" >"$work/out" 2>&1 && [ -s "$work/out" ]
result $? 'the history can be read'
echo "1..$n"
[ "$failed" = 0 ]
