"""Tables of generators: recipes trained on the same pictures, and the worth of what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.runs import SUMMARY
from smearlab.learn.reproduce.experiment import Asked, Outcome, Scale, is_asked
from smearlab.learn.reproduce.made_pictures import Worth, worth_of
from smearlab.learn.reproduce.worth_lines import SAID
from smearlab.learn.verification.config import VerifyConfig

#: Of a network that must only run: a picture or two in each of its parts.
SMOKE_CHECKS = VerifyConfig(
    epochs=1, seeds=1, shares=(0.0, 1.0), most_of_type=6, resamples=2, pairs=2, blind_each=1
)
#: Trains a recipe with settings, or goes on with it: name, settings, what was asked, whether to
#: train; the finished runs.
Train = Callable[[str, Sequence[str], Asked], list[Path]]


@dataclass(frozen=True)
class Making:
    """How many pictures are made at a scale, and how they are checked.

    Parameters
    ----------
    each : int
        Of each type.
    config : VerifyConfig
    first : tuple of str
        Checks that only the table's leading recipe is put to, beside those of ``config``.
    """

    each: int
    config: VerifyConfig
    first: tuple[str, ...] = ()

    def of(self, leading: bool) -> VerifyConfig:
        """Checks of a recipe."""
        more = self.first if leading else ()
        return replace(self.config, checks=(*self.config.checks, *more))


@dataclass(frozen=True)
class GeneratorTable:
    """Recipes of a table.

    Parameters
    ----------
    recipes : tuple of str
        The first is the paper's own.
    train : callable
        See :data:`Train`.
    folders : callable
        Name and what was asked → where the runs of a recipe lie.
    lines : callable
        Lines of a recipe's pictures.
    making : mapping of str to Making
        One for each scale.
    settings : mapping of str to mapping
        Scale → recipe → settings.
    deviations : tuple of str
    types : tuple of str
        That are made and checked; all when empty.
    leading : str
        The recipe that is put to all checks; the first when empty.
    """

    recipes: tuple[str, ...]
    train: Train
    folders: Callable[[str, Sequence[str], Asked], list[Path]]
    lines: Callable[[Worth], Iterator[Line]]
    making: Mapping[Scale, Making]
    settings: Mapping[Scale, Mapping[str, Sequence[str]]]
    deviations: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    leading: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--only`` may name."""
        return self.recipes

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, make pictures, verify them."""
        worths = list(self._worths(asked))
        if not worths:
            raise UsageError("no generator of this table is trained yet: leave out --only")
        summaries = [run.summary for worth in worths for run in worth.runs]
        there = [worth.name for worth in worths]
        findings = [f"{name}: {said}" for name, said in _warnings(worths)]
        findings += [f"{name} is not trained yet" for name in self.recipes if name not in there]
        own = [said for one in summaries for said in one.deviations]
        return Outcome(
            lines=tuple(line for worth in worths for line in self.lines(worth)),
            data=tuple(dict.fromkeys(_said_data(worth) for worth in worths)),
            deviations=tuple(
                dict.fromkeys([*self._scaled_down(asked), *self.deviations, *SAID, *own])
            ),
            hardware=", ".join(dict.fromkeys(one.hardware for one in summaries)),
            seconds=sum(worth.seconds for worth in worths),
            findings=tuple(findings),
            pages=tuple(page for worth in worths for page in worth.pages),
            seed=summaries[0].seed,
        )

    def settings_of(self, name: str, scale: Scale) -> tuple[str, ...]:
        """Settings of a recipe at a scale."""
        return tuple(self.settings[scale].get(name, ()))

    def _worths(self, asked: Asked) -> Iterator[Worth]:
        making = self.making[asked.scale]
        for name in self.recipes:
            settings = self.settings_of(name, asked.scale)
            if is_asked(asked.only, name, self.recipes):
                folders = self.train(name, settings, asked)
            else:
                folders = self.folders(name, settings, asked)
                if not all((folder / SUMMARY).is_file() for folder in folders):
                    continue
            config = making.of(name == (self.leading or self.recipes[0]))
            yield worth_of(name, folders, making.each, config, asked, self.types)

    def _scaled_down(self, asked: Asked) -> list[str]:
        """What the scale cuts, as deviations."""
        if asked.scale == "paper":
            return []
        making, papers = self.making[asked.scale], self.making["paper"].config.network
        said = [f"scale {asked.scale}: {making.each} pictures of each type are made"]
        if making.config.network != papers:
            said.append(
                f"scale {asked.scale}: {making.config.network} learns from them and types them in "
                f"the place of {papers}"
            )
        for name in self.recipes:
            changed = self.settings_of(name, asked.scale)
            if changed:
                said.append(f"scale {asked.scale}: {name} with {', '.join(changed)}")
        return said


def _warnings(worths: Sequence[Worth]) -> Iterator[tuple[str, str]]:
    for worth in worths:
        for run in worth.runs:
            for said in run.summary.warnings:
                kinds = run.classes[0] if len(worth.runs) > 1 else ""
                yield worth.name, f"{kinds}: {said}" if kinds else said


def _said_data(worth: Worth) -> str:
    """What was learnt from and measured on, in a sentence."""
    summary, real = worth.runs[0].summary, worth.whole["real"]
    learnt = sum(n for run in worth.runs for n in run.summary.pictures.values())
    return (
        f"{worth.name}: learnt from {learnt} pictures of {', '.join(summary.datasets)}, "
        f"{summary.size_px} px; {worth.whole['synthetic']['n']} made; compared with "
        f"{real['train']} training and {real['test']} test pictures"
    )
