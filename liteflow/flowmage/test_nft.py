#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What flowmage analyze says of nftables' rules, in the form that nft 1.0.6 prints."""
import json
import os
import shutil
import subprocess
import unittest

import fmcase

RULES = """
table inet fw {
  set scanners { type ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 60s; }
  set block { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }
  set seen6 { type ipv6_addr; size 65535; flags dynamic; }
  set slow { type ipv4_addr; limit rate 9/second; elements = { 10.0.0.9 } }
  map servers { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.2 } }
  chain in {
    type filter hook prerouting priority 0; policy accept;
    ip saddr @block drop
    ip daddr @slow counter
    tcp dport 22 meter ssh { ip saddr limit rate over 10/minute } drop
    tcp flags syn add @scanners { ip saddr . tcp dport }
    update @scanners { ip saddr & 255.255.255.0 . tcp dport timeout 10s counter }
    update @seen6 { ip6 saddr limit rate 5/second }
    udp dport 53 limit rate 100/second accept
    ip daddr 10.1.1.1 quota over 10 mbytes drop
  }
}
table ip conns {
  chain in { type filter hook prerouting priority 0; ct state established accept; }
}
"""


def rule(number, *expr, chain="in", table="fw", family="inet"):
    return {"rule": {"family": family, "table": table, "chain": chain, "handle": number,
                     "expr": list(expr)}}


def ruleset(*items, table="fw", family="inet"):
    return {"nftables": [{"metainfo": {"json_schema_version": 1}},
                         {"table": {"family": family, "name": table, "handle": 1}}, *items]}


def field(protocol, name):
    return {"payload": {"protocol": protocol, "field": name}}


SRC, DPORT = field("ip", "saddr"), field("tcp", "dport")


