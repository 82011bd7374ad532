"""What a citizen reads of those who looked at them and are no officers."""

from collections.abc import Iterable

from motma.core.facts import LookMade
from motma.core.words import Words
from motma.services.wallet import Look
from motma.web.house import House

PURPOSES = {
    "verification": Words("Nền tảng kiểm tra mã", "A platform checked the code"),
    "list": Words("Danh sách theo luật", "A list that the law provides for"),
    "report": Words("Cơ quan y tế xem lại báo cáo của mình", "A health system asked about its report"),
    "tracing": Words("Cán bộ y tế truy vết ca bệnh", "Health staff followed up a case"),
}
_TOLD = {
    "name": Words("họ tên", "name"),
    "birth_date": Words("ngày sinh", "birth date"),
    "phone": Words("số điện thoại", "phone"),
    "document": Words("số giấy tờ", "document number"),
    "last_four": Words("bốn số cuối giấy tờ", "last four of the document"),
    "qid": Words("mã số", "code number"),
    "area": Words("nơi đến", "destination area"),
    "declared_at": Words("giờ khai", "time of the declaration"),
    "valid_until": Words("hạn của mã", "validity of the code"),
    "state": Words("mã còn dùng được không", "whether the code is good"),
    "fields": Words("ô nào khác dữ liệu dân cư", "which fields differ from the register"),
    "how": Words("tên khác ra sao", "how the name differs"),
    "seen": Words("cán bộ thấy gì trên giấy tờ", "what an officer saw on the document"),
    "checkpoint": Words("giờ và chốt đã qua", "time and checkpoint passed"),
    "vehicle": Words("đi cùng xe", "the shared vehicle"),
    "reported": Words("báo cáo tiếp xúc", "a report of contact"),
}


def told_words(made: LookMade) -> Words:
    """Which of their data was told, in a line."""
    said = [_TOLD.get(field, Words(field, field)) for field in made.told]
    return Words(", ".join(one.vi for one in said), ", ".join(one.en for one in said))


async def names_of(house: House, looks: Iterable[Look]) -> dict[str, str]:
    """What the platforms are called that looked, by their ids; a short name is all that health staff have."""
    by = {look.by for look in looks if look.made and look.made.purpose != "tracing"}
    known = {id: await house.platforms.known(id, house.clock()) for id in by}
    return {id: one.name for id, one in known.items() if one}
