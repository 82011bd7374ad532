"""A policy as people write it: YAML or JSON as text -> the document, and the line of everything in it.

The YAML is the part of it that means one thing to everybody: no tags, anchors, aliases or merged keys, one document,
each name once. Numbers, ``true``, ``false`` and ``null`` are written as in JSON; dates and times are texts; what YAML
1.1 would read as something else (``no``, ``010``, ``0x1F``, ``1_000``) is an error that says so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isinf
from typing import Any

import yaml

from motma.core import errors
from motma.core.policy import Policy, examine
from motma.core.policy.jsontext import JsonError, read_json
from motma.core.rules.problems import below
from motma.core.words import Words

MAX_BYTES, MAX_DEPTH, MAX_VALUES = 56 * 1024, 200, 20_000
"""Of a text: its size in UTF-8, how deep it may be nested, how many names and values it may hold."""
MAX_FINDINGS = 100
MAX_PATH = 2_000
"""Characters of a JSON Pointer: each value has one, and a name of 27 KB with thousands in it would take 400 MB."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})(?P<part>\.[0-9]{1,299})?(?P<power>[eE][+-]?[0-9]{1,3})?")
_OTHER_NUMBER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*|[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+)"
)
_WORD = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|[-+]?\.inf|\.nan)", re.IGNORECASE)
_TAB = re.compile(r"\s*\t")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Characters that show nothing, or show the rest otherwise than it is."""

WORDS = {
    said.code: said.words
    for said in [
        errors.Problem(
            "policy.text_large", Words("Văn bản quá dài (tối đa 56 KB).", "The text is too long (56 KB at most).")
        ),
        errors.Problem("policy.text_empty", Words("Chưa có gì để đọc.", "There is nothing to read yet.")),
        errors.Problem(
            "policy.character",
            Words(
                "Có ký tự không nhìn thấy được, hoặc làm chữ hiện sai thứ tự. Xoá và gõ lại dòng này.",
                "There is a character that cannot be seen, or that shows text in another order. Type the line again.",
            ),
        ),
        errors.Problem(
            "policy.yaml",
            Words(
                "YAML viết chưa đúng. Xem thụt lề, dấu hai chấm, dấu nháy và dấu ngoặc ở dòng này và dòng trên.",
                "This is not YAML. Look at the indents, colons, quotes and brackets of this line and the one above.",
            ),
        ),
        errors.Problem(
            "policy.yaml_tab",
            Words("Thụt lề bằng dấu cách, không dùng phím Tab.", "Indent with spaces, not with tabs."),
        ),
        errors.Problem(
            "policy.yaml_anchor",
            Words(
                "Không dùng & và * (neo, bí danh) hay <<. Viết đầy đủ ra.",
                "No anchors and aliases (& and *) and no <<. Write it out.",
            ),
        ),
        errors.Problem(
            "policy.yaml_tag", Words("Không dùng thẻ kiểu (! hoặc !!).", "No tags (! or !!): values say what they are.")
        ),
        errors.Problem(
            "policy.yaml_second", Words("Chỉ một tài liệu: bỏ dòng ---.", "One document only: take the line --- away.")
        ),
        errors.Problem("policy.key_twice", Words("Mục này đã có ở trên.", "This name stands above already.")),
        errors.Problem("policy.key", Words("Tên mục phải là chữ.", "The name of an entry must be a text.")),
        errors.Problem(
            "policy.word",
            Words(
                "YAML dễ hiểu từ này thành đúng, sai. Viết true, false, null; là chữ thì đặt trong ngoặc kép.",
                "YAML may take this word for a truth. Write true, false, null in small letters; put a text in quotes.",
            ),
        ),
        errors.Problem(
            "policy.number",
            Words(
                "Viết số như trong JSON (10, không phải 010, 0x0A hay 1_0); là chữ thì đặt trong ngoặc kép.",
                "Write a number as in JSON (10, and not 010, 0x0A or 1_0); put a text in quotes.",
            ),
        ),
        errors.Problem("policy.deep", Words("Lồng nhau quá 200 tầng.", "Nested more than 200 levels deep.")),
        errors.Problem("policy.names_long", Words("Tên các mục quá dài.", "The names of entries are too long.")),
        errors.Problem("policy.many", Words("Quá 20 000 giá trị.", "More than 20,000 values.")),
    ]
}
"""By code: what can be wrong with a text before it is looked at as a policy."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say about a text: where (JSON Pointer, and line from 1), and whether it stops the policy."""

    code: str
    words: Words
    path: str
    line: int
    stops: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What a text turned out to be. ``policy`` is None if one of ``findings`` stops it; ``document`` if none is."""

    document: Any
    policy: Policy | None
    findings: tuple[Finding, ...]
    lines: Mapping[str, int] = field(repr=False, default_factory=dict)

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.stops)

    def line_of(self, path: str) -> int:
        """The line of what ``path`` points to, or of what it would stand in."""
        return _line_of(path, self.lines)


class _Stop(Exception):
    """The text cannot be read on."""


def read_policy(text: str) -> Written:
    """``text`` as a policy, with everything that is wrong with it; never raises."""
    document, faults, lines = read_text(text)
    if faults:
        return Written(None, None, tuple(faults[:MAX_FINDINGS]), lines)
    examined = examine(document)
    found = [Finding(one.code, one.words, one.path, _line_of(one.path, lines)) for one in examined.problems]
    found += [Finding(one.code, one.words, one.path, _line_of(one.path, lines), False) for one in examined.warnings]
    return Written(document, examined.policy, tuple(found[:MAX_FINDINGS]), lines)


def read_text(text: str) -> tuple[Any, list[Finding], dict[str, int]]:
    """(the JSON value, what is wrong, the line of each JSON Pointer); the value is None if anything is wrong."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = _Reader()
    if unseen := _UNSEEN.search(text):
        reader.fault("policy.character", "", text.count("\n", 0, unseen.start()) + 1)
    elif len(text.encode()) > MAX_BYTES:
        reader.fault("policy.text_large", "", 1)
    elif not text.strip():
        reader.fault("policy.text_empty", "", 1)
    else:
        (reader.json if text.lstrip()[0] in "{[" else reader.yaml)(text)
    return (None if reader.faults else reader.value), reader.faults, reader.lines


