"""What comes from outside, as hypothesis makes it."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import strategies as st

from dev.fuzz.examples import TOKENS
from pillowtop.exceptions import PillowtopError

HUGE = (2**31, 2**63, -(2**63) - 1, 2**70, 10**400)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(HUGE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "\0", "\u2028", "\ud800", "now", "9" * 5000, "x" * 300])
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)


@st.composite
def mutated(draw, bodies):
    """One of the bodies, with up to five of its places cut out, filled or put in their stead."""
    body = draw(st.sampled_from(bodies))
    fillings = st.just(b"") | st.sampled_from(TOKENS) | st.binary(max_size=4)
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.just(0) | st.integers(0, 60))
        body = body[:start] + draw(fillings) + body[end:]
    return body


@st.composite
def cut(draw, bodies):
    """The blocks of a body, cut anywhere."""
    body = draw(bodies)
    points = draw(st.lists(st.integers(0, len(body)), max_size=8))
    return [body[start:end] for start, end in pairwise([0, *sorted(points), len(body)])]


def nested(depth, inner="1"):
    """JSON that is nested so deep."""
    return "[" * depth + inner + "]" * depth


def objects(keys, values=json_values):
    """JSON objects as text, in which keys may be missing, stand twice, and have any value."""
    pairs = st.tuples(st.sampled_from(keys), values.map(json.dumps))
    return st.lists(pairs, max_size=len(keys) + 1).map(
        lambda found: f"{{{','.join(f'{json.dumps(key)}:{value}' for key, value in found)}}}"
    )


def attempted(function, *args):
    """What a function returns, and the error of ours that it raises; any other is raised on."""
    try:
        return function(*args), None
    except PillowtopError as error:
        return None, error
