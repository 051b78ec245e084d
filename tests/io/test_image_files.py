from __future__ import annotations

import os
import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.io.image_files import field_names, find_images


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures, other files and hidden ones; the working folder."""
    for name in (
        "field 10.jpg",
        "field 2.JPG",
        "field 1.tiff",
        "notes.txt",
        ".hidden.png",
        "deep/b.webp",
        "deep/deeper/a.bmp",
        "deep/boxes.xml",
        ".cache/c.png",
        "empty/readme.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*paths: str, recursive: bool = True) -> list[str]:
    return [path.as_posix() for path in find_images(paths, recursive=recursive)]


def test_folder_in_natural_order(tree: Path) -> None:
    assert found(".") == [
        "deep/b.webp",
        "deep/deeper/a.bmp",
        "field 1.tiff",
        "field 2.JPG",
        "field 10.jpg",
    ]
    assert found(".", recursive=False) == ["field 1.tiff", "field 2.JPG", "field 10.jpg"]
    assert found(str(tree)) == [f"{tree.as_posix()}/{name}" for name in found(".")]


def test_named_file_is_always_included(tree: Path) -> None:
    assert found("notes.txt", ".hidden.png") == [".hidden.png", "notes.txt"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["field 10.jpg"]),
        ("field ?.*", ["field 1.tiff", "field 2.JPG"]),
        ("*.txt", ["notes.txt"]),
        ("field*", ["field 1.tiff", "field 2.JPG", "field 10.jpg"]),
        ("**/*.bmp", ["deep/deeper/a.bmp"]),
        ("deep/**", ["deep/b.webp", "deep/deeper/a.bmp"]),
        ("d*", ["deep/b.webp", "deep/deeper/a.bmp"]),
        ("field [12].*", ["field 1.tiff", "field 2.JPG"]),
    ],
)
def test_patterns(tree: Path, pattern: str, expected: list[str]) -> None:
    assert found(pattern) == expected


def test_a_file_whose_name_looks_like_a_pattern(tree: Path) -> None:
    (tree / "field [1].png").write_bytes(b"x")
    assert found("field [1].png") == ["field [1].png"]


def test_each_file_once(tree: Path) -> None:
    absolute = str(tree / "field 1.tiff")
    assert found("field 1.tiff", ".", "./field 1.tiff", "*.tiff", absolute) == found(".")
    Path("link.tiff").symlink_to("field 1.tiff")
    assert "link.tiff" not in found("field 1.tiff", "link.tiff")


def test_order_of_the_arguments_does_not_matter(tree: Path) -> None:
    paths = ["deep", "field 1.tiff", "field 10.jpg"]
    assert found(*paths) == found(*paths[::-1])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.png", "no such file or folder"),
        ("nowhere/", "no such file or folder"),
        ("*.gif", "matches no picture"),
        ("e*", "matches no picture"),
        ("empty", "no picture in this folder"),
        ("a\0b", "no such file"),
    ],
)
def test_what_gives_nothing_is_named(tree: Path, path: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        find_images(["field 1.tiff", path])
    assert str(caught.value).startswith(path)


def test_a_single_path_is_a_mistake(tree: Path) -> None:
    with pytest.raises(UsageError, match="list of paths"):
        find_images("deep")
    assert find_images([]) == []


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such permissions on this system")
def test_folder_that_cannot_be_listed(tree: Path) -> None:
    (tree / "deep").chmod(0)
    user = os.geteuid()
    if user == 0:
        for folder in (tree, *tree.parents):
            if folder.stat().st_mode & 0o005 != 0o005:
                folder.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match="deep: the folder cannot be listed"):
            find_images([str(tree)])
    finally:
        os.seteuid(user)
        (tree / "deep").chmod(0o755)


def test_loops_of_links_end(tree: Path) -> None:
    Path("deep/up").symlink_to("..")
    assert found(".") == found("deep", "field 1.tiff", "field 2.JPG", "field 10.jpg")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x/1.png", "x/2.png"], ["1", "2"]),
        (["a/1.png", "b/1.png"], ["a_1", "b_1"]),
        (["p/a/1.png", "q/a/1.png"], ["p_a_1", "q_a_1"]),
        (["a/1.png", "a/1.tif"], ["1-png", "1-tif"]),
        (["a/1.png", "a/1.tif", "b/1.png"], ["1-png", "1-tif", "1"]),
        (["a/X.png", "b/x.png"], ["a_X", "b_x"]),
        (["s.ome.tif", "v1.2.png"], ["s", "v1.2"]),
        (['q:"r"?.png', "line\nbreak.png"], ["q__r__", "line_break"]),
        (["NUL.png", "com1.x.jpg", "console.jpg"], ["_NUL", "_com1.x", "console"]),
        (["...", " .png"], ["field", "field-2"]),
        (["same.png", "same.png"], ["same-png", "same-png-2"]),
        ([], []),
    ],
)
def test_names(paths: list[str], names: list[str]) -> None:
    assert field_names(paths) == names


PATHS = st.lists(
    st.lists(
        st.text(st.sampled_from("aAé1. _-:\n" + string.digits), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    ),
    max_size=8,
).flatmap(
    lambda paths: st.tuples(
        *(st.sampled_from([".png", ".PNG", ".tif"]).map("/".join(p).__add__) for p in paths)
    ).map(list)
)


@given(PATHS)
def test_names_are_unique_and_fit_for_any_file_system(paths: list[str]) -> None:
    names = field_names(paths)
    assert len({name.casefold() for name in names}) == len(names) == len(paths)
    for name in names:
        assert name
        assert name == name.strip(" .")
        assert not set(name) & set('\\/:*?"<>|\n\0')


@given(PATHS.map(lambda paths: list(dict.fromkeys(paths))), st.randoms(use_true_random=False))
def test_names_are_unique_also_when_very_long(paths: list[str], rng: random.Random) -> None:
    long = [f"{'é' * rng.randrange(60, 200)}/{'ü' * 150}{path}" for path in paths]
    names = field_names(long)
    assert len(set(names)) == len(names)
    assert all(len(name.encode()) <= 110 for name in names)


def test_order_of_the_files_changes_no_name() -> None:
    paths = ["p/a/1.png", "q/a/1.png", "q/a/1.tif", "z/1.png", "2.png", "z/2.jpg", "A/1.PNG"]
    names = dict(zip(paths, field_names(paths), strict=True))
    rng = random.Random(1)
    for _ in range(20):
        rng.shuffle(paths)
        assert dict(zip(paths, field_names(paths), strict=True)) == names
