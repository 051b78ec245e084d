"""The documentation is true: every command is described, every example runs, every page builds."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

import smearlab
from smearlab.cli.main import app
from smearlab.learn.classical.recipes import CLASSICAL_RECIPES
from smearlab.learn.recipes import (
    CLASSIFIER_RECIPES,
    FEW_SHOT_RECIPES,
    RECIPES,
    SEGMENTATION_RECIPES,
    STAIN_RECIPES,
    SYNTHESIS_RECIPES,
    UPSCALE_RECIPES,
)
from smearlab.report.tables import CELLS_COLUMNS, ERRORS_COLUMNS

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
#: Options that typer adds by itself, and the page that describes them.
SHELL_OPTIONS = {"--install-completion", "--show-completion"}

#: Examples that are not run as they stand, with the reason. A pattern ends with ``*``.
NOT_RUN = {
    "make test": "it is what runs these tests",
    "make bench": "it measures for minutes; no test asserts a time",
    "make docs": "test_the_documentation_builds does the same",
    "make constraints*": "it asks the package index",
}


@dataclass(frozen=True)
class Example:
    """One command line or Python block of a page."""

    page: Path
    kind: str
    text: str

    @property
    def reason_not_to_run(self) -> str | None:
        """Why it is left out."""
        for pattern, reason in NOT_RUN.items():
            same = self.text == pattern
            if same or (pattern.endswith("*") and self.text.startswith(pattern[:-1])):
                return reason
        return None


def examples_of(page: Path) -> Iterator[Example]:
    """The examples of a page in order, what prepares them included."""
    pieces = re.compile(
        r"^<!-- example: (?P<setup>.*?) -->$|^```(?P<kind>console|python)\n(?P<body>.*?)^```$",
        re.MULTILINE | re.DOTALL,
    )
    for piece in pieces.finditer(page.read_text(encoding="utf-8")):
        if piece["setup"]:
            yield Example(page, "console", piece["setup"])
        elif piece["kind"] == "python":
            yield Example(page, "python", piece["body"])
        else:
            for line in piece["body"].splitlines():
                command = line.removeprefix("$ ")
                if line.startswith("$ ") and command.split()[0] in ("smearlab", "make"):
                    yield Example(page, "console", command)


EXAMPLES = {page: list(examples_of(page)) for page in PAGES}
LEFT_OUT = sorted(
    {
        (one.text, one.reason_not_to_run)
        for page in PAGES
        for one in EXAMPLES[page]
        if one.reason_not_to_run
    }
)


def shortened(command: str) -> str:
    """The command as the test runs it: training two steps, ``make`` in the present environment."""
    words = shlex.split(command)
    if words[:2] == ["smearlab", "train"] and len(words) > 2:
        if "--data" in words:
            words[words.index("--data") + 1] = "simulated"
        if words[2].startswith("classical_"):  # no steps
            return shlex.join(words)
        return shlex.join([*words, "--set", "train.max_steps=2", "--set", "train.batch_size=2"])
    if words[0] == "make":
        environment = Path(sys.prefix)
        fixed = ["-f", str(REPOSITORY / "Makefile"), f"VENV={environment}"]
        fixed += [f"--assume-old={environment / name}.stamp" for name in ("bench", "test")]
        return shlex.join(["make", *fixed, *words[1:]])
    return command


def run_example(example: Example, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1"}
    if example.kind == "python":
        command = [sys.executable, "-W", "error", "-c", example.text]
    else:
        command = ["bash", "-euo", "pipefail", "-c", shortened(example.text)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800
    )


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(not one.reason_not_to_run for one in EXAMPLES[page])],
    ids=lambda page: str(page.relative_to(REPOSITORY)),
)
def test_examples_run(page: Path, tmp_path: Path) -> None:
    for example in EXAMPLES[page]:
        if example.reason_not_to_run is None:
            result = run_example(example, tmp_path)
            said = f"{example.text}\n{result.stdout}\n{result.stderr}"
            assert result.returncode == 0, f"exit status {result.returncode}: {said}"


@pytest.mark.parametrize(("command", "reason"), LEFT_OUT)
def test_examples_that_are_not_run_exist(command: str, reason: str) -> None:
    """Their targets are there; running them is left out for the reason given."""
    dry = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert dry.returncode == 0, dry.stderr
    pytest.skip(f"`{command}` is only looked at: {reason}")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command below a group with its words, e.g. ``evaluate fields``."""
    nested = getattr(group, "commands", None)
    if nested is None:
        yield " ".join(path), group
        return
    for name, command in nested.items():
        yield from commands(command, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def lines_for_real_pictures() -> Iterator[tuple[str, str]]:
    """Page and command of ``text`` blocks: they want pictures or hours that tests do not have."""
    for page in PAGES:
        for block in re.findall(r"^```text\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip().startswith("smearlab ") and "…" not in line and "→" not in line:
                    yield str(page.relative_to(REPOSITORY)), " ".join(line.split("#")[0].split())


@pytest.mark.parametrize(("page", "line"), [*lines_for_real_pictures()])
def test_commands_for_real_pictures_are_understood(page: str, line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"{page}: no such command: {line}"
        command = command.commands[words.pop(0)]
    known = {o: p for p in command.params for o in (*p.opts, *p.secondary_opts)}
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in known, f"{page}: {word} is no option: {line}"
    if command.name == "train" and not words[0].startswith("$"):
        known_recipes = {*RECIPES, *CLASSIFIER_RECIPES, *CLASSICAL_RECIPES, *SEGMENTATION_RECIPES}
        known_recipes |= {*UPSCALE_RECIPES, *SYNTHESIS_RECIPES, *FEW_SHOT_RECIPES, *STAIN_RECIPES}
        assert words[0] in known_recipes, f"{page}: no recipe {words[0]}: {line}"


def section_of(words: str) -> str:
    """What a command's page says under the heading ``smearlab <words>``."""
    name = words.split()[0]
    pages = sorted((DOCS / "commands").glob(f"{name}*.md"))
    assert pages, f"smearlab {words} has no page docs/commands/{name}….md"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        heading = re.search(rf"^(#+) smearlab {re.escape(words)}$", text, re.MULTILINE)
        if heading:
            break
    assert heading, f"no page {name}….md has a heading 'smearlab {words}'"
    rest = text[heading.end() :]
    following = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_is_described(words: str) -> None:
    section = section_of(words)
    assert f"smearlab {words}" in section, f"no example of smearlab {words}"
    for parameter in COMMANDS[words].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("-") and option not in {"--help", *SHELL_OPTIONS}:
                assert re.search(rf"`{option}\b", section), f"{option} of {words} is not described"


@pytest.mark.parametrize("words", COMMANDS)
def test_every_help_text_has_an_example(words: str) -> None:
    assert f"smearlab {words} " in " ".join((COMMANDS[words].help or "").split())


def test_every_described_option_exists() -> None:
    for words in COMMANDS:
        known = {o for p in COMMANDS[words].params for o in (*p.opts, *p.secondary_opts)}
        for row in re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section_of(words), re.MULTILINE):
            for option in re.findall(r"`(--?[a-z0-9-]+)", row):
                assert option in known, f"docs describe {option}, which smearlab {words} has not"


def test_every_column_and_key_is_described() -> None:
    page = (DOCS / "output-files.md").read_text(encoding="utf-8")
    for name in (*CELLS_COLUMNS, *ERRORS_COLUMNS):
        assert f"`{name}`" in page, f"the column {name} is not described"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert f": {page.relative_to(DOCS)}" in navigation, f"{page} is in no menu"


def test_the_documentation_builds_and_loads_nothing(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: the docs extra is missing")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"(?:https?:)?//[^\"]*\"")
    for page in (tmp_path / "site").rglob("*.html"):
        assert not loaded.findall(page.read_text(encoding="utf-8")), f"{page.name} loads from afar"


def test_links_of_the_front_pages_lead_somewhere() -> None:
    for page in REPOSITORY.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://")):
                assert (REPOSITORY / target).exists(), f"{page.name} links to {target}"


SOURCES = Path(smearlab.__file__).parent
MODULES = [
    ".".join(("smearlab", *file.relative_to(SOURCES).with_suffix("").parts))
    for file in sorted(SOURCES.rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    if name.startswith("smearlab.learn"):
        pytest.importorskip("torch", reason="torch is not installed: the train extra is missing")
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
