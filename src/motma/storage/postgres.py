"""PostgreSQL: one writing connection for each process, a pool for readers."""


class PostgreSQLEngine:
    """To come."""

    @classmethod
    async def open(cls, url: str) -> "PostgreSQLEngine":
        raise NotImplementedError
