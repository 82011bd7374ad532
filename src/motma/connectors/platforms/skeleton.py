"""What somebody sent, without what our declaration says anyway: a document with holes, filled again on the way back.

Of formats in which anybody may put anything anywhere (extensions, attributes of their own) nothing is lost, and nothing
is kept twice: wherever a value of theirs is the very same as one of ours there is only a hole that names ours.
"""

from collections.abc import Mapping
from typing import Any

Where = tuple[str | int, ...]
"""The way to a value inside a document: names of members, places in lists."""

_HOLE = "$ours"


def hollow(document: Any, spots: Mapping[Where, str], raw: Mapping[str, Any]) -> Any:
    """``document`` with a hole wherever it says the same as ``raw``. ``spots``: way in the document -> our path."""
    same = {where: path for where, path in spots.items() if _same(at(document, where), member(raw, path))}
    return _hollow(document, (), same)


def _hollow(value: Any, here: Where, same: Mapping[Where, str]) -> Any:
    if here in same:
        return {_HOLE: same[here]}
    if isinstance(value, dict):
        return {name: _hollow(inner, (*here, name), same) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hollow(inner, (*here, n), same) for n, inner in enumerate(value)]
    return value


def filled(skeleton: Any, sent: Mapping[str, Any]) -> Any:
    """The document again. A hole for which ``sent`` has nothing is left out."""
    if isinstance(skeleton, Mapping):
        whole = {name: filled(inner, sent) for name, inner in skeleton.items() if not _gone(inner, sent)}
        return member(sent, skeleton[_HOLE]) if _is_hole(skeleton) else whole
    if isinstance(skeleton, list | tuple):
        return [filled(inner, sent) for inner in skeleton if not _gone(inner, sent)]
    return skeleton


def _is_hole(value: Any) -> bool:
    return isinstance(value, Mapping) and list(value) == [_HOLE] and isinstance(value[_HOLE], str)


def _gone(value: Any, sent: Mapping[str, Any]) -> bool:
    return _is_hole(value) and member(sent, value[_HOLE]) is None


def at(document: Any, where: Where) -> Any:
    """What stands at ``where``; None if nothing does."""
    for step in where:
        if isinstance(document, dict) and isinstance(step, str):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and 0 <= step < len(document):
            document = document[step]
        else:
            return None
    return document


def member(raw: Any, path: str) -> Any:
    """What a declaration has at our dotted ``path``; None if nothing."""
    for step in path.split("."):
        raw = raw.get(step) if isinstance(raw, Mapping) else None
    return raw


def put(raw: dict[str, Any], path: str, value: Any) -> None:
    """Set a member of a declaration by our dotted ``path``."""
    *folders, last = path.split(".")
    for folder in folders:
        raw = raw.setdefault(folder, {})
    raw[last] = value


def _same(theirs: Any, ours: Any) -> bool:
    return type(theirs) is type(ours) and theirs == ours and isinstance(ours, str | bool)