class _Reader:
    def __init__(self) -> None:
        self.value: Any = None
        self.faults: list[Finding] = []
        self.lines: dict[str, int] = {}
        self._values = 0

    def fault(self, code: str, path: str, line: int, words: Words | None = None) -> None:
        self.faults.append(Finding(code, words or WORDS[code], path, line))

    def json(self, text: str) -> None:
        try:
            self.value = read_json(text, self._count, lambda path, line: self.fault("policy.key_twice", path, line))
        except JsonError as error:
            self.fault("policy.json", error.path, error.line, error.words)
        except _Stop:
            return
        for path, said in _texts(self.value):
            if _UNSEEN.search(said):
                self.fault("policy.character", path, _line_of(path, self.lines))

    def yaml(self, text: str) -> None:
        try:
            self._compose(yaml.parse(text, Loader=_LOADER))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            lines = text.split("\n")
            line = min(mark.line + 1, len(lines)) if mark else 1
            self.fault("policy.yaml_tab" if _TAB.match(lines[line - 1]) else "policy.yaml", "", line)
        except _Stop:
            pass

    def _compose(self, events: Iterator[Any]) -> None:
        """From events to values, on a stack of our own: how deep a text is must not be how deep we are."""
        open_: list[_Open] = []
        documents = 0
        for event in events:
            kind, line = type(event), event.start_mark.line + 1
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._stop("policy.yaml_second", "", line)
                if event.tags:
                    self._stop("policy.yaml_tag", "", line)
            elif kind is yaml.AliasEvent:
                self._stop("policy.yaml_anchor", open_[-1].here() if open_ else "", line)
            elif kind in (yaml.SequenceEndEvent, yaml.MappingEndEvent):
                open_.pop()
            elif kind in (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent):
                self._node(event, kind, line, open_)

    def _node(self, event: Any, kind: type, line: int, open_: list["_Open"]) -> None:
        inside = open_[-1] if open_ else None
        if event.anchor is not None:
            self._stop("policy.yaml_anchor", inside.here() if inside else "", line)
        if event.tag is not None:
            self._stop("policy.yaml_tag", inside.here() if inside else "", line)
        if inside and inside.wants_key:
            if kind is not yaml.ScalarEvent or not (event.value or event.style):
                self._stop("policy.key", inside.path, line)
            if event.value == "<<" and not event.style:
                self._stop("policy.yaml_anchor", inside.path, line)
            inside.key = event.value
            path = inside.here()
            if _UNSEEN.search(event.value):
                self.fault("policy.character", path, line)
            if event.value in inside.holds:
                self.fault("policy.key_twice", path, line)
            self.lines[path] = line
            return
        path = inside.here() if inside else ""
        self._count(path, len(open_), line)
        value: Any
        if kind is yaml.ScalarEvent:
            value = self._scalar(event, path, line)
        else:
            value = [] if kind is yaml.SequenceStartEvent else {}
        if inside:
            inside.take(value)
        else:
            self.value = value
        if kind is not yaml.ScalarEvent:
            open_.append(_Open(value, path))

    def _scalar(self, event: Any, path: str, line: int) -> Any:
        text: str = event.value
        if _UNSEEN.search(text):
            self.fault("policy.character", path, line)
        if event.style:  # in quotes, or a block
            return text
        try:
            return plain_value(text)
        except Trap as trap:
            self.fault(trap.code, path, line)
            return None

    def _count(self, path: str, depth: int, line: int) -> None:
        if len(path) > MAX_PATH:
            self._stop("policy.names_long", "", line)
        self.lines.setdefault(path, line)
        self._values += 1
        if depth > MAX_DEPTH:
            self._stop("policy.deep", "", line)
        if self._values > MAX_VALUES:
            self._stop("policy.many", "", line)

    def _stop(self, code: str, path: str, line: int) -> None:
        self.fault(code, path, line)
        raise _Stop


