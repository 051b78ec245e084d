"""What a user asks for: how many pictures of which type, out of which generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smearlab.errors import UnknownNameError, UsageError
from smearlab.synthesis.generator import End, Generator


def read_wanted(texts: Sequence[str], every: int | None, types: Sequence[str]) -> dict[str, int]:
    """Read ``TYPE=N``.

    Parameters
    ----------
    texts : sequence of str
        E.g. ``["basophil=500"]``.
    every : int, optional
        Pictures of each type that ``texts`` does not name.
    types : sequence of str
        That there are.

    Returns
    -------
    dict of str to int
        In the order of ``types``.

    Raises
    ------
    UnknownNameError
        If there is no such type.
    UsageError
        If a text is not of this form, or names a type twice.

    Examples
    --------
    >>> read_wanted(["monocyte=5"], 2, ["basophil", "monocyte"])
    {'basophil': 2, 'monocyte': 5}
    """
    named: dict[str, int] = {}
    for text in texts:
        kind, equals, number = (part.strip() for part in text.partition("="))
        if not equals or not number.isdecimal() or int(number) < 1:
            raise UsageError(f"--type takes TYPE=N, N from 1 on; received {text!r}")
        if kind not in types:
            raise UnknownNameError("type", kind, types)
        if kind in named:
            raise UsageError(f"--type names {kind} twice; name it once")
        named[kind] = int(number)
    wanted = {kind: named.get(kind, every or 0) for kind in types}
    return {kind: n for kind, n in wanted.items() if n}


def read_end(text: str, types: Sequence[str]) -> End:
    """Read one end of an interpolation, ``TYPE`` or ``TYPE=INDEX``.

    Raises
    ------
    UnknownNameError
        If there is no such type.
    UsageError
        If the index is no whole number.
    """
    kind, equals, index = (part.strip() for part in text.partition("="))
    if kind not in types:
        raise UnknownNameError("type", kind, types)
    if equals and not index.isdecimal():
        raise UsageError(f"--interpolate takes TYPE=INDEX, INDEX from 0 on; received {text!r}")
    return End(kind, int(index) if equals else 0)


def makers_of(
    types: Sequence[str],
    models: Sequence[Generator],
    chosen: Mapping[str, Generator] | None = None,
    option: str = "",
) -> dict[str, Generator]:
    """Which generator makes which type.

    Parameters
    ----------
    types : sequence of str
        That are to be made.
    models : sequence of Generator
        For every type that they make.
    chosen : mapping of str to Generator, optional
        For one type each; goes before ``models``.
    option : str
        How one is chosen for a type, for messages, as ``"--generate TYPE=MODEL"``.

    Returns
    -------
    dict of str to Generator

    Raises
    ------
    UsageError
        If no model makes a type, or several do; names all such types.
    UnknownNameError
        If a chosen one does not make its type.
    """
    chosen = chosen or {}
    for kind, model in chosen.items():
        model.one_hot(kind)
    able = {kind: [model for model in models if kind in model.types] for kind in types}
    several = [kind for kind, found in able.items() if len(found) > 1 and kind not in chosen]
    if several:
        names = " and ".join(model.name for model in able[several[0]])
        remedy = f"say which: {option}" if option else "name one of them"
        raise UsageError(f"{names} both make {', '.join(several)}; {remedy}")
    missing = [kind for kind, found in able.items() if not found and kind not in chosen]
    if missing:
        made = sorted({kind for model in models for kind in model.types})
        raise UsageError(
            f"no generator makes {', '.join(missing)}; those given make "
            f"{', '.join(made) or 'nothing'}: train one with smearlab train, and name it"
        )
    return {kind: chosen[kind] if kind in chosen else able[kind][0] for kind in types}
