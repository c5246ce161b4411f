#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Flows of the traffic generator: who is served by which model, and what becomes
# of them when models are switched, removed and evicted.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

APP=kselftest-flows
N=16

lf_init
lf_need_module lf_torture CONFIG_LITEFLOW_TORTURE_TEST
ktap_set_plan 9

install()
{
	lf model install $APP "$1" "$(lf_blob "$2" 30 demo)" --activate
}

# pins VERSION: how many flows it serves; empty if it is gone
pins()
{
	"$LFCTL" --json model show $APP > "$LF_TMP/pins" 2>&1 &&
		python3 -c 'import json, sys
for s in json.load(open(sys.argv[1])):
    if s.get("version") == int(sys.argv[2]):
        print(s["pins"])' "$LF_TMP/pins" "$1"
}

pins_are()
{
	[ "$(pins "$1")" = "$2" ]
}

# stat NAME OPERATOR VALUE
stat()
{
	lf_json "d[0]['$1'] $2 $3" stats $APP
}

answers_grow()
{
	local before

	before=$(lf_stat answers)
	lf_wait 20 lf_stat_above answers $((before + 100))
}

no_model()
{
	stat queries == 0 && stat no-model '>' 0
}

first()
{
	install 0 10 && lf_wait 20 pins_are 1 $N && answers_grow
}

# Flows that began with it stay with it: they live for ever here.
stays()
{
	install 1 11 && answers_grow && pins_are 1 $N && pins_are 2 0 && stat repins == 0
}

# Out of its slot it lives on, as long as flows hold it.
lives_on()
{
	lf model remove $APP 0 && answers_grow && pins_are 1 $N &&
		lf_json "['retired'] == [s['state'] for s in d if s['version'] == 1]" \
			model show $APP &&
		lf_json "not [s for s in d if s['version'] == 1 and 'slot' in s]" \
			model show $APP && stat retired-bytes '>' 0
}

# At a limit that is below what they take, the flows go over.
limit()
{
	lf app set $APP --max-retired 0 && lf_wait 20 pins_are 2 $N && pins_are 1 "" &&
		stat repins == $N && stat evictions == 1 && stat retired-bytes == 0
}

refuse()
{
	lf app set $APP --at-limit refuse && install 0 12 &&
		lf_refuses "flows hold" model remove $APP 1 &&
		lf_refuses "flows hold" model install $APP 1 "$(lf_blob 13 30 demo)" &&
		pins_are 2 $N
}

evict()
{
	lf model remove $APP 1 --evict && lf_wait 20 pins_are 3 $N && pins_are 2 "" &&
		stat repins == $((2 * N))
}

# Without a model the queries fail, with one again they do not.
force()
{
	local before

	before=$(lf_stat empty)
	lf model remove $APP 0 --force --evict &&
		lf_wait 20 lf_stat_above empty "$before" &&
		install 2 14 && lf_wait 20 pins_are 4 $N
}

follow()
{
	lf app set $APP --policy follow && install 3 15 && answers_grow &&
		lf_wait 20 pins_are 4 0 && rmmod lf_torture &&
		lf_refuses "no such app" app show $APP
}

lf_load lf_torture mode=flows app=$APP flows=$N hz=1000 flow_ms=0 ||
	ktap_exit_fail_msg "$(cat "$LF_TMP/why")"
ksft_check "without a model queries are refused and counted" \
	lf_wait 20 no_model
ksft_check "the first model gets all flows" first
ksft_check "they stay when another one is active" stays
ksft_check "they keep it when it leaves its slot" lives_on
ksft_check "at the limit they go over, and are counted" limit
ksft_check "or what would exceed the limit is refused" refuse
ksft_check "evicted, they go over" evict
ksft_check "no model, and one again" force
ksft_check "with the policy follow nobody is pinned, and the module goes" follow
ktap_finished
