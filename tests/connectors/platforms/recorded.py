"""Recorded payloads of every platform, ``samples/<connector>/<case>.<kind>``, each with what becomes of it.

``<case>.ours.json`` holds ``{"items": [...]}`` or, of a case called ``problem-…``, ``{"problem": {"code", "fields"}}``.
To write the expected part anew, to be read before it is committed: ``python -m tests.connectors.platforms.recorded``.
"""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from motma.connectors.platforms import CONNECTORS, Connector, Item, Reported, Sent
from motma.core.errors import Invalid

SAMPLES = Path(__file__).parent / "samples"
NOW = dt.datetime(2026, 11, 23, 3, 0, tzinfo=dt.UTC)
"""10:00 in Vietnam; the samples' trips begin that day or the next."""

KINDS = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Sample:
    """One recorded payload."""

    connector: Connector
    file: Path

    @property
    def body(self) -> bytes:
        return self.file.read_bytes()

    @property
    def expected(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._beside.read_text())
        return found

    @property
    def _beside(self) -> Path:
        return self.file.with_name(self.file.stem + ".ours.json")

    def read(self, body: bytes | None = None) -> tuple[Item, ...]:
        """What the connector makes of it, or of ``body`` in its place."""
        content_type = KINDS[self.file.suffix[1:]]
        if content_type not in self.connector.content_types:
            content_type = self.connector.content_types[0]
        return self.connector.to_ours(self.body if body is None else body, content_type, NOW)

    def became(self) -> dict[str, Any]:
        """What ``expected`` should be."""
        try:
            return {"items": [_told(item) for item in self.read()]}
        except Invalid as refused:
            return {
                "problem": {"code": refused.code, "fields": {name: one.code for name, one in refused.fields.items()}}
            }

    def write(self) -> None:
        self._beside.write_text(json.dumps(self.became(), ensure_ascii=False, indent=2) + "\n")

    def __str__(self) -> str:
        return f"{self.connector.name}/{self.file.name}"


def _told(item: Item) -> dict[str, Any]:
    if isinstance(item, Sent | Reported):
        return {"kind": "declaration" if isinstance(item, Sent) else "event", "raw": item.raw, "key": item.key}
    return {"kind": "skipped", "code": item.why.code, "fields": {name: one.code for name, one in item.fields.items()}}


def samples(connector: str = "") -> list[Sample]:
    """All, or those of one connector, in the order of their names."""
    return [
        Sample(CONNECTORS[file.parent.name], file)
        for file in sorted(SAMPLES.glob(f"{connector or '*'}/*"))
        if file.suffix[1:] in KINDS and not file.name.endswith(".ours.json") and file.parent.name in CONNECTORS
    ]


def plain(body: bytes) -> Any:
    """A payload for comparing: JSON as it reads, pairs of a form in alphabetical order."""
    try:
        return json.loads(body)
    except ValueError:
        return sorted(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))


if __name__ == "__main__":
    for one in samples():
        one.write()
