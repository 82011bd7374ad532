"""JSON as text, read so that everything in it has a line; for people who write it by hand."""

import re
from bisect import bisect_right
from collections.abc import Callable
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from math import isinf
from typing import Any

from motma.core import errors
from motma.core.rules.problems import below
from motma.core.words import Words

Seen = Callable[[str, int, int], None]
"""Told of every value before it is read: JSON Pointer, how deep it lies, its line. Raises to stop."""

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})(?P<part>\.[0-9]{1,299})?(?P<power>[eE][+-]?[0-9]{1,3})?(?![\w.+-])")
_LITERALS = {"true": True, "false": False, "null": None}

_WORDS = errors.Problem("policy.json", Words("JSON viết chưa đúng ở dòng này.", "This line is not JSON."))
_VALUE = Words("Thiếu một giá trị JSON ở đây, hoặc giá trị viết chưa đúng.", "A JSON value is missing or wrong here.")
_NAME = Words('Tên mục phải ở trong ngoặc kép "…".', 'The name of an entry must be in double quotes "…".')
_COLON = Words("Thiếu dấu hai chấm sau tên mục.", "A colon is missing after the name.")
_COMMA = Words("Thiếu dấu phẩy, hoặc thiếu ngoặc đóng.", "A comma or a closing bracket is missing.")
_TRAILING = Words("Thừa dấu phẩy trước ngoặc đóng.", "A comma too many before the closing bracket.")
_TEXT = Words("Chuỗi chữ chưa đóng, hoặc có ký tự phải viết bằng \\.", "A text does not end, or needs a \\ somewhere.")
_REST = Words("Thừa nội dung sau tài liệu JSON.", "There is something after the end of the JSON document.")


class JsonError(Exception):
    """No JSON, where, and in words what is wrong."""

    def __init__(self, path: str, line: int, words: Words) -> None:
        super().__init__(words.en)
        self.path, self.line, self.words = path, line, words


def read_json(text: str, seen: Seen, twice: Callable[[str, int], None]) -> Any:
    """The value of ``text``. ``twice`` is told of a name that an object has already; the first counts.

    Raises :class:`JsonError`, and whatever ``seen`` raises.
    """
    return _Json(text, seen, twice).read()


class _Json:
    def __init__(self, text: str, seen: Seen, twice: Callable[[str, int], None]) -> None:
        self._text = text
        self._seen = seen
        self._twice = twice
        self._at = 0
        self._ends = [place for place, letter in enumerate(text) if letter == "\n"]

    def read(self) -> Any:
        value = self._value("", 0)
        self._space()
        if self._at < len(self._text):
            raise self._wrong("", _REST)
        return value

    def _value(self, path: str, depth: int) -> Any:
        self._space()
        self._seen(path, depth, self._line())
        letter = self._text[self._at : self._at + 1]
        if letter == "{":
            return self._object(path, depth)
        if letter == "[":
            return self._array(path, depth)
        if letter == '"':
            return self._string(path)
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            if not (number["part"] or number["power"]):
                return int(number[0])
            value = float(number[0])
            if not isinf(value):
                return value
        for word, literal in _LITERALS.items():
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return literal
        raise self._wrong(path, _VALUE)

    def _object(self, path: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._at += 1
        if self._next("}"):
            return made
        while True:
            self._space()
            if self._text[self._at : self._at + 1] != '"':
                raise self._wrong(path, _TRAILING if made and self._text[self._at : self._at + 1] == "}" else _NAME)
            line = self._line()
            name = self._string(path)
            here = below(path, name)
            if not self._next(":"):
                raise self._wrong(here, _COLON)
            if name in made:
                self._twice(here, line)
            value = self._value(here, depth + 1)
            made.setdefault(name, value)
            if self._next("}"):
                return made
            if not self._next(","):
                raise self._wrong(here, _COMMA)

    def _array(self, path: str, depth: int) -> list[Any]:
        made: list[Any] = []
        self._at += 1
        if self._next("]"):
            return made
        while True:
            self._space()
            if made and self._text[self._at : self._at + 1] == "]":
                raise self._wrong(path, _TRAILING)
            made.append(self._value(below(path, len(made)), depth + 1))
            if self._next("]"):
                return made
            if not self._next(","):
                raise self._wrong(path, _COMMA)

    def _string(self, path: str) -> str:
        try:
            text, self._at = scanstring(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            self._at = min(error.pos, len(self._text))
            raise self._wrong(path, _TEXT) from None
        return str(text)

    def _next(self, letter: str) -> bool:
        self._space()
        if self._text[self._at : self._at + 1] != letter:
            return False
        self._at += 1
        return True

    def _space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found
        self._at = found.end()

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1

    def _wrong(self, path: str, words: Words) -> JsonError:
        return JsonError(path, self._line(), words)
