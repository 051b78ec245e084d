"""Of several processes of a training, one speaks."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="torch is not installed: the train extra is missing")
from smearlab.cli.first_process import tell


@pytest.mark.parametrize(("rank", "said"), [(None, "a line\n"), ("0", "a line\n"), ("1", "")])
def test_the_first_process_speaks(
    rank: str | None, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    tell("a line", err=True)
    assert capsys.readouterr().err == said
