#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Apps that user space adds: what they are, how they change, what is refused.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

APP=kselftest-apps

lf_init
ktap_set_plan 10

shows()
{
	lf_json '(d if isinstance(d, dict) else d[0])["n-in"] == 3' app show $APP &&
		lf_json 'd["n-out"] == 2 and d["policy"] == "follow"' app show $APP &&
		lf_json 'd["at-limit"] == "refuse" and d["n-slots"] == 2' app show $APP &&
		lf_json 'd["max-retired"] == 5000 and d["units"] == "apples"' app show $APP &&
		lf_json 'd["user"] is True and d["capability"] == "sys_admin"' app show $APP
}

changes()
{
	lf app set $APP --policy pin --at-limit repin --max-retired 6000 --sample-shift 3 &&
		lf_json 'd["policy"] == "pin" and d["at-limit"] == "repin"' app show $APP &&
		lf_json 'd["max-retired"] == 6000 and d["sample-shift"] == 3' app show $APP
}

by_number()
{
	local id

	id=$("$LFCTL" --json app show $APP | sed -n 's/.*"app-id": *\([0-9]*\).*/\1/p')
	[ -n "$id" ] && lf_json "d['app-name'] == '$APP'" app show "$id"
}

# Two apps of one number, or one name, cannot be.
unique()
{
	lf_refuses exists app add $APP --inputs 1 --outputs 1 &&
		[ "$("$LFCTL" --json app list | grep -c "\"$APP\"")" = 1 ]
}

in_list()
{
	lf_json "'$APP' in [a['app-name'] for a in d]" app list
}

gone()
{
	lf app del $APP && lf_json "'$APP' not in [a['app-name'] for a in d]" app list
}

many()
{
	local i

	for ((i = 0; i < 100; i++)); do
		lf_app $APP-n$i --inputs $((1 + i)) --outputs 1 || return 1
	done
	lf_json "len([a for a in d if a['app-name'].startswith('$APP-n')]) == 100" app list ||
		return 1
	for ((i = 0; i < 100; i++)); do
		lf app del $APP-n$i || return 1
	done
	LF_APPS=()
	lf_json "not [a for a in d if a['app-name'].startswith('$APP-n')]" app list
}

atomic()
{
	lf_app $APP-atomic --inputs 64 --outputs 1 --context atomic || return 1
	lf_json 'd["max-macs"] == 4096' app show $APP-atomic &&
		lf_refuses "no flows" app set $APP-atomic --policy pin &&
		lf_refuses 64 app add $APP-wide --inputs 65 --outputs 1 --context atomic
}

ksft_check "an app is added" lf_app $APP --inputs 3 --outputs 2 --policy follow \
	--at-limit refuse --slots 2 --max-retired 5000 --units apples --capability sys_admin
ksft_check "it is as it was asked for" shows
ksft_check "it changes" changes
ksft_check "its number is as good as its name" by_number
ksft_check "it is in the list" in_list
ksft_check "there is only one of a name" unique
ksft_check "it goes" gone
ksft_check "what is gone cannot be shown" lf_refuses "no such app" app show $APP
ksft_check "atomic apps have limits of their own" atomic
ksft_check "a hundred apps come and go" many
ktap_finished
