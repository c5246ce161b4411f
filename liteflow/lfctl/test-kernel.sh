#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lfctl against a kernel with LiteFlow: run it there, as root. It adds an app of
# its own and deletes it. KTAP.
#
#	scripts/uml.sh -- liteflow/lfctl/test-kernel.sh

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../build}
LFCTL=${LFCTL:-$BUILD/liteflow/lfctl}
APP=lfctl-test
n=0 failed=0
work=$(mktemp -d)
trap '"$LFCTL" app del "$APP" 2>/dev/null; "$LFCTL" app del "$APP-2" 2>/dev/null; rm -rf "$work"' EXIT

result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		printf 'ok %d %s\n' "$n" "$2"
	else
		failed=$((failed + 1))
		sed 's/^/# /' "$work/out" "$work/err"
		printf 'not ok %d %s\n' "$n" "$2"
	fi
}

# soon COMMAND...: it succeeds, within a minute if the machine is slow
soon()
{
	local last=$((SECONDS + 60))

	until "$@"; do
		[ $SECONDS -lt $last ] || return
		sleep 0.1
	done
}

# begin ARGS...: lfctl in the background, as process "pid"; what it says is in out and err,
# and nothing of before
begin()
{
	: >out
	"$LFCTL" "$@" >out 2>err 9>&- &
	pid=$!
}

# finish PID: a command that runs until it is ended, if it still does
finish()
{
	kill "$1" 2>/dev/null
	wait "$1"
}

# try NAME STATUS PATTERN COMMAND...: the status, and in what it says the pattern
try()
{
	local name=$1 status=$2 pattern=$3 rc=0

	shift 3
	timeout 300 "$LFCTL" "$@" >"$work/out" 2>"$work/err" || rc=$?
	[ "$rc" = "$status" ] &&
		{ [ -z "$pattern" ] || grep -qE -- "$pattern" "$work/out" "$work/err"; }
	result $? "$name"
}

# value NAME WANTED FILTER COMMAND...: JSON, judged by a Python expression on "o"
value()
{
	local name=$1 wanted=$2 filter=$3

	shift 3
	"$LFCTL" --json "$@" >"$work/out" 2>"$work/err"
	/usr/bin/python3 -c 'import json, sys
o = json.load(open(sys.argv[1], encoding="utf-8"))
got = str(eval(sys.argv[2]))
print("got:", got)
sys.exit(got != sys.argv[3])' "$work/out" "$filter" "$wanted" >>"$work/err" 2>&1
	result $? "$name"
}

model()
{
	cat >"$work/$1.json" <<-END
	{ "format": "liteflow-model", "version": 1, "name": "$1", "units": "t",
	  "inputs": [ { "name": "a", "lo": -100, "hi": 100 },
	              { "name": "b, c", "lo": -100, "hi": 100 } ],
	  "outputs": [ { "name": "sum", "unit": 0.5, "lo": -500, "hi": 500 } ],
	  "layers": [ { "activation": "none", "weights": [[$2, $3]], "bias": [$4] } ] }
	END
	"$LFCTL" model pack "$work/$1.json"
}

echo 'TAP version 13'
if ! "$LFCTL" app list >/dev/null 2>"$work/err"; then
	echo "1..0 # SKIP $(cat "$work/err")"
	exit 4
fi
model one 1 2 0
model two 1 2 10
cd "$work" || exit 1

try 'app add' 0 'has number' app add "$APP" -i 2 -o 1 --units t --slots 3
try 'the same name again' 1 'choose another name' app add "$APP" -i 2 -o 1
try 'a name of digits only' 2 'a name needs a letter' app add 4711 -i 2 -o 1
try 'a number that no app can have' 2 'numbers from 1 to 65535' app show 65536
try 'a long number that no app can have' 2 'numbers from 1 to 65535' app show 12345678901234567890
try 'sampling too rare' 2 'must be a number from 0 to 30' app set "$APP" --sample-shift 31
value 'app show' '2 1 3 pin True' \
	'" ".join(str(o[k]) for k in ("n-in", "n-out", "n-slots", "policy", "user"))' app show "$APP"
