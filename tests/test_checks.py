"""One test for each check id."""

from __future__ import annotations

import pytest

from pillowtop.checks import check_configuration
from pillowtop.feeds.recorded import RecordedFeed
from pillowtop.listener import (
    AliasedElasticPillow,
    BasicPillow,
    ElasticPillow,
    NetworkListener,
    PythonPillow,
    SQLPillow,
)

SERVERS = {"COUCHDB_URL": "http://localhost:5984", "ELASTICSEARCH_URL": "http://localhost:9200"}
PASSWORDS = {"COUCHDB_PASSWORD": "s3cret", "ELASTICSEARCH_PASSWORD": "s3cret"}
KEY = {"ELASTICSEARCH_API_KEY": "s3cret"}


class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = "orders"


class FrenchPillow(PythonPillow, OrderPillow):
    es_alias = "french-orders"

    def python_filter(self, document):
        return document.get("country") == "FR"


class CopiedPillow(FrenchPillow):
    es_alias = OrderPillow.es_alias


class OldTypes(OrderPillow):
    es_type = "order"


class RecordedPillow(BasicPillow):
    def get_feed(self):
        return RecordedFeed("changes.json")

    def change_transport(self, document):
        pass


class OtherServer(OrderPillow):
    couch_db = "http://couch.example:5984/orders"


class NoDatabase(AliasedElasticPillow):
    es_alias = "orders"


class NoAlias(AliasedElasticPillow):
    couch_db = "orders"


class NoIndex(ElasticPillow):
    couch_db = "orders"


class NoTransport(BasicPillow):
    couch_db = "orders"


class Misspelt(OrderPillow):
    def change_tranform(self, document):
        return document


class Filtered(OrderPillow):
    couch_filter = "orders/paid"


class UpperCase(OrderPillow):
    couch_db = "Orders"


class BadAlias(OrderPillow):
    es_alias = "Orders"


class BadMapping(OrderPillow):
    default_mapping = "properties"


class NoSource(SQLPillow):
    def process_sql(self, document, delete=False):
        pass


class NoDelete(SQLPillow):
    couch_db = "orders"

    def process_sql(self, document):
        pass


class DottedClass(OrderPillow):
    document_class = "shop.Invoice"


class OldStyle(PythonPillow):
    couch_db = "orders"


class MisspeltAttribute(OrderPillow):
    on_recreate = "resync"


class NoSQL(SQLPillow):
    couch_db = "orders"


class BadFilter(OrderPillow):
    couch_filter = "_selektor"


class LogPillow(NetworkListener):
    couch_db = "orders"
    endpoint_host = "localhost"
    endpoint_port = 5000


class NoHost(LogPillow):
    endpoint_host = ""


class BadPort(LogPillow):
    endpoint_port = "5000"


class Datagrams(LogPillow):
    transport_type = "udp"


class BadParameters(OrderPillow):
    couch_filter = "_selector"
    extra_args = {"selector": {1: object()}}  # noqa: RUF012


class BadFilterType(OrderPillow):
    couch_filter = 5


class BadField(OrderPillow):
    default_mapping = {"properties": {"total": "long"}}  # noqa: RUF012


class NoMapping(OrderPillow):
    default_mapping = {"properties": {"total": {"type": object()}}}  # noqa: RUF012


class BadSettings(OrderPillow):
    es_meta = {"settings": 1}  # noqa: RUF012


class BadVersion(OrderPillow):
    index_version = object()


class NumberedAlias(OrderPillow):
    es_alias = 5


class PlainPillow(ElasticPillow):
    couch_db = "orders"
    es_index = "plain-orders"
    es_pipeline = "orders"
    es_routing = "address.country"

    def target_for(self, change):
        return f"{self.es_index}_{change.document['month']}", None


class BadPipeline(OrderPillow):
    es_pipeline = None


class BadRouting(OrderPillow):
    es_routing = ("country",)


class BadRoutingPath(OrderPillow):
    es_routing = "address..country"


class PlacedAlias(OrderPillow):
    def target_for(self, change):
        return "orders_10", None


