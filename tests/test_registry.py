from __future__ import annotations

import pytest

from pillowtop import registry
from pillowtop.exceptions import ConfigurationError
from pillowtop.listener import BasicPillow


class OrderPillow(BasicPillow):
    couch_db = "orders"
    batch = 1

    @property
    def number(self):
        return 1


class UserPillow(BasicPillow):
    couch_db = "users"


ORDER = "tests.test_registry.OrderPillow"
USER = "tests.test_registry.UserPillow"


def names(found):
    return [entry.name for entry in found]


def test_a_list(settings):
    settings.PILLOWTOPS = [ORDER, USER]
    assert names(registry.entries()) == ["OrderPillow", "UserPillow"]


def test_a_dict_of_groups(settings):
    settings.PILLOWTOPS = {"core": [ORDER], "people": (USER,)}
    assert names(registry.select("people")) == ["UserPillow"]
    assert names(registry.select("OrderPillow")) == ["OrderPillow"]
    assert names(registry.select(None)) == ["OrderPillow", "UserPillow"]


def test_an_entry_with_name_and_options(settings):
    settings.PILLOWTOPS = [
        ORDER,
        {"class": ORDER, "name": "Again", "options": {"couch_db": "old-orders"}},
    ]
    pillow = registry.get_pillow("Again")
    assert (pillow.name, pillow.couch_db) == ("Again", "old-orders")
    assert registry.get_pillow("OrderPillow").couch_db == "orders"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("shop.OrderPillow", "must be a list"),
        ({"core": ORDER}, "group 'core'"),
        ([5], "holds 5"),
        ([{"name": "x"}], "an entry is a dotted path"),
        ([{"class": ORDER, "option": {}}], "did you mean 'options'"),
        ([{"class": ORDER, "options": []}], "options must be a dict"),
        ([{"class": ORDER, "name": ""}], "name must be text"),
        ([{"class": ORDER, "options": {5: 1}}], "dict of attributes"),
        ([{"class": ORDER, "name": "a\nb"}], "name must be text"),
        ([{"class": ORDER, "name": "\ud800"}], "name must be text"),
        ({None: [ORDER]}, "name of a group is text"),
        ([""], "no dotted path"),
        (["."], "no dotted path"),
        (["..pillows.OrderPillow"], "no dotted path"),
        (["shop\0.OrderPillow"], "no dotted path"),
        ([ORDER, ORDER], "two pillows are called 'OrderPillow'"),
    ],
)
def test_settings_of_the_wrong_form(settings, setting, words):
    settings.PILLOWTOPS = setting
    with pytest.raises(ConfigurationError, match=words):
        registry.entries()


@pytest.mark.parametrize(
    "entry",
    [
        {"klass": ORDER, "options": {"couch_db": "http://ann:s3cret@couch/orders"}},
        (ORDER, {"endpoint_password": "s3cret"}),
        {"class": ORDER, "options": "http://ann:s3cret@couch/orders"},
    ],
)
def test_entries_of_the_wrong_form_are_named_without_their_secrets(settings, entry):
    settings.PILLOWTOPS = [entry]
    with pytest.raises(ConfigurationError) as error:
        registry.entries()
    assert "s3cret" not in str(error.value)


def test_an_empty_name_is_nobody_s(settings):
    settings.PILLOWTOPS = [ORDER]
    with pytest.raises(ConfigurationError, match="no group is called ''"):
        registry.select("")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("tests.test_registry.OrderPilow", "cannot be imported"),
        ("nowhere.OrderPillow", "cannot be imported"),
        ("OrderPillow", "cannot be imported"),
        ("tests.test_registry.names", "no pillow class"),
        ({"class": ORDER, "options": {"couch_bd": "x"}}, "did you mean 'couch_db'"),
        ({"class": ORDER, "options": {"filter": bool}}, "is a method"),
        ({"class": ORDER, "options": {"get_database": None}}, "is a method"),
        ({"class": ORDER, "options": {"__class__": 5}}, "has no option"),
        ({"class": ORDER, "options": {"number": 5}}, "does not take 5 as number"),
    ],
)
def test_pillows_that_cannot_be_made(settings, entry, words):
    settings.PILLOWTOPS = [entry]
    with pytest.raises(ConfigurationError, match=words):
        registry.entries()[0].pillow()


def test_unknown_names_come_with_a_suggestion(settings):
    settings.PILLOWTOPS = {"core": [ORDER]}
    with pytest.raises(ConfigurationError, match="did you mean 'OrderPillow'"):
        registry.select("OrderPilow")


def test_an_empty_setting_says_what_to_do(settings):
    settings.PILLOWTOPS = []
    with pytest.raises(ConfigurationError, match="PILLOWTOPS is empty"):
        registry.select(None)
