"""Run the server: one process, one event loop, group commit beneath."""

import sys

import structlog
import uvicorn

from motma.config import Settings
from motma.wiring import application


def server(settings: Settings) -> uvicorn.Server:
    """A server that is ready to run; the caller awaits ``serve()`` or calls ``run()``."""
    _log_plainly()
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


def _log_plainly() -> None:
    """One line of JSON for each event. structlog's own formatter prints local variables, and those are people."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
