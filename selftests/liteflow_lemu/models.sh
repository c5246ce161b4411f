#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The qdisc "lemu" and its models: none, one, another, removed, too costly, switched
# under traffic; apps that go while they are used.
#
# LEMU_SWITCHES: how often the model is switched.
# LEMU_MODELS: a folder with bytequeue-exact.json and trained models of Ethernet's frames

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lemu_lib.sh
. "$DIR/lemu_lib.sh"

# The byte queue answers for the app, and is counted.
no_model() {
	lemu_link app lemu capacity 10mbit queue 50kb &&
		lemu_flow -n 10 -g 1000 127.0.0.1 || return 1
	[ "$received" = 10 ] && lemu_is source no-model && lemu_is fallback 10
}

# 10,000 bytes at 10 Mbit/s are 8 ms.
answers() {
	lf model install lemu 0 "$LF_TMP/slow.lfm" --activate && lf_wait 10 switched slow &&
		lemu_flow -n 130 -g 1000 127.0.0.1 || return 1
	ktap_print_msg "delay $min_us to $max_us us, a query $(lemu_stat query_ns) ns"
	[ "$received" = 130 ] && ((max_us >= 8000)) && lemu_is source model &&
		lemu_above version 0 && lemu_above switches 0 && lemu_is emulated_backlog 10000 &&
		lemu_is clamped 0
}

# At once, as the qdisc is added.
from_the_first() {
	lemu_link app lemu capacity 10mbit queue 50kb &&
		lemu_is source model && lemu_flow -n 10 -g 1000 127.0.0.1 || return 1
	[ "$received" = 10 ] && ((min_us >= 8000)) && lemu_is fallback 0
}

# What no queue of that size can hold is cut.
clamps() {
	lf model install lemu 1 "$LF_TMP/huge.lfm" --activate && lf_wait 10 switched huge &&
		lemu_flow -n 10 -g 1000 127.0.0.1 || return 1
	lemu_above clamped 9 && lemu_is emulated_backlog $((51200 + 1514)) || return 1
	lf model install lemu 2 "$LF_TMP/negative.lfm" --activate && lf_wait 10 switched negative &&
		lemu_flow -n 10 -g 1000 127.0.0.1 && lemu_is emulated_backlog 0
}

