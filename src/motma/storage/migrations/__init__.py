"""The way from any older database to this code's tables, as SQL text for one dialect.

Alembic orders the steps and writes them out; the engines run the text on their own drivers, in one transaction and
under a lock, so neither a second driver nor an SQLAlchemy engine exists at run time. A step can therefore change
data only by SQL that needs no answer in Python.
"""

from pathlib import Path

from sqlalchemy.engine.interfaces import Dialect

HEAD = "0011"
"""The last step; a test proves it, so that an up-to-date database never needs Alembic imported."""

CURRENT = "SELECT version_num FROM alembic_version"
"""Where a database is; the table is missing in an empty one."""


def upgrade(dialect: Dialect, current: str | None) -> list[str]:
    """The statements, in order, that bring a database from step ``current`` (None: empty) to :data:`HEAD`.

    Raises ``LookupError`` when this code does not know ``current``: newer code has been here.
    """
    # Imported here: it takes a tenth of a second that a start with nothing to do need not pay.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    here = Path(__file__).parent
    script = ScriptDirectory(str(here), version_locations=[str(here / "versions")])
    try:
        if current is not None:
            script.get_revision(current)
    except CommandError as error:
        raise LookupError(current) from error
    written = _Statements()
    context = MigrationContext.configure(
        dialect=dialect,
        opts={
            "as_sql": True,
            "output_buffer": written,
            "starting_rev": current,
            "transactional_ddl": False,  # the engine brings its own transaction
            "fn": lambda revision, _context: script._upgrade_revs("head", revision),
            "script": script,
        },
    )
    with Operations.context(context):
        context.run_migrations()
    return written.statements


class _Statements:
    """Takes what Alembic would print: one statement with each call."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def write(self, text: str) -> None:
        statement = text.strip().rstrip(";").strip()
        if statement and not statement.startswith("--"):
            self.statements.append(statement)

    def flush(self) -> None:
        pass
