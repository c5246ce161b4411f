#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
What flowmage finds in the sources of a Click framework: in a small one that is written here, and in
FastClick, where FASTCLICK names its folder (and others behind colons, for elements that are elsewhere).
"""
import json
import os
import unittest

import fmcase
from pylib.paths import BUILD

SOURCES = os.environ.get("FASTCLICK")
LABELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "click/labels")
NAMES = {"src_ip": "src_addr4", "dst_ip": "dst_addr4"}

# as much of a framework as an element needs; not Click's text
FRAMEWORK = """
#ifndef MINI_HH
#define MINI_HH
typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned int uint32_t;
struct in_addr { uint32_t s_addr; };
struct click_ip { uint8_t ip_ttl, ip_p; struct in_addr ip_src, ip_dst; };
struct click_udp { uint16_t uh_sport, uh_dport; };
struct click_ether { uint8_t ether_dhost[6], ether_shost[6]; uint16_t ether_type; };
inline uint16_t ntohs(uint16_t x) { return x; }
class Packet { public:
    const click_ip *ip_header() const; const click_udp *udp_header() const;
    const unsigned char *data() const; unsigned length() const;
    class WritablePacket *uniqueify(); Packet *next(); void kill();
};
class WritablePacket : public Packet { public: click_ip *ip_header() const; unsigned char *data() const; };
class IPFlowID { public: IPFlowID(const Packet *); IPFlowID reverse() const; void set(uint32_t); uint32_t x; };
template <class K, class V> class HashTable { public:
    V *find(const K &); V &operator[](const K &); void insert(const K &, const V &); void erase(const K &);
    unsigned size() const; };
template <class T> class per_thread { public: T *operator->(); T &operator*(); };
class Element { public: virtual void push(int, Packet *); virtual Packet *simple_action(Packet *p) { return p; }
    virtual const char *class_name() const = 0; virtual const char *processing() const { return "a/a"; } };