class Nft(fmcase.Flowmage):
    def analyze(self, rules, *args):
        done = self.flowmage("analyze", "--json", "nft:" + self.write("rules.json", rules), *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def maps(self, *items, **where):
        made = self.analyze(ruleset(*items, **where))
        self.assertEqual(len(made), 1)
        return {m["name"]: m for m in made[0]["maps"]}, made[0]

    def fields(self, a_map):
        """Of each key the fields in order."""
        return {tuple(s["field"] for p in k["parts"] for s in p.get("slices", ()))
                for k in a_map["keys"]}

    def test_sets(self):
        """Written or not follows from the rules; "update" and limits are per packet."""
        maps, _ = self.maps(
            {"set": {"family": "inet", "name": "s", "table": "fw", "type": "ipv4_addr"}},
            rule(1, {"match": {"op": "==", "left": SRC, "right": "@r"}}, {"drop": None}),
            rule(2, {"set": {"op": "add", "elem": {"concat": [SRC, DPORT]}, "set": "@s"}}),
            rule(3, {"set": {"op": "update", "elem": SRC, "set": "@u"}}),
            rule(4, {"set": {"op": "add", "elem": SRC, "set": "@l",
                             "stmt": [{"limit": {"rate": 1, "per": "second"}}]}}),
            rule(5, {"meter": {"key": field("ip6", "daddr"), "name": "m",
                               "stmt": {"limit": {"rate": 1, "per": "second"}}}}))
        self.assertEqual({n[8:]: (m["class"], m["per_packet"]) for n, m in maps.items()},
                         {"r": ("read-only", False), "s": ("packet-key", False),
                          "u": ("packet-key", True), "l": ("packet-key", True),
                          "m": ("packet-key", True)})
        self.assertEqual(self.fields(maps["inet fw s"]), {("src_addr4", "dst_port")})
        key = maps["inet fw s"]["keys"][0]
        self.assertEqual((key["ethertype"], key["protocol"], key["fragments"]), (0x800, 6, True))
        self.assertEqual(self.fields(maps["inet fw m"]), {("dst_addr6",)})

    def test_limits_in_sets(self):
        """A look-up in a set whose elements have limits writes."""
        for limited in ({"stmt": [{"limit": {"rate": 9, "per": "second"}}], "elem": ["10.0.0.9"]},
                        {"elem": [{"elem": {"val": "10.0.0.9", "quota": {"val": 9}}}]}):
            maps, _ = self.maps({"set": {"family": "inet", "name": "s", "table": "fw",
                                         "type": "ipv4_addr", **limited}},
                                rule(1, {"match": {"op": "==", "left": SRC, "right": "@s"}}))
            self.assertEqual((maps["inet fw s"]["class"], maps["inet fw s"]["per_packet"]),
                             ("packet-key", True))

    def test_masks(self):
        maps, _ = self.maps(rule(1, {"set": {"op": "add", "set": "@s", "elem": {
            "elem": {"val": {"&": [SRC, "255.255.0.0"]}, "timeout": 9}}}}))
        part = maps["inet fw s"]["keys"][0]["parts"][0]
        self.assertEqual(part["slices"][0]["mask"], "ffff0000")

    def test_not_understood(self):
        """A hash, a mark, the transport header of any protocol: never a field."""
        for elem in ({"jhash": {"mod": 9, "expr": SRC}}, {"meta": {"key": "mark"}},
                     {"^": [SRC, 5]}, field("th", "dport"), {"ct": {"key": "mark"}},
                     {"payload": {"base": "nh", "offset": 96, "len": 32}}):
            maps, _ = self.maps(rule(1, {"set": {"op": "add", "elem": elem, "set": "@s"}}))
            self.assertEqual(maps["inet fw s"]["class"], "shared")
        _, made = self.maps(rule(7, {"xt": {"type": "match", "name": "hashlimit"}}))
        self.assertFalse(made["complete"])
        self.assertEqual(made["reasons"], ['inet fw, chain in, rule 7: "xt" is not known'])

    def test_constant(self):
        """Limits and quotas of rules are one for all packets; counters are per CPU."""
        maps, _ = self.maps(rule(1, {"limit": {"rate": 1, "per": "second"}}),
                            rule(2, {"quota": "q"}), rule(3, {"quota": "q"}),
                            rule(4, {"counter": {"packets": 0, "bytes": 0}}), rule(5, {
                                "ct count": {"val": 20, "inv": True}}))
        self.assertEqual({n: m["class"] for n, m in maps.items() if n != "conntrack"},
                         {"limit of inet fw, chain in, rule 1": "const-key",
                          "quota q": "const-key",
                          "ct count of inet fw, chain in, rule 5": "const-key"})

    def test_connections(self):
        state = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}
        maps, _ = self.maps(rule(1, state, family="ip"), family="ip")
        self.assertEqual(maps["conntrack"]["class"], "packet-key")
        self.assertEqual(self.fields(maps["conntrack"]), {
            ("src_addr4", "dst_addr4", "src_port", "dst_port", "protocol"),
            ("dst_addr4", "src_addr4", "dst_port", "src_port", "protocol"),
            ("src_addr4", "dst_addr4", "protocol"), ("dst_addr4", "src_addr4", "protocol")})
        maps, _ = self.maps(rule(1, {"masquerade": None}, family="ip"), family="ip")
        self.assertEqual(maps["conntrack"]["class"], "shared")

    def test_rewritten(self):
        _, made = self.maps(rule(1, {"mangle": {"key": field("ip", "daddr"), "value": "10.0.0.1"}}))
        self.assertEqual([s["field"] for s in made["rewrites"]], ["dst_addr4"])

    def test_solved(self):
        """From rules to a key, with fragments, and an IPv6 family beside."""
        rules = ruleset(rule(1, {"set": {"op": "update", "elem": SRC, "set": "@s"}}),
                        rule(2, {"set": {"op": "update", "elem": {"concat": [SRC, DPORT]},
                                         "set": "@t"}}))
        self.write("d.json", fmcase.device())
        done = self.flowmage("solve", "--json", "-d", "eth0=d.json",
                             "nft:" + self.write("rules.json", rules))
        plan = json.loads(done.stdout)
        self.assertEqual((plan["way"], [f["path"] for f in plan["files"]]),
                         ("key", [self.path("rules.json")]))
        foreign, seen, queues = self.foreign({"eth0": [("src_addr4",)]}, (
            ("eth0", self.rss(plan, "eth0"), p) for p in fmcase.packets(self.rng, 1000, pool=40)))
        self.assertEqual((foreign, seen, len(queues)), (0, 1000, 4))

    def test_as_printed(self):
        """By nft itself, where it is installed and may work in a namespace."""
        path = os.environ["PATH"] + ":/usr/sbin"
        if not shutil.which("nft", path=path):
            self.skipTest("no nft")
        self.write("rules.nft", RULES)
        done = subprocess.run(["unshare", "-Urn", "sh", "-c",
                               "nft -f rules.nft && nft -j list ruleset"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self.dir,
                              env={**os.environ, "PATH": path}, check=False)
        if done.returncode:
            self.skipTest("nft: " + done.stderr.splitlines()[-1])
        fw, conns = self.analyze(json.loads(done.stdout))
        self.assertTrue(fw["complete"] and conns["complete"])
        self.assertEqual({m["name"]: (m["class"], m["per_packet"]) for m in fw["maps"]}, {
            "inet fw block": ("read-only", False), "inet fw slow": ("packet-key", True),
            "inet fw ssh": ("packet-key", True), "inet fw scanners": ("packet-key", True),
            "inet fw seen6": ("packet-key", True),
            **{m["name"]: ("const-key", True) for m in fw["maps"] if " of " in m["name"]}})
        self.assertEqual(sum(" of " in m["name"] for m in fw["maps"]), 2)
        self.assertEqual([m["name"] for m in conns["maps"]], ["conntrack"])

    def test_bad(self):
        for text, reason in (("{}", 'no list "nftables"'), ("[]", "no JSON object"), ("", "empty"),
                             ('{"nftables": []}', "no table in it"),
                             ('{"nftables": 1}', 'no list "nftables"')):
            self.write("rules.json", text)
            self.refusal(self.flowmage("analyze", "nft:rules.json"), "rules.json", reason)
        self.refusal(self.flowmage("analyze", "nft:none.json"), "none.json", "No such file")
        made = self.analyze(ruleset({"rule": {"family": "inet", "table": "fw", "expr": [7]}},
                                    {"rule": {"family": "inet", "table": "fw"}}, 7, None))
        self.assertFalse(made[0]["complete"])


if __name__ == "__main__":
    unittest.main()
