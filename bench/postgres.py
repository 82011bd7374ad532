"""A PostgreSQL for one run, with full durability."""

import contextlib
from collections.abc import Iterator

from tests.storage.servers import PostgresServer


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Yields the URL of an empty database."""
    server = PostgresServer(durable=True)
    try:
        yield server.new_database()
    finally:
        server.stop()
