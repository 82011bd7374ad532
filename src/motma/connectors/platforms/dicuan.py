"""The police movement declaration: suckhoe.dancuquocgia.gov.vn, later VNeID. Its 18 questions are known in part; what
its fields are called is assumed (``docs/connectors.md``).

The address has four levels: province, district, commune, and house to group in one line. Where somebody lives now
comes before where they are registered.
"""

from motma.connectors.platforms.plain import Plain

DICUAN = Plain(
    name="dicuan",
    dropped=("anhChanDung", "anhXetNghiem", "anhGiayTo"),
    own_id="maToKhai",
    full_name="hoTen",
    born="ngaySinh",
    born_in_full=True,
    sex="gioiTinh",
    sexes={"Nam": "male", "Nữ": "female", "Khác": "other"},
    nationality="quocTich",
    document="soDinhDanh",
    guardian="giayToGiamHo",
    phone="soDienThoai",
    homes=(
        (("noiOHienTai.maTinh", "noiOHienTai.maHuyen", "noiOHienTai.maXa"), "noiOHienTai.chiTiet"),
        (("thuongTru.maTinh", "thuongTru.maHuyen", "thuongTru.maXa"), "thuongTru.chiTiet"),
    ),
    origin=("diemDi.maTinh", "diemDi.maHuyen", "diemDi.maXa"),
    destination=("diemDen.maTinh", "diemDen.maHuyen", "diemDen.maXa"),
    vehicle="phuongTien",
    vehicles={
        "xe_may": "motorbike",
        "o_to": "car",
        "xe_khach": "bus",
        "xe_tai": "truck",
        "tau_hoa": "train",
        "may_bay": "plane",
        "tau_thuyen": "boat",
        "di_bo": "walk",
    },
    plate="bienSo",
    day="thoiGianDi",
    hour="thoiGianDi",
    symptoms={
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
)
