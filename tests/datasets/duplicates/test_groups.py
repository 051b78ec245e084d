"""Groups: transitive, never parting what was together."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from smearlab.datasets.duplicates.groups import DisjointSets, merged_groups

N = 12
pairs = st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=14)
groups = st.lists(st.none() | st.sampled_from("abcd"), min_size=N, max_size=N)
NAMES = [f"{row:02d}.jpg" for row in range(N)]


def reachable(edges: list[tuple[int, int]], start: int) -> set[int]:
    """By walking, not by union."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for a, b in edges:
            for there in ({a, b} if here in (a, b) else set()) - seen:
                seen.add(there)
                todo.append(there)
    return seen


def test_copies_of_copies_belong_together() -> None:
    sets = DisjointSets(5)
    assert [sets.join(0, 1), sets.join(3, 1), sets.join(0, 3)] == [True, True, False]
    assert sets.members() == [[0, 1, 3]]
    assert sets.find(4) == 4


@given(pairs, groups)
def test_merged_groups_are_what_can_be_reached(
    links: list[tuple[int, int]], before: list[str | None]
) -> None:
    after = merged_groups(before, links, NAMES)
    shared = [(a, b) for a, b in combinations(range(N), 2) if before[a] and before[a] == before[b]]
    for row in range(N):
        together = reachable(links + shared, row)
        if len(together) == 1:
            assert after[row] == before[row]
        else:
            assert {other for other in range(N) if after[other] == after[row]} == together


@given(pairs, groups)
def test_the_order_of_the_pairs_does_not_matter(
    links: list[tuple[int, int]], before: list[str | None]
) -> None:
    turned = [(b, a) for a, b in reversed(links)]
    assert merged_groups(before, links, NAMES) == merged_groups(before, turned, NAMES)


def test_a_new_name_is_no_group_that_exists() -> None:
    before = ["same as 1", None, None]
    assert merged_groups(before, [(1, 2)], ["0", "1", "2"])[1:] == ["same as 1 (2)"] * 2
