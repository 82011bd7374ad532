"""The columns of tables of declarations: what they are called, in offices and here, and what goes into them.

A column is named by the dotted path of what it becomes in our form, but for a few that become several fields.
"""

import re
from collections.abc import Mapping

import msgspec
from rapidfuzz import fuzz

from motma.core.cells import plain
from motma.core.form import Choice, Form
from motma.core.words import Words

Column = str
"""A dotted path of the form; or ``residence``, ``trip.origin``, ``trip.destination`` (commune and province in one
cell), ``trip.departs_time`` (beside a day)."""


class Heading(msgspec.Struct, frozen=True):
    """One column: its names (the first two are the template's, Vietnamese and English), and how it is filled in."""

    names: tuple[str, ...]
    guide: Words

    @property
    def words(self) -> Words:
        return Words(self.names[0], self.names[1])


def _heading(names: str, vi: str, en: str) -> Heading:
    return Heading(tuple([name.strip() for name in names.split("|")]), Words(vi, en))


_HEADINGS: Mapping[Column, Heading] = {
    "name": _heading(
        "Họ và tên|Full name|Họ tên|Tên|Họ và tên người khai|Họ tên đầy đủ|Name",
        "Như trên giấy tờ, đủ dấu.",
        "As on the document, with tones.",
    ),
    "birth_date": _heading(
        "Ngày sinh|Date of birth|Năm sinh|Ngày tháng năm sinh|NTNS|Ngày/tháng/năm sinh|Birth date|DOB|Year of birth",
        "ngày/tháng/năm. Giấy tờ chỉ ghi năm thì ghi năm.",
        "day/month/year; the year alone if the document says no more.",
    ),
    "sex": _heading("Giới tính|Sex|Phái|Nam/Nữ|Gender", "Nam, Nữ hoặc Khác.", "Male, female or other."),
    "nationality": _heading(
        "Quốc tịch|Nationality|Nước|Country|Citizenship",
        "Tên nước hoặc hai chữ (VN). Có CCCD thì để trống cũng được.",
        "The country or its two letters (VN). May be empty beside a Vietnamese ID number.",
    ),
    "document.number": _heading(
        "Số giấy tờ|Document number|Số CCCD|CCCD|Số CMND|CMND|CCCD/CMND|CMND/CCCD|Số CMND/CCCD|Số CCCD/CMND"
        "|CCCD/CMND/Hộ chiếu|CMND/CCCD/Hộ chiếu|Số định danh|Số định danh cá nhân|Căn cước|Số căn cước|Hộ chiếu"
        "|Số hộ chiếu|ID number|Passport number|Passport|ID",
        "CCCD, CMND hoặc hộ chiếu. Định dạng cột là Văn bản, để không mất số 0.",
        "Format the column as Text, or zeros are lost.",
    ),
    "document.kind": _heading(
        "Loại giấy tờ|Kind of document|Document type|Document kind",
        "Để trống cũng được: đoán theo số. Người không có giấy tờ: ghi Không có.",
        "May be empty: it shows from the number. Nobody's document: None.",
    ),
    "phone": _heading(
        "Số điện thoại|Phone|Điện thoại|SĐT|ĐT|Di động|Số ĐT|ĐTDĐ|Điện thoại liên hệ|Phone number|Mobile|Telephone",
        "Ví dụ 090 123 45 67.",
        "For instance 090 123 45 67.",
    ),
    "residence.province": _heading(
        "Tỉnh, thành phố nơi ở|Province of residence|Tỉnh/Thành phố|Tỉnh, thành phố|Tỉnh thành|Tỉnh/TP|Tỉnh|Tỉnh nơi ở"
        "|Tỉnh/thành nơi ở|Province|City/Province|Residence province",
        "Một trong 34 tỉnh, thành phố.",
        "One of the 34 provinces.",
    ),
    "residence.commune": _heading(
        "Phường, xã nơi ở|Commune of residence|Phường/Xã|Xã/Phường|Phường, xã|Xã, phường|Phường|Xã|Phường/xã nơi ở"
        "|Xã/phường nơi ở|Commune|Ward|Residence commune",
        "Tên như từ 1/7/2025, hoặc mã năm chữ số.",
        "Its name since 1 July 2025, or the five digits.",
    ),
    "residence.address": _heading(
        "Số nhà, đường, ấp|House and street|Địa chỉ|Số nhà, đường|Số nhà|Địa chỉ nơi ở|Địa chỉ chi tiết|Tổ, ấp|Address"
        "|Street",
        "Phần còn lại của địa chỉ nơi ở.",
        "The rest of the address.",
    ),
    "residence": _heading("Nơi ở|Residence|Nơi ở hiện tại|Nơi cư trú|Chỗ ở hiện tại|Nơi thường trú|Thường trú", "", ""),
    "trip.origin.province": _heading(
        "Tỉnh, thành phố nơi đi|Province of departure|Tỉnh đi|Tỉnh nơi đi|Tỉnh/thành phố nơi đi|Tỉnh/TP đi|Từ tỉnh"
        "|Origin province|From province",
        "Nơi bắt đầu chuyến đi.",
        "Where the trip begins.",
    ),
    "trip.origin.commune": _heading(
        "Phường, xã nơi đi|Commune of departure|Xã đi|Phường/xã nơi đi|Xã/phường nơi đi|Phường/xã đi|Origin commune"
        "|From commune",
        "",
        "",
    ),
    "trip.origin": _heading("Nơi đi|From|Điểm đi|Nơi xuất phát|Xuất phát từ|Đi từ|Origin", "", ""),
    "trip.destination.province": _heading(
        "Tỉnh, thành phố nơi đến|Province of arrival|Tỉnh đến|Tỉnh nơi đến|Tỉnh/thành phố nơi đến|Tỉnh/TP đến|Đến tỉnh"
        "|Destination province|To province",
        "Nơi kết thúc chuyến đi.",
        "Where the trip ends.",
    ),
    "trip.destination.commune": _heading(
        "Phường, xã nơi đến|Commune of arrival|Xã đến|Phường/xã nơi đến|Xã/phường nơi đến|Phường/xã đến"
        "|Destination commune|To commune",
        "",
        "",
    ),
    "trip.destination": _heading("Nơi đến|To|Điểm đến|Đi đến|Đến nơi|Destination", "", ""),
    "trip.vehicle": _heading(
        "Phương tiện|Vehicle|Phương tiện đi lại|Loại phương tiện|Loại xe|Means of transport|Transport", "", ""
    ),
    "trip.plate": _heading(
        "Biển số|Number plate|Biển số xe|Biển kiểm soát|BKS|Số xe|Plate|Licence plate|License plate",
        "Nếu xe có biển số.",
        "If it has one.",
    ),
    "trip.departs_at": _heading(
        "Ngày giờ đi|Departure|Ngày, giờ đi|Thời gian đi|Thời gian khởi hành|Khởi hành lúc|Ngày đi|Ngày khởi hành"
        "|Departure time and date|Departs at|Departure date|Date of departure",
        "ngày/tháng/năm giờ:phút, ví dụ 20/01/2026 06:30. Giờ có thể ghi ở cột Giờ đi.",
        "day/month/year hour:minute, for instance 20/01/2026 06:30. The time may stand in a column of its own.",
    ),
    "trip.departs_time": _heading("Giờ đi|Departure time|Giờ khởi hành|Giờ xuất phát|Time of departure", "", ""),
    "trip.checkpoints": _heading(
        "Chốt đi qua|Checkpoints|Các chốt|Mã chốt|Checkpoint ids",
        "Mã các chốt theo thứ tự đường đi, cách nhau bằng dấu chấm phẩy. Để trống cũng được.",
        "Ids of checkpoints in the order of the way, with semicolons between. May be empty.",
    ),
    "health.symptoms": _heading(
        "Triệu chứng|Symptoms|Các triệu chứng|Dấu hiệu|Dấu hiệu bệnh|Triệu chứng bệnh|Symptom",
        "Không, hoặc các triệu chứng cách nhau bằng dấu phẩy. Hoặc mỗi triệu chứng một cột, ghi Có hoặc Không.",
        "None, or the symptoms with commas between. Or a column for each, with yes or no.",
    ),
    "health.contact": _heading(
        "Tiếp xúc người bệnh trong 14 ngày|Contact with a patient in 14 days|Tiếp xúc|Tiếp xúc người bệnh|Tiếp xúc F0"
        "|Có tiếp xúc người bệnh|Tiếp xúc gần|Contact|Contact with a case",
        "Có hoặc Không.",
        "Yes or no.",
    ),
    "health.places": _heading(
        "Nơi đã đến trong 14 ngày|Places visited in 14 days|Nơi đã đến|Nơi đã đi qua|Các nơi đã đến|Lịch trình"
        "|Places visited|Places",
        "Để trống cũng được.",
        "May be empty.",
    ),
    "consents": _heading(
        "Đồng ý các mục đích|Consents|Đồng ý|Mục đích đồng ý|Các mục đích đồng ý|Consent|Purposes agreed to",
        "Những mục đích mà chính người khai đã đồng ý từng cái một, cách nhau bằng dấu chấm phẩy; đồng ý đủ thì ghi "
        "Tất cả. Ghi Có thôi thì không rõ đồng ý điều gì.",
        "The purposes that the person agreed to one by one, with semicolons between; All if all of them. A bare yes "
        "does not say to what.",
    ),
    "guardian.number": _heading(
        "Số giấy tờ người giám hộ|Guardian's document number|CCCD người giám hộ|Số CCCD cha mẹ|CCCD cha/mẹ"
        "|Guardian document",
        "Chỉ khi người khai không có giấy tờ.",
        "Only for somebody without a document.",
    ),
    "guardian.kind": _heading("Loại giấy tờ người giám hộ|Kind of guardian's document", "", ""),
}

