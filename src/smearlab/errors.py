"""What can go wrong, as a tree.

::

    SmearlabError
    ├── UsageError          the caller asked for something that cannot be (exit status 2)
    │   ├── OutputExistsError   DIR holds the results of another input set
    │   └── UnknownNameError    a name that no registry knows, with "did you mean"
    ├── OutputError         results cannot be written: a full disk, a folder without permission
    ├── ImageError          one picture cannot be read; costs that picture only
    ├── AnnotationError     one annotation file cannot be read or written
    ├── BundleError         a model bundle is missing, damaged or of another kind
    ├── RunError            a folder is no finished training run, or not a sound one
    └── DataError           a dataset, an archive or a download is not what it should be
        └── ManifestError       a table of pictures contradicts itself, or lacks something

Every message names the thing, the value received and the remedy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SmearlabError(Exception):
    """The root of all errors that smearlab raises on purpose."""


class UsageError(SmearlabError):
    """The call cannot be carried out as it was written."""


class OutputExistsError(UsageError):
    """The output folder holds the results of another input set."""


class UnknownNameError(UsageError):
    """A name is in none of the registries.

    Parameters
    ----------
    kind : str
        What was looked for, e.g. ``"cell type"``.
    name : str
        What was received.
    known : iterable of str
        What would have been understood.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        super().__init__(f"unknown {kind} {name!r}{hint} Known: {', '.join(names) or 'none'}")


class OutputError(SmearlabError):
    """Results cannot be written; the message says where and why."""


class ImageError(SmearlabError):
    """One picture cannot be used; the message says which and why."""


class AnnotationError(SmearlabError):
    """One annotation file cannot be read or written; the message says which and why."""


class BundleError(SmearlabError):
    """A model bundle is missing, damaged, or does not keep its kind's contract."""


class RunError(SmearlabError):
    """A folder is no finished training run, or cannot be read; the message says which and why."""


class DataError(SmearlabError):
    """A dataset, an archive or a download is not what it should be; the message says where."""


class ManifestError(DataError):
    """A manifest cannot be used; the message names the row."""
