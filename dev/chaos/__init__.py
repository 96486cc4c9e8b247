"""`make chaos`: short runs, each with faults that a seed chooses, each compared to the end.

The pillows and their data are those of the example project; servers, worker and writers are real,
and a proxy between them does the harm that servers cannot be asked for.
"""

from __future__ import annotations

from dev.demo import EXAMPLE, ROOT

__all__ = ["EXAMPLE", "ROOT"]