class MisspeltTarget(OrderPillow):
    def target_fro(self, change):
        return "orders_10", None


class BadReaction(OrderPillow):
    on_error = "panic"


class Ignoring(OrderPillow):
    on_error = "ignore"


class BadPolicy(OrderPillow):
    on_recreated = "ignore"


def path(kind):
    return f"{__name__}.{kind.__name__}"


@pytest.fixture
def check(settings):
    def run(*pillows, **tuned):
        settings.PILLOWTOPS = [one if not isinstance(one, type) else path(one) for one in pillows]
        settings.PILLOWTOP = {**SERVERS, **tuned}
        return [(message.id, str(message.msg)) for message in check_configuration(None)]

    return run


def test_a_good_configuration_has_nothing_to_say(check):
    assert check(OrderPillow, FrenchPillow, RecordedPillow, LogPillow, PlainPillow) == []


@pytest.mark.parametrize(
    ("pillows", "tuned", "check_id", "words"),
    [
        ([], {"COUCHDB_ULR": "x"}, "E001", "did you mean 'COUCHDB_URL'"),
        ([], {"couchdb_url": "x"}, "E001", "did you mean 'COUCHDB_URL'"),
        ([], {"BATCH_DOCUMENTS": "many"}, "E001", "positive whole number"),
        ([], {"BATCH_BYTES": 0}, "E001", "positive whole number"),
        ([], {"PROBE_SECONDS": -1}, "E001", "positive number"),
        ([], {"COUCHDB_URL": 5984}, "E001", "must be text"),
        ([], {"COUCHDB_AUTHENTICATION": "oauth"}, "E003", "'basic' or 'cookie'"),
        ([], {"DATABASE": "defualt"}, "E002", "did you mean 'default'"),
        ([], {"COUCHDB_URL": "localhost:5984"}, "E003", "must look like http://"),
        ([], {"ELASTICSEARCH_URL": "http://localhost:x"}, "E003", "port"),
        ([5], {}, "E004", "holds 5"),
        ([OrderPillow, OrderPillow], {}, "E005", "two pillows are called 'OrderPillow'"),
        (["shop.pillows.OrderPillow"], {}, "E006", "cannot be imported"),
        ([{"class": path(OrderPillow), "options": {"es_alais": "x"}}], {}, "E007", "'es_alias'"),
        ([OrderPillow], {"COUCHDB_URL": ""}, "E008", "COUCHDB_URL"),
        ([OrderPillow], {"ELASTICSEARCH_URL": ""}, "E008", "ELASTICSEARCH_URL"),
        ([NoDatabase], {}, "E009", "set couch_db"),
        ([NoAlias], {}, "E009", "set es_alias"),
        ([NoIndex], {}, "E009", "set es_index"),
        ([UpperCase], {}, "E009", "lower case letter"),
        ([BadAlias], {}, "E009", "'Orders', which Elasticsearch does not take"),
        ([BadMapping], {}, "E009", "default_mapping must be a dict"),
        ([BadField], {}, "E009", "['properties']['total'] must be a dict"),
        ([NoMapping], {}, "E009", "must be what JSON can hold"),
        ([BadSettings], {}, "E009", "es_meta['settings'] must be a dict"),
        ([BadVersion], {}, "E009", "index_version must be a number or text"),
        ([NumberedAlias], {}, "E009", "which Elasticsearch does not take"),
        ([BadFilterType], {}, "E011", "couch_filter must be text"),
        ([BadParameters], {}, "E011", "extra_args must be what JSON can hold"),
        ([], {"SILENCE_SECONDS": float("inf")}, "E001", "positive number"),
        ([], {"REQUEST_SECONDS": 10**400}, "E001", "positive number"),
        ([], {"RETRY_MINUTES": [1e300]}, "E001", "list of positive numbers"),
        ([OrderPillow], {"COUCHDB_URL": "localhost:5984"}, "E003", "must look like"),
        ([NoTransport], {}, "E010", "no change_transport"),
        ([NoSQL], {}, "E010", "no process_sql"),
        ([NoSource], {}, "E009", "set couch_db"),
        ([NoDelete], {}, "E010", "must take delete"),
        ([DottedClass], {}, "E014", "'shop.Invoice'"),
        ([OldStyle], {}, "E006", "PythonPillow is a mixin now"),
        ([MisspeltAttribute], {}, "W003", "did you mean 'on_recreated'"),
        ([], {"CHECKPOINTS": "redis"}, "E001", "'couch' or 'django'"),
        ([BadFilter], {}, "E011", "did you mean '_selector'"),
        ([BadPolicy], {}, "E012", "'halt' or 'resync'"),
        ([BadReaction], {}, "E015", "not 'panic'"),
        ([Ignoring], {}, "W004", "only the log says so"),
        ([NoHost], {}, "E013", "set endpoint_host"),
        ([BadPort], {}, "E013", "not '5000'"),
        ([Datagrams], {}, "E013", "must be 'tcp'"),
        ([], {"COUCHDB_URL": "https://ann:x@host"}, "W001", "user or a password"),
        ([Filtered], {}, "W002", "hides deletions"),
        ([Misspelt], {}, "W003", "did you mean 'change_transform'"),
        ([OrderPillow, CopiedPillow], {}, "E016", "under the same ids"),
        ([OldTypes], {}, "W005", "es_type is ignored"),
        ([OrderPillow], {"COUCHDB_URL": "http://couch:1", **PASSWORDS}, "E017", "COUCHDB_CA"),
        ([OrderPillow], {"ELASTICSEARCH_URL": "http://es:1", **PASSWORDS}, "E017", "http://es:1"),
        ([OrderPillow], {"ELASTICSEARCH_URL": "http://es:1", **KEY}, "E017", "in clear"),
        ([OtherServer], PASSWORDS, "E017", "http://couch.example:5984"),
        ([], {"ALLOW_CLEAR_PASSWORDS": 1}, "E001", "True or False"),
        ([BadPipeline], {}, "E018", "es_pipeline must be text, not None"),
        ([BadRouting], {}, "E018", "es_routing must be text"),
        ([BadRoutingPath], {}, "E018", "the name of a field"),
        ([PlacedAlias], {}, "E019", "target_for is for an ElasticPillow"),
        ([MisspeltTarget], {}, "W003", "did you mean 'target_for'"),
    ],
)
def test_each_mistake_has_its_id(check, pillows, tuned, check_id, words):
    found = check(*pillows, **tuned)
    assert [one_id for one_id, _ in found] == [f"pillowtop.{check_id}"]
    assert words in found[0][1]


