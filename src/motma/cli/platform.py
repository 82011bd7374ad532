"""``motma platform``: small stand-ins of the platforms that are interlinked."""

import click

from motma.twins.program import serve


@click.group("platform", short_help="Stand-ins of Bluezone, NCOVI, tokhaiyte, dicuan.")
def platform() -> None:
    """Small stand-ins of four platforms, each a program of its own that is interlinked over HTTP only.

    `motma demo --twins` starts all four with an exchange. To let a platform of yours in: `motma admit platform`.
    """


platform.add_command(serve)
