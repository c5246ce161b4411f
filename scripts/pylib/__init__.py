# SPDX-License-Identifier: GPL-2.0
"""What the Python programs of this repository share.

A folder with programs has a symbolic link to this package, so that they find
it wherever they are started from and nobody changes sys.path.
"""
