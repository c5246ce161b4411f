#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Are patches/*.patch what their sources say, do they apply to the untouched
# tree without fuzz by git am, quilt and patch, to the same files as those of
# build/linux, and does checkpatch say nothing?

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

WORK=$BUILD/check-patches
PATCHES=$ROOT/patches
FAILED=0

IGNORE=FILE_PATH_CHANGES,MISSING_SIGN_OFF,NO_AUTHOR_SIGN_OFF
IGNORE_TRACE=$IGNORE,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT

pass()
{
	say "ok: $*"
}

fail()
{
	say "FAILED: $1"
	[ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/  /'
	FAILED=$((FAILED + 1))
}

# The untouched files that the series changes, and nothing else.
small_tree()
{
	mkdir -p "$WORK/$1"
	"$ROOT/scripts/series.py" touched |
		(cd "$PRISTINE" && xargs -d '\n' -r cp --parents -t "$WORK/$1")
}

# The files of $1 are those of build/linux, byte by byte, modes included.
same_files()
{
	local path wrong=

	while IFS= read -r path; do
		if ! cmp -s "$WORK/$1/$path" "$LINUX/$path"; then
			wrong+="$path differs from build/linux or is missing"$'\n'
		elif [ "$(stat -c %a "$WORK/$1/$path")" != "$(stat -c %a "$LINUX/$path")" ]; then
			wrong+="$path has another mode than in build/linux"$'\n'
		fi
	done < <("$ROOT/scripts/series.py" touched --all)
	wrong+=$(cd "$WORK/$1" && find . -type f ! -path './.git/*' ! -path './.pc/*' |
		sed 's,^\./,,' | sort |
		comm -23 - <("$ROOT/scripts/series.py" touched --all | sort) |
		sed 's/$/ is not to be there/')
	if [ -n "$wrong" ]; then
		fail "$1 gives other files" "$wrong"
	else
		pass "$1 applies without fuzz and gives the files of build/linux"
	fi
}

check_am()
{
	local log

	small_tree am
	if log=$(cd "$WORK/am" && {
		export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
		export GIT_COMMITTER_NAME=$AUTHOR_NAME GIT_COMMITTER_EMAIL=$AUTHOR_EMAIL
		export GIT_AUTHOR_NAME=$AUTHOR_NAME GIT_AUTHOR_EMAIL=$AUTHOR_EMAIL
		git init -q -b main && git add -A -f && git commit -q -m base &&
			git am --whitespace=error-all "$PATCHES"/*.patch
	} 2>&1); then
		same_files am
	else
		fail "git am" "$log"
	fi
}

check_quilt()
{
	local log

	if ! command -v quilt >/dev/null; then
		fail "quilt is not installed" "apt-get install quilt"
		return
	fi
	small_tree quilt
	if log=$(cd "$WORK/quilt" && QUILT_PATCHES=$PATCHES quilt --quiltrc=/dev/null \
		push -a --fuzz=0 2>&1) && ! grep -iq fuzz <<<"$log"; then
		same_files quilt
	else
		fail "quilt push -a" "$log"
	fi
}

check_patch()
{
	local name log

	small_tree patch
	while IFS= read -r name; do
		if ! log=$(patch -d "$WORK/patch" -p1 -F0 -f --no-backup-if-mismatch \
			-i "$PATCHES/$name" 2>&1); then
			fail "patch -F0 with $name" "$log"
			return
		fi
	done <"$PATCHES/series"
	same_files patch
}

# The patch $1 without the files that the netlink generator writes, whose style is
# its own; check-ynl.sh proves that they are what it writes.
written_by_hand()
{
	awk 'function out() { if (part !~ /\n\+[^\n]*YNL-GEN /) printf "%s", part; part = "" }
	     /^diff --git / { out() }
	     { part = part $0 "\n" }
	     END { out() }' "$1"
}

check_style()
{
	local name ignore log

	while IFS= read -r name; do
		ignore=$IGNORE
		if grep -q '^+++ b/include/trace/events/' "$PATCHES/$name"; then
			ignore=$IGNORE_TRACE
		fi
		if log=$(cd "$LINUX" && perl scripts/checkpatch.pl --strict --no-color \
			--ignore "$ignore" - < <(written_by_hand "$PATCHES/$name") 2>&1) &&
			grep -q '^total: 0 errors, 0 warnings, 0 checks' <<<"$log"; then
			pass "checkpatch --strict $name"
		else
			fail "checkpatch --strict $name" "$(sed '/^total:/,$d; /^$/d' <<<"$log")"
		fi
	done <"$PATCHES/series"
}

main()
{
	local log

	[ -s "$PATCHES/series" ] || die "patches/series is missing or empty" "run 'make patches'"
	rm -rf "$WORK"
	mkdir -p "$WORK"
	if [ "$(tree_version "$PRISTINE")" != "$TESTED" ]; then
		say "skipped: patches are compared with their sources on $TESTED only," \
			"here is $(tree_version "$PRISTINE")"
	elif log=$("$ROOT/scripts/series.py" verify 2>&1); then
		pass "$log"
	else
		# The rest would only say the same in many lines.
		die "the series is not what it is made of" "$log"
	fi
	if log=$("$ROOT/scripts/check-maintainers.py" 2>&1); then
		pass "$log"
	else
		fail "check-maintainers.py" "$log"
	fi
	check_am
	check_quilt
	check_patch
	check_style
	if [ "$FAILED" != 0 ]; then
		die "$FAILED checks of the series failed"
	fi
	rm -rf "$WORK"
}

main