class _Open:
    """An array or object that is being filled."""

    def __init__(self, holds: Any, path: str) -> None:
        self.holds = holds
        self.path = path
        self.key: str | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.holds, dict) and self.key is None

    def here(self) -> str:
        if isinstance(self.holds, list):
            return below(self.path, len(self.holds))
        return self.path if self.key is None else below(self.path, self.key)

    def take(self, value: Any) -> None:
        if isinstance(self.holds, list):
            self.holds.append(value)
        else:
            self.holds.setdefault(self.key, value)
            self.key = None


class Trap(Exception):
    """A scalar without quotes that others may read otherwise."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def plain_value(text: str) -> Any:
    """What a scalar without quotes means; raises :class:`Trap` for what others may read otherwise."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if number := _NUMBER.fullmatch(text):
        if not (number["part"] or number["power"]):
            return int(text)
        if isinf(float(text)):
            raise Trap("policy.number")
        return float(text)
    if _WORD.fullmatch(text):
        raise Trap("policy.word")
    if _OTHER_NUMBER.fullmatch(text):
        raise Trap("policy.number")
    return text


def _line_of(path: str, lines: Mapping[str, int]) -> int:
    while path and path not in lines:
        path = path.rpartition("/")[0]
    return lines.get(path, 1)


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """(path, text) of every text and name in a JSON value."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, str):
            yield path, one
        elif isinstance(one, list):
            waiting += [(below(path, place), item) for place, item in enumerate(one)]
        elif isinstance(one, dict):
            for name, item in one.items():
                yield below(path, name), name
                waiting.append((below(path, name), item))
