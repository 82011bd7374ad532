"""What a citizen has answered so far, as the fields of a page: read, carried from step to step, put together.

A field's name is the dotted path of ``core.form``; a page splits the birth date into three, and ``trip.origin.same``
says that the trip begins at home.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from motma.core.errors import Problem
from motma.core.form import Form
from motma.core.words import Words

CHECK = 4
"""The page after the three steps, where everything is looked over and agreed to."""

_VALUE_MAX_CHARS = 400
_VALUES_MAX = 40
_MULTIPLE = ("trip.checkpoints", "consents")
_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        "document.kind",
        "document.number",
        "guardian.kind",
        "guardian.number",
        "name",
        "birth_date",
        "birth_date.day",
        "birth_date.month",
        "birth_date.year",
        "sex",
        "nationality",
        "phone",
    ),
    2: (
        "residence.province",
        "residence.commune",
        "residence.address",
        "trip.origin.same",
        "trip.origin.province",
        "trip.origin.commune",
        "trip.destination.province",
        "trip.destination.commune",
        "trip.departs_at",
        "trip.vehicle",
        "trip.plate",
        "trip.checkpoints",
    ),
    3: ("health.symptoms", "health.contact", "health.places"),
    CHECK: ("consents",),
}
_TO_CHECK = "to_check"
_CHOOSE_KIND = Problem("document.kind", Words("Chọn loại giấy tờ.", "Choose the kind of document."))


def step_of(path: str) -> int:
    """The step on whose page the field ``path`` stands."""
    for step, names in _STEPS.items():
        if any(path == name or path.startswith(name + ".") for name in names):
            return step
    return 1


def _known(form: Form) -> list[str]:
    """The names of every field of the pages, in the order they stand."""
    names = []
    for step_names in _STEPS.values():
        for name in step_names:
            if name == "health.symptoms":
                names += [f"{name}.{choice.id}" for choice in form.symptoms]
            else:
                names.append(name)
    return names


def read_answers(sent: Iterable[tuple[str, object]], form: Form) -> "Answers":
    """Keep what belongs to the form; anything else that was sent is dropped, so it is never echoed."""
    known = {*_known(form), _TO_CHECK}
    given: dict[str, list[str]] = {}
    for name, value in sent:
        if name in known and isinstance(value, str) and value and len(given.get(name, ())) < _VALUES_MAX:
            given.setdefault(name, []).append(value[:_VALUE_MAX_CHARS])
    return Answers(given, form)


@dataclass(frozen=True)
class Answers:
    """Field name -> what was given. ``to_check`` among the names: the citizen came back from the check page."""

    given: Mapping[str, list[str]]
    form: Form

    def __getitem__(self, name: str) -> str:
        """The answer as it was typed; empty if there is none."""
        return self.given.get(name, [""])[-1]

    def has(self, name: str, value: str) -> bool:
        return value in self.given.get(name, ())

    @property
    def to_check(self) -> bool:
        return _TO_CHECK in self.given

    def coming_back(self) -> "Answers":
        """The same, going back to the check page as soon as the step is in order."""
        return replace(self, given={**self.given, _TO_CHECK: ["yes"]})

    def pairs(self, but: int | None = None) -> list[tuple[str, str]]:
        """(name, value) of every answer that is not asked on step ``but``: the hidden fields of its page."""
        keep = [*_known(self.form), _TO_CHECK]
        if but == CHECK:
            keep.remove(_TO_CHECK)
        return [
            (name, value)
            for name in keep
            if but is None or name == _TO_CHECK or step_of(name) != but
            for value in self.given.get(name, ())
        ]

    def nested(self) -> dict[str, object]:
        """What ``core.form`` reads."""
        raw: dict[str, object] = {}
        for name, values in self.given.items():
            if name != _TO_CHECK and not name.startswith("birth_date."):
                _put(raw, name, list(values) if name in _MULTIPLE else values[-1])
        day, month, year = (self[f"birth_date.{part}"].strip() for part in ("day", "month", "year"))
        if day or month:
            raw["birth_date"] = f"{year}-{month.zfill(2)}-{day.zfill(2)}"
        elif year:
            raw["birth_date"] = year  # all that some documents say
        if self["document.kind"] != "none":
            raw.pop("guardian", None)  # chosen, and then another kind
        elif self.has("guardian.kind", "passport"):
            _put(raw, "guardian.issuer", self["nationality"])
        if self.has("trip.origin.same", "yes"):
            for part in ("province", "commune"):
                _put(raw, f"trip.origin.{part}", self[f"residence.{part}"])
        return raw

    def settle(self, problems: dict[str, Problem]) -> dict[str, Problem]:
        """Put each problem at the field where it can be mended, once."""
        settled = dict(problems)
        if settled.get("document.number", _CHOOSE_KIND).code == "document.kind":
            settled.pop("document.number", None)
        if self["document.kind"] not in ("cccd", "cmnd", "passport", "none"):
            settled["document.kind"] = _CHOOSE_KIND
        if self.has("document.kind", "none") and self["guardian.number"] and not self["guardian.kind"]:
            settled["guardian.kind"] = _CHOOSE_KIND
        if self.has("trip.origin.same", "yes"):  # then the same problem stands at the residence
            settled.pop("trip.origin.province", None)
            settled.pop("trip.origin.commune", None)
        return settled

    def in_order(self, problems: Mapping[str, Problem]) -> dict[str, Problem]:
        """The problems in the order in which their fields stand on the page."""
        order = {name: place for place, name in enumerate(_known(self.form))}
        return dict(sorted(problems.items(), key=lambda item: order.get(item[0], len(order))))


def _put(raw: dict[str, object], path: str, value: object) -> None:
    """Set ``value`` at a dotted path in nested mappings."""
    *folders, last = path.split(".")
    for folder in folders:
        inner = raw.setdefault(folder, {})
        assert isinstance(inner, dict)  # no field's name is the folder of another
        raw = inner
    raw[last] = value