uint32_t hash_of(uint32_t); void take(uint32_t &); void look(const uint32_t &);
#define EXPORT_ELEMENT(x)
#endif
"""

ELEMENT = """
#include <click/config.h>
#include <click/mini.hh>
%s
class E : public Element { public:
    const char *class_name() const override { return "E"; }
    %s
};
%s
EXPORT_ELEMENT(E)
"""

SRC = "uint32_t k = p->ip_header()->ip_src.s_addr;"


class Sources(fmcase.Flowmage):
    def setUp(self):
        super().setUp()
        os.environ.update(CLICK_TABLE="no", CLICK_ELEMENTS=self.write(
            "base", "FromDevice receiver\nDiscard stateless\nTee stateless\n"
            "Manager manager=src_ip.dst_ip.src_port.dst_port.protocol key=const\n"))
        self.addCleanup(lambda: [os.environ.pop(w, None) for w in
                                 ("CLICK_TABLE", "CLICK_ELEMENTS", "FASTCLICK")])

    def analyze(self, text):
        self.write("c.click", text)
        done = self.flowmage("analyze", "--json", "--explain", "click:c.click")
        if "without libclang" in done.stderr or "needs libclang" in done.stderr:
            self.skipTest("no libclang")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)


class Small(Sources):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("tree/include/click"))
        os.makedirs(self.path("tree/elements"))
        self.write("tree/include/click/config.h", "")
        self.write("tree/include/click/element.hh", "")
        self.write("tree/include/click/mini.hh", FRAMEWORK)
        os.environ["FASTCLICK"] = self.path("tree")

    def element(self, members, before="", after=""):
        self.write("tree/elements/e.cc", ELEMENT % (before, members, after))
        made = self.analyze("FromDevice(e) -> x :: E -> Discard")
        return [f for f in made if f["name"] == "x"][0]

    def maps(self, members, **more):
        """Of each map that is written its class and its first key in words."""
        return {m["name"][2:]: (m["class"], m["keys"][0]["text"])
                for m in self.element(members, **more)["maps"]}

    def action(self, body, members="HashTable<uint32_t, int> _t;", **more):
        return self.maps("%s\nPacket *simple_action(Packet *p) override { %s; return p; }" % (
            members, body), **more)

    def test_keys(self):
        for body, wanted in (
                (SRC + "_t[k]++", ("packet-key", "src_addr4")),
                (SRC + "int *n = _t.find(k); if (!n) _t.insert(k, 0); else ++*n",
                 ("packet-key", "src_addr4")),
                ("const click_ip *ip = p->ip_header(); _t[ip->ip_dst.s_addr]++",
                 ("packet-key", "dst_addr4")),
                ("click_udp *u = (click_udp *)p->udp_header(); uint32_t k = ntohs(u->uh_dport); _t[k] = 1",
                 ("shared", "dst_port")),
                (SRC + "k &= 0xff; _t[k]++", ("shared", "whole")),
                (SRC + "_t[k >> 8]++", ("shared", "whole")),
                (SRC + "_t[hash_of(k)]++", ("shared", "whole")),
                (SRC + "uint8_t s = k; _t[s]++", ("shared", "whole")),
                (SRC + "take(k); _t[k]++", ("shared", "whole")),
                (SRC + "look(k); _t[k]++", ("packet-key", "src_addr4")),
                (SRC + "_t[k]++; _t[p->length()]++", ("shared", "whole")),
                (SRC + "if (k == 5) k = p->ip_header()->ip_dst.s_addr; _t[k]++", ("shared", "whole")),
                ("uint32_t k = 0; if (p->length()) k = p->ip_header()->ip_src.s_addr; _t[k]++",
                 ("shared", "whole")),
                ("_t[5]++", ("shared", "whole")),
                ("_t[((const click_ip *)p->data())->ip_src.s_addr]++", ("shared", "whole"))):
            self.assertEqual(self.action(body), {"_t": wanted}, body)

    def test_symmetric(self):
        made = self.element("HashTable<uint32_t, int> _t; Packet *simple_action(Packet *p) override {"
                            + SRC + "_t[k]++; _t.erase(p->ip_header()->ip_dst.s_addr); return p; }")
        self.assertEqual((made["maps"][0]["class"], made["maps"][0]["symmetric"]), ("packet-key", True))

    def test_flows(self):
        table = "HashTable<IPFlowID, int> _t;"
        self.assertEqual(self.action("_t[IPFlowID(p)]++", table)["_t"],
                         ("packet-key", "src_addr4.dst_addr4.src_port.dst_port"))
        for body in ("_t[IPFlowID(p).reverse()]++", "IPFlowID f(p); f.set(3); _t[f]++",
                     "IPFlowID f(p); f.x = 3; _t[f]++"):
            self.assertEqual(self.action(body, table)["_t"], ("shared", "whole"), body)

    def test_memory(self):
        """What a member held before is of another packet; of this CPU only; constant; not written."""
        table = "HashTable<uint32_t, int> _t; uint32_t _m; "
        made = self.action("_t[_m]++; _m = p->ip_header()->ip_src.s_addr", table)
        self.assertEqual(made["_t"], ("shared", "whole"))
        made = self.action("_m = p->ip_header()->ip_src.s_addr; _t[_m]++", table)
        self.assertEqual(made["_t"], ("packet-key", "src_addr4"))
        made = self.action("if (p->length()) _m = p->ip_header()->ip_src.s_addr; _t[_m]++", table)
        self.assertEqual(made["_t"], ("shared", "whole"))
        made = self.action("set(p); _t[_m]++", table + "void set(Packet *p) { _m = "
                           "p->ip_header()->ip_src.s_addr; }")
        self.assertEqual(made["_t"], ("shared", "whole"))
        self.assertEqual(self.action("_n->a++", "struct S { int a; }; per_thread<S> _n;"),
                         {"_n": ("per-cpu", "whole")})
        self.assertEqual(self.action("_n++", "int _n;"), {"members": ("const-key", "whole")})
        self.assertEqual(self.action("if (_n > 3) p->kill()", "int _n;"), {})
        self.assertEqual(self.action("_t.find(p->ip_header()->ip_src.s_addr)"), {})

    def test_packets(self):
        """A packet that was kept is not the one that is handled."""
        table = "HashTable<uint32_t, int> _t; Packet *_q; "
        made = self.action("Packet *q = _q; _q = p; _t[q->ip_header()->ip_src.s_addr]++", table)
        self.assertEqual(made["_t"], ("shared", "whole"))
        made = self.action("Packet *q = p->uniqueify(); _t[q->ip_header()->ip_src.s_addr]++", table)
        self.assertEqual(made["_t"], ("packet-key", "src_addr4"))

    def test_rewrites(self):
        def rewrites(body):
            made = self.element("Packet *simple_action(Packet *p) override { WritablePacket *q = "
                                "p->uniqueify(); %s; return q; }" % body)
            return [s["field"] for s in made["rewrites"]], made["rewrites_unknown"]
        self.assertEqual(rewrites("q->ip_header()->ip_dst.s_addr = 5"), (["dst_addr4"], False))
        self.assertEqual(rewrites("click_ip *ip = q->ip_header(); ip->ip_ttl--"), ([], False))
        self.assertEqual(rewrites("*(uint32_t *)(q->data() + 3) = 1"), ([], True))
        self.assertEqual(rewrites("q->data()[3] = 1"), ([], True))
        header = "click_ip *ip = (click_ip *)q->data(); "
        self.assertEqual(rewrites(header + "ip->ip_ttl = 3"), ([], False))
        self.assertEqual(rewrites(header + "ip->ip_src.s_addr = 3"), (["src_addr4"], False))
        self.assertEqual(rewrites("int *n = find(); *n = 1; } int *find(); void g() {"), ([], True))

    def test_functions(self):
        """Through methods, overridden ones, and templates that the element is made from."""
        base = """template <class S> class Base : public Element { public:
            virtual uint32_t key(Packet *) { return 0; } virtual void each(S *, Packet *) {}
            void push(int, Packet *p) override { S *s = &_t[key(p)]; each(s, p); }
            HashTable<uint32_t, S> _t; };
            struct State { int n; State *next; };"""
        text = ELEMENT.replace("public Element", "public Base<State>") % (base, (
            "uint32_t key(Packet *p) override; void each(State *s, Packet *) override { s->n++; }"),
            "uint32_t E::key(Packet *p) { return p->ip_header()->ip_src.s_addr; }")
        self.write("tree/elements/e.cc", text)
        made = [f for f in self.analyze("FromDevice(e) -> x :: E -> Discard") if f["name"] == "x"][0]
        self.assertEqual([(m["name"], m["class"], m["per_packet"], m.get("pointers"))
                          for m in made["maps"]], [("x _t", "packet-key", True, True)])
        self.assertEqual(made["maps"][0]["keys"][0]["text"], "src_addr4")
        self.assertTrue(any("e.cc:" in s for s in made["maps"][0]["keys"][0]["sites"]))

    def test_elsewhere(self):
        """A text that is not there may do anything."""
        made = self.maps("void push(int, Packet *) override; int _n;")
        self.assertEqual(made, {"state": ("shared", "whole")})
        made = self.action("more(p)", "void more(Packet *);")
        self.assertEqual(made, {"code elsewhere": ("shared", "whole")})

    def test_table(self):
        """What the sources leave open the table tells, if it knows the class; else it is not asked."""
        os.environ.pop("CLICK_TABLE")
        for body, wanted in (("void push(int, Packet *p) override { more(p); } void more(Packet *);",
                              "dst_addr4"),
                             ("HashTable<uint32_t, int> _t; void push(int, Packet *p) override {" +
                              SRC + "_t[k]++; }", "src_addr4")):
            self.write("tree/elements/e.cc", (ELEMENT % ("", body, "")).replace(
                '"E"', '"IPolicer"').replace("class E", "class IPolicer").replace("(E)", "(IPolicer)"))
            made = self.analyze("FromDevice(e) -> x :: IPolicer -> Discard")
            keys = [m["keys"][0]["text"] for f in made if f["name"] == "x" for m in f["maps"]]
            self.assertEqual(keys, [wanted], body)

    def test_entries(self):
        """What is in an entry may be changed, and the packet with it, by code that is not there."""
        before = "struct Kept { void add(Packet *); int n; int get() const; };"
        for call, packet, intensity in (("e.add(p)", True, True), ("e.n = 3", False, True),
                                        ("e.get()", False, False),
                                        ("_t.insert(k, e)", False, True)):
            made = self.element("HashTable<uint32_t, Kept> _t; Packet *simple_action(Packet *p) override {"
                                + SRC + "Kept *f = _t.find(k); if (!f) _t.insert(k, Kept()); "
                                "Kept &e = *f; %s; return p; }" % call, before=before)
            self.assertEqual((made["rewrites_unknown"], made["maps"][0]["per_packet"]),
                             (packet, intensity), call)

    def test_bad(self):
        """Folders that are not there, not configured, or are of something else; classes that are not there."""
        self.write("c.click", "FromDevice(e) -> E -> Discard")
        for folder, reason in (("none", "no sources of Click"), (self.dir, "no sources of Click")):
            os.environ["FASTCLICK"] = folder
            done = self.flowmage("analyze", "click:c.click")
            if "libclang" in done.stderr:
                self.skipTest("no libclang")
            self.refusal(done, "FASTCLICK", folder, reason)
        os.environ["FASTCLICK"] = self.path("tree")
        os.remove(self.path("tree/include/click/config.h"))
        self.refusal(self.flowmage("analyze", "click:c.click"), "not configured")
        self.write("tree/include/click/config.h", "")
        made = self.analyze("FromDevice(e) -> x :: Nobody -> Discard")
        self.assertEqual([f["class"] for f in made if f["name"] == "x"], ["shared"])
        self.write("tree/elements/e.cc", 'class E { const char *class_name() { return "E"; } /* broken')
        made = self.analyze("FromDevice(e) -> x :: E -> Discard")
        self.assertEqual([f["class"] for f in made if f["name"] == "x"], ["shared"])


@unittest.skipUnless(SOURCES, "FASTCLICK does not name a folder with FastClick's sources")
class FastClick(Sources):
    """Against click/labels, the table switched off."""

    def read_labels(self):
        labels = {}
        with open(LABELS, encoding="utf-8") as f:
            for line in f:
                if line.startswith(("paper ", "further ")):
                    group, name, *words = line.split()
                    labels[name] = (group, words)
        return labels

    def found(self, names):
        os.environ["FASTCLICK"] = SOURCES
        text = "FromDevice(e) -> Manager -> t :: Tee;\n" + "".join(
            "t [%d] -> x%d :: %s -> Discard;\n" % (i, i, n) for i, n in enumerate(names))
        return {f["hook"].split()[1]: f for f in self.analyze(text) if f["name"].startswith("x")}

    @staticmethod
    def keys(words):
        """Sets of fields; None: a key that no field can be told of."""
        tuple5 = set(fmcase.TUPLE4)
        made = []
        for word in words:
            if word.startswith("key="):
                key = word[4:]
                made.append(tuple5 if key == "flow" else None if key == "?" else
                            {NAMES.get(f, f) for f in key.split(".")})
        return made

    @staticmethod
    def fields(a_map):
        return {s["field"] for p in a_map["keys"][0]["parts"] for s in p.get("slices", ())}

    def test_labels(self):
        labels = self.read_labels()
        found = self.found(list(labels))
        right = {"state": 0, "key": 0, "intensity": 0, "pointer": 0}
        large, exact, stateful = [], 0, 0
        for name, (group, words) in labels.items():
            fn = found[name]
            keyed = [m for m in fn["maps"] if m["class"] == "packet-key"]
            wanted = self.keys(words)
            if group == "paper":
                right["state"] += bool(keyed) == bool(wanted)
                if wanted and keyed:
                    right["key"] += self.fields(keyed[0]) == wanted[0]
                    right["intensity"] += keyed[0]["per_packet"] == ("packet" in words)
                    right["pointer"] += keyed[0].get("pointers", False) == ("pointer" in words)
            allowed = [w for w in wanted if w]
            for a_map in keyed:
                both = self.fields(a_map)
                if not any(both <= w for w in allowed):
                    large.append((name, a_map["name"], sorted(both)))
            stateful += group == "further"
            exact += group == "further" and fn["complete"] and \
                [self.fields(m) for m in keyed] == allowed
        print("\nthe paper's 14: %s; further %d: %d with the labelled keys, %d keys too large" % (
            ", ".join("%s %d" % i for i in right.items()), stateful, exact, len(large)))
        self.assertEqual(large, [])
        self.assertEqual((right["state"], right["key"]), (14, 7))
        self.assertGreaterEqual(right["intensity"], 6)
        self.assertGreaterEqual(right["pointer"], 6)
        self.assertGreaterEqual(stateful, 10)


if __name__ == "__main__":
    unittest.main()
