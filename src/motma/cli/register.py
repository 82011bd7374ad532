"""``motma register``: the fictional population register."""

import click

from motma.register.program import serve


@click.group("register", short_help="The fictional population register.")
def register() -> None:
    """The fictional population register: a program of its own, asked over HTTP as a real one would be."""


register.add_command(serve)
