"""The columns of tables of permits: what they are called, in offices and here, and what goes into them."""

from collections.abc import Mapping, Sequence
from typing import Literal

from motma.core.cells import plain
from motma.core.words import Words

Column = Literal[
    "group", "areas", "from", "until", "signed_by", "signed_area", "number", "document", "kind", "issuer", "name",
    "birth_date", "qid", "plate",
]  # fmt: skip

HEADERS: Mapping[Column, tuple[str, ...]] = {
    "group": ("Nhóm", "Nhóm đối tượng", "Mã nhóm", "Group", "Group code"),
    "areas": ("Khu vực", "Phạm vi", "Khu vực được đi", "Địa bàn", "Areas", "Area", "Scope"),
    "from": ("Từ ngày", "Có hiệu lực từ", "Hiệu lực từ", "Từ", "Ngày bắt đầu", "From", "Valid from"),
    "until": ("Đến hết ngày", "Đến ngày", "Hiệu lực đến", "Đến", "Ngày hết hạn", "Until",
              "Until the end of", "To", "Valid until"),
    "signed_by": ("Nơi ký", "Cơ quan cấp", "Đơn vị cấp", "Nơi cấp giấy", "Signed by", "Issued by"),
    "signed_area": ("Khu vực của nơi ký", "Quận của nơi ký", "Area of signatory", "Signatory area"),
    "number": ("Số giấy", "Số giấy đi đường", "Permit number", "Permit no"),
    "document": ("Số giấy tờ", "Số CCCD", "CCCD", "Số CMND", "CMND", "CCCD/CMND", "CMND/CCCD", "Số CMND/CCCD",
                 "Số CCCD/CMND", "Số định danh", "Hộ chiếu", "Số hộ chiếu", "Document number", "ID number"),
    "kind": ("Loại giấy tờ", "Document kind", "Kind of document"),
    "issuer": ("Nước cấp hộ chiếu", "Quốc tịch", "Passport country", "Nationality"),
    "name": ("Họ và tên", "Họ tên", "Tên", "Full name", "Name"),
    "birth_date": ("Ngày sinh", "Năm sinh", "Ngày tháng năm sinh", "Birth date", "Date of birth"),
    "qid": ("Mã số QR", "Mã QR", "Mã số", "QID", "Code number QID"),
    "plate": ("Biển số", "Biển số xe", "Biển kiểm soát", "Plate", "Number plate"),
}  # fmt: skip
"""What columns are called, the first as the template has it; read without case, tones and signs."""

COLUMNS: Mapping[Column, Words] = {
    "group": Words("Nhóm", "Group"),
    "areas": Words("Khu vực", "Areas"),
    "from": Words("Từ ngày", "From"),
    "until": Words("Đến hết ngày", "Until the end of"),
    "signed_by": Words("Nơi ký", "Signed by"),
    "signed_area": Words("Khu vực của nơi ký", "Area of signatory"),
    "number": Words("Số giấy", "Permit number"),
    "document": Words("Số giấy tờ", "Document number"),
    "kind": Words("Loại giấy tờ", "Kind of document"),
    "issuer": Words("Nước cấp hộ chiếu", "Passport country"),
    "name": Words("Họ và tên", "Full name"),
    "birth_date": Words("Ngày sinh", "Birth date"),
    "qid": Words("Mã số QR", "Code number (QID)"),
    "plate": Words("Biển số", "Number plate"),
}
"""The columns as people are told of them; in Vietnamese as a template has them."""

GUIDE: Mapping[Column, Words] = {
    "group": Words("Mã nhóm, ví dụ 3A. Xe luồng xanh: LX.", "The group's code, such as 3A. Green lane: LX."),
    "areas": Words(
        "Toàn thành phố, hoặc tên các khu vực cách nhau bằng dấu chấm phẩy: Quận 3; Quận 5.",
        "Whole city, or names of areas with semicolons between: Quận 3; Quận 5.",
    ),
    "from": Words("ngày/tháng/năm, có thể thêm giờ: 25/08/2021 06:00.", "day/month/year, a time may follow."),
    "until": Words("Hết ngày này giấy hết hạn; nếu ghi giờ thì hết hạn lúc đó.", "Good to the end of that day."),
    "signed_by": Words(
        "Công an thành phố (PC08), Công an quận, hoặc Công an phường. Phường chỉ cấp trong khu vực của mình.",
        "City police (PC08), district police or ward police. Ward police give permits for their own area only.",
    ),
    "signed_area": Words("Bắt buộc nếu công an phường ký.", "Needed if ward police signed."),
    "number": Words("Số ghi trên giấy, nếu có.", "The number on the paper, if it has one."),
    "document": Words("CCCD, CMND hoặc hộ chiếu. Định dạng cột là Văn bản.", "Format the column as Text."),
    "kind": Words("Để trống cũng được: đoán theo số.", "May be empty: it shows from the number."),
    "issuer": Words("Hai chữ, ví dụ VN. Để trống là VN.", "Two letters. Empty: VN."),
    "name": Words("Như trên giấy tờ, đủ dấu.", "As on the document, with tones."),
    "birth_date": Words("ngày/tháng/năm, hoặc chỉ năm.", "day/month/year, or the year alone."),
    "qid": Words("18 chữ số, thay cho giấy tờ, họ tên, ngày sinh.", "18 digits, in place of document, name, date."),
    "plate": Words("Chỉ cho nhóm của xe.", "Only for groups of vehicles."),
}

NEEDED: tuple[Column, ...] = ("group", "areas", "from", "until", "signed_by")
"""Columns that a table cannot do without; besides, one that names the holder."""
NAMES_HOLDER: tuple[Column, ...] = ("document", "qid", "plate")


def column_of(header: str) -> Column | None:
    """Which column a header names; None for one that is none of ours."""
    return _COLUMNS.get(plain(header)) if len(header) <= _HEADER_MAX else None


_HEADER_MAX = 100
_COLUMNS: dict[str, Column] = {plain(name): column for column, names in HEADERS.items() for name in names}


def missing_columns(found: Sequence[Column]) -> list[Column]:
    """Those that a table lacks; "document" for none that names a holder."""
    lacking = [column for column in NEEDED if column not in found]
    return lacking if any(column in found for column in NAMES_HOLDER) else [*lacking, "document"]
