"""``python -m smearlab``: the same as the ``smearlab`` command."""

from smearlab.cli.main import app

app(prog_name="smearlab")
