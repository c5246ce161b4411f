# SPDX-License-Identifier: GPL-2.0
"""Recurrent networks that emulate links: data, cells, training, figures. See docs/lemu.md."""
