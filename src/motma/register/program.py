"""``motma register serve``: the register as a process. Its clock and randomness come in here and nowhere else."""

import random
import secrets
import socket
import time
from contextlib import suppress

import click
import uvicorn

from motma.register.answers import Answers
from motma.register.app import App
from motma.register.faults import Faults
from motma.register.population import SIZE_MAX, Population
from motma.register.tokens import Tokens


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0: any free port.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=2021, show_default=True, help="Other seed, others.")
@click.option("--size", type=click.IntRange(1, SIZE_MAX), default=100_000, show_default=True, help="How many people.")
@click.option("--client", metavar="ID:SECRET", help="Who may ask; without it one is made and printed once.")
@click.option(
    "--token-seconds", type=click.IntRange(1, 86_400), default=300, show_default=True, help="Life of a token."
)
@click.option("--faults", is_flag=True, help="Open /faults, where anybody can make it fail: for tests and the demo.")
def serve(host: str, port: int, seed: int, size: int, client: str | None, token_seconds: int, faults: bool) -> None:
    """Run the fictional population register, which speaks OSIA Data Access 1.3 (docs/register.md).

    Prints one line, ready when it appears: the address that it listens on.
    """
    name, colon, secret = (client or "motma:" + secrets.token_urlsafe(24)).partition(":")
    if not (colon and name and secret):
        raise click.BadParameter("is ID:SECRET, neither of them empty", param_hint="--client")
    app = App(
        Answers(Population(seed, size)),
        Tokens({name: secret}, lifetime_seconds=token_seconds, clock=time.monotonic, random=secrets.token_bytes),
        faults=Faults() if faults else None,
        draw=random.Random(seed).random,  # faults come in the same order in every run
    )
    with _listening(host, port) as listener:
        port = listener.getsockname()[1]
        if client is None:
            click.echo(f"client {name}:{secret} (shown once)")
        # The socket listens already, so whoever reads this line can connect.
        click.echo(f"register on http://{f'[{host}]' if ':' in host else host}:{port}")
        with suppress(KeyboardInterrupt):
            _server(app).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None


def _server(app: App) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            lifespan="off",
            access_log=False,  # what is asked names people
            server_header=False,
            log_level="warning",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
        )
    )
