"""Arithmetic by the hardware, and what a run's record says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toy_run import CONFIG, Stripes, losses_of, train

from smearlab.errors import UsageError
from smearlab.learn.train.config import Precision
from smearlab.learn.train.hardware import describe_hardware, is_first_process, resolve_precision


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return monkeypatch


def pretend(monkeypatch: pytest.MonkeyPatch, avx: bool, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)


@pytest.mark.parametrize(
    ("avx", "amx", "expected"),
    [
        (False, False, "32-true"),
        (True, False, "bf16-mixed"),
        (False, True, "bf16-mixed"),
        (True, True, "bf16-mixed"),
    ],
)
def test_auto_is_bf16_where_the_cpu_has_it(
    no_gpu: pytest.MonkeyPatch, avx: bool, amx: bool, expected: str
) -> None:
    pretend(no_gpu, avx, amx)
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize(("bf16", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_auto_is_bf16_where_the_gpu_has_it(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: bf16 or including_emulation
    )
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize("name", ["32-true", "bf16-mixed", "16-mixed"])
def test_what_is_asked_for_by_name_is_taken(name: Precision) -> None:
    assert resolve_precision(name) == name


def test_a_run_goes_on_where_the_arithmetic_is_another(
    no_gpu: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = replace(CONFIG, precision="auto")
    pretend(no_gpu, True, False)
    with pytest.raises(OSError):
        train(tmp_path, config, Stripes(stop_after=24 * 2 + 1))
    begun = losses_of(tmp_path)
    pretend(no_gpu, False, False)
    train(tmp_path, config)
    assert losses_of(tmp_path)[:6] == begun
    kept = json.loads((tmp_path / "config.json").read_text())
    assert kept["asked"]["train"]["precision"] == "auto"
    assert kept["hardware"]["precision"] == "bf16-mixed"
    assert [one["precision"] for one in kept["went_on_with"]] == ["32-true"]
    assert len(losses_of(tmp_path)) == 12


def test_bf16_rounds_the_loss(no_gpu: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("32-true", "bf16-mixed"):
        train(tmp_path / name, replace(CONFIG, max_steps=1, precision=name))
    exact, rounded = (losses_of(tmp_path / name)[0] for name in ("32-true", "bf16-mixed"))
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.05)


def test_float16_needs_a_gpu(no_gpu: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="16-mixed needs a GPU: take bf16-mixed, 32-true or auto"):
        train(tmp_path / "run", replace(CONFIG, precision="16-mixed"))
    assert not (tmp_path / "run").exists()


def test_the_record_says_what_it_ran_on(no_gpu: pytest.MonkeyPatch) -> None:
    found = describe_hardware("32-true")
    assert found["threads"] == torch.get_num_threads()
    assert (found["processes"], found["precision"], found["cuda"]) == (1, "32-true", False)
    assert found["device"]
    json.dumps(found)


def test_the_first_process_is_told_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert is_first_process()
    monkeypatch.setenv("RANK", "1")
    assert not is_first_process()
