#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The family as its specification tells it, asked with the kernel's ynl library.

usage: spec_test.py LINUX SPECIFICATION; run it in a kernel with LiteFlow, as root.
LINUX: the kernel's source tree.
"""

import errno
import os
import struct
import sys
import unittest

LINUX, SPEC = sys.argv[1:3] if len(sys.argv) > 2 else (None, None)
if not LINUX:
    sys.exit(__doc__)
sys.path.append(os.path.join(LINUX, "tools/net/ynl"))

# pylint: disable=import-error,wrong-import-position
from lib import NlError, YnlFamily

APP = "spec-test"


class Spec(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ynl = YnlFamily(SPEC, "")
        cls.ynl.do("app-add", {"name": APP, "n-in": 2, "n-out": 1, "units": "u"})
        cls.addClassCleanup(cls.ynl.do, "app-del", {"name": APP})

    def refused(self, ask, operation, attrs, error, bad=None, missing=None):
        """The errno, a text, and the attribute that is meant."""
        with self.assertRaises(NlError) as raised:
            ask(operation, attrs)
        msg = raised.exception.nl_msg
        self.assertEqual(errno.errorcode[-msg.error], errno.errorcode[error], msg)
        self.assertTrue(msg.extack and msg.extack.get("msg"), msg)
        if bad:
            self.assertEqual(msg.extack.get("bad-attr"), "." + bad, msg)
        if missing:
            self.assertEqual(msg.extack.get("miss-type"), missing, msg)

    def test_replies(self):
        """Nothing comes that is not promised; what is missing says so."""
        promised = {}
        for name, op in self.ynl.ops.items():
            for mode in ("do", "dump"):
                if mode in op.yaml and "reply" in op.yaml[mode]:
                    promised[name, mode] = set(op.yaml[mode]["reply"]["attributes"])
        app = self.ynl.do("app-get", {"name": APP})
        self.assertEqual(promised["app-get", "do"] - set(app), {"feature", "max-state"})
        self.assertFalse(set(app) - promised["app-get", "do"])
        for app in self.ynl.dump("app-get", {}):
            self.assertFalse(set(app) - promised["app-get", "dump"])
            self.assertFalse(promised["app-get", "dump"] - set(app) -
                             {"units", "user", "max-state"})
        for stats in self.ynl.dump("stats-get", {}):
            self.assertEqual(set(stats), promised["stats-get", "dump"])
        for model in self.ynl.dump("slot-get", {}):
            self.assertFalse(set(model) - promised["slot-get", "dump"])

    def test_missing(self):
        do, dump = self.ynl.do, self.ynl.dump
        self.refused(do, "app-get", {}, errno.EINVAL, missing="id")
        self.refused(do, "app-add", {"name": "x"}, errno.EINVAL, missing="n-in")
        self.refused(do, "app-add", {"n-in": 1, "n-out": 1}, errno.EINVAL, missing="name")
        self.refused(do, "model-activate", {"app-name": APP}, errno.EINVAL, missing="slot")
        self.refused(do, "model-begin", {"app-name": APP, "slot": 0}, errno.EINVAL,
                     missing="length")
        self.refused(do, "model-data", {}, errno.EINVAL, missing="offset")
        self.refused(do, "compiled-install", {"app-name": APP, "slot": 0}, errno.EINVAL,
                     missing="name")
        self.refused(do, "eval", {"app-name": APP, "slot": 0}, errno.EINVAL, missing="rows")
        self.refused(do, "collect-start", {}, errno.EINVAL, missing="app-id")
        # without a filter, a dump is of all
        self.assertTrue(dump("stats-get", {}))

    def test_surplus(self):
        """Attributes of the set that the operation does not take."""
        do, dump = self.ynl.do, self.ynl.dump
        self.refused(do, "app-get", {"name": APP, "n-in": 1}, errno.EINVAL, bad="n-in")
        self.refused(do, "app-del", {"name": APP, "units": "u"}, errno.EINVAL, bad="units")
        self.refused(do, "model-commit", {"slot": 1}, errno.EINVAL, bad="slot")
        self.refused(do, "collect-stop", {"every": 1}, errno.EINVAL, bad="every")
        self.refused(do, "eval", {"app-name": APP, "outputs": b"0000"}, errno.EINVAL,
                     bad="outputs")
        self.refused(dump, "app-get", {"name": APP}, errno.EINVAL)
        self.refused(dump, "slot-get", {"app-name": APP, "slot": 1}, errno.EINVAL)
        self.refused(dump, "stats-get", {"app-name": APP, "queries": 1}, errno.EINVAL)

    def test_range(self):
        do = self.ynl.do
        self.refused(do, "app-get", {"id": 0}, errno.ERANGE, bad="id")
        self.refused(do, "app-get", {"id": 65536}, errno.ERANGE, bad="id")
        self.refused(do, "app-get", {"name": "n" * 32}, errno.EINVAL, bad="name")
        self.refused(do, "app-set", {"name": APP, "sample-shift": 31}, errno.ERANGE,
                     bad="sample-shift")
        self.refused(do, "app-add", {"name": "x", "n-in": 1025, "n-out": 1}, errno.ERANGE,
                     bad="n-in")
        self.refused(do, "app-add", {"name": "x", "n-in": 1, "n-out": 1, "capability": 1},
                     errno.EINVAL, bad="capability")
        self.refused(do, "model-activate", {"app-name": APP, "slot": 7}, errno.EINVAL,
                     bad="slot")
        self.refused(do, "collect-start", {"app-name": APP, "every": 3}, errno.EINVAL,
                     bad="every")
        self.refused(do, "eval", {"app-name": APP, "slot": 0, "rows": 2, "inputs":
                                  struct.pack("i", 1)}, errno.EINVAL, bad="inputs")
        # the app keeps no state, so a version is all that a sequence can go on with
        self.refused(do, "eval", {"app-name": APP, "slot": 0, "rows": 1, "inputs":
                                  struct.pack("2i", 1, 2), "state": bytes(8)}, errno.EINVAL,
                     bad="state")

    def test_nothing_matches(self):
        do, dump = self.ynl.do, self.ynl.dump
        self.refused(do, "app-get", {"name": "nobody"}, errno.ENOENT, bad="name")
        self.refused(do, "app-get", {"id": 65535}, errno.ENOENT, bad="id")
        self.refused(dump, "slot-get", {"app-name": "nobody"}, errno.ENOENT)
        self.refused(dump, "stats-get", {"app-id": 65535}, errno.ENOENT)
        self.assertEqual(dump("slot-get", {"app-name": APP}), [])

    def test_digits(self):
        self.refused(self.ynl.do, "app-add", {"name": "42", "n-in": 1, "n-out": 1},
                     errno.EINVAL)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
