"""The report in a real headless Chromium: what it draws, what it runs, what it complains of."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from drawn_cells import make_cells, make_record
from smearlab.report.html import write_report
from smearlab.report.overlay import draw_overlay, encode_png, thumbnails
from smearlab.report.palette import rgb_of
from smearlab.report.records import FileError, ReportMeta
from smearlab.types import CELL_TYPES, Field

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--window-size=1280,2400",
    "--enable-logging=stderr",
)
_SHOUT = "<img src=x onerror=\"document.title='ours'\"><script>document.title='ours'</script>"


@dataclass(frozen=True)
class Seen:
    """What a visit gave: the document after scripts ran, and the console's lines."""

    dom: str
    console: tuple[str, ...]


@pytest.fixture(scope="session")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Seen]:
    """Opens a page, with further options; skips where there is no Chromium."""
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        pytest.skip(f"no Chromium on PATH (looked for {', '.join(_NAMES)})")

    def visit(page: Path, *options: str) -> Seen:
        profile = tmp_path_factory.mktemp("profile")
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}", *options, page.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=180, check=True)
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        console = tuple(line for line in lines if ":CONSOLE" in line)
        return Seen(done.stdout.decode("utf-8"), console)

    return visit


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every type, two fields, overlays, thumbnails and a failure."""
    folder = tmp_path_factory.mktemp("report")
    records = []
    for index, more in enumerate((0, 9)):
        types = [*CELL_TYPES, *["erythrocyte"] * more]
        name = f"field {10 - index} {_SHOUT}"
        cells = make_cells(types, field=name)
        field = Field(np.full((120, 160, 3), (235, 190, 190), np.uint8), name)
        (folder / f"{index}.png").write_bytes(encode_png(draw_overlay(field, cells)))
        records.append(
            make_record(name, cells, thumbnails=thumbnails(field, cells), overlay=f"{index}.png")
        )
    path = folder / "report.html"
    meta = ReportMeta(title="Smear of a test", simulated=True)
    write_report(path, records, [FileError(_SHOUT, "truncated")], meta)
    return path


def test_it_is_drawn_in_the_colours_of_the_palette(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "report.png"
    seen = visit(page, "--blink-settings=preferredColorScheme=1", f"--screenshot={picture}")
    pixels: NDArray[np.uint8] = np.asarray(Image.open(picture).convert("RGB"))
    assert pixels.shape == (2400, 1280, 3)
    assert pixels.std() > 10
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
    for name in CELL_TYPES:
        exact = int((pixels == rgb_of(name)).all(axis=-1).sum())
        assert exact > 80, f"{name} is drawn in {exact} pixels"
    # The lower end of the window still holds something: the page is not cut off.
    assert pixels[1600:].std() > 5
    assert seen.console == ()


def test_it_is_dark_where_the_reader_wants_it_dark(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "dark.png"
    visit(page, "--blink-settings=preferredColorScheme=0", f"--screenshot={picture}")
    pixels = np.asarray(Image.open(picture).convert("L"))
    assert np.median(pixels) < 60
    assert pixels.max() > 200


def test_the_document_has_the_figures_and_nothing_was_run_but_ours(
    visit: Callable[..., Seen], page: Path
) -> None:
    seen = visit(page, "--dump-dom")
    assert "<title>Smear of a test</title>" in seen.dom  # no name took it over
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", seen.dom.split("<body>")[1]))
    assert "Fields 2 1 more failed RBC 11 red cells WBC 16 all nucleated cells PLT 2" in text
    assert "Simulated pictures" in text
    assert seen.dom.count('<button type="button">') == 13  # the script made the heads clickable
    assert seen.dom.count("<script>") == 1
    assert seen.console == ()


def test_every_picture_is_shown(visit: Callable[..., Seen], page: Path, tmp_path: Path) -> None:
    probe = """document.body.dataset.broken =
        Array.from(document.images).filter((i) => !i.complete || !i.naturalWidth).length;
        document.body.dataset.shown = document.images.length;"""
    dom = visit(with_script(page, tmp_path, probe), "--dump-dom").dom
    assert 'data-broken="0"' in dom
    assert int(re.findall(r'data-shown="(\d+)"', dom)[0]) > 20


def test_names_are_text_even_without_the_security_policy(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    seen = visit(with_script(page, tmp_path, ""), "--dump-dom")
    assert "<title>Smear of a test</title>" in seen.dom


def test_a_click_sorts_the_fields_and_another_one_turns_them(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    clicks = """const heads = document.querySelectorAll("table.sortable th button");
        const orders = [];
        for (const column of [0, 0, 1, 1]) {
            heads[column].click();
            const rows = Array.from(document.querySelectorAll("table.sortable tbody tr"));
            orders.push(rows.map((row) => row.id).join(" "));
        }
        document.body.dataset.orders = orders.join(", ");"""
    dom = visit(with_script(page, tmp_path, clicks), "--dump-dom").dom
    by_name = ["row-1 row-0", "row-0 row-1"]  # "field 9" comes before "field 10"
    by_red_cells = ["row-0 row-1", "row-1 row-0"]  # 1 comes before 10
    assert f'data-orders="{", ".join([*by_name, *by_red_cells])}"' in dom
    assert dom.count('<th scope="col" aria-sort="descending">') == 1


def test_it_can_be_read_without_scripts(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    html = page.read_text(encoding="utf-8")
    path = tmp_path / "without-scripts.html"
    path.write_text(re.sub("script-src '[^']*'", "script-src 'none'", html), encoding="utf-8")
    seen = visit(path, "--dump-dom")
    assert len(seen.console) == 1  # our own script was refused
    assert "<button" not in seen.dom
    assert all(f'class="swatch {name.replace(" ", "-")}"' in seen.dom for name in CELL_TYPES)


def test_the_console_would_have_told(
    visit: Callable[..., Seen], page: Path, tmp_path: Path
) -> None:
    """The checks above can fail: a foreign picture or script is refused, and said to be."""
    html = page.read_text(encoding="utf-8")
    foreign = '<img src="http://127.0.0.1:9/a.png"><script>document.title = "run"</script></body>'
    bad = tmp_path / "bad.html"
    bad.write_text(html.replace("</body>", foreign), encoding="utf-8")
    seen = visit(bad, "--dump-dom")
    assert len(seen.console) >= 2
    assert all("Content Security Policy" in line for line in seen.console)
    assert "<title>Smear of a test</title>" in seen.dom


def with_script(page: Path, folder: Path, script: str) -> Path:
    """The same page without its policy and with one more script at its end."""
    html = page.read_text(encoding="utf-8")
    open_html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert open_html != html
    path = folder / "with-script.html"
    path.write_text(
        open_html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8"
    )
    return path
