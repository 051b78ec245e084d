"""Write the constraints files: every package a name, a version and the hashes of its files.

Run by ``make constraints``, which provides uv. Versions already written are kept; ``--upgrade``
takes the newest. The hashes are those of every file of a version, so that one list serves all
platforms and Python 3.11 to 3.13; no index address is written.

bench.txt       what the bench needs, and setuptools to install smearlab itself
test.txt        the same, with what training, tests, checks and docs need; without torch
torch.txt       torch, and the CUDA libraries that its Linux build in the index needs
torch-cpu.txt   torch's CPU build, which needs none; taken where pip finds it
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: CPU builds are published beside the index: their local version, and the sha256 of their files
#: (CPython 3.11, Linux, x86-64).
TORCH_CPU = "torch==2.13.0+cpu"
TORCH_CPU_FILES = ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)
ONLY_TORCH = ("torch==", "nvidia-", "cuda-", "triton")
HEAD = "# Written by `make constraints`; {what}. Do not edit by hand.\n"


def resolve(target: str, extras: list[str], arguments: list[str]) -> dict[str, str]:
    """Run uv for the project with ``extras``; package name → its lines, as in ``target``."""
    inputs = ["pyproject.toml", "constraints/build.in"]
    command = ["uv", "pip", "compile", *inputs, "--universal", "--python-version", "3.11"]
    command += ["--fork-strategy", "fewest", "--generate-hashes", "--no-annotate", "--no-header"]
    command += ["--no-emit-index-url", "--quiet", "--output-file", target, *arguments]
    for extra in extras:
        command += ["--extra", extra]
    subprocess.run(command, cwd=HERE.parent, check=True)
    packages: dict[str, str] = {}
    for line in Path(target).read_text().splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            name = line.split("==")[0]
            packages[name] = ""
        packages[name] += line
    return packages


def write(name: str, what: str, packages: dict[str, str]) -> None:
    """Write one constraints file."""
    text = HEAD.format(what=what) + "".join(packages.values())
    (HERE / name).write_text(text)
    print(f"constraints/{name}: {len(packages)} packages")


def main(arguments: list[str]) -> None:
    """Resolve once for everything, then tell the parts apart."""
    kept = HERE / "kept.txt"  # the versions already written, as uv wants to see them
    lists = [HERE / name for name in ("test.txt", "torch.txt")]
    kept.write_text("".join(part.read_text() for part in lists if part.exists()))
    try:
        everything = resolve(str(kept), ["train", "test", "lint", "docs"], arguments)
        torch = {n: text for n, text in everything.items() if text.startswith(ONLY_TORCH)}
        test = {n: text for n, text in everything.items() if n not in torch}
        kept.write_text("".join(everything.values()))
        bench = resolve(str(kept), [], [])
    finally:
        kept.unlink(missing_ok=True)
    write("bench.txt", "what `smearlab analyze` needs", bench)
    write("test.txt", "what training, tests, checks and docs need, without torch", test)
    write("torch.txt", "torch with the CUDA libraries of its Linux build", torch)
    files = "".join(f" \\\n    --hash=sha256:{digest}" for digest in TORCH_CPU_FILES)
    write("torch-cpu.txt", "torch's CPU build", {"torch": f"{TORCH_CPU}{files}\n"})


if __name__ == "__main__":
    main(sys.argv[1:])
