"""Messages as they may be, and the rows that plugins make of them."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from pillowtop.stats.plugins import Message
from pillowtop.stats.states import begun, dumped

LETTERS = "abc(é\0\ud800…"

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.integers(),
        st.sampled_from([10**400, -(10**400), 2**63, 10**300, 1e300, -0.0, 1.0, 2.5, 1e-300]),
        st.floats(),
        st.text(LETTERS, max_size=4),
        st.sampled_from(["a", "b", "c", "", "(none)", "x\0y", "\ud800", "é" * 300, "z" * 300]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("fgx"), inner, max_size=2)
    ),
    max_leaves=4,
)


def message(number=0, time=None, **fields):
    made = Message({"_id": f"m{number}", **fields})
    made.time = number * 1_000_000 if time is None else time
    made.identity = (number * 0x9E3779B97F4A7C15 + 1) % 2**64
    return made


@st.composite
def messages(draw, values=JSON, max_size=40):
    """Some, whose field `f`, `g` or `o.f` holds anything, or nothing."""
    found = draw(
        st.lists(
            st.tuples(
                st.fixed_dictionaries(
                    {},
                    optional={"f": values, "g": values, "o": st.fixed_dictionaries({"f": values})},
                ),
                st.integers(0, 5),
            ),
            max_size=max_size,
        )
    )
    return [message(number, time, **fields) for number, (fields, time) in enumerate(found)]


def shown(rows):
    """Rows as values."""
    return [
        {
            field.attname: getattr(row, field.attname)
            for field in row._meta.concrete_fields
            if field.attname not in ("id", "statistic", "timestamp")
        }
        for row in rows
    ]


def restarted(plugin):
    """The plugin of another process, which takes up what this one has saved."""
    return begun(type(plugin), dumped(plugin))


def rows_of(kind, messages):
    """Of all messages at once."""
    plugin = begun(kind)
    plugin.process_all(messages)
    return shown(plugin.update())


def rows_at_random(kind, messages, seed):
    """Of the same messages in some order and some batches, with restarts and looks in between."""
    chance = random.Random(seed)
    left = chance.sample(messages, len(messages))
    plugin = begun(kind)
    while left:
        size = chance.choice([1, 1, 2, 5, len(left)])
        batch, left = left[:size], left[size:]
        if size == 1 and chance.random() < 0.5:
            plugin.process(batch[0])
        else:
            plugin.process_all(batch)
        if chance.random() < 0.3:
            plugin.update()
        if chance.random() < 0.3:
            plugin = restarted(plugin)
    return shown(plugin.update())


def derived(kind, **options):
    return type(kind.__name__, (kind,), {**options, "__module__": __name__})
