from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pillowtop.engine.comparing import Kind, Sight, Standing, unequal
from pillowtop.engine.items import Place

IDS = st.text("ab\0é\U0001f600", min_size=1, max_size=3)
REVS = st.sampled_from(["1-a", "1-b", "2-a"])


def standing(doc_id, rev="1-a", target_id=None):
    return Standing(doc_id, rev, target_id or doc_id)


def sights(wanted, found):
    return {one.doc_id: one.difference for one in unequal(wanted, found)}


def test_kinds_of_differences():
    wanted = [standing("a"), standing("b"), standing("c"), standing("d"), standing("e")]
    found = [
        standing("a"),
        standing("b", "1-old"),
        standing("d"),
        standing("d", "1-a", "elsewhere"),
        standing("e", "1-a", "elsewhere"),
        standing("f"),
    ]
    assert sights(wanted, found) == {
        "b": Kind.STALE,
        "c": Kind.MISSING,
        "d": Kind.ORPHANED,
        "e": Kind.STALE,
        "f": Kind.ORPHANED,
    }


def test_any_id_will_do_where_nobody_knows_it():
    sight = Sight("a", Standing("a", "1-a", None), (standing("a", "1-a", "elsewhere"),))
    assert sight.difference is None
    assert sights([sight.wanted], sight.found) == {}


def test_places_are_compared():
    ten, eleven = (Standing("a", "1-a", "a", Place(index)) for index in ("10", "11"))
    assert sights([ten], [ten]) == {}
    assert sights([ten], [eleven]) == {"a": Kind.STALE}
    assert sights([ten], [ten, eleven]) == {"a": Kind.ORPHANED}
    assert sights([Standing("a", "1-a", None)], [eleven]) == {}
    assert Sight.of("a", ten, [ten, eleven]) == Sight.of("a", ten, [eleven, ten])
    assert sights([ten], [Standing("a", "1-a", "a", Place("10", "r"))]) == {"a": Kind.STALE}


def test_sights_of_what_has_not_moved_are_equal():
    twice = [standing("a"), standing("a", "1-a", "elsewhere")]
    assert Sight.of("a", twice[0], twice) == Sight.of("a", twice[0], twice[::-1])
    (one,), (other,) = unequal(twice[:1], twice), unequal(twice[:1], twice[::-1])
    assert one == other


WANTED = st.dictionaries(IDS, REVS)
FOUND = st.dictionaries(IDS, st.dictionaries(st.sampled_from(["x", "y"]), REVS, min_size=1))


def as_standings(wanted, found):
    want = {doc_id: Standing(doc_id, rev, "x") for doc_id, rev in wanted.items()}
    have = {
        doc_id: [Standing(doc_id, rev, place) for place, rev in sorted(places.items())]
        for doc_id, places in found.items()
    }
    return want, have


@given(WANTED, FOUND)
def test_in_order_exactly_what_differs_is_given(wanted, found):
    want, have = as_standings(wanted, found)
    expected = {
        doc_id
        for doc_id in wanted.keys() | found.keys()
        if have.get(doc_id, []) != [want.get(doc_id)]
    }
    given_ids = [
        one.doc_id
        for one in unequal(
            [want[doc_id] for doc_id in sorted(want)],
            [one for doc_id in sorted(have) for one in have[doc_id]],
        )
    ]
    assert given_ids == sorted(expected)


@given(WANTED, FOUND, st.randoms(use_true_random=False))
def test_in_any_order_nothing_that_differs_is_left_out(wanted, found, rng):
    want, have = as_standings(wanted, found)
    wanted_ids, found_ids = list(want), list(have)
    rng.shuffle(wanted_ids)
    rng.shuffle(found_ids)
    given_ids = Counter(
        one.doc_id
        for one in unequal(
            [want[doc_id] for doc_id in wanted_ids],
            [one for doc_id in found_ids for one in have[doc_id]],
        )
    )
    for doc_id in wanted.keys() | found.keys():
        if have.get(doc_id, []) != [want.get(doc_id)]:
            assert given_ids[doc_id], doc_id