@pytest.mark.parametrize(
    "tuned",
    [
        {},
        {"COUCHDB_URL": "http://127.1.2.3:5984", "ELASTICSEARCH_URL": "http://[::1]:9200"},
        {"COUCHDB_URL": "https://couch", "ELASTICSEARCH_URL": "https://es"},
        {
            "COUCHDB_URL": "http://couch",
            "ELASTICSEARCH_URL": "http://es",
            "ALLOW_CLEAR_PASSWORDS": True,
        },
    ],
)
def test_passwords_that_nobody_else_can_read(check, tuned):
    assert check(OrderPillow, **PASSWORDS, **tuned) == []


class OwnIdsPillow(CopiedPillow):
    def index_id(self, change):
        return f"{self.name}/{change.id}"


class ElsewherePillow(CopiedPillow):
    couch_db = "other-orders"


@pytest.mark.parametrize("other", [OwnIdsPillow, ElsewherePillow])
def test_pillows_whose_documents_are_apart_may_write_to_one_index(check, other):
    assert check(OrderPillow, other) == []


def test_no_secret_is_shown(check):
    for _, message in check(COUCHDB_URL="http://ann:s3cret@host", COUCHDB_PASSWORD=55555):
        assert "s3cret" not in message
        assert "55555" not in message


def test_pillowtop_must_be_a_dict(settings):
    settings.PILLOWTOP = ["COUCHDB_URL"]
    assert [message.id for message in check_configuration(None)] == ["pillowtop.E001"]