IN_ONE_CELL = ("residence", "trip.origin", "trip.destination")
"""Columns that hold a commune and its province together; a table needs them or the two."""
_HEADER_MAX, _GUESS_FROM, _GUESS, _TOO_NEAR = 100, 6, 92, 86
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\*|\n.*", re.DOTALL)

_SYMPTOMS: Mapping[str, tuple[str, ...]] = {
    "fever": ("Sốt", "Bị sốt", "Fever"),
    "cough": ("Ho", "Bị ho", "Cough"),
    "breathless": ("Khó thở", "Short of breath", "Breathlessness", "Shortness of breath"),
    "sore_throat": ("Đau họng", "Viêm họng", "Rát họng", "Sore throat"),
    "fatigue": ("Mệt mỏi", "Mệt mỏi khác thường", "Fatigue", "Tiredness", "Unusual tiredness"),
    "taste_smell": ("Mất vị giác", "Mất khứu giác", "Mất vị giác hoặc khứu giác", "Loss of taste or smell"),
    "aching": ("Đau người", "Đau cơ", "Đau người, đau cơ", "Aching body or muscles", "Muscle pain"),
    "diarrhoea": ("Tiêu chảy", "Đi ngoài", "Diarrhoea", "Diarrhea"),
    "rash": ("Nổi ban", "Phát ban", "Nổi ban ngoài da", "Skin rash", "Rash"),
}
_VEHICLES: Mapping[str, tuple[str, ...]] = {
    "motorbike": ("Mô tô", "Xe gắn máy", "Motorcycle", "Xe ôm"),
    "car": ("Ô tô", "Xe ô tô", "Xe hơi", "Xe con", "Taxi", "Ôtô", "Xe ôtô", "Private car"),
    "bus": ("Xe khách", "Xe buýt", "Xe bus", "Bus", "Coach", "Xe giường nằm"),
    "truck": ("Xe tải", "Xe container", "Lorry"),
    "train": ("Tàu hỏa", "Tàu lửa", "Xe lửa"),
    "plane": ("Máy bay", "Airplane", "Aeroplane", "Flight"),
    "boat": ("Tàu thủy", "Tàu thuỷ", "Thuyền", "Phà", "Ghe", "Boat", "Ship", "Ferry"),
    "walk": ("Đi bộ", "Xe đạp", "On foot", "Bicycle", "Walking"),
}
PURPOSES: Mapping[str, tuple[str, ...]] = {
    "code": ("Cấp mã", "Cấp mã QR", "Issuing the code"),
    "identity": ("So dữ liệu dân cư", "Đối chiếu dữ liệu dân cư", "Comparing with the register"),
    "health": ("Dữ liệu sức khỏe", "Dữ liệu sức khoẻ", "Sức khỏe", "Health data"),
    "passage": ("Ghi chốt đi qua", "Ghi lại chốt đi qua", "Recording checkpoints"),
}
"""Short names of the purposes, the first and the last as the template's guide has them."""


