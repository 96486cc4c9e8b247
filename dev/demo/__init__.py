"""`make demo`: airports from CouchDB in two indices, changed, deleted, and compared.

The pillows are those of the example project, which is put on the path here.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "example"

if str(EXAMPLE) not in sys.path:
    sys.path.insert(0, str(EXAMPLE))
