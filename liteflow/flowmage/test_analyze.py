#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What flowmage analyze says of the functions in nf/, beside their labels."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from pylib.paths import BUILD

HERE = pathlib.Path(__file__).resolve().parent
FLOWMAGE = BUILD / "liteflow/flowmage"
OBJECTS = BUILD / "liteflow/nf"
SIZES = {"src_addr4": 4, "dst_addr4": 4, "src_addr6": 16, "dst_addr6": 16, "src_port": 2,
         "dst_port": 2, "protocol": 1, "vlan": 2, "src_mac": 6, "dst_mac": 6, "ethertype": 2,
         "ifindex": 4, "rx_queue": 4, "rx_hash": 4}
# of a map, whether packets of one flow may go to any CPU, or to one, or must share
PRIVATE = {"stateless", "not-state", "read-only", "per-cpu", "packet-key"}
CLANG = ["clang", "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-Wall", "-Werror",
         "-I/usr/include/" + os.uname().machine + "-linux-gnu"]
TERM = re.compile(r"f\([^)]*\)|[^.]+")


def compile_all():
    """The test functions as objects; only what changed is made anew."""
    OBJECTS.mkdir(parents=True, exist_ok=True)
    for made in OBJECTS.glob("*.o"):
        if not (HERE / "nf" / (made.stem + ".bpf.c")).exists():
            made.unlink(missing_ok=True)
    newest = (HERE / "nf/nf.h").stat().st_mtime
    for source in sorted((HERE / "nf").glob("*.bpf.c")):
        made = OBJECTS / (source.name[:-len(".bpf.c")] + ".o")
        if made.exists() and made.stat().st_mtime > max(newest, source.stat().st_mtime):
            continue
        # whole or not at all, as other tests may want it at this time
        new = made.with_suffix(".%d" % os.getpid())
        subprocess.run([*CLANG, "-c", source.name, "-o", new], cwd=HERE / "nf", check=True)
        new.replace(made)


