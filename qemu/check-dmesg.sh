#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Judge a guest's kernel log by the kselftests' dmesg_splats and by dmesg.allow
# beside this script.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 2
deny=$here/../selftests/kselftest/dmesg_splats
allow=$here/dmesg.allow

usage() {
	cat <<'END'
Usage: qemu/check-dmesg.sh [--deny FILE] [--allow FILE] LOG
Exit status: 0 clean; 1 splats, listed on stderr; 2 the check could not be made.
END
}

# A check that does not work must not look like a clean log.
broken() {
	echo "check-dmesg: $*" >&2
	exit 2
}

while [[ ${1-} == -* ]]; do
	case $1 in
	--deny) deny=${2-} ;;
	--allow) allow=${2-} ;;
	-h | --help) usage && exit 0 ;;
	*) broken "unknown option $1" ;;
	esac
	shift 2 2> /dev/null || broken "$1 needs a value"
done
(($# == 1)) || { usage >&2; exit 2; }
log=$1

[[ -f $deny && -r $deny ]] || broken "no deny list: $deny"
[[ -f $allow && -r $allow ]] || broken "no allow list: $allow"
[[ -f $log && -r $log ]] || broken "no log: $log"
grep -a -q 'Linux version [0-9]' "$log" ||
	broken "$log does not hold a boot's messages from the beginning"

entries() {
	grep -v -E '^[[:space:]]*(#|$)' "$1"
}

patterns=$(entries "$deny") || broken "the deny list $deny is empty"

excuses=()
reason=0
while IFS= read -r line || [[ -n $line ]]; do
	case $line in
	'# because: '?*) reason=1 ;;
	'#'* | '') reason=0 ;;
	*)
		((reason)) || broken "$allow: no '# because: REASON' line right before: $line"
		excuses+=(-e "$line")
		reason=0
		;;
	esac
done < "$allow"

hits=$(grep -a -n -E -e "$patterns" -- "$log")
case $? in
0) ;;
1) exit 0 ;;
*) broken "grep cannot use the deny list $deny" ;;
esac

if ((${#excuses[@]})); then
	hits=$(grep -a -v -E "${excuses[@]}" <<< "$hits")
	case $? in
	0) ;;
	1) exit 0 ;;
	*) broken "grep cannot use the allow list $allow" ;;
	esac
fi

count=$(wc -l <<< "$hits")
echo "check-dmesg: $count line(s) in $log that should not be there:" >&2
head -n 20 <<< "$hits" | tr -d '\r' >&2
((count <= 20)) || echo "check-dmesg: ... and $((count - 20)) more" >&2
exit 1
