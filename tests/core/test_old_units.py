"""The units of 2021 and what became of them: nothing leads nowhere, and a guess says that it is one."""

import pytest

from motma.core.oldunits import NoSuchUnit
from motma.forms import load_old_units, load_units

OLD, NEW = load_old_units(), load_units()


def test_every_old_commune_leads_to_communes_of_today() -> None:
    assert (len(OLD.provinces), len(OLD.districts), len(OLD.communes), len(OLD.alone)) == (63, 705, 10_599, 5)
    for code, commune in (OLD.communes | OLD.alone).items():
        assert commune.became and set(commune.became) <= set(NEW.communes), code
        assert commune.district in OLD.districts, code
        assert not (commune.nearly and len(commune.became) > 1), code
    assert sum(not commune.exact for commune in OLD.communes.values()) == 471 + 567


def test_provinces_merged_as_the_resolution_says() -> None:
    became: dict[str, set[str]] = {}
    for commune in OLD.communes.values():
        now = NEW.communes[commune.became[0]][1]
        became.setdefault(now, set()).add(OLD.districts[commune.district][1])
    assert became["79"] == {"74", "77", "79"}
    assert became["15"] == {"10", "15"} and became["01"] == {"01"} and became["24"] == {"24", "27"}
    assert {old for olds in became.values() for old in olds} == set(OLD.provinces)
    assert all(len([now for now, olds in became.items() if old in olds]) == 1 for old in OLD.provinces)


def test_the_same_code_is_another_province_by_now() -> None:
    assert OLD.provinces["15"] == "Tỉnh Yên Bái" and NEW.provinces["15"] == "Tỉnh Lào Cai"
    assert OLD.provinces["44"] == "Tỉnh Quảng Bình" and NEW.provinces["44"] == "Tỉnh Quảng Trị"


def test_a_commune_is_found_by_its_three_codes_even_without_their_zeros() -> None:
    assert OLD.commune("1", "1", "10") == OLD.commune("01", "001", "00010")
    assert OLD.commune("79", "760", "26734").became == ("26737",)
    assert OLD.commune("77", "755", "").became == ("26732",)  # Côn Đảo had no communes


@pytest.mark.parametrize(
    ("codes", "level"),
    [
        (("99", "760", "26734"), "province"),
        (("", "760", "26734"), "province"),
        (("15", "760", "26734"), "district"),
        (("79", "761", "26734"), "ward"),
        (("79", "760", ""), "ward"),
        (("79", "760", "²6734"), "ward"),
    ],
)
def test_what_does_not_fit_is_said_at_its_level(codes: tuple[str, str, str], level: str) -> None:
    with pytest.raises(NoSuchUnit) as unknown:
        OLD.commune(*codes)
    assert unknown.value.level == level
