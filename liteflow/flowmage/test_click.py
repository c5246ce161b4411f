#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What flowmage makes of Click's configurations, and how it changes them."""
import json
import os
import re
import shutil
import subprocess
import unittest

import fmcase
from pylib.paths import BUILD

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "click")
# how many damaged texts the parser gets; the full tier asks for more
COUNT = os.environ.get("COUNT", "3000")


class Click(fmcase.Flowmage):
    def setUp(self):
        super().setUp()
        for word in ("FASTCLICK", "CLICK_ELEMENTS", "CLICK_TABLE"):
            os.environ.pop(word, None)

    def analyze(self, text, *args, spec="click:c.click"):
        self.write("c.click", text)
        done = self.flowmage("analyze", "--json", spec, *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""), text)
        return {f["name"]: f for f in json.loads(done.stdout)}

    def classes(self, text):
        return {name: f["hook"].split()[1] for name, f in self.analyze(text).items()}

    def fields(self, fn, number=0):
        return [p["slices"][0]["field"] for p in fn["maps"][number]["keys"][0]["parts"]
                if p["kind"] == "field"]

    def solved(self, text, *words):
        self.write("d.json", fmcase.device())
        self.write("c.click", text)
        done = self.flowmage("solve", "--json", "-d", "e=d.json", "-o", "plan.json", *words or (
            "click:c.click",))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)


