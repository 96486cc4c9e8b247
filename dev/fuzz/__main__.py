"""python -m dev.fuzz: feeds the parser of `_changes` what a coverage-guided fuzzer makes of it.

Exits 0 only where each rule of dev/fuzz/rules.py held. What broke one is kept in build/fuzz/, and
is tried once more by `python -m dev.fuzz FILE`. docs/reliability.md says more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dev.fuzz import ROOT

MISCONFIGURED = 3
MAX_BYTES = 8192
HANGS_AFTER_SECONDS = 10


def main() -> int:
    arguments = parse_arguments()
    if arguments.file:
        from dev.fuzz.cases import Case  # noqa: PLC0415  (what is fuzzed is to be imported below)

        Case.read(arguments.file.read_bytes()).check()
        return 0
    try:
        fuzz(arguments)
    except ModuleNotFoundError as error:
        if error.name != "atheris":
            raise
        print("atheris is missing: make fuzz installs it, or pip install --group fuzz")
        return MISCONFIGURED
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", type=Path, help="try only what is in this file")
    parser.add_argument("--seconds", type=int, default=60, help="for how long (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="decides what is drawn (default: any)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "fuzz", help="of what was found"
    )
    return parser.parse_args()


def fuzz(arguments: argparse.Namespace) -> None:
    """Ends the process itself. What earlier runs found new is where this one goes on."""
    import atheris  # noqa: PLC0415  (in a dependency group of its own)

    with atheris.instrument_imports(include=["pillowtop.feeds.couch_lines"]):
        from dev.fuzz.cases import Case, dictionary, seeds  # noqa: PLC0415

    folder = arguments.folder.resolve()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    (folder / "tokens").write_text(dictionary())
    options = {
        "artifact_prefix": f"{folder}/",
        "dict": folder / "tokens",
        "max_len": MAX_BYTES,
        "max_total_time": arguments.seconds,
        "seed": arguments.seed,
        "timeout": HANGS_AFTER_SECONDS,
    }
    atheris.Setup(
        [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)],
        lambda data: Case.read(data).check(),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
