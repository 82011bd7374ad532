"""NCOVI: the citizens' app of 2020. Neither its field names nor its options were found: all here is assumed
(``docs/connectors.md``)."""

from motma.connectors.platforms.plain import Plain

NCOVI = Plain(
    name="ncovi",
    dropped=("anhChanDung", "anhXetNghiem"),
    own_id="maToKhai",
    full_name="hoTen",
    born="namSinh",
    born_in_full=False,
    sex="gioiTinh",
    sexes={"1": "male", "0": "female", "2": "other"},
    nationality="quocTich",
    document="soGiayTo",
    guardian="giayToGiamHo",
    phone="soDienThoai",
    homes=((("maTinh", "maHuyen", "maXa"), "diaChi"),),
    origin=("noiDi.maTinh", "noiDi.maHuyen", "noiDi.maXa"),
    destination=("noiDen.maTinh", "noiDen.maHuyen", "noiDen.maXa"),
    vehicle="phuongTien",
    vehicles={name: name for name in ("motorbike", "car", "bus", "truck", "train", "plane", "boat", "walk")},
    plate="bienSo",
    day="ngayDi",
    hour="gioDi",
    symptoms={
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
)
