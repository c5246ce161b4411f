#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The patch series: from the files of this repository to the tree and to patches/.

New kernel files live whole in the overlay folders, changes to existing files
as hunks in patches/src/NN-slug/hunks.diff beside the patch's message.
patches/manifest says which patch an overlay file belongs to.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

PATCHES = ROOT / "patches"
SRC = PATCHES / "src"
MANIFEST = PATCHES / "manifest"

# Editors' and compilers' droppings in an overlay folder.
IGNORED = re.compile(r"(~|\.o|\.orig|\.rej|\.sw[a-p]|\.pyc)$|^\.?#")
STATE = ".jc-sync"
GIT_CONFIG = {
    "core.abbrev": "12",
    "core.autocrlf": "false",
    "core.fileMode": "true",
    "core.hooksPath": "/dev/null",
    "core.quotePath": "true",
    "commit.gpgSign": "false",
    "diff.algorithm": "histogram",
    "diff.context": "3",
    "diff.renames": "false",
    "diff.indentHeuristic": "true",
    "format.pretty": "email",
    "gc.auto": "0",
    "init.defaultBranch": "main",
    "user.useConfigOnly": "true",
}


class Error(Exception):
    """What is wrong and what to do about it."""


def base():
    """The NAME='value' lines of patches/BASE."""
    found = re.findall(r"^(\w+)='(.*)'$", (PATCHES / "BASE").read_text(), re.M)
    return dict(found)


def run(args, cwd=None, env=None, stdin=None, what=None):
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(args, cwd=cwd, env=env, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Error(f"{what or ' '.join(map(str, args))}:\n{text.rstrip()}")
    return text


class Git:
    """A repository that knows nothing of the user's configuration."""

    def __init__(self, path):
        about = base()
        self.path = path
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(path), "LC_ALL": "C", "TZ": "UTC",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(Path(path).parent),
        }
        for who in ("AUTHOR", "COMMITTER"):
            for what in ("NAME", "EMAIL", "DATE"):
                self.env[f"GIT_{who}_{what}"] = about[f"AUTHOR_{what}"]

    def __call__(self, *args):
        config = [word for pair in GIT_CONFIG.items() for word in ("-c", "=".join(pair))]
        return run(["git", *config, *args], cwd=self.path, env=self.env,
                   what=f"git {args[0]}")


class Patch:
    """One NN-slug: its message, its hunks and its overlay files."""

    def __init__(self, folder):
        self.folder = folder
        self.name = folder.name
        self.hunks = folder / "hunks.diff"
        self.files = {}         # path in the tree -> file in this repository
        if not (folder / "message").is_file():
            raise Error(f"{folder.relative_to(ROOT)} has no file 'message'")

    def touched(self):
        """The existing files that the hunks change."""
        if not self.hunks.is_file():
            return []
        text = self.hunks.read_text()
        if re.search(r"^(---|\+\+\+) /dev/null", text, re.M):
            raise Error(f"{self.hunks.relative_to(ROOT)} makes or removes a whole file: "
                        "new files belong into an overlay folder")
        return re.findall(r"^\+\+\+ b/([^\t\n]+)", text, re.M)


