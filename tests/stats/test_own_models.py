"""Rows of models of one's own, with keys and constraints of their own."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.stats.conftest import on_both

MODELS = """
import uuid
from django.db import models
from pillowtop.stats.models import CategorizedModel, ScalarModel, StatisticModel

class Shop(models.Model):
    pass

class Sale(ScalarModel):
    shop = models.ForeignKey(Shop, models.CASCADE, null=True)

class Keyed(ScalarModel):
    key = models.CharField(max_length=100, primary_key=True)

    class Meta:
        indexes = []

class Single(StatisticModel):
    name = models.CharField(max_length=100)
    scalar = models.FloatField()

    class Meta(StatisticModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["statistic", "timestamp", "name"], name="single")
        ]

class Node(CategorizedModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
"""

PLUGINS = """
from collections import Counter
from shop.models import Keyed, Node, Sale, Single

class Users(Said):
    name = "by user"

    def initialize(self):
        self.users = Counter()
        self.end = 0

    def process(self, message):
        self.users[message["user"]] += 1
        self.end = message.time // 10_000_000

    def most(self):
        return Counter(self.users).most_common()

class KeyedUsers(Users):
    name = "keyed"
    model = Keyed

    def update(self):
        return [Keyed(key=f"{self.end} {name}", scalar=count) for name, count in self.most()]

class SingleUsers(Users):
    name = "single"
    model = Single

    def update(self):
        return [Single(name=name, scalar=count) for name, count in self.most()]

class Nodes(Users):
    name = "nodes"
    model = Node

    def update(self):
        root = Node(category="all", scalar=sum(self.users.values()))
        leaves = [Node(category=name, scalar=count, parent=root) for name, count in self.most()]
        return [root, *leaves]

class Selling(Said):
    name = "selling"
    model = Sale

    def initialize(self):
        self.shops = set()

    def process(self, message):
        self.shops.add(message.get("shop"))

    def update(self):
        return [Sale(scalar=1, shop_id=one) for one in self.shops]

class Careless(Selling):
    name = "careless"

    @classmethod
    def store(cls, windows):
        for rows in windows.values():
            Sale.objects.bulk_create(rows)

class Noting(Count):
    name = "noting"

    def process(self, message):
        super().process(message)
        Sale.objects.create(
            statistic="noted", timestamp=message["timestamp"], scalar=1, shop_id=message.get("shop")
        )
"""

SHOWN = {
    "KeyedUsers": "Keyed.objects.values_list('key', 'scalar')",
    "SingleUsers": "Single.objects.values_list('name', 'scalar')",
    "Nodes": "Node.objects.exclude(parent=None).values_list('category', 'scalar')",
}


@on_both
@pytest.mark.parametrize("plugin", SHOWN)
def test_late_messages_change_the_order_of_rows(make_statistics, plugin):
    """Those with keys of their own kept each other's; those to be unique could not change."""
    statistics = make_statistics("lateness = timedelta(0)", PLUGINS, [plugin], MODELS)

    def send(users):
        for user in users:
            statistics.send(f"{user} {sent[user]}", 1, user=user)
            sent[user] += 1

    sent = Counter()
    send(["ann", "ann", "bob"])
    statistics.send("last", 9, user="cid")
    statistics.send("next", 100, user="ann")
    statistics.project.catch_up()
    send(["bob", "bob", "bob", "dan"])
    statistics.project.catch_up()
    query = f"list({SHOWN[plugin]})"
    found = statistics.ask(f"from shop.models import *; print(json.dumps({query}))")
    assert {name.split()[-1]: count for name, count in found} == {
        "ann": 2, "bob": 4, "cid": 1, "dan": 1
    }  # fmt: skip


@on_both
def test_what_is_found_out_on_commit_is_the_failure_of_who_has_written_it(make_statistics):
    """It was that of all, again and again."""
    plugins = ["Count", "Careless", "Noting", "Selling"]
    statistics = make_statistics("lateness = timedelta(0)", PLUGINS, plugins, MODELS)
    statistics.run("from shop.models import Shop; Shop.objects.create(pk=7)")
    for second, shop in ((1, 7), (11, None), (21, 99), (100, 7)):
        statistics.send(f"m{second}", second, shop=shop)
    statistics.project.catch_up()
    rows = statistics.rows()
    assert rows["count-10s"] == {10: 1, 20: 1, 30: 1}
    assert rows["noting-10s"] == {10: 1, 20: 1}
    found = statistics.ask(
        "from shop.models import Sale; rows = Sale.objects.order_by('statistic', 'timestamp'); "
        "print(json.dumps(list(rows.values_list('statistic', 'shop_id'))))"
    )
    assert sorted(found, key=str) == [
        ["careless-10s", 7], ["careless-10s", None], ["noted", 7], ["noted", 7], ["noted", None],
        ["selling-10s", 7], ["selling-10s", None],
    ]  # fmt: skip
    failed = statistics.ask(
        "from pillowtop.stats import models as m; "
        "print(json.dumps([(row.statistic, row.error.split(':')[0]) "
        "for table in (m.OpenWindow, m.PendingMessage) "
        "for row in table.objects.filter(attempts=1)]))"
    )
    names = "careless-10s", "noting-10s", "selling-10s"
    assert sorted(failed) == [[name, "IntegrityError"] for name in names]