try 'app show of none' 1 'no such app.*attribute name' app show "$APP-x"
try 'install' 0 'slot 0: version 1 is on standby' model install "$APP" auto one.lfm
try 'install and activate' 0 'version 2 is active' model install "$APP" 1 two.lfm --activate
try 'into the slot of the active one' 1 'slot 1 is active' model install "$APP" 1 one.lfm
try 'into a slot that is not there' 1 'attribute slot' model install "$APP" 5 one.lfm
try 'JSON in place of a model' 1 'lfctl model pack' model install "$APP" 0 one.json
head -c 100 one.lfm >cut.lfm
try 'a cut model' 1 'is it cut' model install "$APP" 2 cut.lfm
try 'a compiled model that is not there' 1 . model install "$APP" 2 --compiled nothing
value 'model show' 'one standby two active' \
	'" ".join(m["model-name"] + " " + m["state"] for m in o)' model show "$APP"
value 'the digest is that of the file' "$(sha256sum <one.lfm | cut -d ' ' -f 1)" \
	'o[0]["digest"]' model show "$APP"

# The kernel shows the first 255 bytes; what is cut there has two.
text=$(printf 'a%.0s' {1..254})éé
sed "s/\"units\"/\"provenance\": \"$text\", &/" one.json >long.json
"$LFCTL" model pack long.json
try 'a text that is cut inside a character' 0 'version 3 is on standby' \
	model install "$APP" 2 long.lfm
value 'is valid JSON' 254 'len(o[2]["provenance"].rstrip(chr(0xfffd)))' model show "$APP"
"$LFCTL" model remove "$APP" 2

printf '1 2\n# a comment\n-3, 4\n' >rows
try 'eval, slot 0' 0 '^10$' eval "$APP" 0 rows
try 'eval, slot 1' 0 '^30$' eval "$APP" 1 rows
"$LFCTL" eval "$APP" 0 rows >out
"$LFCTL" model run one.lfm rows | cmp - out
result $? 'kernel and file answer the same'
echo 1 2 3 >long
try 'eval, a wrong row' 1 'line 1: more than 2' eval "$APP" 0 long

try 'rollback with nothing behind' 1 . model rollback "$APP"
try 'activate' 0 'version 1 is active' model activate "$APP" 0
try 'rollback' 0 'version 2 is active' model rollback "$APP"
try 'remove the active one' 1 'force' model remove "$APP" 1
try 'set' 0 '' app set "$APP" --policy follow --sample-shift 4
value 'what was set' 'follow 4' 'o["policy"] + " " + str(o["sample-shift"])' app show "$APP"
value 'stats' '0 0' 'str(o[0]["queries"]) + " " + str(o[0]["no-model"])' stats "$APP"

value 'top' "$APP 0.0 0.0 2 two True" \
	'" ".join(str(a[k]) for a in o["apps"] for k in ("app-name", "queries-per-second",
		"errors-per-second", "version", "model-name")) + " " + str(o["seconds"] > 0)' \
	top "$APP" -n 1 -i 0.1
try 'top, all apps, as text' 0 "^$APP +0 +0 +- +- +0 +- +- +2 +two\$" top -n 2 -i 0.05
[ "$(grep -c QUERIES/s out)" = 2 ] && ! grep -q "$(printf '\033')" out
result $? 'top into a file: one view below the other, no escapes'
if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "$LFCTL top -n 1 -i 0.1 $APP" /dev/null >out </dev/null
	grep -q "\[H.*1 apps" out && grep -q "^$APP .* two$(printf '\033')\[K" out
	result $? 'top on a terminal: over what was there before'
fi
try 'top, an app that is not there' 1 'there is no app' top "$APP-x"
"$LFCTL" --json top -i 0.1 -n 20 going-app >out 2>err &
pid=$!
wait $pid
[ $? = 1 ] && "$LFCTL" app add going-app -i 1 -o 1 >out
result $? 'top, an app that comes later is not waited for'
begin --json top -i 0.1 going-app
soon test -s out
"$LFCTL" app del going-app
soon grep -q '"apps":\[\]' out && grep -q going-app <<<"$(head -1 out)" &&
	kill -0 $pid
result $? 'top, an app goes away meanwhile'
finish $pid
cat >status.json <<-END
{ "apps": [ { "app": "$APP", "records": 100, "lost": 2 } ] }
END
begin --json top -i 0.2 -s status.json "$APP"
soon test -s out
sed 's/100/300000/; s/ 2 / 120000 /' status.json >new.json
mv new.json status.json
soon grep -q '"records-per-second":[1-9]' out && soon grep -q '"lost-per-second":[1-9]' out &&
	! grep -q records-per-second <<<"$(head -1 out)"
result $? 'top, what lfd collects'
finish $pid

# the header comes when the collection has begun
begin collect "$APP" --model one.lfm
soon test -s out
kill -INT $pid
wait $pid && grep -qx 'batch,kind,flow,seq,version,time_ns,cpu,reward,a,"b, c",sum' out &&
	grep -q '0 records, 0 lost' err
