from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from pillowtop.worker.processes import has_died, this_process

ME = this_process()


def test_this_process_lives():
    assert not has_died(ME, ME.machine)


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_one_that_has_ended_is_dead_even_before_anybody_has_waited_for_it(how):
    code = (
        "from pillowtop.worker.processes import this_process; import msgspec, sys;"
        "print(msgspec.json.encode(this_process()).decode(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        holder = msgspec.json.decode(child.stdout.readline(), type=type(ME))
        assert not has_died(holder, ME.machine)
        getattr(child, how)()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_died(holder, ME.machine)
    assert has_died(holder, ME.machine)


def test_a_number_that_is_another_processs_by_now():
    assert has_died(msgspec.structs.replace(ME, born=ME.born - 1), ME.machine)


def test_of_other_machines_nothing_is_known():
    assert not has_died(msgspec.structs.replace(ME, machine="other", born=0), ME.machine)
    assert not has_died(msgspec.structs.replace(ME, machine="", born=0), "")
