"""`make reindex-demo`: a pillow moves to a new index while there are writers and a reader.

The pillow is the example's, in two releases: see pillows.py. What a reader has to find is said in
journal.py. `dev.demo` puts the example on the path.
"""

from __future__ import annotations

from dev.demo import ROOT

__all__ = ["ROOT"]