result $? 'collect, header'
begin collect "$APP"
soon test -s out
try 'a second reader' 1 . collect "$APP"
kill -INT $pid
wait $pid
result $? 'an interrupt ends collect well'

# seen: it listens, as it tells what happens
seen()
{
	"$LFCTL" model install "$APP" 2 two.lfm >/dev/null
	"$LFCTL" model remove "$APP" 2
	test -s out
}

# told: nothing else since
told()
{
	[ "$(sed -nE 's/.*"event":"([^"]*)".*/\1/p' out | sed -n '/activated/,$p' | tr '\n' ' ')" = \
		'activated removed installed ' ]
}

begin --json monitor "$APP"
soon seen
"$LFCTL" model activate "$APP" 0 >/dev/null
"$LFCTL" model remove "$APP" 1
"$LFCTL" model install "$APP" 2 two.lfm >/dev/null
soon told
result $? 'monitor'
finish $pid
begin --json monitor -n 1 "$APP"
soon seen && wait $pid && [ "$(wc -l <out)" = 1 ]
result $? 'monitor ends after as many events as it was told'
finish $pid
"$LFCTL" model install "$APP" 2 two.lfm >/dev/null

# A connection over loopback, as long as its standard input is open.
connection()
{
	/usr/bin/python3 -c 'import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
out = socket.socket()
out.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"liteflow")
out.connect(listener.getsockname())
into = listener.accept()[0]
out.sendall(bytes(100000))
got = 0
while got < 100000:
    got += len(into.recv(100000))
print("%s:%d" % out.getsockname(), flush=True)
sys.stdin.read()'
}

shown_twice()
{
	[ "$(grep -c "\"local\": *\"$end\"" out)" -gt 1 ]
}

try 'flows, an argument' 2 'no argument is expected' flows x
module=${UML_OUT:-/nowhere}/net/ipv4/tcp_liteflow.ko
[ ! -f "$module" ] || insmod "$module"
if ! grep -qw liteflow /proc/sys/net/ipv4/tcp_available_congestion_control; then
	echo "# no congestion control liteflow: flows are not tested"
elif ! "$LFCTL" flows >out 2>err; then
	sed 's/^/# /' err
else
	value 'flows, none' 0 'len(o)' flows
	mkfifo in address
	connection <in >address &
	pid=$!
	exec 9>in
	read -r end <address
	value 'flows' "1 $end cruise True ['classic'] True" \
		'" ".join(str(x) for x in [len(o), o[0]["local"], o[0]["mode"],
			o[0]["rate"] > 0, o[0]["flags"],
			o[0]["segments-resent"] < o[0]["segments-sent"]])' flows
	try 'flows, as text' 0 "^$end +127.0.0.1:.* 0 +cruise .*classic\$" flows
	connected=$pid
	begin --json flows -w0.1
	soon shown_twice
	result $? 'flows, again and again'
	finish $pid
	exec 9>&-
	wait $connected
fi

dir=$work/saved
try 'save without the files' 1 'no file has the model' save -d "$dir" -a "$APP"
[ ! -e "$dir" ]
result $? 'and nothing is written'
try 'save' 0 "$APP/0.active.lfm" save -d "$dir" -a "$APP" one.lfm two.lfm
[ "$(cd "$dir/$APP" && echo *)" = '0.active.lfm 2.lfm app.json' ]
result $? 'files of a save'
"$LFCTL" model activate "$APP" 2 >/dev/null
try 'save again, from what is there' 0 2.active.lfm save -d "$dir" -a "$APP"
[ "$(cd "$dir/$APP" && echo *)" = '0.lfm 2.active.lfm app.json' ]
result $? 'old names are gone'
try 'restore where all is there' 0 'already there' restore -d "$dir"
"$LFCTL" model show "$APP" >before
"$LFCTL" app show "$APP" >>before
try 'app del' 0 '' app del "$APP"
mkdir "$dir/aaa-$APP"
try 'restore, one app is missing' 1 "there is no app aaa-$APP" restore -d "$dir"
value 'the others are restored' '0 one standby 2 two active' \
	'" ".join("%d %s %s" % (m["slot"], m["model-name"], m["state"]) for m in o)' \
	model show "$APP"
value 'the app, too' 'follow 4 t 3' \
	'" ".join(str(o[k]) for k in ("policy", "sample-shift", "units", "n-slots"))' app show "$APP"