def read_manifest():
    """The roots [(folder, prefix)] and the assignments [(slug, path, line number)]."""
    roots, lines = [], []
    if not MANIFEST.is_file():
        return roots, lines
    for number, line in enumerate(MANIFEST.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "root" and len(words) == 3:
            roots.append((ROOT / words[1], words[2]))
        elif re.match(r"\d\d-", words[0]) and len(words) == 2:
            lines.append((words[0], words[1], number))
        else:
            raise Error(f"patches/manifest:{number}: '{line}' is neither "
                        "'root FOLDER PREFIX' nor 'NN-slug PATH'")
    return roots, lines


def overlay(roots):
    """Every overlay file: path in the tree -> file here."""
    files = {}
    for folder, prefix in roots:
        for top, dirs, names in os.walk(folder):
            dirs[:] = [d for d in dirs if d != "__pycache__"]
            for name in names:
                if IGNORED.search(name):
                    continue
                here = Path(top) / name
                path = os.path.normpath(os.path.join(prefix, here.relative_to(folder)))
                if path in files:
                    raise Error(f"{here.relative_to(ROOT)} and "
                                f"{files[path].relative_to(ROOT)} are both {path}")
                files[path] = here
    return files


def load(complete=True):
    """The patches in order, each with its overlay files."""
    patches = []
    if SRC.is_dir():
        patches = [Patch(d) for d in sorted(SRC.iterdir()) if d.is_dir()]
    by_name = {p.name: p for p in patches}
    roots, lines = read_manifest()
    files = overlay(roots)
    wrong, seen = [], {}
    for slug, path, number in lines:
        where = f"patches/manifest:{number}:"
        if slug not in by_name:
            wrong.append(f"{where} there is no patches/src/{slug}/")
        elif path in seen:
            wrong.append(f"{where} {path} is assigned in line {seen[path]} already")
        elif path not in files:
            wrong.append(f"{where} no overlay folder holds {path}")
        else:
            by_name[slug].files[path] = files[path]
        seen[path] = number
    for path in sorted(set(files) - set(seen)):
        wrong.append(f"{files[path].relative_to(ROOT)} is not in patches/manifest: "
                     f"add a line 'NN-slug {path}' or remove the file")
    for patch in patches:
        if complete and not patch.files and not patch.hunks.is_file():
            wrong.append(f"patches/src/{patch.name} has neither hunks.diff nor a file "
                         "in patches/manifest")
    if wrong:
        raise Error("the series is not consistent:\n  " + "\n  ".join(wrong))
    return patches


def find_patch(patches, name):
    """The patch called name, or numbered so."""
    for patch in patches:
        if name in (patch.name, patch.name.split("-")[0]):
            return patch
    raise Error(f"there is no patch '{name}'; there are: "
                + ", ".join(p.name for p in patches))


def pristine(tree, path):
    """An untouched file of the kernel tree, as (bytes, mode)."""
    file = tree / path
    if not file.is_file():
        raise Error(f"{path} is to be changed but does not exist in {tree}")
    return file.read_bytes(), 0o755 if os.access(file, os.X_OK) else 0o644


def put(folder, path, content):
    """Write a file by replacing it: the old one may be shared by hard links."""
    file = Path(folder) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".jc-new")
    new.write_bytes(content[0])
    new.chmod(content[1])
    os.replace(new, file)


def apply(state, patch, tree):
    """The files of the tree, path -> (bytes, mode), after one more patch."""
    state = dict(state)
    touched = patch.touched()
    if touched:
        with tempfile.TemporaryDirectory() as tmp:
            for path in touched:
                if path not in state:
                    state[path] = pristine(tree, path)
                put(tmp, path, state[path])
            run(["patch", "-p1", "-F0", "-s", "-f", "-r", "-", "--no-backup-if-mismatch",
                 "-i", str(patch.hunks)], cwd=tmp,
                what=f"{patch.hunks.relative_to(ROOT)} does not apply")
            for path in touched:
                state[path] = (Path(tmp) / path).read_bytes(), state[path][1]
    for path, here in patch.files.items():
        if path in state or (tree / path).exists():
            raise Error(f"{here.relative_to(ROOT)}: the tree has {path} already")
        state[path] = here.read_bytes(), 0o755 if os.access(here, os.X_OK) else 0o644
    return state


def states(patches, tree):
    """The state before the series and after each patch."""
    state = {path: pristine(tree, path) for p in patches for path in p.touched()
             if not any(path in q.files for q in patches)}
    result = [state]
    for patch in patches:
        state = apply(state, patch, tree)
        result.append(state)
    return result


def sync(tree, target, upto=None):
    """Bring target to the state after the series (or after upto patches of it).

    Only what differs is written, so that make rebuilds only that.
    """
    patches = load()
    want = states(patches, tree)[len(patches) if upto is None else upto]
    record = target / STATE
    before = record.read_text().splitlines() if record.is_file() else []
    # Written first: what an interrupted run left behind is then known.
    record.write_text("".join(f"{path}\n" for path in sorted(set(want) | set(before))))
    changed = []
    for path in sorted(set(before) - set(want)):
        if (tree / path).is_file():
            want[path] = pristine(tree, path)
        elif (target / path).exists():
            (target / path).unlink()
            changed.append(f"removed {path}")
    for path, content in sorted(want.items()):
        file = target / path
        if not file.is_file() or file.read_bytes() != content[0] \
                or bool(file.stat().st_mode & 0o100) != (content[1] == 0o755):
            put(target, path, content)
            changed.append(path)
    record.write_text("".join(f"{path}\n" for path in sorted(want)))
    return changed


def commit_series(repo, patches, tree):
    """A git repository with one commit per patch on the files that they touch."""
    git = Git(repo)
    git("init", "-q")
    before, *after = states(patches, tree)
    for path, content in before.items():
        put(repo, path, content)
    git("add", "-A", "-f")
    git("commit", "-q", "--allow-empty", "-m", "base")
    git("tag", "base")
    for patch, state in zip(patches, after):
        for path, content in state.items():
            if before.get(path) != content:
                put(repo, path, content)
        before = state
        git("add", "-A", "-f")
        git("commit", "-q", "-F", str(patch.folder / "message"), "--cleanup=whitespace")
    return git


