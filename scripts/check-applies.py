#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""To which releases of the stable series does the patch series apply?

Takes every 6.12.y that Debian has as a source package, and the trees and
tarballs that are named.  Applies patches/*.patch to each, by patch -F0 and by
git am with white-space errors.  Writes the table to docs/applies.md with --write.

The status is 0; 1 when a release of the supported range (patches/BASE) or a
named source does not take the series; 4 when there is no source at all.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

WORK = BUILD / "applies"
PATCHES = ROOT / "patches"
TABLE = ROOT / "docs" / "applies.md"


def run(*command, **options):
    """The finished process, output and errors together."""
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          **options)


def base(name):
    """A value of patches/BASE."""
    return re.search(rf"^{name}='(.*)'$", (PATCHES / "BASE").read_text(), re.M)[1]


def key(version):
    """6.12.9 comes before 6.12.10."""
    return tuple(int(part) for part in version.split("."))


def touched():
    """The files that exist before the series and are changed by it, and the Makefile."""
    paths, made = {"Makefile"}, set()
    for patch in sorted(PATCHES.glob("[0-9]*.patch")):
        for old, new in re.findall(r"^--- (\S+)\n\+\+\+ (\S+)$", patch.read_text(), re.M):
            name = new.split("/", 1)[1]
            if old == "/dev/null":
                made.add(name)
            elif name not in made:
                paths.add(name)
    return sorted(paths)


def version_of(tree):
    """6.12.117, from the Makefile."""
    text = (tree / "Makefile").read_text()
    return ".".join(re.search(rf"^{name} = (\d+)$", text, re.M)[1]
                    for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def take(source, paths):
    """A folder with these files of a tree or tarball; what is missing there is not there."""
    tree = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    if source.is_dir():
        for path in paths:
            if (source / path).is_file():
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / path, tree / path)
    else:
        members = tree / ".members"
        members.write_text("".join(f"*/{path}\n" for path in paths))
        # tar's status tells of names that are missing, too
        run("tar", "-xf", source, "-C", tree, "--strip-components=1", "--wildcards",
            "--no-wildcards-match-slash", "--anchored", "-T", members)
        members.unlink()
    if not (tree / "Makefile").is_file():
        shutil.rmtree(tree)
        sys.exit(f"check-applies.py: {source} has no Makefile: is it a kernel's source?")
    return tree


def archive(only):
    """Upstream release -> [(package, version)] of what Debian has, newest release last."""
    found = {}
    for command, package in ("versions", "linux"), ("binaries", "linux-source-6.12"):
        done = run(ROOT / "scripts" / "apt-source.sh", command, package)
        if done.returncode:
            print(done.stdout.strip())
            return {}
        for version in reversed(done.stdout.split()):
            upstream = version.split("-")[0]
            if upstream.startswith(base("SERIES") + "."):
                found.setdefault(upstream, []).append((package, version))
    return {name: found[name] for name in sorted(found, key=key) if not only or name in only}


def fetch(upstream, packages):
    """(label, tarball) of a release, from the first package that can be had."""
    folder = WORK / "download"
    for package, version in packages:
        have = folder / f"linux_{upstream}.orig.tar.xz"
        if package != "linux":
            have = folder / f"{package}_{version}.tar.xz"
        if not have.is_file():
            print(f"applies: fetching {package} {version}", flush=True)
            command = "download" if package == "linux" else "binary"
            run(ROOT / "scripts" / "apt-source.sh", command, f"{package}={version}", folder)
        for deb in folder.glob(f"{package}_{version}_*.deb"):
            run("bash", "-c", 'set -o pipefail; dpkg-deb --fsys-tarfile "$0" | '
                'tar -xO --wildcards "./usr/src/*.tar.xz" > "$1.new" && mv "$1.new" "$1"', deb, have)
            deb.unlink()
        if have.is_file():
            return f"{package} {version}", have
    return None


