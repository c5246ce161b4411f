# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the demonstrations share. Sourced, never run.

DEMO=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$DEMO/../../scripts/lib.sh"
export BUILD
LFCTL=$BUILD/liteflow/lfctl
APP=demo
WORK=
TASKS=()

say()
{
	printf '\n== %s\n' "$*"
}

# Show a command, even if its output goes elsewhere, then run it.
exec 3>&1
run()
{
	local words=("${@/#$BUILD\/liteflow\//}")

	printf '$ %s\n' "${words[*]/#"$WORK"\//}" >&3
	"$@"
}

# Outside of a kernel with LiteFlow: once more, in one. LF_GUEST says in which:
# qemu (the image of "make kernel") or uml.
enter()
{
	local self=$DEMO/${0##*/}

	[ -x "$LFCTL" ] || make -s -C "$ROOT/liteflow/lfctl" BUILD="$BUILD" >&2
	if "$LFCTL" app list >/dev/null 2>&1; then
		return
	fi
	[ -z "${LF_INSIDE:-}" ] || die "this kernel has no LiteFlow"
	set -- env LF_INSIDE=1 BUILD="$BUILD" LF_MODULES="${LF_MODULES:-}" "$self"
	case ${LF_GUEST:-qemu} in
	qemu) exec "$ROOT/qemu/start.sh" -- "$@" ;;
	uml) exec "$ROOT/scripts/uml.sh" -- "$@" ;;
	*) die "LF_GUEST is '$LF_GUEST', must be qemu or uml" ;;
	esac
}

prepare()
{
	WORK=$(mktemp -d)
	trap leave EXIT
}

leave()
{
	[ ${#TASKS[@]} -eq 0 ] || kill -INT "${TASKS[@]}" 2>/dev/null || true
	wait
	grep -q '^lf_torture ' /proc/modules && rmmod lf_torture
	rm -rf "$WORK"
}

# models BOLDNESS...: demo-1.lfm, demo-2.lfm, ... in $WORK
models()
{
	local n=0 boldness

	for boldness in "$@"; do
		n=$((n + 1))
		"$DEMO/make-model" "$n" "$boldness" >"$WORK/demo-$n.json"
		"$LFCTL" model pack "$WORK/demo-$n.json"
	done
}

# The generator of flows, which registers the app.
flows()
{
	local dir

	for dir in "${LF_MODULES:-}" "${UML_OUT:+$UML_OUT/kernel/liteflow}" \
		"$BUILD/kernel/kernel/liteflow"; do
		if [ -n "$dir" ] && [ -f "$dir/lf_torture.ko" ]; then
			insmod "$dir/lf_torture.ko" mode=flows app="$APP" "$@"
			return
		fi
	done
	modprobe lf_torture mode=flows app="$APP" "$@" ||
		die "there is no module lf_torture (CONFIG_LITEFLOW_TORTURE_TEST=m)" \
			"LF_MODULES=DIR says where it is"
}
