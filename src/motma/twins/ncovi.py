"""The twin of NCOVI. What the app asked is known, what its fields were called is not: the names are assumed, as in its
connector (``docs/connectors.md``)."""

from motma.core.words import Words
from motma.twins import forms
from motma.twins.plain import Plain

TWIN = Plain(
    name="ncovi",
    platform="NCOVI",
    title=Words("NCOVI (mô phỏng)", "NCOVI (stand-in)"),
    stands_for=Words("Bản mô phỏng ứng dụng NCOVI", "A stand-in of the NCOVI app"),
    door="/api/to-khai",
    full_name="hoTen",
    number="soGiayTo",
    born="namSinh",
    born_in_full=False,
    sex="gioiTinh",
    sexes={"male": "1", "female": "0", "other": "2"},
    nation="quocTich",
    phone="soDienThoai",
    home="",
    address="diaChi",
    origin="noiDi.",
    destination="noiDen.",
    vehicle="phuongTien",
    vehicles={name: name for name in forms.VEHICLES},
    plate="bienSo",
    day="ngayDi",
    hour="gioDi",
    signs={
        "fever": "trieuChung.sot",
        "cough": "trieuChung.ho",
        "breathless": "trieuChung.khoTho",
        "sore_throat": "trieuChung.dauHong",
        "fatigue": "trieuChung.metMoi",
        "taste_smell": "trieuChung.matViGiac",
        "aching": "trieuChung.dauNguoi",
        "diarrhoea": "trieuChung.tieuChay",
        "rash": "trieuChung.noiBan",
    },
    contact="tiepXuc",
    places="noiDaDen",
    consents="dongY",
).twin()