def by_patch(tree):
    """The names of the patches that patch -F0 refuses; the tree is changed."""
    bad = []
    for patch in sorted(PATCHES.glob("[0-9]*.patch")):
        done = run("patch", "-p1", "-F0", "-f", "-s", "--no-backup-if-mismatch", "-r", "-",
                   "-i", patch, cwd=tree)
        if done.returncode or "fuzz" in done.stdout:
            bad.append(patch.name[:4])
    return bad


def by_am(tree):
    """What git am complains of, or ''."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
           **{f"GIT_{who}_{what}": "applies@localhost" for who in ("AUTHOR", "COMMITTER")
              for what in ("NAME", "EMAIL")}}
    for command in (["git", "init", "-q", "-b", "main"], ["git", "add", "-A", "-f"],
                    ["git", "commit", "-q", "-m", "base"],
                    ["git", "am", "-q", "--whitespace=error-all",
                     *sorted(PATCHES.glob("[0-9]*.patch"))]):
        done = run(*command, cwd=tree, env=env)
        if done.returncode or "warning" in done.stdout or "whitespace" in done.stdout:
            return done.stdout.strip().splitlines()[0] if done.stdout else "git failed"
    return ""


def table(rows):
    """docs/applies.md"""
    text = f"""# Applies to

Made by `scripts/check-applies.py --write`. The series is made on Linux {base("TESTED")} and
tested there; a release between {base("OLDEST")} and {base("NEWEST")} is supported, and
`scripts/source.sh` refuses an older one before it patches anything.

"patch" is `patch -F0` (no fuzz; lines may have moved), "git am" is `git am
--whitespace=error-all`. The numbers are those of the patches that are refused. That a release
takes the series does not say that it was built: that is done on {base("TESTED")} only.

| release | source | patch | git am |
| --- | --- | --- | --- |
"""
    for row in rows:
        text += (f"| {row['version']} | {row['label']} | "
                 f"{'ok' if not row['patch'] else 'refused: ' + ', '.join(row['patch'])} | "
                 f"{'ok' if not row['am'] else 'refused'} |\n")
    return text


def main():
    """Command line."""
    top = Parser(description=__doc__,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("source", nargs="*", type=pathlib.Path, help="trees and tarballs of 6.12.y")
    top.add_argument("--no-archive", action="store_true", help="only the sources that are named")
    top.add_argument("--only", action="append", metavar="RELEASE",
                     help="of the archive only this release (repeatable)")
    top.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    args = top.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    sources = [(path.name, path.resolve()) for path in args.source]
    missing = []
    for upstream, packages in ({} if args.no_archive else archive(args.only)).items():
        got = fetch(upstream, packages)
        if got:
            sources.append(got)
        else:
            missing.append(upstream)
    paths, rows, wrong = touched(), [], []
    for label, path in sources:
        tree, again = take(path, paths), None
        try:
            again = shutil.copytree(tree, f"{tree}.am")
            row = {"version": version_of(tree), "label": label,
                   "patch": by_patch(tree), "am": by_am(pathlib.Path(again))}
        finally:
            shutil.rmtree(tree)
            shutil.rmtree(again, ignore_errors=True)
        rows.append(row)
        print(f"{row['version']} ({label}): patch -F0 "
              f"{'ok' if not row['patch'] else 'refused ' + ' '.join(row['patch'])}, git am "
              f"{row['am'] or 'ok'}", flush=True)
        inside = key(base("OLDEST")) <= key(row["version"]) <= key(base("NEWEST"))
        if (row["patch"] or row["am"]) and (inside or label == path.name):
            wrong.append(row["version"])
    if not rows:
        print("no source of a release: name a tree or a tarball, or let apt reach Debian's archive")
        sys.exit(4)
    rows.sort(key=lambda row: key(row["version"]))
    good = [row for row in rows if not row["patch"]]
    if args.write:
        TABLE.write_text(table(rows))
    if missing:
        print(f"listed, but not in the archive: {', '.join(missing)}")
    print(f"{len(good)} of {len(rows)} releases take the series"
          + (f"; wrong: {', '.join(wrong)}" if wrong else ""))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
