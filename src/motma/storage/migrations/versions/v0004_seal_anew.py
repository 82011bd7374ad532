"""A personal part may be sealed anew, with a newer key; nothing else of a fact may ever change."""

from alembic import op

revision = "0004"
down_revision = "0003"

_KEPT = ("seq", "id", "qid", "kind", "checkpoint", "at", "recorded_at", "actor", "body")
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in _KEPT) for row in ("NEW", "OLD"))
_NEWER = "substr(NEW.sealed, 1, 5) > substr(OLD.sealed, 1, 5) AND NEW.sealed >= "


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER facts_no_update")
        op.execute(
            "CREATE TRIGGER facts_only_reseal BEFORE UPDATE ON facts"
            f" WHEN (({_NEW}) IS ({_OLD}) AND {_NEWER}x'02') IS NOT 1"
            " BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
        )
    else:
        op.execute("DROP TRIGGER facts_no_change ON facts")
        op.execute(
            "CREATE TRIGGER facts_no_change BEFORE DELETE OR TRUNCATE ON facts"
            " FOR EACH STATEMENT EXECUTE FUNCTION facts_append_only()"
        )
        op.execute(
            "CREATE TRIGGER facts_only_reseal BEFORE UPDATE ON facts FOR EACH ROW"
            f" WHEN ((ROW({_NEW}) IS NOT DISTINCT FROM ROW({_OLD}) AND {_NEWER}'\\x02'::bytea) IS NOT TRUE)"
            " EXECUTE FUNCTION facts_append_only()"
        )
