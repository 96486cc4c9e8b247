"""What a verification has found, in words."""

from __future__ import annotations

from pillowtop.engine.comparing import Kind, Sight
from pillowtop.verification.verifier import Verdict


def difference_line(sight: Sight) -> str:
    """One difference in a line: what the database asks for, and what is there."""
    there = ", ".join(
        found.rev + (f" as {found.target_id!r}" if found.target_id != sight.doc_id else "")
        for found in sight.found
    )
    wanted = sight.wanted.rev if sight.wanted else ""
    words = {
        Kind.MISSING: f"{wanted} should be in the index, and nothing is",
        Kind.STALE: f"{wanted} should be in the index, and {there} is",
        Kind.ORPHANED: f"{wanted or 'nothing'} should be in the index, and {there} is",
    }
    kind = sight.difference
    return f"{kind} {sight.doc_id!r}: {words[kind]}" if kind else ""


def summary(verdict: Verdict, repaired: int, seconds: float) -> str:
    """All in some lines: whether both sides agree, and what was told apart."""
    parts = [
        f"{count} {word}"
        for count, word in (
            (verdict.missing, "missing"),
            (verdict.stale, "stale"),
            (verdict.orphaned, "orphaned"),
        )
        if count
    ]
    found = ", ".join(parts) if parts else "no difference"
    lines = [f"{verdict.pillow}: {verdict.compared} documents in {seconds:.1f} s: {found}"]
    if repaired:
        lines.append(f"{repaired} were repaired")
    if verdict.letters:
        lines.append(
            f"told apart: {verdict.letters} with dead letters (manage.py ptop_errors list "
            f"--pillow={verdict.pillow})"
        )
    if verdict.backlog:
        lines.append(
            f"told apart: {verdict.backlog} that the pillow has not delivered yet (manage.py "
            f"ptop_status {verdict.pillow})"
        )
    if verdict.moving:
        lines.append(
            f"told apart: {verdict.moving} that changed from one look to the next: look again "
            "later, or give more --wait"
        )
    if verdict.design_documents:
        lines.append(
            f"told apart: {verdict.design_documents} design documents, which the pillow skips"
        )
    if parts and not repaired:
        lines.append(f"to have it mended: manage.py ptop_verify {verdict.pillow} --repair")
    return "\n".join(lines)