class Columns:
    """The columns of one version of the form, and what its answers are called."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.headings = _headings(form)
        """In the order of the template; each symptom is a column."""
        self.symptoms = _by_name(form.symptoms, _SYMPTOMS)
        self.vehicles = _by_name(form.vehicles, _VEHICLES)
        self.purposes = _by_name(form.purposes, PURPOSES)
        """Plain name -> id, each."""
        self._known = {plain(name): column for column, told in self.headings.items() for name in (column, *told.names)}

    def named(self, header: str) -> Column | None:
        """The column that a header names. What stands in brackets, a star, and a second line are remarks."""
        if len(header) > _HEADER_MAX:
            return None
        return self._known.get(plain(header)) or self._known.get(plain(_ASIDE.sub(" ", header)))

    def guessed(self, header: str) -> Column | None:
        """The column whose name is almost this, if no other comes near; its digits are never guessed."""
        name = plain(_ASIDE.sub(" ", header[:_HEADER_MAX]))
        if len(name) < _GUESS_FROM:
            return None
        near: dict[Column, float] = {}
        for other, column in self._known.items():
            if _digits(name) == _digits(other):
                near[column] = max(near.get(column, 0.0), fuzz.ratio(name, other, score_cutoff=_TOO_NEAR))
        close = [column for column, ratio in near.items() if ratio]
        return close[0] if len(close) == 1 and near[close[0]] >= _GUESS else None


def _headings(form: Form) -> Mapping[Column, Heading]:
    found = dict(_HEADINGS)
    vehicles = Words(*["; ".join(told) + "." for told in zip(*[choice.words for choice in form.vehicles], strict=True)])
    found["trip.vehicle"] = msgspec.structs.replace(found["trip.vehicle"], guide=vehicles)
    for symptom in form.symptoms:
        names = (*symptom.words, *_SYMPTOMS.get(symptom.id, ()))
        found[f"health.symptoms.{symptom.id}"] = Heading(names, Words("Có hoặc Không.", "Yes or no."))
    return found


def _by_name(choices: tuple[Choice, ...], also: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    return {plain(name): one.id for one in choices for name in (one.id, *one.words, *also.get(one.id, ()))}


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
