#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tc and the options of the qdisc "lemu": taken, shown, refused, changed.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lemu_lib.sh
. "$DIR/lemu_lib.sh"

# shown: the words that tc shows of it
shown() {
	lemu_in tc qdisc show dev lo | sed -n 's/^qdisc lemu [0-9a-f]*: root refcnt [0-9]* //p'
}

# What it shows adds the same again.
again() {
	local words="$1" first

	# shellcheck disable=SC2086
	lemu_link $words || return 1
	first=$(shown)
	[ -n "$first" ] || return 1
	# shellcheck disable=SC2086
	lemu_tc qdisc del dev lo root && lemu_tc qdisc add dev lo root lemu $first || return 1
	[ "$(shown)" = "$first" ] && return
	ktap_print_msg "\"$first\" became \"$(shown)\""
	return 1
}

all_again() {
	local words

	for words in "capacity 2mbit queue 5kb" "capacity 1234567bit queue 5121b delay 10ms" \
		"capacity 8kbit queue 1514b delay 1us ecn" "capacity 8tbit queue 1gb delay 3600s" \
		"app lemu capacity 1gbit queue 100kb limit 77" \
		"noapp capacity 999999992bit queue 65536b delay 1500us noecn limit auto" \
		"capacity 10001kbit queue 30kb delay 7ns limit 4294967295 ecn"; do
		again "$words" || return 1
	done
}

as_json() {
	lemu_link app lemu capacity 2mbit queue 5kb delay 10ms ecn &&
		lemu_is options/app lemu && lemu_is options/capacity 250000 &&
		lemu_is options/queue 5120 && lemu_is options/delay 10000000 &&
		lemu_is options/ecn True && lemu_is arrived 0 && lemu_is source no-model &&
		lemu_is version 0 && lemu_above packet_limit 180
}

# refused: and what ran before goes on
refused() {
	local before

	before=$(shown)
	lemu_refuses "$1" qdisc change dev lo root lemu "${@:2}" || return 1
	[ "$(shown)" = "$before" ]
}

bad_words() {
	refused "capacity \"0\": give 8kbit to 8tbit" capacity 0 &&
		refused "capacity" capacity 9tbit && refused "capacity" capacity fast &&
		refused "its value is missing" queue 5kb capacity &&
		refused "queue \"0\"" queue 0 && refused "queue" queue 2gb &&
		refused "queue" queue -1 && refused "queue: 1000 bytes, give 1514" queue 1000b &&
		refused "delay" delay 3601s && refused "delay" delay -1ms &&
		refused "limit" limit 0 && refused "limit" limit 4294967296 &&
		refused "\"blue\" is no option" blue && refused "given twice" ecn delay 1ms ecn &&
		refused "app" app "$(printf 'x%.0s' {1..32})"
}

bad_apps() {
	lf_app lemu-units --inputs 4 --outputs 3 --units furlongs &&
		lf_app lemu-shape --inputs 3 --outputs 3 --units bytes &&
		lf_app lemu-forgets --inputs 4 --outputs 3 --units bytes || return 1
	refused "there is no \"nowhere\"" app nowhere &&
		refused "units \"furlongs\", not \"bytes\"" app lemu-units &&
		refused "4, 3 are needed" app lemu-shape && refused "state" app lemu-forgets
}

no_options() {
	lemu_tc qdisc del dev lo root
	lemu_refuses "capacity: missing" qdisc add dev lo root lemu &&
		lemu_refuses "queue: missing" qdisc add dev lo root lemu capacity 1mbit &&
		[ -z "$(shown)" ]
}

# Packets that wait stay, in a change that is taken and in one that is not.
keeps_packets() {
	lemu_link capacity 8kbit queue 20kb delay 1000s || return 1
	lemu_send 5
	lemu_above qlen 2 || return 1
	lemu_refuses "capacity" qdisc change dev lo root lemu capacity 0 && lemu_above qlen 2 &&
		lemu_tc qdisc change dev lo root lemu queue 30kb delay 1s && lemu_above qlen 2 &&
		lemu_is options/capacity 1000 && lemu_is options/queue 30720
}

# In use, and by an instance that only has the byte queue.
unload() {
	lemu_link capacity 8kbit queue 20kb || return 1
	! rmmod sch_lemu 2> /dev/null && lf_loaded sch_lemu || return 1
	lemu_tc qdisc del dev lo root && lf_wait 20 rmmod sch_lemu 2> /dev/null &&
		lf_refuses "no such app" model show lemu && lf_load sch_lemu &&
		lemu_tc qdisc add dev lo root lemu app lemu capacity 8kbit queue 20kb
}

lemu_init
ktap_set_plan 7
ksft_check "what is shown adds the same again" all_again
ksft_check "options and statistics as JSON" as_json
ksft_check "words that are wrong" bad_words
ksft_check "apps that do not fit" bad_apps
ksft_check "options that are missing" no_options
ksft_check "a change keeps the packets" keeps_packets
if lf_loaded sch_lemu; then
	ksft_check "the module stays while it is used, and comes again" unload
else
	ktap_test_skip "the module stays while it is used, and comes again (it is built in)"
fi
ktap_finished
