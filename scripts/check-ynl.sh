#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The files that the kernel's ynl-gen-c.py makes from LiteFlow's netlink
# specification are those that it makes today.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: check-ynl.sh [--write]
	  Are the files that the kernel's ynl-gen-c.py makes from LiteFlow's netlink
	  specification those that are here?  --write: make them so.
	END
}

OVERLAY=$ROOT/liteflow/linux
SPEC=Documentation/netlink/specs/liteflow.yaml
BAD=0

# one FILE MODE KIND: compare, or write
one()
{
	local file=$OVERLAY/$1 new=$TMP/${1##*/}

	# In the tree: the generator notes the path of the specification, and its
	# schema lies beside that.
	(cd "$LINUX" && /usr/bin/python3 tools/net/ynl/ynl-gen-c.py --mode "$2" "--$3" \
		--spec "$SPEC" -o "$new")
	if cmp -s "$new" "$file"; then
		say "ynl: $1 is what the specification gives"
	elif [ "$WRITE" = y ]; then
		cat "$new" >"$file"
		say "ynl: wrote $1"
	else
		diff -u "$file" "$new" | head -n 40 || true
		BAD=$((BAD + 1))
	fi
}

# The generator puts the names of its output files into them.
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
WRITE=n
case ${1-} in
'') ;;
--write) WRITE=y ;;
-h | --help) show_help ;;
*) usage >&2; exit 2 ;;
esac
/usr/bin/python3 -c 'import yaml, jsonschema' 2>/dev/null ||
	die "the generator's Python modules are missing" "run 'make deps'"
one kernel/liteflow/genl_gen.h kernel header
one kernel/liteflow/genl_gen.c kernel source
one include/uapi/linux/liteflow.h uapi header
[ "$BAD" = 0 ] || die "$BAD generated files differ" "run 'scripts/check-ynl.sh --write'"
