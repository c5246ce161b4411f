#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every shell script of the repository passes shellcheck, and every Python file
# compiles.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

command -v shellcheck >/dev/null || die "shellcheck is not installed" "apt-get install shellcheck"

cd "$ROOT"
shell=() python=()
while IFS= read -r -d '' file; do
	case $(head -n 1 "$file" | tr -d '\0') in
	'#!'*python*) python+=("$file") ;;
	'#!'*bash* | '#!/bin/sh'*) shell+=("$file") ;;
	*)
		case $file in
		*.sh) shell+=("$file") ;;
		*.py) python+=("$file") ;;
		esac
		;;
	esac
done < <(find .ci scripts qemu mllb liteflow selftests -type f \
	! -name '*.o' ! -path '*/__pycache__/*' -print0 2>/dev/null)

# SC1091: a sourced file may exist only in the kernel tree or in the guest.
shellcheck -x -P SCRIPTDIR -e SC1091 "${shell[@]}"
# grep -q ends at the first match, what writes into it then dies of SIGPIPE, and
# pipefail makes a failure of it: once in some hundred times.
mapfile -t piped < <(grep -l pipefail "${shell[@]}" |
	xargs grep -nE '[^|]\|[[:space:]]*grep( -[a-zA-Z]+)* -[a-zA-Z]*q')
if [ ${#piped[@]} -gt 0 ]; then
	printf '%s\n' "${piped[@]}" >&2
	die "grep -q ends a pipe of a script with pipefail" \
		"give grep the file, or a here-string (<<<)"
fi
for file in "${python[@]}"; do
	/usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' \
		"$file"
done
scripts/check-links.py
scripts/test-install.py --parse
say "${#shell[@]} shell scripts and ${#python[@]} Python files are fine"