def generate(out, tree):
    """Write the whole series into the folder out; returns the file names in order."""
    patches = load()
    with tempfile.TemporaryDirectory() as repo:
        git = commit_series(repo, patches, tree)
        text = git("format-patch", "-q", "-o", str(out), "--zero-commit", "--no-signature",
                   "-N", "--no-binary", "--no-ext-diff", "--no-textconv", "--no-color",
                   "--unified=3", "--stat=72", "--summary",
                   "--filename-max-length=90", "base")
    if text:
        raise Error(f"git format-patch said: {text}")
    names = sorted(p.name for p in Path(out).glob("*.patch"))
    (Path(out) / "series").write_text("".join(f"{name}\n" for name in names))
    return names


def tree_version(tree):
    """'6.12.117'"""
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)",
                            (tree / "Makefile").read_text(), re.M))
    return ".".join(found.get(k, "?") for k in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def need_tested(tree):
    """Line numbers in patches depend on the release, so only one may make them."""
    have, tested = tree_version(tree), base()["TESTED"]
    if have != tested:
        raise Error(f"the prepared source is {have}; patches are made only on {tested}, "
                    "the tested base (patches/BASE)")


def cmd_sync(args):
    """make sync"""
    target = args.target or args.tree.parent / "linux"
    upto = None
    if args.upto is not None:
        names = [p.name for p in load()]
        upto = 0 if args.upto == "0" else \
            names.index(find_patch(load(), args.upto).name) + 1
    changed = sync(args.tree, target, upto)
    if len(changed) > 8:
        print(f"sync: {len(changed)} files")
    else:
        print("".join(f"sync: {path}\n" for path in changed), end="")


def cmd_patches(args):
    """make patches"""
    need_tested(args.tree)
    with tempfile.TemporaryDirectory() as tmp:
        names = generate(tmp, args.tree)
        changed = 0
        for old in PATCHES.glob("[0-9]*.patch"):
            if old.name not in names:
                old.unlink()
                print(f"patches: removed {old.name}")
        for name in names + ["series"]:
            new = (Path(tmp) / name).read_bytes()
            file = PATCHES / name
            if not file.is_file() or file.read_bytes() != new:
                put(PATCHES, name, (new, 0o644))
                print(f"patches: wrote {name}")
                changed += 1
    print(f"patches: {len(names)} in the series, {changed} files written")


def cmd_verify(args):
    """Do patches/*.patch and patches/series say what the files say?"""
    need_tested(args.tree)
    wrong = []
    with tempfile.TemporaryDirectory() as tmp:
        names = generate(tmp, args.tree)
        for name in names + ["series"]:
            file = PATCHES / name
            if not file.is_file():
                wrong.append(f"patches/{name} is missing")
            elif file.read_bytes() != (Path(tmp) / name).read_bytes():
                wrong.append(f"patches/{name} differs from its sources")
        for file in sorted(PATCHES.glob("[0-9]*.patch")):
            if file.name not in names:
                wrong.append(f"patches/{file.name} is of no patch in patches/src")
    if wrong:
        raise Error("series and files disagree:\n  " + "\n  ".join(wrong)
                    + "\n  run 'make patches' and commit what it writes")
    print(f"{len(names)} patches are as their sources say")


def cmd_list(_args):
    """The series, a line per patch."""
    for patch in load():
        subject = (patch.folder / "message").read_text().splitlines()[0]
        print(f"{patch.name:28} {len(patch.files):3} files "
              f"{len(patch.touched()):3} changed  {subject}")


def cmd_touched(args):
    """The existing files that the series changes, or with --all every file of it."""
    patches = load()
    paths = {path for p in patches for path in p.touched()}
    added = {path for p in patches for path in p.files}
    paths = paths | added if args.all else paths - added
    print("".join(f"{path}\n" for path in sorted(paths)), end="")


def cmd_checkout(args):
    """A scratch copy of the files that a patch changes, for editing."""
    patches = load(complete=False)
    patch = find_patch(patches, args.patch)
    number = patches.index(patch)
    folder = args.folder
    if folder.exists() and any(folder.iterdir()):
        raise Error(f"{folder} exists and is not empty")
    before, after = states(patches, args.tree)[number:number + 2]
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(set(patch.touched()) | set(args.path))
    git = Git(folder)
    git("init", "-q")
    for subject, state in (("without this patch", before), (f"with {patch.name}", after)):
        for path in paths:
            put(folder, path, state.get(path) or pristine(args.tree, path))
        git("add", "-A", "-f")
        git("commit", "-q", "--allow-empty", "-m", subject)
    print(f"{len(paths)} files in {folder}: edit them, then\n"
          f"  scripts/series.py record {patch.name} {folder}\n"
          "(another file: copy it there from the tree, path and all)")


def write_hunks(patch, before, after):
    """hunks.diff from two states of the same files; True when it changed."""
    with tempfile.TemporaryDirectory() as repo:
        git = Git(repo)
        git("init", "-q")
        for path, content in before.items():
            put(repo, path, content)
        git("add", "-A", "-f")
        for path, content in after.items():
            put(repo, path, content)
        text = git("diff", "--no-color", "--no-ext-diff")
    # Hashes of blobs would only go stale.
    text = re.sub(r"^index [0-9a-f.]+ \d+\n", "", text, flags=re.M)
    old = patch.hunks.read_text() if patch.hunks.is_file() else ""
    if text == old:
        return False
    if text:
        put(patch.folder, "hunks.diff", (text.encode(), 0o644))
    else:
        patch.hunks.unlink()
    return True


def cmd_record(args):
    """hunks.diff of a patch from an edited scratch copy."""
    patches = load(complete=False)
    patch = find_patch(patches, args.patch)
    before = states(patches[:patches.index(patch)], args.tree)[-1]
    # What an earlier patch adds, a later one may change.
    new_files = {path for p in patches[patches.index(patch):] for path in p.files}
    edited, old = {}, {}
    for file in sorted(args.folder.rglob("*")):
        path = str(file.relative_to(args.folder))
        if not file.is_file() or path.startswith(".git/") or IGNORED.search(file.name):
            continue
        if path in new_files:
            raise Error(f"{path} is an overlay file: edit it there, not in {args.folder}")
        old[path] = before.get(path) or pristine(args.tree, path)
        edited[path] = file.read_bytes(), old[path][1]
    lost = sorted(set(patch.touched()) - set(edited))
    if lost:
        raise Error(f"{args.folder} lacks what {patch.name} changes: {', '.join(lost)}\n"
                    "put the files back, unchanged ones as they are without this patch")
    changed = write_hunks(patch, old, edited)
    print(f"{patch.hunks.relative_to(ROOT)}: {'written' if changed else 'unchanged'}")
    states(load(complete=False), args.tree)       # do the later patches still apply?


def cmd_refresh(args):
    """Give every hunks.diff its exact line numbers again."""
    patches = load()
    every = states(patches, args.tree)
    for patch, before, after in zip(patches, every, every[1:]):
        paths = patch.touched()
        if paths and write_hunks(patch, {p: before[p] for p in paths},
                                 {p: after[p] for p in paths}):
            print(f"{patch.hunks.relative_to(ROOT)}: written")


def main():
    """Command line."""
    top = Parser(description=__doc__.split("\n", maxsplit=1)[0])
    top.add_argument("--tree", type=Path, default=BUILD / "pristine",
                     help="the untouched kernel tree (default: %(default)s)")
    sub = top.add_subparsers(dest="command", required=True)
    one = sub.add_parser("sync", help="bring build/linux to the state of the series")
    one.add_argument("--target", type=Path, help="another tree than build/linux")
    one.add_argument("--upto", metavar="NN", help="only so far; 0: untouched")
    one.set_defaults(call=cmd_sync)
    for name, call, text in (
            ("patches", cmd_patches, "write patches/*.patch and patches/series"),
            ("verify", cmd_verify, "compare them with what would be written"),
            ("list", cmd_list, "the series, a line per patch"),
            ("refresh", cmd_refresh, "exact line numbers in every hunks.diff")):
        sub.add_parser(name, help=text).set_defaults(call=call)
    one = sub.add_parser("touched", help="existing files that the series changes")
    one.add_argument("--all", action="store_true", help="new files, too")
    one.set_defaults(call=cmd_touched)
    one = sub.add_parser("checkout", help="a scratch copy to edit a patch's hunks in")
    one.add_argument("patch", metavar="NN[-slug]")
    one.add_argument("folder", type=Path)
    one.add_argument("path", nargs="*", help="files that the patch is to change, too")
    one.set_defaults(call=cmd_checkout)
    one = sub.add_parser("record", help="make hunks.diff from that scratch copy")
    one.add_argument("patch", metavar="NN[-slug]")
    one.add_argument("folder", type=Path)
    one.set_defaults(call=cmd_record)
    args = top.parse_args()
    if args.command not in ("list", "touched") and not (args.tree / "Makefile").is_file():
        raise Error(f"there is no kernel source in {args.tree}: run 'make source'")
    args.call(args)


if __name__ == "__main__":
    try:
        main()
    except Error as error:
        sys.exit(f"series.py: {error}")
