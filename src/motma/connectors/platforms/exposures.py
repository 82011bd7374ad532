"""Exposure notices, as Bluezone's server would hand them on: who stood near a confirmed case. The format is assumed
(``docs/connectors.md``).

A notice that knows nothing but the app's own changing ids names nobody here, and is left out with that said.
"""

from typing import Any

from motma.connectors.platforms.items import Item, Reported, Skipped
from motma.connectors.platforms.keeping import digest
from motma.connectors.platforms.reading import Theirs, malformed
from motma.core.errors import Problem
from motma.core.words import Words

NOTICES_MAX = 500

_SEXES = {"1": "male", "2": "female", "3": "other"}
_NOBODY = Problem(
    "inbox.nobody",
    Words(
        "Thông báo chỉ có mã thiết bị, không có số giấy tờ hay mã số QR: không biết là ai.",
        "The notice has only a device's id, no document number and no code number: it names nobody.",
    ),
)
_TO_MEND = Problem(
    "inbox.notice",
    Words("Thông báo này có ô cần sửa; các thông báo khác vẫn được nhận.", "This notice needs mending; others count."),
)


def contacts(notices: object) -> tuple[Item, ...]:
    """A report of a contact for each notice that names somebody. Raises :class:`motma.core.errors.Invalid`."""
    if not isinstance(notices, list) or not notices or len(notices) > NOTICES_MAX:
        raise malformed(f"ExposureNotices: [1…{NOTICES_MAX}]")
    return tuple(_contact(notice) for notice in notices)


def _contact(notice: Any) -> Item:
    if not isinstance(notice, dict):
        return Skipped(_TO_MEND)
    theirs = Theirs(notice)
    if not theirs.text("SoGiayTo") and not theirs.text("Qid"):
        return Skipped(_NOBODY)
    met = theirs.date("NgayTiepXuc", "ymd", "since")
    reference = theirs.need("NoticeID", "reference")
    raw: dict[str, Any] = {"event": "contact", "since": met.isoformat() if met else "", "reference": reference}
    if theirs.text("CachLyDenNgay"):
        until = theirs.date("CachLyDenNgay", "ymd", "until")
        raw["until"] = until.isoformat() if until else ""
    if theirs.text("QidF0", "case"):
        raw["case"] = theirs.text("QidF0")
    if theirs.text("Qid", "qid"):
        raw["qid"] = theirs.text("Qid")
    else:
        raw["person"] = _person(theirs)
    if theirs.problems:
        return Skipped(_TO_MEND, theirs.problems)
    return Reported(raw, f"notice:{digest(notice)}", theirs.names)


def _person(theirs: Theirs) -> dict[str, Any]:
    born = theirs.date("NgaySinh", "ymd", "person.birth_date")
    document = theirs.document("SoGiayTo", "VN")
    theirs.names["person.document"] = theirs.called("SoGiayTo")
    person = {
        "name": theirs.need("FullName", "person.name"),
        "birth_date": born.isoformat() if born else "",
        "document": document,
    }
    if theirs.text("MaGioiTinh"):
        person["sex"] = theirs.option("MaGioiTinh", _SEXES, "person.sex")
    return person
