"""What is wrong with a pillow, judged by its figures, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pillowtop.engine.figures import Snapshot, Waiting

SILENT_SECONDS = 8.0
"""Workers report every two seconds: one that has not for so long does not live, or cannot."""

FAILURE_SECONDS = 1.0
SLOW_SECONDS = 60.0
CRASH_LOOP = 3
JUST_NOW_SECONDS = 120.0
START = "start it: manage.py run_ptop --all"
MEND = (
    "mend that, then start run_ptop again (but a ptop_checkpoint is obeyed within seconds where a "
    "worker still runs)"
)
ENDED = ("done",)
STOPPED = ("halted", "lease_lost")
"""Until somebody acts, even where the process ends with it."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong and what to do about it, in words; `kind` is for programs.

    Of the kinds, `letters` and `reindex` keep no change from being delivered.
    """

    kind: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.what}: {self.do}"


class Health(msgspec.Struct, frozen=True):
    """A pillow, its figures (None where it never reported), their age, and what is wrong."""

    pillow: str
    figures: Snapshot | None
    age_seconds: float | None
    problems: list[Problem]


class Status(msgspec.Struct, frozen=True):
    """All there is to say: `problems` are those of no single pillow."""

    healthy: bool
    problems: list[Problem]
    pillows: list[Health]

    @classmethod
    def of(cls, pillows: Iterable[Health]) -> Status:
        found = list(pillows)
        return cls(not any(one.problems for one in found), [], found)

    @classmethod
    def unknown(cls, problem: Problem) -> Status:
        return cls(False, [problem], [])


def judge(
    pillow: str, figures: Snapshot | None, age_seconds: float, index: str | None = None
) -> Health:
    """What there is to say of a pillow whose latest report is so old.

    `index` is the one that it should write to, where that is known.
    """
    if figures is None:
        return Health(pillow, None, None, [_never_reported()])
    found = list(problems(figures, age_seconds))
    if index and figures.index not in ("", index):
        found.append(_needs_reindex(figures, index))
    return Health(pillow, figures, age_seconds, found)


def is_silent(figures: Snapshot, age_seconds: float) -> bool:
    """Whether a worker that has not ended reports no more: what it said was true then."""
    return age_seconds > SILENT_SECONDS and figures.state not in ENDED


def problems(figures: Snapshot, age_seconds: float) -> Iterator[Problem]:
    """What is wrong, the worst first."""
    if figures.state in STOPPED:
        yield Problem("stopped", figures.reason, MEND)
    if is_silent(figures, age_seconds) or figures.state in ENDED:
        yield _silent(figures, age_seconds)
    else:
        yield from _problems_of_state(figures)
        if figures.provisional and figures.state == "running":
            yield Problem(
                "reindex",
                "ptop_reindex run has moved it to another index, and runs it until run_ptop does",
                "start run_ptop of this release in place of the one before",
            )
        yield from map(_waiting, filter(_is_worth_a_word, figures.waiting))
        yield from _slowness(figures)
    if figures.dead_letters:
        yield _letters(figures.pillow, figures.dead_letters)


def keeps_from_working(found: list[Problem]) -> list[Problem]:
    """Those of the problems for which changes are not delivered."""
    return [one for one in found if one.kind not in ("letters", "reindex")]


def _never_reported() -> Problem:
    return Problem(
        "unreported",
        "no worker has ever reported (of this version of pillowtop, at least)",
        f"{START}, with PILLOWTOP['DATABASE'] as it is here",
    )


def _needs_reindex(figures: Snapshot, index: str) -> Problem:
    return Problem(
        "reindex",
        f"the worker writes to {figures.index}, and mapping, settings and index_version as they "
        f"are here ask for {index}",
        f"manage.py ptop_reindex run {figures.pillow} builds it, and puts it in its place",
    )


def _silent(figures: Snapshot, age_seconds: float) -> Problem:
    if figures.state in ENDED:
        return Problem(
            "unreported",
            f"no worker runs it: the last one ({figures.process}) has ended as it should, "
            f"{duration(age_seconds)} ago",
            START,
        )
    return Problem(
        "unreported",
        f"no worker reports: the last one ({figures.process}) did {duration(age_seconds)} ago",
        f"see whether it still runs, and what its log says last, or {START}",
    )


def _problems_of_state(figures: Snapshot) -> Iterator[Problem]:
    state, reason = figures.state, figures.reason
    if state == "needs_reindex":
        yield Problem(
            "stopped", reason, "until then the release before keeps its index in step, if it runs"
        )
    elif state == "standby":
        yield Problem("stopped", reason, "mend that, and it goes on by itself")
    last = figures.last_crash
    if last and (last.seconds_ago < JUST_NOW_SECONDS or figures.recent_crashes >= CRASH_LOOP):
        yield Problem(
            "crashed",
            f"crashed {times(figures.recent_crashes)} in the last 10 minutes, last: {last.what}",
            "see its log (crashed, stalled), and mend the pillow; it starts again by itself",
        )


def _is_worth_a_word(waiting: Waiting) -> bool:
    return waiting.kind != "failure" or waiting.seconds >= FAILURE_SECONDS


def _waiting(waiting: Waiting) -> Problem:
    return Problem(
        "waiting",
        f"has waited for {duration(waiting.seconds)}: {waiting.what}",
        "see that it runs, is well, and can be reached from the worker's host; the pillow goes on "
        "by itself then",
    )


def _slowness(figures: Snapshot) -> Iterator[Problem]:
    if figures.waiting:
        return
    if figures.batch_age_seconds > SLOW_SECONDS:
        yield Problem(
            "slow",
            f"a batch has been under way for {duration(figures.batch_age_seconds)}",
            "see what its hooks do, or give it smaller batches (PILLOWTOP['BATCH_DOCUMENTS'])",
        )
    if figures.unsaved_seconds > SLOW_SECONDS:
        yield Problem(
            "unsaved",
            f"the checkpoint has not been saved for {duration(figures.unsaved_seconds)}",
            "see its log; what was delivered since would be delivered again after a restart",
        )


def _letters(pillow: str, count: int) -> Problem:
    return Problem(
        "letters",
        f"{count} dead letter{'' if count == 1 else 's'}",
        f"see why with manage.py ptop_errors list --pillow={pillow}; what is mended is tried again "
        "at once with ptop_errors retry",
    )


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `3 min`, `2 h`, `5 days`."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
