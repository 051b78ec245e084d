"""Progress: rates and times left that can be worked out by hand."""

from __future__ import annotations

import io

from rich.console import Console

from smearlab.batch.progress import BarProgress, LogProgress, Pace


def test_pace_counts_only_what_was_done_now() -> None:
    pace = Pace(total=400, done=100, now_s=50.0)
    assert pace.rate(50.0) == 0.0
    assert pace.left_s(60.0) is None
    assert pace.words(60.0) == "100 of 400 fields, 0.0 fields/s, -:--:-- left"
    pace.done = 120
    pace.failed = 1
    # 20 fields in 10 s; 280 are left.
    assert pace.rate(60.0) == 2.0
    assert pace.left_s(60.0) == 140.0
    assert pace.words(60.0) == "120 of 400 fields, 2.0 fields/s, 0:02:20 left, 1 failed"


def test_long_times_are_hours() -> None:
    pace = Pace(total=100_001, done=0, now_s=0.0)
    pace.done = 1
    assert pace.tail(1.0) == "1.0 fields/s, 27:46:40 left"


def test_log_lines() -> None:
    stream = io.StringIO()
    log = LogProgress(stream, every_s=0)
    log.start(3, 1)
    log.advance(failed=False)
    log.advance(failed=True)
    log.say("a line")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "3 fields, 1 done before"
    assert lines[1].startswith("2 of 3 fields, ")
    assert lines[2].startswith("3 of 3 fields, ")
    assert lines[2].endswith(", 1 failed")
    assert lines[3] == "a line"


def test_log_lines_come_seldom() -> None:
    stream = io.StringIO()
    log = LogProgress(stream, every_s=1000)
    log.start(1, 0)
    for _ in range(50):
        log.tick()
    log.advance(failed=False)
    assert stream.getvalue() == "1 field\n"


def test_bar_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with BarProgress(console) as bar:
        bar.start(4, 1)
        bar.advance(failed=False)
        bar.advance(failed=True)
        bar.say("[bold] is no markup")
        bar.tick()
        console_text = stream.getvalue()
    assert "[bold] is no markup" in console_text
    text = stream.getvalue()
    assert "3/4" in text
    assert "fields/s" in text
    assert "1 failed" in text
