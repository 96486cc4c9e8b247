"""What `django-pillowtop[stats]` brings, and may be missing."""

from __future__ import annotations

from importlib.util import find_spec

MODULES = ("datasketches", "ninja", "numpy", "pygal")


def missing() -> str:
    """What is missing, and what to do; empty where nothing is."""
    names = [name for name in MODULES if find_spec(name) is None]
    if not names:
        return ""
    return (
        f"pillowtop.stats needs what is not installed here ({', '.join(names)}): "
        "pip install 'django-pillowtop[stats]'"
    )
