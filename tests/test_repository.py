"""What the repository as a whole must hold to."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import smearlab

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = REPOSITORY / "constraints"
_LEFT_OUT = {".git", ".venv", "runs", "build", "demo", "site", "dist", "__pycache__"}


def own_files() -> list[Path]:
    """Tracked files and those that git would take; all files where there is no git."""
    if shutil.which("git") and (REPOSITORY / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
        )
        files = [REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]
        return [file for file in files if file.is_file()]
    return [
        file
        for file in REPOSITORY.rglob("*")
        if file.is_file() and not _LEFT_OUT & set(file.relative_to(REPOSITORY).parts)
    ]


def texts() -> list[tuple[Path, str]]:
    found = []
    for file in own_files():
        try:
            found.append((file, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_file_names_a_package_registry_or_a_place_on_a_machine() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "deb." + "debian"]
    places = re.compile(r"(?<![\w.$~*/\])}-])/(?:work|root|farm|opt/wheels|home/[a-z]+)/")
    for file, text in texts():
        for host in hosts:
            assert host not in text, f"{file} names {host}"
        if file != Path(__file__):
            assert not places.search(text), f"{file} names {places.search(text)}"


def test_files_are_small_enough_to_ship() -> None:
    for file in own_files():
        limit = 25 if "bundles" in file.parts else 2
        assert file.stat().st_size <= limit * 2**20, f"{file} is over {limit} MB"


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert smearlab.__version__ == PROJECT["version"] == citation["version"]


def test_the_citation_names_the_five_papers() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == PROJECT["license"]
    first = [(ref["authors"][0]["family-names"], ref["year"]) for ref in citation["references"]]
    assert first == [
        ("Mondal", 2024), ("Khan", 2024), ("Jung", 2021), ("Ferdousi", 2024), ("Hazra", 2022)
    ]  # fmt: skip
    assert all(reference["title"] for reference in citation["references"])


def test_the_licence_is_whole() -> None:
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) > 11_000


def pinned(name: str) -> dict[str, tuple[str, int]]:
    """Package → version and number of hashes in one constraints file."""
    found = {}
    text = (CONSTRAINTS / name).read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[a-z])", text):
        if match := re.match(r"([a-z0-9-]+)==(\S+)", block):
            found[match[1]] = (match[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
    return found


@pytest.mark.parametrize("name", ["bench.txt", "test.txt", "torch.txt", "torch-cpu.txt"])
def test_every_pinned_package_has_hashes(name: str) -> None:
    packages = pinned(name)
    assert packages
    for package, (version, n_hashes) in packages.items():
        assert n_hashes > 0, f"{package}=={version} has no hash"


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower().replace("_", "-") for one in requirements}


def test_everything_the_project_asks_for_is_pinned() -> None:
    bench, test = pinned("bench.txt"), pinned("test.txt")
    assert names(PROJECT["dependencies"]) <= set(bench)
    extras = [one for group in PROJECT["optional-dependencies"].values() for one in group]
    assert names(extras) - {"torch"} <= set(test)
    assert {name: test[name] for name in bench} == bench


def test_the_bench_installs_no_torch_and_torch_has_one_version() -> None:
    for name in ("bench.txt", "test.txt"):
        found = [p for p in pinned(name) if p == "torch" or p.startswith(("nvidia-", "cuda-"))]
        assert found == [], f"{name} pins {found}"
    cpu, index = pinned("torch-cpu.txt")["torch"][0], pinned("torch.txt")["torch"][0]
    assert cpu == f"{index}+cpu"


def test_the_malicious_releases_of_lightning_are_shut_out() -> None:
    asked = next(r for r in PROJECT["optional-dependencies"]["train"] if r.startswith("lightning"))
    assert "!=2.6.2" in asked
    assert "!=2.6.3" in asked
    assert pinned("test.txt")["lightning"][0] not in ("2.6.2", "2.6.3")


def test_continuous_integration_can_start() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    assert script.read_text(encoding="utf-8").rstrip().endswith("make test")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_task_is_listed() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    for task in ("demo", "test", "lint", "bench", "docs", "constraints", "clean"):
        assert re.search(rf"^{task} ", listed, re.MULTILINE), f"make help does not list {task}"
