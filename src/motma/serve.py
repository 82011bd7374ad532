"""Run the server: one process, one event loop, group commit beneath."""

import uvicorn

from motma.config import Settings
from motma.wiring import application


def server(settings: Settings) -> uvicorn.Server:
    """A server that is ready to run; the caller awaits ``serve()`` or calls ``run()``."""
    return uvicorn.Server(
        uvicorn.Config(
            application(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            lifespan="on",
            access_log=False,  # addresses and paths of citizens are nobody's reading
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=3,  # an operator's live stream would otherwise hold the end up for ever
            backlog=4096,
        )
    )
