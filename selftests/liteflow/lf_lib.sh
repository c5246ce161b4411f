# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests of LiteFlow share. The including test sets DIR first.
#
# LFCTL: the tool; LF_MODULES: a directory with the modules, if modprobe does not
# find them.

# shellcheck source=../kselftest/ksft_lib.sh
. "$DIR/../kselftest/ksft_lib.sh"

LF_TMP=$(mktemp -d)
LF_PARAMS=/sys/module/lf_torture/parameters
LF_APPS=()
LF_TASKS=()

lf_find_lfctl() {
	local file

	for file in "${LFCTL:-}" "$(type -P lfctl)" \
		"$DIR"/../../../../../{,../}liteflow/lfctl; do
		[ -z "$file" ] || [ ! -f "$file" ] || [ ! -x "$file" ] || break
		file=
	done
	LFCTL=$file
	[ -n "$LFCTL" ] || ksft_skip_all "no lfctl: set LFCTL, or put it into PATH"
}

# lf_module NAME: its file, or nothing if only modprobe may know it
lf_module() {
	[ -z "${LF_MODULES:-}" ] || [ ! -f "$LF_MODULES/$1.ko" ] || echo "$LF_MODULES/$1.ko"
}

lf_have_module() {
	[ -n "$(lf_module "$1")" ] || modprobe -n -q "$1" 2> /dev/null
}

# lf_load NAME PARAMETER...
lf_load() {
	local name="$1" file

	file=$(lf_module "$name")
	shift
	if [ -n "$file" ]; then
		insmod "$file" "$@" 2> "$LF_TMP/why"
	else
		modprobe "$name" "$@" 2> "$LF_TMP/why"
	fi
}

lf_loaded() {
	grep -q "^$1 " /proc/modules
}

# shellcheck disable=SC2317,SC2329
lf_cleanup() {
	local name

	[ ${#LF_TASKS[@]} -eq 0 ] || kill "${LF_TASKS[@]}" 2> /dev/null
	for name in "${LF_APPS[@]}"; do
		"$LFCTL" app del "$name" > /dev/null 2>&1
	done
	for name in lf_torture_model liteflow_compiled lf_torture; do
		! lf_loaded "$name" || rmmod "$name"
	done
	rm -rf "$LF_TMP"
}

# Whatever every test needs; skips the whole test, with the reason, if absent.
lf_init() {
	trap lf_cleanup EXIT
	trap 'exit 1' INT TERM
	ktap_print_header
	[ "$EUID" = 0 ] || ksft_skip_all "not root"
	lf_find_lfctl
	if ! "$LFCTL" app list > "$LF_TMP/list" 2>&1; then
		sed 's/^/# /' "$LF_TMP/list"
		ksft_skip_all "kernel without CONFIG_LITEFLOW_NETLINK"
	fi
}

# lf_need_module NAME CONFIG
lf_need_module() {
	lf_have_module "$1" || ksft_skip_all "no module $1: kernel without $2, or set LF_MODULES"
	! lf_loaded "$1" || ksft_skip_all "module $1 is in use already"
}

# lf_app NAME OPTION...: an app that goes with the test
lf_app() {
	"$LFCTL" app del "$1" > /dev/null 2>&1
	"$LFCTL" app add "$@" > "$LF_TMP/out" 2>&1 || return
	LF_APPS+=("$1")
}

# lf_blob NUMBER INPUTS: file of a model that answers NUMBER + sum of inputs
lf_blob() {
	"$DIR/lf_blob" "$1" "$2" "${3:-}" > "$LF_TMP/$1.lfm" && echo "$LF_TMP/$1.lfm"
}

# lfctl ARGS: output and errors go to $LF_TMP/out; shown if it fails
lf() {
	"$LFCTL" "$@" > "$LF_TMP/out" 2>&1 && return
	sed 's/^/# /' "$LF_TMP/out"
	return 1
}

# lf_refuses TEXT ARGS: lfctl fails, and says so with TEXT
lf_refuses() {
	local text="$1"

	shift
	if "$LFCTL" "$@" > "$LF_TMP/out" 2>&1; then
		ktap_print_msg "lfctl $* succeeded"
		return 1
	fi
	grep -qF -- "$text" "$LF_TMP/out" && return
	sed 's/^/# /' "$LF_TMP/out"
	return 1
}

# lf_json EXPRESSION ARGS: EXPRESSION of Python, with "d" what lfctl gave, is true
lf_json() {
	local expression="$1"

	shift
	if ! "$LFCTL" --json "$@" > "$LF_TMP/json" 2>&1; then
		head -n 40 "$LF_TMP/json" | sed 's/^/# /'
		return 1
	fi
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$LF_TMP/json" "$expression" && return
	head -n 40 "$LF_TMP/json" | sed 's/^/# /'
	ktap_print_msg "not so: $expression"
	return 1
}

# lf_param NAME: a parameter of lf_torture
lf_param() {
	cat "$LF_PARAMS/$1"
}

# lf_stat NAME: a value of its statistics
lf_stat() {
	awk -v name="$1" '$1 == name { print $2 }' $LF_PARAMS/stats
}

lf_stat_above() {
	(($(lf_stat "$1") > $2))
}

# What is not 0, in one line.
lf_show_stats() {
	awk '$2 != 0 { line = line " " $0 } END { print "#" line }' $LF_PARAMS/stats
}

# its job is done
lf_ended() {
	[ "$(lf_stat state)" != running ]
}

# lf_wait SECONDS COMMAND...: until the command succeeds
lf_wait() {
	local end=$((SECONDS + $1 * $(ksft_slow)))

	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}
