"""Who may be declared in a sandbox: only people who do not exist.

Numbers of the fictional register begin with 999, a province that was never given out; its passports are a letter, 999
and five digits. Somebody without a number may be declared, since nobody is found by it.
"""

import re

from motma.core.errors import Invalid, Problem
from motma.core.form import Declaration
from motma.core.ids import Document
from motma.core.words import Words

_is_passport = re.compile(r"[A-Z]999[0-9]{5}").fullmatch
_REAL = Problem(
    "sandbox.real_person",
    Words(
        "Đây là bản thử: chỉ nhận người giả định, số giấy tờ bắt đầu bằng 999. Đừng nhập giấy tờ thật.",
        "This is a sandbox: it takes fictional people only, whose numbers begin with 999. Enter no real documents.",
    ),
)


def is_fictional(document: Document) -> bool:
    """Whether a number is one of the fictional register, or none at all."""
    if document.kind == "none":
        return True
    if document.kind == "passport":
        return _is_passport(document.number) is not None
    return document.number.startswith("999")


def require_fictional(declaration: Declaration) -> None:
    """Raises :class:`Invalid` ``sandbox.real_person`` if a number of the declaration could be somebody's."""
    named = (("document.number", declaration.document), ("guardian.number", declaration.guardian))
    real = {path: _REAL for path, document in named if document and not is_fictional(document)}
    if real:
        raise Invalid("sandbox.real_person", _REAL.words, real)
