"""The administrative units of 2021, three levels of them, and what each became in 2025.

Platforms of 2021 name places by these codes. A code means nothing without its vintage: 15 was Yên Bái and is Lào Cai.
"""

from typing import Literal

import msgspec

Level = Literal["province", "district", "ward"]


class OldCommune(msgspec.Struct, frozen=True):
    """A commune of 2021. ``became``: codes of communes of 2025 that hold land of it, the likeliest first.

    ``nearly``: the commune itself was merged before 2025 and no table says into which; ``became`` is then what the
    likeliest of its district became.
    """

    name: str
    district: str
    became: tuple[str, ...]
    nearly: bool

    @property
    def exact(self) -> bool:
        """Whether it lies in one commune of today altogether, and that one is known."""
        return len(self.became) == 1 and not self.nearly


class NoSuchUnit(Exception):
    """No unit of 2021 has this code, or not inside the one above it. ``level`` says which of the three it is."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self.level: Level = level


class OldUnits(msgspec.Struct, frozen=True):
    """Province code -> name; district code -> (name, province code); commune code -> the commune."""

    provinces: dict[str, str]
    districts: dict[str, tuple[str, str]]
    communes: dict[str, OldCommune]
    alone: dict[str, OldCommune]
    """Districts that had no communes, by their own code: islands."""

    def commune(self, province: str, district: str, ward: str) -> OldCommune:
        """The commune of these three codes; leading zeros may have been lost, and an island district needs no ward.

        Raises :class:`NoSuchUnit`.
        """
        province, district, ward = _padded(province, 2), _padded(district, 3), _padded(ward, 5)
        if province not in self.provinces:
            raise NoSuchUnit("province")
        if self.districts.get(district, ("", ""))[1] != province:
            raise NoSuchUnit("district")
        found = self.alone.get(district) if not ward else self.communes.get(ward)
        if found is None or found.district != district:
            raise NoSuchUnit("ward")
        return found


def _padded(code: str, digits: int) -> str:
    """``code`` with the zeros that a number type lost; what is no number stays as it is."""
    return code.zfill(digits) if code.isascii() and code.isdigit() else code
