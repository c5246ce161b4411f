#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compiled models: modules that come, are asked on every CPU, and go.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

APP=kselftest-modules

lf_init
for module in lf_torture lf_torture_model; do
	lf_need_module $module CONFIG_LITEFLOW_TORTURE_TEST
done
ktap_set_plan 6

# holds MODULE: it cannot be unloaded
holds()
{
	! rmmod "$1" 2> "$LF_TMP/out" && grep -qi 'in use\|busy\|temporarily' "$LF_TMP/out" &&
		lf_loaded "$1"
}

unloads()
{
	lf_wait 20 rmmod "$1" 2> /dev/null
}

sample()
{
	lf_app $APP --inputs 2 --outputs 1 || return 1
	lf_load liteflow_compiled app=$APP || return 1
	lf_json "['distance'] == [s['model-name'] for s in d if s['state'] == 'registered']" \
		model show $APP || return 1
	lf model install $APP 0 --compiled distance || return 1
	[ "$(echo "5 -7" | "$LFCTL" eval $APP 0)" = 12 ] || return 1
	holds liteflow_compiled || return 1
	lf model activate $APP 0 && holds liteflow_compiled &&
		lf model remove $APP 0 --force && unloads liteflow_compiled &&
		lf_refuses "no compiled model" model install $APP 0 --compiled distance
}

# The app goes first: its models with it.
app_first()
{
	lf_load liteflow_compiled app=$APP && lf model install $APP 0 --compiled distance &&
		lf model activate $APP 0 && holds liteflow_compiled && lf app del $APP &&
		unloads liteflow_compiled
}

no_app()
{
	! lf_load lf_torture_model app=no-such-app && ! lf_loaded lf_torture_model
}

# An app of another shape does not take it, and the module does not stay.
wrong_shape()
{
	lf_app $APP --inputs 3 --outputs 1 || return 1
	! lf_load lf_torture_model app=$APP && ! lf_loaded lf_torture_model && lf app del $APP
}

cycles()
{
	lf_load lf_torture cycles=1 hold=1 || return 1
	"$DIR/lf_modules" "$(lf_module lf_torture_model)" lf-torture-module $((20 / $(ksft_slow))) \
		> "$LF_TMP/out" 2>&1
	local ret=$?

	sed 's/^/# /' "$LF_TMP/out"
	return $ret
}

judged()
{
	echo 0 > $LF_PARAMS/hold
	lf_wait 60 lf_ended || ktap_print_msg "no end after $((60 * $(ksft_slow))) s"
	lf_show_stats
	[ "$(lf_stat state)" = SUCCESS ] && rmmod lf_torture
}

if lf_have_module liteflow_compiled; then
	ksft_check "the sample: in a slot it cannot be unloaded" sample
	lf_app $APP --inputs 2 --outputs 1
	ksft_check "the sample: its app goes first" app_first
else
	ktap_test_skip "the sample: in a slot it cannot be unloaded (no CONFIG_SAMPLE_LITEFLOW)"
	ktap_test_skip "the sample: its app goes first (no CONFIG_SAMPLE_LITEFLOW)"
fi
ksft_check "a model without its app is not loaded" no_app
ksft_check "nor one of another shape" wrong_shape
if [ -n "$(lf_module lf_torture_model)" ]; then
	ksft_check "models come and go while every CPU asks" cycles
	ksft_check "and every answer was right" judged
else
	ktap_test_skip "models come and go while every CPU asks (set LF_MODULES)"
	ktap_test_skip "and every answer was right (set LF_MODULES)"
fi
ktap_finished
