"""Settings of any value: a `ConfigurationError`, or a check, that names what is wrong."""

from __future__ import annotations

import decimal

from django.test.utils import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop import registry
from pillowtop.checks import check_configuration
from pillowtop.conf import KEYS, configuration
from pillowtop.exceptions import ConfigurationError
from pillowtop.feeds.http_stream import build_request
from pillowtop.listener import AliasedElasticPillow, NetworkListener, SQLPillow
from tests.fuzzing import attempted
from tests.test_checks import SERVERS, LogPillow, OrderPillow


class RowPillow(SQLPillow):
    couch_db = "orders"

    def process_sql(self, document, delete=False):
        pass


CLASSES = [f"{__name__}.{kind.__name__}" for kind in (OrderPillow, LogPillow, RowPillow)]
PATHS = [
    *CLASSES,
    "",
    ".",
    ".a",
    "a.",
    "..a",
    "a..b",
    "os.path",
    "a\0.b",
    "\ud800.a",
    "x y.z",
    "nope",
]
URLS = [
    "http://couch:5984",
    "http://\ud800",
    "http://h\u2192st",
    "http://host/\u2192",
    "http://ho st/",
    "http://[::1",
    "http://host:99999",
    "https://ann:\ud800@host",
]

keys = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=10)
    | st.sampled_from(["\ud800", "\0", "x" * 300]) | st.binary(max_size=3)
)  # fmt: skip
objects = st.sampled_from([object(), int, decimal.Decimal("NaN"), 10**400, {1}, len, b"x", ...])
values = st.recursive(
    keys | st.floats() | objects | st.sampled_from(PATHS) | st.sampled_from(URLS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.tuples(inner)
    ),
    max_leaves=6,
)
ATTRIBUTES = sorted(
    {
        name
        for kind in (AliasedElasticPillow, NetworkListener)
        for name in dir(kind)
        if name[0] != "_"
    }
)
entries = st.fixed_dictionaries(
    {"class": st.sampled_from(PATHS) | values},
    optional={
        "name": values,
        "options": st.dictionaries(st.sampled_from(ATTRIBUTES) | keys, values, max_size=2) | values,
        "more": values,
    },
)
lists = st.lists(st.sampled_from(PATHS) | entries | values, max_size=3)
pillowtops = lists | st.dictionaries(keys, lists | values, max_size=2) | values
pillowtop = st.dictionaries(st.sampled_from(KEYS) | keys, values, max_size=3) | values


def complaints(**changed):
    with override_settings(**changed):
        return [str(message) for message in check_configuration(None)]


def make_pillows():
    for entry in registry.entries():
        entry.name.encode()
        entry.group.encode()
        entry.pillow()


def make_requests():
    tuned = configuration()
    for endpoint in (tuned.couchdb, tuned.elasticsearch):
        build_request("GET", endpoint, "/", endpoint.authorization())


@given(pillowtops)
@settings(deadline=None, max_examples=100)
def test_pillowtops_of_any_value(setting):
    said = complaints(PILLOWTOPS=setting, PILLOWTOP=SERVERS)
    with override_settings(PILLOWTOPS=setting, PILLOWTOP=SERVERS):
        _, error = attempted(make_pillows)
    if error:
        assert isinstance(error, ConfigurationError)
        assert str(error)
        assert said


@given(pillowtop)
@settings(deadline=None, max_examples=100)
def test_pillowtop_of_any_value(setting):
    said = complaints(PILLOWTOPS=CLASSES, PILLOWTOP=setting)
    with override_settings(PILLOWTOP=setting):
        _, error = attempted(make_requests)
    if error:
        assert isinstance(error, ConfigurationError)
        assert str(error)
        assert said


@given(st.sampled_from(CLASSES), st.dictionaries(st.sampled_from(ATTRIBUTES), values, max_size=2))
@settings(deadline=None, max_examples=100)
def test_options_of_any_value(path, options):
    said = complaints(PILLOWTOPS=[{"class": path, "options": options}], PILLOWTOP=SERVERS)
    if said:
        return
    with override_settings(PILLOWTOPS=[{"class": path, "options": options}], PILLOWTOP=SERVERS):
        (entry,) = registry.entries()
        pillow = entry.pillow()
        pillow.get_feed()
        pillow.get_transport()