cp "$dir/$APP/0.lfm" "$dir/$APP/1.active.lfm"
try 'two active ones' 1 'more than one model' restore -d "$dir"
"$LFCTL" model activate "$APP" 0 >/dev/null
try 'into the slot that is not active' 0 'slot 1: version' model install "$APP" auto one.lfm
try 'remove whichever is active' 0 '' model remove "$APP" active --force
try 'remove it where there is none' 1 'no model is active' model remove "$APP" active --force

if command -v setpriv >/dev/null; then
	cp "$LFCTL" "$work/lfctl" && chmod 755 "$work" && chmod 644 ./*.lfm
	LFCTL=$work/lfctl
	drop=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${drop[@]}" "$LFCTL" app show "$APP" >out 2>err
	result $? 'anybody may look'
	for command in "model activate $APP 0" "model install $APP 1 one.lfm" "eval $APP 0 rows" \
		"collect $APP" "app add x-$APP -i 1 -o 1" "app del $APP" "app set $APP --policy pin"; do
		# shellcheck disable=SC2086
		"${drop[@]}" "$LFCTL" $command >out 2>err
		[ $? = 1 ] && grep -q 'not permitted: .*\(CAP_NET_ADMIN\|capability\)' err
		result $? "not everybody may: ${command%% *} ${command#* }"
	done
fi
if command -v unshare >/dev/null && unshare -n true 2>/dev/null; then
	unshare -n "$LFCTL" app show "$APP" >out 2>err
	[ $? = 1 ] && grep -q 'initial network namespace' err
	result $? 'another network namespace'
fi
# -- models that remember: a queue with a limit, to the byte
STATE_APP=$APP-2
cat >queue.json <<-'END'
	{ "format": "liteflow-model", "version": 1, "name": "queue", "units": "bytes",
	  "inputs": [ { "name": "b", "lo": 0, "hi": 100000 }, { "name": "s", "lo": 0, "hi": 2048 },
	              { "name": "q", "lo": 0, "hi": 100000 } ],
	  "outputs": [ { "name": "backlog", "lo": -1000000, "hi": 1000000 } ],
	  "layers": [ { "type": "rnn", "activation": "relu", "state_bits": 32, "state_max": 16777216,
	      "w_x": [[-1, 0, 0], [0, 1, 0], [-2048, 2048, -2048], [-2048, 2047, -2048]],
	      "w_h": [[1, 1, -1, 1], [0, 0, 0, 0], [2048, 2048, -2048, 2048],
	              [2048, 2048, -2048, 2048]],
	      "b_x": [0, 0, 0, 0], "b_h": [0, 0, 0, 0] },
	    { "activation": "none", "weights": [[1, 1, -1, 1]], "bias": [0] } ] }
END
"$LFCTL" model pack queue.json
# more rows than fit a message
awk 'BEGIN { srand(1); for (i = 0; i < 6000; i++)
	print int(rand() * 1400), 1 + int(rand() * 2048), 6000 }' >packets
"$LFCTL" model run --sequence queue.lfm packets >want
"$LFCTL" model run queue.lfm packets >alone
try 'an app that keeps state' 0 'has number' app add "$STATE_APP" -i 3 -o 1 --max-state 4
value 'its state' 4 'o["max-state"]' app show "$STATE_APP"
try 'a model that remembers' 0 'is active' model install "$STATE_APP" 0 queue.lfm --activate
"$LFCTL" eval --sequence "$STATE_APP" 0 packets >out 2>err && cmp out want >>err
result $? 'a sequence, as in user space'
"$LFCTL" eval "$STATE_APP" 0 packets >out 2>err && cmp out alone >>err
result $? 'each row by itself'
! cmp -s want alone
result $? 'which is something else'
"$LFCTL" app del "$STATE_APP"
try 'too little state' 0 '' app add "$STATE_APP" -i 3 -o 1 --max-state 3
try 'is refused' 1 'keeps 4 values of state, the app allows 3' \
	model install "$STATE_APP" 0 queue.lfm
"$LFCTL" app del "$STATE_APP"
try 'no state' 0 '' app add "$STATE_APP" -i 3 -o 1
try 'is refused, too' 1 'keeps 4 values of state, the app keeps none' \
	model install "$STATE_APP" 0 queue.lfm
try 'state in atomic context' 1 'in atomic context 0' \
	app add "$STATE_APP-3" -i 3 -o 1 --max-state 3 --context atomic
"$LFCTL" app del "$STATE_APP"

echo "1..$n"
[ "$failed" = 0 ]
