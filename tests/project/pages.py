"""The documentation, as far as tests read it: headings, tables, links."""

from __future__ import annotations

import re
from pathlib import Path

from tests.project.source import ROOT

DOCS = ROOT / "docs"


def rows(page: str, heading: str = "") -> dict[str, list[str]]:
    """The rows of all tables below a heading (to the next of its level), by what the first cell
    has in backticks, up to a bracket. The other cells are as they stand."""
    text = (DOCS / page).read_text()
    if heading:
        level = heading.split(" ", 1)[0]
        text = text.partition(f"\n{heading}\n")[2]
        assert text, f"{page} has no heading {heading!r}"
        text = text.partition(f"\n{level} ")[0]
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("|") and (name := re.match(r"`([^`(]+)", cells[0])):
            assert name[1] not in found, f"{page} documents {name[1]} twice"
            found[name[1]] = cells[1:]
    return found


def names(page: str, heading: str = "") -> set[str]:
    return set(rows(page, heading))


def links(path: Path) -> list[str]:
    """The targets of a page's links, those to other sites left out."""
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    return [target for target in targets if "://" not in target]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    }


def pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
