#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Models in slots, through lfctl: install, activate, roll back, remove, evaluate.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

APP=kselftest-slots

lf_init
ktap_set_plan 11

# states STATE...: of the slots from 0 on, "-" for an empty one
states()
{
	local slot=0 state

	for state in "$@"; do
		if [ "$state" = - ]; then
			lf_json "$slot not in [s.get('slot') for s in d]" model show $APP ||
				return 1
		else
			lf_json "['$state'] == [s['state'] for s in d if s.get('slot') == $slot]" \
				model show $APP || return 1
		fi
		slot=$((slot + 1))
	done
}

# answers SLOT NUMBER
answers()
{
	local out

	out=$(echo "1 2 3 4" | "$LFCTL" eval $APP "$1" 2>&1)
	[ "$out" = $(($2 + 10)) ] && return
	ktap_print_msg "slot $1 answers '$out', expected $(($2 + 10))"
	return 1
}

install()
{
	lf model install $APP 0 "$(lf_blob 100 4)" && states standby - - - && answers 0 100 &&
		lf model install $APP 3 "$(lf_blob 300 4)" && states standby - - standby &&
		answers 3 300
}

activate()
{
	lf model activate $APP 0 && states active - - standby &&
		lf model activate $APP 3 && states retired - - active
}

rollback()
{
	lf model rollback $APP && states active - - retired &&
		lf model rollback $APP && states retired - - active
}

busy()
{
	lf_refuses "active" model install $APP 3 "$(lf_blob 301 4)" &&
		lf_refuses "active" model remove $APP 3 &&
		states retired - - active && answers 3 300
}

replace()
{
	lf model install $APP 0 "$(lf_blob 101 4)" && states standby - - active &&
		answers 0 101 && lf_refuses "no earlier model" model rollback $APP
}

at_once()
{
	lf model install $APP 1 "$(lf_blob 102 4)" --activate && states standby active - retired
}

remove()
{
	lf model remove $APP 0 && states - active - retired &&
		lf_refuses "empty" model remove $APP 0 &&
		lf_refuses "empty" model activate $APP 0 &&
		lf model remove $APP 1 --force && states - - - retired &&
		lf model rollback $APP && states - - - active && answers 3 300
}

wrong_models()
{
	local file

	file=$(lf_blob 5 4)
	head -c 100 "$file" > "$LF_TMP/cut.lfm"
	tr '\0' '\1' < "$file" > "$LF_TMP/bad.lfm"
	: > "$LF_TMP/empty.lfm"
	lf_refuses "cut" model install $APP 0 "$LF_TMP/cut.lfm" &&
		lf_refuses "" model install $APP 0 "$LF_TMP/bad.lfm" &&
		lf_refuses "" model install $APP 0 "$LF_TMP/empty.lfm" &&
		lf_refuses "inputs" model install $APP 0 "$(lf_blob 6 5)" &&
		lf_refuses "" model install $APP 4 "$(lf_blob 8 4)" &&
		lf_refuses "" model install $APP 0 "$LF_TMP/absent.lfm" &&
		states - - - active
}

# One of the tool's own making: 2 a - b, in halves
packed()
{
	cat > "$LF_TMP/own.json" <<-'END'
	{ "format": "liteflow-model", "version": 1, "name": "own", "units": "own",
	  "inputs": [ { "name": "a", "lo": 0, "hi": 100 }, { "name": "b", "lo": 0, "hi": 100 } ],
	  "outputs": [ { "name": "y", "unit": 0.5, "lo": -1000, "hi": 1000 } ],
	  "layers": [ { "activation": "none", "weights": [[2, -1]], "bias": [0] } ] }
	END
	lf model pack "$LF_TMP/own.json" -o "$LF_TMP/own.lfm" &&
		lf_app $APP-own --inputs 2 --outputs 1 &&
		lf model install $APP-own 0 "$LF_TMP/own.lfm" || return 1
	echo "30 20" | "$LFCTL" eval $APP-own 0 > "$LF_TMP/kernel" || return 1
	echo "30 20" > "$LF_TMP/rows"
	"$LFCTL" model run "$LF_TMP/own.lfm" "$LF_TMP/rows" > "$LF_TMP/user" || return 1
	ktap_print_msg "80 is $(cat "$LF_TMP/kernel") in the kernel, $(cat "$LF_TMP/user") outside"
	cmp -s "$LF_TMP/kernel" "$LF_TMP/user" &&
		awk '{ exit !($1 >= 79 && $1 <= 81) }' "$LF_TMP/kernel"
}

# Many switches, and the app goes with all its models
switches()
{
	local i a b

	a=$(lf_blob 1 4)
	b=$(lf_blob 2 4)
	lf model install $APP 0 "$a" && lf model install $APP 1 "$b" || return 1
	for ((i = 0; i < 100 / $(ksft_slow); i++)); do
		"$LFCTL" model activate $APP 0 > "$LF_TMP/out" 2>&1 &&
			"$LFCTL" model activate $APP 1 > "$LF_TMP/out" 2>&1 || return 1
	done
	states retired active && lf app del $APP
}

lf_app $APP --inputs 4 --outputs 1 --slots 4 --units apples || ktap_exit_fail_msg "no app"
# With a tag, models of the same tag only; lf_blob's default has none.
ksft_check "models of other units are refused" \
	lf_refuses units model install $APP 0 "$(lf_blob 1 4)"
lf app del $APP
lf_app $APP --inputs 4 --outputs 1 --slots 4 || ktap_exit_fail_msg "no app"

ksft_check "models are installed and stand by" install
ksft_check "one is active" activate
ksft_check "rolling back, and back again" rollback
ksft_check "the active one stays" busy
ksft_check "a retired one is replaced" replace
ksft_check "install and activate at once" at_once
ksft_check "removing" remove
ksft_check "wrong models are refused" wrong_models
ksft_check "a model of lfctl's own, in kernel and user space" packed
ksft_check "many switches" switches
ktap_finished
