"""What the interface's description says of a member of a message. Nothing is refused by it."""

from typing import Any

import msgspec


def says(description: str, *examples: Any, **more: Any) -> msgspec.Meta:
    """To annotate a member with: its description, examples, and further keys of its JSON Schema."""
    return msgspec.Meta(extra_json_schema={"description": description, "examples": list(examples), "extra": more})
