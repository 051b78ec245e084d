"""Whatever is wrong with a file, the error is an ImageError that says what and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bad_files import deflated_tiff, encoded, picture, write_bad_files
from smearlab.errors import ImageError
from smearlab.io.images import read_field

SMALL = picture(32, 24)
WHOLE = {
    "jpeg": encoded(SMALL, "JPEG"),
    "progressive jpeg": encoded(SMALL, "JPEG", progressive=True),
    "cmyk jpeg": encoded(SMALL.convert("CMYK"), "JPEG"),
    "png": encoded(SMALL, "PNG"),
    "palette png": encoded(SMALL.convert("P"), "PNG"),
    "tiff": encoded(SMALL, "TIFF"),
    "lzw tiff": encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "jpeg tiff": encoded(SMALL, "TIFF", compression="jpeg"),
    "deflated tiff": deflated_tiff(),
    "webp": encoded(SMALL, "WEBP"),
    "lossless webp": encoded(SMALL, "WEBP", lossless=True),
    "bmp": encoded(SMALL, "BMP"),
}


def test_every_bad_file_is_named_with_its_reason_and_a_remedy(tmp_path: Path) -> None:
    for name, reason in write_bad_files(tmp_path).items():
        with pytest.raises(ImageError) as caught:
            read_field(tmp_path / name)
        message = str(caught.value)
        assert message.startswith(f"{tmp_path / name}: "), message
        assert reason in message, message
        assert "; " in message, message
        assert "\n" not in message, message


def test_bad_files_print_nothing(tmp_path: Path) -> None:
    write_bad_files(tmp_path)
    # libtiff and logging write past Python's stderr, so a process of its own is needed.
    code = """
import sys, pathlib
from smearlab.errors import ImageError
from smearlab.io.images import read_field
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        read_field(file)
    except ImageError:
        print(file.name)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    assert ran.stdout.split("\n")[:-1] == sorted(p.name for p in tmp_path.iterdir())


@pytest.mark.parametrize("kind", WHOLE)
def test_a_cut_file_is_an_error_or_the_whole_picture(kind: str, tmp_path: Path) -> None:
    whole = WHOLE[kind]
    file = tmp_path / "cut"
    file.write_bytes(whole)
    expected = read_field(file).pixels.tobytes()
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        file.write_bytes(whole[:length])
        try:
            pixels = read_field(file).pixels.tobytes()
        except ImageError:
            continue
        # PNG may lose its end mark without losing a pixel; then it is whole.
        assert pixels == expected, f"{length} of {len(whole)} bytes gave another picture"
        assert length > len(whole) - 32


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(WHOLE)))
def test_only_image_errors_come_out_of_damaged_bytes(
    data: st.DataObject, kind: str, tmp_path: Path
) -> None:
    damaged = bytearray(WHOLE[kind])
    places = st.integers(0, len(damaged) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=12)):
        damaged[place] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged").write_bytes(damaged)
    try:
        field = read_field(tmp_path / "damaged")
    except ImageError as error:
        assert str(tmp_path / "damaged") in str(error)
    else:
        assert field.pixels.shape == (field.height_px, field.width_px, 3)


def test_bombs_take_no_memory(tmp_path: Path) -> None:
    bombs = [name for name in write_bad_files(tmp_path) if name.startswith("bomb")]
    assert len(bombs) == 5
    for name in bombs:
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match="decompression bomb"):
                read_field(tmp_path / name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 4e6, name


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no such file; check the name"):
        read_field(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match="no file name"):
        read_field("a\0b.png")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        read_field(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipe_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    caught: list[BaseException] = []

    def read() -> None:
        try:
            read_field(tmp_path / "pipe.png")
        except ImageError as error:
            caught.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert "it is a device, pipe or socket" in str(caught[0])


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such permissions on this system")
def test_permission_denied(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        tmp_path.chmod(0o711)
        os.seteuid(65534)
    try:
        with pytest.raises(ImageError, match="may not be read by this user; ask"):
            read_field(tmp_path / "a.png")
    finally:
        os.seteuid(user)


def test_too_large_for_the_limit_given(tmp_path: Path) -> None:
    picture(100, 100).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=r"100×100 px, more than 9,999 px"):
        read_field(tmp_path / "a.tif", max_pixels=9_999)
