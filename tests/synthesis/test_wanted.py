"""What users ask for is read, or refused by name; every type has one maker."""

from __future__ import annotations

import pytest

from smearlab.errors import UnknownNameError, UsageError
from smearlab.synthesis.generator import End, Generator
from smearlab.synthesis.wanted import makers_of, read_end, read_wanted

TYPES = ("basophil", "immature granulocyte", "monocyte")


def maker(name: str, *types: str) -> Generator:
    return Generator(name, name, types, 2, 4, {}, lambda latent, types: latent)  # type: ignore[arg-type, return-value]


def test_numbers_of_types_are_read() -> None:
    assert read_wanted(["monocyte=5", "basophil = 2"], None, TYPES) == {
        "basophil": 2,
        "monocyte": 5,
    }
    assert read_wanted([], 3, TYPES) == dict.fromkeys(TYPES, 3)
    assert read_wanted(["immature granulocyte=1"], 3, TYPES)["immature granulocyte"] == 1
    assert read_wanted([], None, TYPES) == {}


@pytest.mark.parametrize("text", ["basophil", "basophil=", "basophil=0", "basophil=-1", "=3"])
def test_what_is_no_number_of_a_type_is_refused(text: str) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=r"TYPE=N|unknown type ''"):
        read_wanted([text], None, TYPES)


def test_types_that_are_not_there_or_twice_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown type 'monocite'; did you mean 'monocyte'"):
        read_wanted(["monocite=5"], None, TYPES)
    with pytest.raises(UsageError, match="names monocyte twice"):
        read_wanted(["monocyte=5", "monocyte=6"], None, TYPES)


def test_ends_are_read() -> None:
    assert read_end("monocyte", TYPES) == End("monocyte", 0)
    assert read_end("immature granulocyte=12", TYPES) == End("immature granulocyte", 12)
    with pytest.raises(UsageError, match="INDEX from 0 on; received 'monocyte=x'"):
        read_end("monocyte=x", TYPES)
    with pytest.raises(UnknownNameError, match="did you mean 'basophil'"):
        read_end("basofil", TYPES)


def test_every_type_has_one_maker() -> None:
    a, b, c = maker("A", "x", "y"), maker("B", "y", "z"), maker("C", "x")
    assert makers_of(["x", "z"], [a, b]) == {"x": a, "z": b}
    assert makers_of(["y"], [a, b], {"y": b}) == {"y": b}
    assert makers_of(["x"], [], {"x": c}) == {"x": c}
    with pytest.raises(UsageError, match="A and B both make y; name one of them"):
        makers_of(["x", "y"], [a, b])
    with pytest.raises(UsageError, match="both make y; say which: --generate TYPE=MODEL"):
        makers_of(["x", "y"], [a, b], option="--generate TYPE=MODEL")
    with pytest.raises(UsageError, match="no generator makes q, r; those given make x: train one"):
        makers_of(["q", "x", "r"], [c])
    with pytest.raises(UnknownNameError, match="unknown type of generator C 'y'"):
        makers_of(["y"], [], {"y": c})