# switched NAME: the active model's version answers; a packet makes it look
switched() {
	local version

	lemu_flow -n 1 -s 20 127.0.0.1
	version=$("$LFCTL" --json model show lemu | python3 -c 'import json, sys
print(*(m["version"] for m in json.load(sys.stdin)
	if m["state"] == "active" and m["model-name"] == sys.argv[1]))' "$1")
	[ -n "$version" ] && [ "$(lemu_stat version)" = "$version" ]
}

# What it loses, is lost; marked, if the packets allow.
loses() {
	local lost

	lf model install lemu 3 "$LF_TMP/loses.lfm" --activate || return 1
	lf_wait 10 loses_now || return 1
	lost=$(lemu_stat lost)
	lemu_flow -n 5 127.0.0.1 && [ "$sent" = 5 ] && [ "$received" = 0 ] &&
		lemu_is lost $((lost + 5)) && lemu_tc qdisc change dev lo root lemu ecn &&
		lemu_flow -e -n 5 127.0.0.1 && [ "$marked" = 5 ] && lemu_is marked 5
}

loses_now() {
	lemu_flow -n 1 -s 20 127.0.0.1
	[ "$received" = 0 ]
}

# Without a model the link is neither closed nor open.
removed() {
	lemu_clear
	lemu_tc qdisc change dev lo root lemu noecn && lemu_flow -n 5 -g 1000 127.0.0.1 || return 1
	[ "$received" = 5 ] && lemu_is source no-model && lemu_is version 0 &&
		lemu_above fallback 4
}

# At 8 Tbit/s any model takes more than half a CPU: in a change, and in a switch.
costs() {
	lf model install lemu 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_link app lemu capacity 10mbit queue 50kb &&
		lemu_refuses "above half a CPU" qdisc change dev lo root lemu capacity 8tbit &&
		lemu_is options/capacity 1250000 && lemu_is source model && lemu_clear || return 1
	lemu_link app lemu capacity 8tbit queue 50kb &&
		lf model install lemu 0 "$LF_TMP/slow.lfm" --activate && lf_wait 10 refused &&
		lemu_is version 0 && lemu_above refused_ns 0 && lemu_flow -n 5 127.0.0.1 || return 1
	[ "$received" = 5 ]
}

refused() {
	lemu_flow -n 1 -s 20 127.0.0.1
	[ "$(lemu_stat source)" = too-costly ]
}

# A link that the model was not trained on is taken, with a warning.
warns() {
	lemu_clear
	lf model install lemu 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_link app lemu capacity 10mbit queue 50kb && [ ! -s "$LF_TMP/tc" ] &&
		lemu_tc qdisc change dev lo root lemu queue 200kb &&
		grep -qF "queue: the model knows 0 to 100000 bytes only" "$LF_TMP/tc" &&
		lemu_tc qdisc change dev lo root lemu capacity 11mbit &&
		grep -qF "capacity: the model knows 0 to 10000 kbit/s only" "$LF_TMP/tc" &&
		lemu_is options/queue 204800 && lemu_is options/capacity 1375000
}

# Of user space, and gone while it is asked; another one of its name is another one.
app_goes() {
	lf_app lemu-own --inputs 4 --outputs 3 --units bytes --max-state 8 &&
		lf model install lemu-own 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_link app lemu-own capacity 10mbit queue 50kb &&
		lemu_is source model && lf app del lemu-own &&
		lemu_flow -n 5 -g 1000 127.0.0.1 || return 1
	[ "$received" = 5 ] && lf_wait 10 lemu_is source no-model || return 1
	lf_app lemu-own --inputs 4 --outputs 3 --units bytes --max-state 8 &&
		lf model install lemu-own 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_flow -n 2 -g 1000 127.0.0.1 && lemu_is source no-model &&
		lemu_tc qdisc change dev lo root lemu app lemu-own && lemu_is source model &&
		lemu_tc qdisc change dev lo root lemu noapp && lemu_is source queue
}

# The only model that serves is evicted: the active one takes over.
evicted() {
	lemu_clear
	lf model install lemu 0 "$LF_TMP/slow.lfm" --activate &&
		lemu_link app lemu capacity 10mbit queue 50kb &&
		lf model install lemu 1 "$LF_TMP/quick.lfm" --activate &&
		lf model remove lemu 0 --evict && lf_wait 10 switched quick
}

# Nothing is lost, doubled or overtaken, whoever answers.
under_traffic() {
	local i n=${LEMU_SWITCHES:-60} pid

	lemu_clear
	lf model install lemu 0 "$LF_TMP/slow.lfm" --activate &&
		lf model install lemu 1 "$LF_TMP/quick.lfm" &&
		lemu_link app lemu capacity 10mbit queue 50kb || return 1
	# by its own name: of a function, $! is a shell
	nsenter -t "$LEMU_NETNS" -n "$DIR/lemu_flow" -t 3600 -s 100 -g 500 127.0.0.1 \
		> "$LF_TMP/flow" &
	pid=$!
	LF_TASKS+=("$pid")
	for ((i = 0; i < n; i++)); do
		lf model activate lemu $(((i + 1) % 2)) || return 1
	done
	lf_wait 10 lemu_above arrived 100
	kill $pid
	wait $pid
	ktap_print_msg "$n switches, $(lemu_stat switches) noticed: $(cat "$LF_TMP/flow")"
	ktap_print_msg "jump at most $(lemu_stat max_jump) bytes"
	grep -q "^sent \([0-9]*\) received \1 reordered 0 " "$LF_TMP/flow" &&
		lemu_above switches 2 && lemu_is fallback 0
}

# The backlog of one that is the queue and of a trained one differ by little, at any time.
trained() {
	local i n=${LEMU_SWITCHES:-60} pid name slot=0

	lemu_clear
	for name in bytequeue-exact "$1"; do
		lf model pack "$LEMU_MODELS/$name.json" -o "$LF_TMP/$name.lfm" &&
			lf model install lemu $slot "$LF_TMP/$name.lfm" || return 1
		slot=1
	done
	# a packet each 10 ms fits
	lf model activate lemu 1 && lemu_link app lemu capacity 1mbit queue 9kb || return 1
	nsenter -t "$LEMU_NETNS" -n "$DIR/lemu_flow" -t 3600 -s 1208 -g 4000 127.0.0.1 \
		> "$LF_TMP/flow" &
	pid=$!
	LF_TASKS+=("$pid")
	lf_wait 10 lemu_above lost 10
	for ((i = 0; i < n; i++)); do
		lf model activate lemu $((i % 2)) || return 1
	done
	kill $pid
	wait $pid
	ktap_print_msg "$n switches, $(lemu_stat switches) noticed: $(cat "$LF_TMP/flow")"
	ktap_print_msg "$(lemu_stat lost) of $(lemu_stat arrived) lost," \
		"jump at most $(lemu_stat max_jump) bytes, $(lemu_stat clamped) clamped"
	# of a queue of seven packets, two at most
	grep -q " reordered 0 " "$LF_TMP/flow" && lemu_above switches $((n / 2)) &&
		lemu_is fallback 0 && [ "$(lemu_stat max_jump)" -le 2500 ]
}

lemu_init
for model in "slow 10000 1 0" "quick 100 1 0" "huge 900000 1 0" "negative -900000 1 0" \
	"loses 0 0 1"; do
	# shellcheck disable=SC2086
	lemu_constant $model || ktap_exit_fail_msg "the model $model is not packed"
done
ktap_set_plan 12
ksft_check "without a model" no_model
ksft_check "a model answers" answers
ksft_check "from the first packet on" from_the_first
ksft_check "answers that no queue holds" clamps
ksft_check "losses and marks of a model" loses
ksft_check "the model is removed" removed
ksft_check "models that cost too much" costs
ksft_check "a link that the model does not know" warns
ksft_check "an app that goes" app_goes
ksft_check "a model that is evicted" evicted
ksft_check "switched under traffic" under_traffic
if [ -n "${LEMU_MODELS:-}" ]; then
	ksft_check "a trained one and the queue, switched under traffic" trained ethernet-near-16
else
	ktap_test_skip "a trained one and the queue, switched under traffic (no LEMU_MODELS)"
fi
lemu_clear
ktap_finished