class Language(Click):
    def test_declarations(self):
        self.assertEqual(self.classes("a, b :: Null; c :: Null(x, (y), \")\"); a -> b -> c;"),
                         {"a": "Null", "b": "Null", "c": "Null"})
        self.assertEqual(self.classes("a :: Null -> Null -> b :: Discard // -> c\n/* ; d :: X */"),
                         {"a": "Null", "Null@2": "Null", "b": "Discard"})
        self.assertEqual(self.classes("Idle->Null(1)->[0]d::Discard;require(package \"x\")\n"
                                      "# 7 \"other file\" -> x\nprovide(y);"),
                         {"Idle@1": "Idle", "Null@2": "Null", "d": "Discard"})

    def test_compounds(self):
        text = """
            elementclass One { $x, KEY $y | input -> Paint($x) -> [1] output;
                               input [1] -> Paint(${y-3}) -> output }
            elementclass Two { input -> one :: One(1, KEY 2) -> output; one [1] -> Discard; }
            elementclass Two { input -> [1] o :: One(4); o -> output || $a | input -> Null($a) -> output }
            elementclass Same Two;
            Idle -> Two -> Same(9) -> { -> Null -> } -> Discard;"""
        self.assertEqual(self.classes(text), {
            "Idle@1": "Idle", "Two@2/o/Paint@1": "Paint", "Two@2/o/Paint@2": "Paint", "Same@3/Null@1": "Null",
            "{}@4/Null@1": "Null", "Discard@5": "Discard"})

    def test_ports(self):
        for text, names in (
                ("s :: Null; Idle -> s; s [0, 1] => a :: Null, b :: Null;", "abs"),
                ("s :: Null; Idle -> s => [0-1] a :: Null;", "as"),
                ("s :: Null; Idle -> s; s [1-] => a :: Null, b :: Null, c :: Null;", "abcs"),
                ("Idle -> s :: Null; s [0] -> a :: Null, b :: Null;", "abs"),
                ("Idle -> s :: Null ~> a :: Null ~IP> b :: Null;", "abs")):
            self.assertEqual({n for n in self.classes(text) if "@" not in n}, set(names), text)

    def test_bad(self):
        """One line that says where, and nothing else."""
        for text, place, reason in (
                ("a :: ;", "1:6", "a class"), ("a -> ", "1:6", "the file ends"),
                ("a ::\nNull(", "2:5", "not closed"), ("a :: { Null", "1:6", "not closed"),
                ("a :: Null;\n a :: Null;", "2:2", "second time"), ("/* a", "1:1", "does not end"),
                ("a :: Null; a(1) -> a", "1:13", "declared already"), ("}", "1:1", "element"),
                ("a [x] -> b", "1:4", "number of a port"), ("a [99999] -> b", "1:4", "65535"),
                ("a [0,1] -> [0,1] b", "1:9", "=>"), ("a [0,1] => [0,1,2] b", "1:9", "2 outputs"),
                ("elementclass X { $a | Null } x :: X;", "1:30", "no body"),
                ("elementclass { }", "1:14", "name of a class"), ("input -> Null", "1:10", "input"),
                ("define(a 1);", "1:8", "no variable"), ("(a -> b) -> c", "1:1", "groups"),
                ("a - b", "1:3", "element"), ("a ~x b", "1:3", "~>"), ("a\0b", "1:2", "no text"),
                ("b -> c; b :: Null", "1:1", "before it is declared"), ("$x -> b", "1:1", "element"),
                ("a :: " + "{ x :: " * 70, "", "in one another"),
                ("".join("elementclass A%d { A%d; A%d }" % (i + 1, i, i) for i in range(40)) + "A40",
                 "", "20000 elements")):
            self.write("c.click", text)
            done = self.flowmage("analyze", "click:c.click")
            self.refusal(done, "c.click:" + place, reason)
        self.refusal(self.flowmage("analyze", "click:none.click"), "none.click", "No such file")
        for text in ("", "a :: Null; a -> a"):
            self.write("c.click", text)
            self.refusal(self.flowmage("analyze", "click:c.click"), "no element that packets")
        self.write("c.click", "a :: Null -> b :: Null")
        self.refusal(self.flowmage("analyze", "click:c.click:x"), 'no element "x"')

    def test_damaged(self):
        """Under AddressSanitizer; what is understood is written, and parsed again."""
        fuzz = BUILD / "liteflow/obj-flowmage/click_fuzz"
        if not os.path.exists(fuzz):
            self.skipTest("click_fuzz is not built")
        done = subprocess.run([fuzz, COUNT, "1", *(os.path.join(EXAMPLES, n) for n in
                                                   sorted(os.listdir(EXAMPLES)) if n.endswith(".click"))],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr[:2000]), (0, ""))
        good = int(re.match(r"\d+ texts, (\d+) understood", done.stdout).group(1))
        self.assertGreater(good, int(COUNT) // 20)


class Facts(Click):
    def test_table(self):
        made = self.analyze("FromDevice(e) -> a :: IPolicer -> m :: FlowIPManager -> b :: FlowCounter "
                            "-> c :: Counter -> d :: ISourceCounter -> Discard")
        self.assertEqual({n: f["class"] for n, f in made.items() if len(n) == 1}, {
            "a": "packet-key", "m": "packet-key", "b": "packet-key", "c": "const-key",
            "d": "packet-key"})
        self.assertEqual(self.fields(made["a"]), ["dst_addr4"])
        self.assertEqual(self.fields(made["b"]), list(fmcase.TUPLE4))
        self.assertTrue(all(f["complete"] for f in made.values()))
        # ports are other bytes where there are none
        self.assertEqual([(k.get("protocol"), k["fragments"]) for k in made["b"]["maps"][0]["keys"]],
                         [(None, True), (1, True)])

    def test_labels(self):
        """The table says of the paper's elements what the labels say."""
        with open(os.path.join(EXAMPLES, "labels"), encoding="utf-8") as f:
            labels = [line.split()[1:] for line in f if line.startswith("paper ")]
        self.assertEqual(len(labels), 14)
        made = self.analyze("FromDevice(e) -> FlowIPManager -> s :: Switch; " + "".join(
            "s [%d] -> x%d :: %s -> Discard; " % (i, i, words[0]) for i, words in enumerate(labels)))
        short = {"src_addr4": "src_ip", "dst_addr4": "dst_ip"}
        for i, (name, *words) in enumerate(labels):
            keyed = [m for m in made["x%d" % i]["maps"] if m["class"] == "packet-key"]
            found = ["stateless"]
            if keyed:
                fields = [p["slices"][0]["field"] for p in keyed[0]["keys"][0]["parts"]]
                key = "flow" if fields == list(fmcase.TUPLE4) else short[fields[0]]
                found = ["key=" + key, "packet" if keyed[0]["per_packet"] else "flow"]
            self.assertEqual(found, words[:len(found)], name)

    def test_unknown(self):
        """It is named, is shared, and may have changed anything."""
        made = self.analyze("FromDevice(e) -> a :: IPolicer -> x :: Nobody -> b :: IPolicer -> Discard")
        self.assertEqual([made[n]["class"] for n in "axb"], ["packet-key", "shared", "shared"])
        self.assertEqual(made["x"]["reasons"], ['nothing is known of the class "Nobody"'])
        self.assertFalse(made["x"]["complete"])
        self.assertIn('"x" in front', made["b"]["maps"][0]["reasons"][0])
        plan = self.solved("FromDevice(e) -> a :: IPolicer -> x :: Nobody -> b :: IPolicer -> Discard")
        self.assertEqual({s["map"]: s["private"] for s in plan["state"]},
                         {"a table": True, "x state": False, "b table": False})

    def test_ways(self):
        """Rewritten fields, queues, packets of nobody's, loops, missing managers."""
        for text, wanted in (
                ("FromDevice(e) -> IPMirror -> a :: IPolicer -> Discard", "shared"),
                ("FromDevice(e) -> EtherMirror -> a :: IPolicer -> Discard", "packet-key"),
                ("FromDevice(e) -> Queue -> Unqueue -> a :: IPolicer -> Discard", "shared"),
                ("Nothing -> a :: IPolicer -> Discard", "shared"),
                ("Idle -> a :: IPolicer -> Discard; FromDevice(e) -> a", "shared"),
                ("FromDevice(e) -> a :: IPolicer -> b :: IPMirror -> a", "shared"),
                ("FromDevice(e) -> Strip(14) -> a :: IPolicer -> Discard", "packet-key"),
                ("FromDevice(e) -> Strip(14) -> Strip(14) -> a :: IPolicer -> Discard", "shared"),
                ("FromDevice(e) -> Strip(50) -> a :: IPolicer -> Discard", "shared"),
                ("FromDevice(e) -> a :: FlowCounter -> Discard", "shared"),
                ("FromDevice(e) -> FlowIPManager -> IPMirror -> a :: FlowCounter", "packet-key"),
                ("FromDevice(e) -> IPMirror -> FlowIPManager -> a :: FlowCounter", "shared"),
                ("FromDevice(e) -> s :: Switch; s -> FlowIPManager -> a :: FlowCounter; "
                 "s [1] -> FlowIPManager -> a", "shared")):
            self.assertEqual(self.analyze(text)["a"]["class"], wanted, text)

    def test_receiver(self):
        text = ("x :: FromDevice(e) -> a :: IPolicer -> Discard; "
                "y :: FromDevice(f) -> IPMirror -> a; y -> b :: IPolicer -> Discard")
        self.assertEqual(self.analyze(text)["a"]["class"], "shared")
        made = self.analyze(text, spec="click:c.click:x")
        self.assertEqual((made["a"]["class"], "b" in made), ("packet-key", False))

    def test_declared(self):
        self.write("mine", "# of mine\nMine key=src_ip.dst_ip symmetric packet pointer SHARED\n\n"
                   "IPolicer key=dst_ip key=const flow\n")
        os.environ["CLICK_ELEMENTS"] = "mine"
        made = self.analyze("FromDevice(e) -> a :: Mine -> b :: IPolicer -> Discard", "--explain")
        first = made["a"]["maps"][0]
        self.assertEqual((first["symmetric"], first["pointers"], first["per_packet"]), (True,) * 3)
        self.assertEqual([k["mirror"] for k in first["keys"]], [1, 0])
        self.assertEqual(first["keys"][0]["sites"], ["Mine: mine:2"])
        self.assertEqual([m["class"] for m in made["b"]["maps"]], ["packet-key", "const-key"])
        self.write("mine", "A key=src_ip\nB key=src_ip.what\n")
        self.refusal(self.flowmage("analyze", "click:c.click"), "mine:2", '"what"')
        os.environ["CLICK_ELEMENTS"] = "none"
        self.refusal(self.flowmage("analyze", "click:c.click"), "none", "No such file")

    def test_table_off(self):
        os.environ["CLICK_TABLE"] = "no"
        self.assertEqual(self.analyze("FromDevice(e) -> a :: IPolicer")["a"]["class"], "shared")


class Solved(Click):
    def test_key(self):
        plan = self.solved("FromDevice(e) -> IPolicer -> FlowIPManager -> FlowCounter -> Discard")
        self.assertEqual(plan["way"], "key")
        self.assertEqual({s["private"] for s in plan["state"] if "family" in s}, {True})
        foreign, seen, queues = self.foreign({"e": [("dst_addr4",), fmcase.TUPLE4]}, (
            ("e", self.rss(plan, "e"), p) for p in fmcase.packets(self.rng, 1000, pool=40)))
        self.assertEqual((foreign, len(queues)), (0, 4))
        self.assertGreater(seen, 1000)

    def test_two_devices(self):
        """Each receiver with what its packets meet: source on one device, destination on the other."""
        text = ("x :: FromDevice(e) -> s :: ISourceCounter -> ToDevice(f); "
                "y :: FromDevice(f) -> d :: IPolicer -> ToDevice(e);")
        self.write("f.json", fmcase.device())
        plan = self.solved(text, "-d", "f=f.json", "click:c.click:x@e", "click:c.click:y@f")
        self.assertEqual({s["map"]: s["private"] for s in plan["state"]},
                         {"s table": True, "d table": True})
        for name, field in (("e", "src_addr4"), ("f", "dst_addr4")):
            foreign, _, queues = self.foreign({name: [(field,)]}, (
                (name, self.rss(plan, name), p) for p in fmcase.packets(self.rng, 1000, pool=40)))
            self.assertEqual((foreign, len(queues)), (0, 4))

    def test_many(self):
        """Elements that keep nothing do not fill the chain."""
        plan = self.solved("FromDevice(e) -> " + "Null -> " * 500 + "IPolicer -> Discard")
        self.assertEqual(len(plan["functions"]), 1)

    def test_from_json(self):
        self.write("c.click", "FromDevice(e) -> IPolicer -> Discard")
        self.write("f.json", self.flowmage("analyze", "--json", "click:c.click").stdout)
        self.write("d.json", fmcase.device())
        done = self.flowmage("solve", "--json", "-d", "e=d.json", "f.json")
        plan = json.loads(done.stdout)
        self.assertEqual([os.path.basename(f["path"]) for f in plan["files"]][:2],
                         ["f.json", "c.click"])


class Rewritten(Click):
    def rewrite(self, text, *words):
        self.solved(text, *words)
        done = self.flowmage("rewrite", "plan.json", "c.click")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_example(self):
        """The paper's form; comments and layout stay, two elements of one class differ."""
        with open(os.path.join(EXAMPLES, "policer.click"), encoding="utf-8") as f:
            text = f.read()
        made = self.rewrite(text)
        before, after = text.splitlines(), made.splitlines()
        self.assertEqual(len(before), len(after))
        changed = {a.strip(): b.strip() for a, b in zip(before, after) if a != b}
        self.assertEqual(changed, {
            "fd0 :: FromDPDKDevice($port, MODE rss, MAXTHREADS 8)":
                'fd0 :: FromDPDKDevice($port, MODE rss, MAXTHREADS 8, HASHFUNC "src_ip")',
            "-> psd :: IPortScanDetector(SIZE $size, LIMIT 10)":
                "-> psd :: IPortScanDetector(SIZE $size, LIMIT 10, SHARED false)",
            "-> a :: IPolicer(SIZE $size, SHARED 1) /* the first */":
                "-> a :: IPolicer(SIZE $size, SHARED true) /* the first */",
            "-> b :: IPolicer(MODE 2 // SHARED here is a comment":
                "-> b :: IPolicer(MODE 2, SHARED true // SHARED here is a comment",
            "-> c :: ISourceCounter": "-> c :: ISourceCounter(SHARED false)"})
        # what was written is what is analysed
        self.assertEqual({n: f["class"] for n, f in self.analyze(made).items()},
                         {n: f["class"] for n, f in self.analyze(text).items()})

    def test_forms(self):
        """Arguments that are there, empty parentheses, several names, bodies of compound elements."""
        start = 'FromDPDKDevice(0, HASHFUNC "x,y") -> '
        for text, wanted in (
                ("IPolicer() -> Discard", "IPolicer(SHARED false) -> Discard"),
                ("IPolicer( /* x */ ) -> Discard", "IPolicer( /* x */ SHARED false) -> Discard"),
                ("IPolicer(SHARED   true , A 1) -> Discard", "IPolicer(SHARED   false , A 1) -> Discard"),
                ("a :: IPolicer\t; a -> Discard", "a :: IPolicer(SHARED false)\t; a -> Discard"),
                ("{ input -> IPolicer(X \"SHARED 1\") -> output } -> Discard",
                 "{ input -> IPolicer(X \"SHARED 1\", SHARED false) -> output } -> Discard")):
            made = self.rewrite(start + text)
            self.assertEqual(made, start.replace('"x,y"', '"dst_ip"') + wanted, text)
        text = ("elementclass P { input -> IPolicer -> output } a, b :: IPolicer(SIZE 1); "
                "FromDPDKDevice(0) -> a -> P -> b -> P -> Discard")
        self.assertEqual(self.rewrite(text), text.replace("-> IPolicer", "-> IPolicer(SHARED false)")
                         .replace("SIZE 1", "SIZE 1, SHARED false")
                         .replace("Device(0)", 'Device(0, HASHFUNC "dst_ip")'))

    def test_one_of_two(self):
        """A body whose state is private in one place only stays shared."""
        text = ("elementclass P { input -> IPolicer -> output } "
                "FromDPDKDevice(0) -> P -> IPMirror -> P -> Discard")
        self.assertIn("IPolicer(SHARED true)", self.rewrite(text))

    def test_per_receiver(self):
        self.write("f.json", fmcase.device())
        text = ("x :: FromDPDKDevice(0) -> ISourceCounter -> Discard; "
                "y :: FromDPDKDevice(1) -> IPolicer -> Discard;")
        made = self.rewrite(text, "-d", "f=f.json", "click:c.click:x@e", "click:c.click:y@f")
        self.assertIn('FromDPDKDevice(0, HASHFUNC "src_ip")', made)
        self.assertIn('FromDPDKDevice(1, HASHFUNC "dst_ip")', made)

    def test_refused(self):
        self.solved("FromDPDKDevice(0) -> IPolicer -> Discard")
        self.write("c.click", "FromDPDKDevice(0) -> IPolicer -> Null -> Discard")
        done = self.flowmage("rewrite", "-o", "new.click", "plan.json", "c.click")
        self.refusal(done, "c.click", "has changed")
        self.assertFalse(os.path.exists(self.path("new.click")))
        self.solved("FromDPDKDevice(0) -> IPolicer(SHARED (1)) -> Discard")
        self.refusal(self.flowmage("rewrite", "plan.json", "c.click"), "SHARED", "no word")
        self.solved("FromDevice(0) -> Null -> Discard")
        self.write("other.click", "a :: Null")
        shutil.copy(self.path("c.click"), self.path("copy.click"))
        self.refusal(self.flowmage("rewrite", "plan.json", "other.click"), "not of the plan")
        self.refusal(self.flowmage("rewrite", "plan.json", "none.click"), "none.click")


if __name__ == "__main__":
    unittest.main()
