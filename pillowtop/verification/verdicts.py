"""What a verification has found, in words."""

from __future__ import annotations

from pillowtop.engine.comparing import Kind, Sight, Standing
from pillowtop.engine.items import HERE
from pillowtop.verification.verifier import Verdict


def difference_line(sight: Sight) -> str:
    """One difference in a line: what the database asks for, and what is there."""
    there = ", ".join(map(_shown, sight.found))
    wanted = sight.wanted.rev if sight.wanted else ""
    should = f"should be {sight.wanted.place if sight.wanted else HERE}"
    words = {
        Kind.MISSING: f"{wanted} {should}, and nothing is",
        Kind.STALE: f"{wanted} {should}, and {there} is",
        Kind.ORPHANED: f"{wanted or 'nothing'} {should}, and {there} is",
    }
    kind = sight.difference
    return f"{kind} {sight.doc_id!r}: {words[kind]}" if kind else ""


def _shown(found: Standing) -> str:
    name = f" as {found.target_id!r}" if found.target_id != found.doc_id else ""
    place = f" {found.place}" if found.place != HERE else ""
    return f"{found.rev}{name}{place}"


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
    if verdict.ignored:
        lines.append(
            f"told apart: {verdict.ignored} on which a hook fails, as on_error is 'ignore'"
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
