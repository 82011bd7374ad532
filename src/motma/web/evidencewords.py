"""The fields of the evidence as people call them, and what lies in them as people say it."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from motma.core.evidence import FIELDS, MOMENT, TEXT, TRUTH, WHOLE
from motma.core.flow import Network
from motma.core.form import Form
from motma.core.words import Words

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

FIELD_WORDS = {
    "now": Words("Lúc quét", "Scanned at"),
    "clock.minute": Words("Giờ trong ngày", "Time of day"),
    "measure.by_hand": Words("Mã cần xem giấy tờ", "Codes to be looked at by hand"),
    "checkpoint.id": Words("Chốt", "Checkpoint"),
    "checkpoint.kind": Words("Loại chốt", "Kind of checkpoint"),
    "checkpoint.area": Words("Chốt ở", "Checkpoint's area"),
    "code.problem": Words("Lỗi của mã", "What is wrong with the code"),
    "code.verified": Words("Mã đúng chữ ký", "The code's signature holds"),
    "code.plain": Words("Mã không có chữ ký", "A text that nobody signed"),
    "code.liveness": Words("Mã chứng thực trực tiếp", "The code's live proof"),
    "code.matched": Words("Khớp dân cư khi cấp mã", "Known to the register when issued"),
    "code.worth": Words("Mã tự nói", "What the code itself says"),
    "code.issued": Words("Mã cấp lúc", "Code issued at"),
    "code.from": Words("Mã dùng từ", "Code begins"),
    "code.until": Words("Mã dùng đến", "Code ends"),
    "code.of_declaration": Words("Mã của tờ khai này", "The code is of this declaration"),
    "code.superseded": Words("Đã có mã mới hơn", "There is a newer code"),
    "code.somebody_else": Words("Mã ghi người khác", "The code names somebody else"),
    "code.check_again": Words("Mã cần hỏi lại máy chủ", "The code asks for the server"),
    "reading.kind": Words("Loại mã khác", "Another kind of code"),
    "reading.trust": Words("Độ tin của mã khác", "What the other code is worth"),
    "standing.revoked": Words("Đã bị thu hồi", "Revoked"),
    "standing.suspended": Words("Đang tạm dừng", "Suspended"),
    "declaration.grade": Words("So với dân cư", "Against the register"),
    "declaration.health": Words("Sức khoẻ khai báo", "Declared health"),
    "declaration.at": Words("Khai lúc", "Declared at"),
    "declaration.from": Words("Tờ khai dùng từ", "Declaration begins"),
    "declaration.until": Words("Tờ khai dùng đến", "Declaration ends"),
    "health.event": Words("Y tế xác nhận", "Health staff reported"),
    "health.since": Words("Tính từ", "Since"),
    "health.until": Words("Cách ly đến", "Isolation until"),
    "trip.origin": Words("Đi từ", "From"),
    "trip.destination": Words("Đi tới", "To"),
    "trip.direction": Words("Hướng đi", "Direction"),
    "vehicle.kind": Words("Phương tiện", "Vehicle"),
    "vehicle.green_lane": Words("Luồng xanh", "Green lane"),
    "permit.group": Words("Nhóm giấy đi đường", "Group of the permit"),
    "permit.areas": Words("Giấy đi đường dùng ở", "Areas of the permit"),
    "permit.from": Words("Giấy đi đường dùng từ", "Permit begins"),
    "permit.until": Words("Giấy đi đường dùng đến", "Permit ends"),
    "permit.revoked": Words("Giấy đi đường bị thu hồi", "Permit revoked"),
    "permit.problem": Words("Lỗi của giấy đi đường", "What is wrong with the permit"),
    "certificate.kind": Words("Loại chứng nhận y tế", "Kind of health certificate"),
    "certificate.good": Words("Chứng nhận đúng chữ ký", "The certificate holds"),
    "certificate.known": Words("Biết nơi ký chứng nhận", "The certificate's signer is known"),
    "certificate.fits": Words("Chứng nhận đúng người", "The certificate is theirs"),
    "certificate.at": Words("Ngày tiêm hoặc xét nghiệm", "Dose or sample"),
    "certificate.doses": Words("Mũi tiêm số", "Dose number"),
    "certificate.series": Words("Tổng số mũi", "Doses in the series"),
    "certificate.test": Words("Loại xét nghiệm", "Kind of test"),
    "certificate.detected": Words("Phát hiện bệnh", "Infection detected"),
    "diversion.open": Words("Đang phân luồng", "Diverted"),
    "as_of.standing": Words("Hỏi máy chủ lúc", "Server asked at"),
    "as_of.keys": Words("Danh sách khoá lúc", "Keys as of"),
    "as_of.status": Words("Danh sách thu hồi lúc", "Lists as of"),
    "as_of.rules": Words("Luật lúc", "Rules as of"),
}

_SAID = {
    "gateway": Words("cửa ngõ", "gateway"),
    "inner": Words("nội đô", "inner"),
    "live": Words("trực tiếp", "live"),
    "stale": Words("đã cũ", "old"),
    "static": Words("ảnh hoặc giấy", "a picture or paper"),
    "accept": Words("được qua", "go"),
    "manual": Words("kiểm tra", "check"),
    "reject": Words("không qua", "stop"),
    "good": Words("tin được", "good"),
    "broken": Words("bị hỏng", "broken"),
    "unknown": Words("không rõ nơi ký", "signed by somebody unknown"),
    "plain": Words("không có chữ ký", "not signed"),
    "matched": Words("khớp", "matched"),
    "vouched": Words("cán bộ xác nhận", "an officer vouched"),
    "repairable": Words("lệch tên, sửa được", "the name differs, can be mended"),
    "mismatched": Words("không khớp", "does not match"),
    "pending": Words("chờ đối soát", "waiting for the register"),
    "unidentified": Words("chưa xác định", "not identified"),
    "case": Words("ca bệnh", "a case"),
    "clear": Words("không có triệu chứng", "no symptoms"),
    "contact": Words("có tiếp xúc", "contact"),
    "symptoms": Words("có triệu chứng", "symptoms"),
    "positive": Words("xét nghiệm dương tính", "tested positive"),
    "in": Words("vào", "in"),
    "out": Words("ra", "out"),
    "within": Words("đi trong vùng", "within"),
    "through": Words("đi qua", "through"),
    "vaccination": Words("tiêm chủng", "vaccination"),
    "test": Words("xét nghiệm", "test"),
    "recovery": Words("khỏi bệnh", "recovery"),
}
_NO_SUCH = Words("không có số này", "no such number")
_YES, _NO, _ALL = Words("có", "yes"), Words("không", "no"), Words("mọi nơi", "everywhere")
_KINDS = {
    MOMENT: Words("ngày giờ", "date and time"),
    TRUTH: Words("true hoặc false", "true or false"),
    TEXT: Words("chữ", "text"),
    WHOLE: Words("số nguyên", "whole number"),
}


def readable_fields() -> list[tuple[str, Words, Words]]:
    """(path, what it is, what can lie there) of everything that a rule may read."""
    return [
        (path, FIELD_WORDS[path], _KINDS[kind] if isinstance(kind, str) else Words(said, said))
        for path, kind in FIELDS.items()
        for said in [", ".join(sorted(kind))]
    ]


class EvidenceWords:
    """Says evidence with the names of one network's places and one form's vehicles."""

    def __init__(self, network: Network, form: Form) -> None:
        self._places = {area.id: area.name for area in network.areas} | {
            place.id: place.name for place in network.checkpoints
        }
        self._vehicles = {kind.id: kind.words for kind in form.vehicles}

    def place(self, id: str) -> Words:
        """An area or a checkpoint; "" is nowhere that is known."""
        if not id:
            return Words("không rõ", "not known")
        return self._places.get(id) or Words(id, id)

    def say(self, document: dict[str, Any], fields: Iterable[str]) -> list[tuple[Words, Words]]:
        """(field, what lies there) of those ``fields`` and parts of a document in which something lies."""
        asked = {*fields}
        wanted = [path for path in FIELDS if path in asked or path.partition(".")[0] in asked]
        return [(FIELD_WORDS[path], said) for path in wanted if (said := self._say(path, _at(document, path)))]

    def _say(self, path: str, value: Any) -> Words | None:
        kind = FIELDS[path]
        if value is None:
            return None
        if kind == TRUTH:
            return _YES if value else _NO
        if kind == MOMENT:
            moment = dt.datetime.fromisoformat(value).astimezone(_LOCAL)
            return Words(f"{moment:%H} giờ, {moment:%d/%m/%Y}", f"{moment:%d/%m/%Y}, {moment:%H}h")
        if path == "clock.minute":
            return Words(f"{value // 60} giờ", f"{value // 60:02}h")
        if isinstance(value, list):
            each = [self._word(one) for one in value]
            return Words(*(", ".join(words) for words in zip(*each, strict=True))) if each else _ALL
        if path == "vehicle.kind" and value in self._vehicles:
            return self._vehicles[value]
        return _NO_SUCH if (path, value) == ("declaration.grade", "unknown") else self._word(value)

    def _word(self, value: Any) -> Words:
        said = str(value)
        return self._places.get(said) or _SAID.get(said) or Words(said, said)


def _at(document: dict[str, Any], path: str) -> Any:
    part, _, leaf = path.partition(".")
    held = document.get(part)
    return held.get(leaf) if leaf and held else None if leaf else held
