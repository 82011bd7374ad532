"""The twin of the police's movement declaration (suckhoe.dancuquocgia.gov.vn, later VNeID): a day of birth in full, an
address down to the house. Its field names are assumed, as in its connector (``docs/connectors.md``)."""

from motma.core.words import Words
from motma.twins.plain import Plain

TWIN = Plain(
    name="dicuan",
    platform="DICUAN",
    title=Words("Khai báo di chuyển (mô phỏng)", "Movement declaration (stand-in)"),
    stands_for=Words("Bản mô phỏng suckhoe.dancuquocgia.gov.vn", "A stand-in of suckhoe.dancuquocgia.gov.vn"),
    door="/api/khai-bao",
    full_name="hoTen",
    number="soDinhDanh",
    born="ngaySinh",
    born_in_full=True,
    sex="gioiTinh",
    sexes={"male": "Nam", "female": "Nữ", "other": "Khác"},
    nation="quocTich",
    phone="soDienThoai",
    home="noiOHienTai.",
    address="noiOHienTai.chiTiet",
    origin="diemDi.",
    destination="diemDen.",
    vehicle="phuongTien",
    vehicles={
        "motorbike": "xe_may",
        "car": "o_to",
        "bus": "xe_khach",
        "truck": "xe_tai",
        "train": "tau_hoa",
        "plane": "may_bay",
        "boat": "tau_thuyen",
        "walk": "di_bo",
    },
    plate="bienSo",
    day="thoiGianDi",
    hour="",
    signs={
        "fever": "sucKhoe.sot",
        "cough": "sucKhoe.ho",
        "breathless": "sucKhoe.khoTho",
        "sore_throat": "sucKhoe.dauHong",
        "fatigue": "sucKhoe.metMoi",
        "taste_smell": "sucKhoe.matViGiac",
        "aching": "sucKhoe.dauNguoi",
        "diarrhoea": "sucKhoe.tieuChay",
        "rash": "sucKhoe.noiBan",
    },
    contact="sucKhoe.tiepXuc",
    places="noiDaDen",
    consents="dongY",
).twin()
