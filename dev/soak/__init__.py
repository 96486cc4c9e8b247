"""`make soak`: hours of writing while worker and servers are killed, and exact comparisons.

The pillows and their data are those of the example project, which `dev.demo` puts on the path.
"""

from __future__ import annotations

from dev.demo import EXAMPLE, ROOT

__all__ = ["EXAMPLE", "ROOT"]
