"""Words that fictional people are named with, as wheels: tuples in which a word stands as often as it is borne.

Family names follow their frequency among the Kinh (Lê Trung Hoa, *Họ và tên người Việt Nam*, 2005: Nguyễn 38.4 %,
Trần 11, Lê 9.5, Phạm 7.1, Huỳnh/Hoàng 5.1, Phan 4.5, Vũ/Võ 3.9, Đặng 2.1, Bùi 2, Đỗ 1.4, Hồ 1.3, Ngô 1.3, Dương 1,
Lý 0.5; later counts see Nguyễn at 31.5 %, and we stand between). Middle and given names follow sex and generation by
feeling: Văn and Thị rule until about 1985, longer names after.
"""

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

Wheel = tuple[str, ...]
Recipe = tuple[Wheel, ...]
"""One wheel per word of a name, in the order of the words."""

SLOTS = 256
FAMILY_SLOTS = 4096


def spread(weighted: Sequence[tuple[_T, int]], slots: int) -> tuple[_T, ...]:
    """``slots`` places, shared out by weight in whole numbers only, so that every machine gets the same."""
    total = sum(weight for _, weight in weighted)
    places: list[_T] = []
    so_far = 0
    for item, weight in weighted:
        so_far += weight
        places += [item] * (so_far * slots // total - len(places))
    return tuple(places)


def _wheel(text: str, slots: int = SLOTS) -> Wheel:
    """``word`` (weight 1) or ``word:weight``, apart by spaces; _ in a word stands for a space."""
    pairs = (item.partition(":") for item in text.split())
    return spread([(word.replace("_", " "), int(weight or 1)) for word, _, weight in pairs], slots)


def _recipes(*weighted: tuple[int, Recipe]) -> tuple[Recipe, ...]:
    return spread([(recipe, weight) for weight, recipe in weighted], SLOTS)


_TAIL = """
    Đinh:12 Trương:14 Lâm:9 Mai:9 Đào:9 Hà:8 Cao:8 Trịnh:8 Lương:8 Tạ:5 Thái:5 Châu:4 Đoàn:8 Phùng:5 Tô:4 Vương:4
    Kiều:2 Quách:2 Lưu:4 La:2 Tăng:2 Tống:2 Từ:2 Hứa:2 Diệp:2 Nghiêm:2 Khổng:1 Doãn:1 Chu:3 Thân:1 Lại:2 Mạc:1 Triệu:2
    Văn:2 Tôn:1 Thạch:1 Khuất:1 Ninh:1 Cù:1 Giang:1 Viên:1 Đàm:2 Bạch:1 Phí:1 Âu:1 Ông:1 Lều:1 Ứng:1 Uông:1
"""
_COMMON = """
    Nguyễn:350 Trần:110 Lê:95 Phạm:71 Phan:45 Đặng:21 Bùi:20 Đỗ:14 Hồ:13 Ngô:13 Dương:10 Lý:5
"""
# The same two names sound differently north and south of the old border.
FAMILIES_NORTH = _wheel(_COMMON + "Hoàng:48 Huỳnh:3 Vũ:36 Võ:3" + _TAIL, FAMILY_SLOTS)
FAMILIES_SOUTH = _wheel(_COMMON + "Hoàng:8 Huỳnh:43 Vũ:8 Võ:31" + _TAIL, FAMILY_SLOTS)

_SECOND = _wheel("Nguyễn:6 Trần:5 Lê:6 Phạm:4 Hoàng:4 Phan:3 Đặng:2 Võ:2 Ngô:2 Lâm Hồ Đỗ Bùi Dương Vũ:2 Trương Đinh")
_THI = ("Thị",) * SLOTS

_HIM_OLD_MIDDLE = _wheel(
    "Văn:48 Đình:6 Đức:6 Xuân:5 Hữu:6 Công:4 Quang:5 Ngọc:4 Bá:3 Thanh:3 Minh:3 Quốc:3 Trọng:2 Viết:2 Duy "
    "Thế:2 Như Sỹ Tấn:2 Khắc Phúc Kim Trung Cao Doãn Huy Đăng Phước Tiến Hoàng Thiện Mạnh"
)
_HIM_OLD_GIVEN = _wheel(
    "Hùng:7 Dũng:5 Bình:5 Minh:4 Sơn:5 Thành:5 Hải:5 Long:3 Tuấn:4 Hòa:4 Thắng:3 Cường:3 Chiến:2 Quang:3 Lâm:3 "
    "An:2 Bảy:2 Tư:2 Năm Sáu Tám Ba Hai Út Phúc:2 Lộc:2 Thọ:2 Đức:3 Tâm:3 Nam:3 Hưng:2 Khánh:2 Quý:2 Sỹ Mỹ Kỷ "
    "Lý Thịnh:2 Tiến:3 Toàn:2 Trung:3 Việt:2 Vinh:3 Xuân:2 Đông:2 Hợi Tý Sửu Dần Mão Thìn Tỵ Ngọ Mùi Thân Dậu "
    "Tuất Liêm Nghĩa:2 Nhân:2 Trí Tín Dĩ Khương Kha Luận Ngữ Phẩm Quyền Sang Tài Thuận:2 Thuyên "
    "Triều Tùng:2 Út Vọng Vỹ Huề Huấn"
)
_HIM_NEW_MIDDLE = _wheel(
    "Văn:10 Minh:9 Gia:7 Anh:4 Đức:7 Quốc:6 Hoàng:8 Thanh:3 Ngọc:3 Tuấn:4 Bảo:5 Đình:3 Hữu:3 Xuân:2 Quang:5 "
    "Thành:4 Duy:5 Nhật:4 Tấn:3 Trung:3 Hải:3 Khánh:2 Thiên:2 Phúc:3 Hồng Công:2 Mạnh:3 Trọng:2 Chí:2 Thế:2 "
    "Đăng:3 Nam:2 Kiến Việt:2 An Vĩnh Huy:2"
)
_HIM_NEW_GIVEN = _wheel(
    "Huy:8 Khang:6 Bảo:6 Minh:8 Phúc:5 Anh:6 Khoa:5 Phát:4 Đạt:5 Khôi:4 Long:5 Nam:5 Duy:4 Quân:5 Kiệt:4 "
    "Thịnh:4 Tuấn:4 Hưng:4 Hoàng:4 Hiếu:4 Nhân:4 Trí:4 Tài:3 Phong:5 Nguyên:4 An:3 Vinh:3 Đức:4 Sơn:3 Thành:3 "
    "Dũng:2 Lâm:3 Tùng:2 Việt:2 Quang:3 Thiện:3 Khánh:3 Lộc:2 Nghĩa:2 Nhật:2 Tân:2 Tiến:3 Toàn:2 Trung:3 "
    "Trường:2 Tú:2 Vũ:3 Kỳ Vỹ Hy Huỳnh Quốc:2 Bách Dương:2 Hải:2 Luân Thuận Thông Triết Khải:2 Đăng:2 Chương Giang"
)
_HER_OLD_MIDDLE = _wheel(
    "Ngọc:8 Kim:8 Thanh:7 Minh:4 Thu:6 Mỹ:4 Bích:4 Hồng:6 Xuân:3 Tuyết:3 Phương:3 Lệ:2 Ánh:2 Như:2 Mai:2 Diệu "
    "Cẩm Thúy:2 Hoàng Bạch Ái Quế Tố Tú Vân"
)
_HER_OLD_GIVEN = _wheel(
    "Lan:7 Hoa:7 Mai:6 Hương:6 Hồng:5 Thu:5 Hà:4 Liên:4 Nga:4 Hạnh:4 Loan:3 Nguyệt:3 Phượng:3 Cúc:2 Đào:2 "
    "Huệ:3 Thủy:3 Yến:3 Oanh:2 Tuyết:3 Xuân:2 Vân:3 Bình:2 Hòa:2 Tâm:3 Lý:2 Mỹ Sáu Bảy Tư Út Năm Tám Chín Bé:2 "
    "Gái Thơm:2 Thắm Nhung:2 Nhàn Ngọc:2 Minh:2 Lợi Lành Hiền:3 Hiếu Dung:3 Chi:2 Châu:2 Cẩm Bích Ánh Anh:2 "
    "Thảo:2 Thanh:3 Thoa:2 Thúy:3 Quý Quyên Quỳnh Sen Sương Thìn Tỵ Ngọ Tý Vy Thuận Thơ Duyên:2 Khuê Khuyên Uyên"
)
_HER_NEW_MIDDLE = _wheel(
    "Ngọc:9 Bảo:6 Minh:6 Thanh:5 Gia:4 Khánh:5 Phương:6 Quỳnh:4 Thảo:3 Anh:3 Hồng:3 Thu:3 Mai:3 Kim:3 Mỹ:3 "
    "Như:4 Tường:2 Thùy:3 Hoàng:3 Diễm:2 Cẩm:2 Bích:2 Tú:2 Yến:3 Trúc:3 Hà:2 Linh:2 An:2 Hải:2 Lan:2 Diệu Ánh "
    "Xuân Uyên Tuyết Thúy Nhã Hạ Cát Tuệ"
)
_HER_NEW_GIVEN = _wheel(
    "Anh:9 Vy:7 Ngọc:6 Nhi:7 Hân:5 Thư:5 Linh:8 Như:5 Ngân:5 Phương:6 Thảo:5 My:5 Trân:4 Quỳnh:4 Trang:6 "
    "Hương:4 Mai:4 Uyên:4 Tâm:2 Hà:4 Yến:3 Vi:2 Thy:2 Thi:1 Chi:4 Châu:3 Dương:2 Giang:3 Hằng:3 Hiền:3 Huyền:4 "
    "Khánh:2 Lan:3 Ly:3 Mi Nga:2 Nguyên:3 Nhung:2 Oanh:2 Phúc Quyên:2 Tiên:3 Trâm:3 Trinh:3 Trúc:3 Tú:2 Vân:3 "
    "Xuân Thúy:3 Thủy:2 Thùy:2 Hòa Loan Đan Duyên:2 Diệp:2 Băng Ánh:2 An:3 Ý:1 Mỹ Lam Khuê Minh:2 Tuyền:2"
)

# By generation (born before 1960, before 1985, after): what follows the family name.
HIM: tuple[tuple[Recipe, ...], ...] = (
    _recipes(
        (80, (_HIM_OLD_MIDDLE, _HIM_OLD_GIVEN)),
        (14, (_HIM_OLD_GIVEN,)),
        (4, (_SECOND, _HIM_OLD_MIDDLE, _HIM_OLD_GIVEN)),
        (2, (_HIM_NEW_MIDDLE, _HIM_OLD_MIDDLE, _HIM_OLD_GIVEN)),
    ),
    _recipes(
        (74, (_HIM_OLD_MIDDLE, _HIM_OLD_GIVEN)),
        (10, (_HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
        (7, (_HIM_NEW_GIVEN,)),
        (5, (_HIM_NEW_MIDDLE, _HIM_OLD_MIDDLE, _HIM_NEW_GIVEN)),
        (4, (_SECOND, _HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
    ),
    _recipes(
        (66, (_HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
        (17, (_HIM_NEW_MIDDLE, _HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
        (11, (_SECOND, _HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
        (4, (_HIM_NEW_GIVEN,)),
        (2, (_SECOND, _HIM_NEW_MIDDLE, _HIM_NEW_MIDDLE, _HIM_NEW_GIVEN)),
    ),
)
HER: tuple[tuple[Recipe, ...], ...] = (
    _recipes(
        (80, (_THI, _HER_OLD_GIVEN)),
        (11, (_THI, _HER_OLD_MIDDLE, _HER_OLD_GIVEN)),
        (7, (_HER_OLD_GIVEN,)),
        (2, (_SECOND, _THI, _HER_OLD_GIVEN)),
    ),
    _recipes(
        (45, (_THI, _HER_OLD_GIVEN)),
        (38, (_THI, _HER_OLD_MIDDLE, _HER_NEW_GIVEN)),
        (11, (_HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (2, (_HER_NEW_GIVEN,)),
        (4, (_SECOND, _THI, _HER_OLD_MIDDLE, _HER_NEW_GIVEN)),
    ),
    _recipes(
        (43, (_HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (21, (_THI, _HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (17, (_HER_NEW_MIDDLE, _HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (12, (_SECOND, _HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (5, (_SECOND, _THI, _HER_NEW_MIDDLE, _HER_NEW_GIVEN)),
        (2, (_HER_NEW_GIVEN,)),
    ),
)

_HIM_GIVEN = tuple(sorted({*_HIM_OLD_GIVEN, *_HIM_NEW_GIVEN, "Ân"}))
_HER_GIVEN = tuple(sorted({*_HER_OLD_GIVEN, *_HER_NEW_GIVEN, "Ân", "Hạ"}))


def given_names(male: bool) -> Wheel:
    """Every given name of the Kinh once, in the order of its letters: what twins are called from."""
    return _HIM_GIVEN if male else _HER_GIVEN


_TAI = _wheel("Lò:4 Quàng:3 Cà:2 Lường:3 Tòng:2 Cầm Hà Vì:2 Hoàng Nông:4 Ma:2 Bế Triệu:2 Lèo Mè")
_HMONG = _wheel("Giàng:4 Vừ:3 Sùng:4 Thào:3 Lầu:2 Mùa:2 Hạng Cứ Ly:2 Vàng:3 Lý:2 Má Tráng Hầu")
_HMONG_HIM = _wheel("Páo Chứ Dế Súa Lử Tủa Sình Chu Phứ Sính Vảng Pó Dơ Chớ Thề Nủ")
_HMONG_HER = _wheel("Mỷ Dở Dợ Sua Pà Chư Máy Xua Ca Say Día Mị Ly Pàng Chở Mai")
_KHMER = _wheel("Thạch:4 Sơn:4 Kim:4 Danh:3 Lâm:2 Châu:2 Lý Trà Kiên Huỳnh Neáng")
_KHMER_GIVEN = _wheel(
    "Sa_Ron Sô_Phi Sà_Na Rương Thươl Sóc_Kha Đa_Ra Ra_Vuth Sà_Vanh Phươl Sa_Rết Bô_Pha Chanh_Đa Sa_Mết"
)
_EDE = _wheel("Niê:5 Mlô:4 Êban:3 Ksor:4 Kbuôr:2 Ayŭn:2 Byă:2 Kpă:3 Rmah:3 Hwing Ênuôl:2 Siu:3 Nay:2 Rơ_Chăm")
_EDE_HIM = _wheel("Blơ Thuyên Djăm Bhiông Khoa Nguên Krông Suin Wôn Đhin Phước Thịnh Tlam Sơn Yôn Kuan")
_EDE_HER = _wheel(
    "H'Hen H'Linh H'Bia H'Nhung H'Mai H'Yuêr H'Loan H'Đok H'Wen H'Lê H'Duyên H'Chim H'Ngân H'Rê H'Zina H'Uyên"
)
_CHAM = _wheel("Quảng:2 Bá:2 Đàng:3 Thành:2 Lưu Nại Đạt Phú Châu:2 Kiều Não Báo Đổng Từ Qua")
_CHAM_GIVEN = _wheel(
    "Đại_Tuyên Trung_Phụ Năng_Lượng Ngọc_Có Xuân_Thức Minh_Hiếu Thanh_Phổ Kim_Oanh Trọng_Lợi Ngọc_Sinh"
)
_HOA_GIVEN = _wheel("Chí_Vĩ Cẩm_Hồng Vĩ_Hùng Mỹ_Linh Chấn_Bang Tú_Trân Huệ_Nghi Gia_Mẫn Quốc_Vinh Lệ_Quân Vĩnh_Phát")
_HOA = _wheel(
    "Lâm:4 Trương:3 Châu:3 Lý:4 Quách:2 Mã:2 Hà:2 Lương:2 Ông Khưu Trịnh Vương:2 Phùng Tăng:2 Huỳnh Lưu:2 Hứa"
)
_VAN = ("Văn",) * SLOTS
_Y = ("Y",) * SLOTS
_A = ("A",) * SLOTS
_TAI_GIVEN = _wheel("Pản Xôm Ín Pâng Hặc Phanh Chựa Thoong Inh Ổn Tướng Páo Kiên Thiết Dương Tiên Thơm Vui Hịa Nhọt")

# Whole names of the other peoples: Thái, Tày, Nùng; H'Mông; Khmer; Ê Đê, Gia Rai; Chăm; Hoa.
HIM_OTHER_PEOPLES = _recipes(
    (34, (_TAI, _VAN, _TAI_GIVEN)),
    (18, (_HMONG, _A, _HMONG_HIM)),
    (16, (_KHMER, _KHMER_GIVEN)),
    (14, (_Y, _EDE_HIM, _EDE)),
    (6, (_CHAM, _CHAM_GIVEN)),
    (12, (_HOA, _HOA_GIVEN)),
)
HER_OTHER_PEOPLES = _recipes(
    (34, (_TAI, _THI, _TAI_GIVEN)),
    (18, (_HMONG, _THI, _HMONG_HER)),
    (16, (_KHMER, _THI, _KHMER_GIVEN)),
    (14, (_EDE_HER, _EDE)),
    (6, (_CHAM, _THI, _CHAM_GIVEN)),
    (12, (_HOA, _HOA_GIVEN)),
)

_HAN = _wheel("Wang:4 Li:4 Zhang:4 Liu:3 Chen:4 Yang:3 Huang:3 Zhao:2 Wu:2 Zhou:2 Lin:3 Xu Sun Ma Hsu Tsai")
_HAN_GIVEN = _wheel(
    "Wei Fang Min Jing Lei Jun Yan Yong Jie Xiuying Guoqiang Meiling Chia-Hao Yu-Ting Chih-Ming Shu-Fen"
)
_KOREA = _wheel("Kim:8 Lee:6 Park:4 Choi:2 Jung:2 Kang Cho Yoon Jang Lim Han Shin")
_KOREA_GIVEN = _wheel(
    "Min-jun Seo-yeon Ji-hoon Ji-woo Sung-min Hye-jin Dong-hyun Eun-ji Young-ho Soo-jin Jae-won Mi-kyung"
)
_JAPAN = _wheel("Sato:3 Suzuki:3 Takahashi:2 Tanaka:2 Watanabe:2 Ito Yamamoto Nakamura Kobayashi Kato Yoshida Ono")
_JAPAN_GIVEN = _wheel("Hiroshi Yuki Kenji Akiko Takeshi Naoko Haruto Yui Shota Emi Ren Aoi Jun'ichi Yoko")
_WEST = _wheel("Smith Jones Brown Miller Martin Dubois Müller Schmidt García O'Brien Johnson Petrov Ivanova Taylor "
    "Lefèvre Jensen Larsson Kowalski Rossi Silva MacDonald Wright Weiß Sørensen")  # fmt: skip
_WEST_GIVEN = _wheel("James Mary Robert Anna José María François Zoë Peter Laura Thomas Sophie Ivan Olga Björn Renée "
    "Daniel Emma Łukasz Chloé Mark Julia Paul Anne-Marie")  # fmt: skip
_SOUTH = _wheel("Kumar Singh Sharma Patel Santos Reyes Cruz Bautista Tan Lim Wong Rahman Somchai Phommachanh Sok Chea")
_SOUTH_GIVEN = _wheel(
    "Amit Priya Rajesh Sunita Maria Angelo Grace Ahmad Siti Wei_Ming Noi Bounmy Dara Sophea Anan Kanya"
)

FOREIGN: tuple[tuple[str, Recipe], ...] = spread(
    [
        (("KR", (_KOREA, _KOREA_GIVEN)), 28),
        (("CN", (_HAN, _HAN_GIVEN)), 22),
        (("JP", (_JAPAN, _JAPAN_GIVEN)), 12),
        (("TW", (_HAN, _HAN_GIVEN)), 10),
        (("US", (_WEST_GIVEN, _WEST)), 6),
        (("IN", (_SOUTH_GIVEN, _SOUTH)), 4),
        (("PH", (_SOUTH_GIVEN, _SOUTH)), 3),
        (("FR", (_WEST_GIVEN, _WEST)), 3),
        (("RU", (_WEST_GIVEN, _WEST)), 3),
        (("GB", (_WEST_GIVEN, _WEST)), 2),
        (("AU", (_WEST_GIVEN, _WEST)), 2),
        (("DE", (_WEST_GIVEN, _WEST)), 2),
        (("KH", (_SOUTH, _SOUTH_GIVEN)), 2),
        (("LA", (_SOUTH_GIVEN, _SOUTH)), 1),
    ],
    SLOTS,
)
"""Nationality and recipe, by their share among the foreigners who live in the country."""

STREETS = _wheel(
    "Nguyễn_Huệ Lê_Lợi Trần_Hưng_Đạo Hai_Bà_Trưng Lý_Thường_Kiệt Nguyễn_Trãi Quang_Trung Lê_Duẩn "
    "Phan_Chu_Trinh Phan_Bội_Châu Hùng_Vương Ngô_Quyền Bà_Triệu Điện_Biên_Phủ Võ_Thị_Sáu Cách_Mạng_Tháng_Tám "
    "Nguyễn_Du Lê_Hồng_Phong Trần_Phú Hoàng_Diệu Đinh_Tiên_Hoàng Nguyễn_Thái_Học Tôn_Đức_Thắng "
    "Huỳnh_Thúc_Kháng Lạc_Long_Quân Âu_Cơ"
)