def analyze(*args):
    return subprocess.run([FLOWMAGE, "analyze", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def functions(path, *args):
    done = analyze("--json", *args, "bpf:%s" % path)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def labels():
    """{(file, program): {map: (class, when, {key, ...})}}, and {(file, program): rewrites}."""
    maps, rewrites = {}, {}
    for line in (HERE / "nf/labels").read_text(encoding="utf-8").splitlines():
        if not line or line[0] == "#":
            continue
        file, program, name, *rest = line.split()
        if name == "rewrites":
            rewrites[file, program] = set(rest)
            continue
        held = maps.setdefault((file, program), {})
        if name != "-":
            held[name] = (rest[0], rest[1], set(" ".join(rest[2:]).split(" | ")))
    return maps, rewrites


def bits(field, mask=None):
    """Bits of a field, as (field, number)."""
    size = len(mask) // 2 if mask else SIZES[field]
    number = int(mask or "ff" * size, 16)
    return {(field, i) for i in range(8 * size) if number >> i & 1}


def claimed(text):
    """The bits that a key in words lets one tell of a packet."""
    found = set()
    for term in TERM.findall(text):
        name, _, mask = term.partition("/")
        if "[" in name:
            layer, at, size = re.fullmatch(r"(\w+)\[(-?\d+)\+(\d+)\]", name).groups()
            for i in range(int(size)):
                found |= bits("%s[%d]" % (layer, int(at) + i), mask[2 * i:2 * i + 2] or "ff")
        elif name in SIZES:
            found |= bits(name, mask or None)
    return found


def told(function):
    """What the analysis says, in the form of labels()."""
    return {m["name"]: (m["class"], "-" if not m["written"] else
                        "packet" if m["per_packet"] else "flow",
                        {k["text"] for k in m["keys"]} or {"-"}) for m in function["maps"]}


def rewritten(function):
    return {"bytes" if s["field"] == "bytes" else s["field"] for s in function["rewrites"]} | (
        {"unknown"} if function["rewrites_unknown"] else set())


def unsound(label, found):
    """What the analysis promises of a map and must not; None: nothing."""
    if found is None:
        return "not found" if label[1] != "-" else None
    if label[1] != "-" and found[1] == "-":
        return "its writes were missed"
    if label[0] not in PRIVATE and found[0] in PRIVATE:
        return "%s is called %s" % (label[0], found[0])
    true, said = [claimed(k) for k in label[2]], [claimed(k) for k in found[2]]
    if found[0] not in PRIVATE:
        return None
    if any(not any(s <= t for t in true) for s in said):
        return "a key has too much: %s" % " | ".join(sorted(found[2]))
    if any(not any(s <= t for s in said) for t in true):
        return "a key is missing beside %s" % " | ".join(sorted(found[2]))
    return None


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Labels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        compile_all()

    def test_claims(self):
        """The judge itself: what is too much is seen."""
        key = ("packet-key", "packet", {"src_addr4"})
        self.assertIsNone(unsound(key, key))
        self.assertIsNone(unsound(key, ("packet-key", "packet", {"src_addr4/ffffff00"})))
        self.assertIsNone(unsound(key, ("shared", "packet", {"?"})))
        for wrong in (None, ("read-only", "-", {"src_addr4"}),
                      ("packet-key", "packet", {"src_addr4.dst_addr4"}),
                      ("packet-key", "packet", {"dst_addr4"})):
            self.assertTrue(unsound(key, wrong), wrong)
        self.assertTrue(unsound(("shared", "packet", {"?"}), key))
        self.assertTrue(unsound(("packet-key", "packet", {"src_addr4", "dst_addr4"}), key))
        self.assertTrue(unsound(("packet-key", "packet", {"src_addr4/ffff0000"}), key))
        self.assertEqual(len(claimed("f(src_addr4.dst_addr4).vlan/0fff.network[4+2]")), 28)

    def test_labels(self):
        maps, rewrites = labels()
        files = sorted({file for file, _ in maps})
        self.assertEqual(files, sorted(p.stem for p in OBJECTS.glob("*.o")))
        exact, wrong, rest = 0, [], []
        for file in files:
            for function in functions(OBJECTS / (file + ".o")):
                which = (file, function["name"])
                found, label = told(function), maps[which]
                # nobody looks at a table of constants by itself
                extra = {m for m in found if m not in label and found[m][0] != "read-only"}
                for name in label:
                    problem = unsound(label[name], found.get(name))
                    if problem:
                        wrong.append("%s:%s %s: %s" % (*which, name, problem))
                missed = rewrites.get(which, set()) - rewritten(function)
                if missed and not function["rewrites_unknown"]:
                    wrong.append("%s:%s does not see it rewrite %s" % (*which, sorted(missed)))
                same = {m for m in label if found.get(m) == label[m]}
                if same == set(label) and not extra and \
                        rewritten(function) == rewrites.get(which, set()):
                    exact += 1
                else:
                    rest.append("%s:%s" % which + "".join(
                        "; %s: %s, not %s" % (m, found.get(m), label[m])
                        for m in sorted(set(label) - same)) +
                        ("; extra %s" % extra if extra else "") +
                        ("; rewrites %s" % rewritten(function)
                         if rewritten(function) != rewrites.get(which, set()) else ""))
        total = len(maps)
        for line in rest:
            print("# not exact: " + line)
        print("fm_functions %d programs" % total)
        print("fm_exact %.1f percent" % (100 * exact / total))
        print("fm_unsound %d functions" % len(wrong))
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(100 * exact, 90 * total)


class Words(unittest.TestCase):
    def refused(self, reason, *args, status=1):
        done = analyze(*args)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(reason, done.stderr)
        if status == 1:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_refusals(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "f.o"
            self.refused("No such file", "bpf:%s" % path)
            for content, reason in ((b"", "not an ELF file"), (b"hello\n", "not an ELF file"),
                                    (b"\x7fELF", "ends in its header")):
                path.write_bytes(content)
                self.refused(reason, "bpf:%s" % path)
            self.refused("not for BPF", "bpf:%s" % FLOWMAGE)
            self.refused("not of the form", str(path))
            self.refused("which function", status=2)

    @unittest.skipUnless(shutil.which("clang"), "no clang")
    def test_objects(self):
        compile_all()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "f.o"
            source = HERE / "nf/count_source.bpf.c"
            subprocess.run([a for a in CLANG if a != "-g"] + ["-c", source, "-o", path], check=True)
            self.refused("no BTF", "bpf:%s" % path)
            whole = (OBJECTS / "count_source.o").read_bytes()
            path.write_bytes(whole[:len(whole) // 2])
            self.refused("f.o: ", "bpf:%s" % path)
            self.refused('no program "nothing"', "bpf:%s:nothing" % (OBJECTS / "count_source.o"))
            path.write_text("int x;\n")
            subprocess.run(["clang", "-target", "bpf", "-g", "-c", "-x", "c", path, "-o",
                            folder + "/empty.o"], check=True)
            self.refused("no XDP or tc program", "bpf:%s/empty.o" % folder)
            odd = pathlib.Path(folder) / "with:colon.o"
            odd.write_bytes(whole)
            self.assertEqual(functions(odd)[0]["name"], "count_source")
            self.assertEqual(functions("%s:count_source" % odd)[0]["name"], "count_source")

    @unittest.skipUnless(shutil.which("clang"), "no clang")
    def test_explain(self):
        compile_all()
        function = functions(OBJECTS / "count_source.o", "--explain")[0]
        sites = function["maps"][0]["keys"][0]["sites"]
        self.assertTrue(any("nf/count_source.bpf.c:17: n = bpf_map_lookup_elem" in s or
                            "count_source.bpf.c:17: n = bpf_map_lookup_elem" in s
                            for s in sites), sites)
        text = analyze("--explain", "bpf:%s" % (OBJECTS / "count_source.o")).stdout
        self.assertIn("bpf_map_update_elem(&counts", text)

    @unittest.skipUnless(shutil.which("clang"), "no clang")
    def test_schema(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("no python3-jsonschema")
        compile_all()
        schema = json.loads((HERE / "function.schema.json").read_text(encoding="utf-8"))
        for path in sorted(OBJECTS.glob("*.o")):
            jsonschema.validate(functions(path, "--explain"), schema)


if __name__ == "__main__":
    unittest.main()
