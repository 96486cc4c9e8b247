from __future__ import annotations

from pillowtop.engine.portions import Portions

ITEMS = list(range(100))


def test_all_at_once_at_first():
    assert Portions().cut(ITEMS) == (ITEMS, [])


def test_half_of_what_was_late_down_to_one():
    portions = Portions()
    sizes = []
    for _ in range(8):
        now, later = portions.cut(ITEMS)
        assert [*now, *later] == ITEMS
        sizes.append(len(now))
        portions.late(len(now))
    assert sizes == [100, 50, 25, 12, 6, 3, 1, 1]


def test_a_little_more_after_each_answer_until_it_is_all_again():
    portions = Portions()
    portions.late(2)
    sizes = []
    while len(portions.cut(ITEMS)[0]) < len(ITEMS):
        sizes.append(len(portions.cut(ITEMS)[0]))
        portions.answered(sizes[-1])
    assert sizes[:4] == [1, 2, 3, 4]
    assert sizes[-1] > 80
    assert len(sizes) < 40


def test_what_is_smaller_anyway_says_nothing_of_what_is_larger():
    portions = Portions()
    portions.late(100)
    portions.answered(3)
    assert len(portions.cut(ITEMS)[0]) == 50
