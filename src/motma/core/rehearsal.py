"""What a draft would have done: two rulebooks over the evidence that scans kept, and who changes side between them.

Both are asked about the same document: what decides today, and the same with the draft in it. So the difference is the
draft's alone, and not that of rules that changed since the scan. What was answered at the time is counted beside it.
All policies are asked as if they had been in force at every scan: a draft that begins tomorrow could not be tried on
yesterday otherwise.
"""

import datetime as dt
import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from motma.core.decision import Rulebook, Verdict, judge
from motma.core.errors import Invalid
from motma.core.policy import Policy
from motma.core.reasons import REASONS, Outcome
from motma.core.seen import coarse, reader
from motma.core.words import Words

EXAMPLES, MAX_EXAMPLES = 3, 50
"""How many of each kind of change, unless told otherwise, and at most."""
MAX_KINDS = 500
"""Kinds of changes of which examples are kept; the others are counted."""
OUTCOMES = tuple(Outcome)
"""From the lightest to the heaviest. A table of changes is 16 counts: those of ``before`` in this order, and in each of
``after``."""

_ALWAYS_READ = ("clock.minute", "checkpoint.id", "checkpoint.area", "code.problem", "diversion.open")
_OF = {outcome: place for place, outcome in enumerate(OUTCOMES)}
_FIRST, _NO_MEASURE = dt.datetime(1, 1, 1, tzinfo=dt.UTC), "measure.none_active"


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """Which policies decide ``today``, and which would with the draft. ``unreadable``: see :class:`Rulebook`.

    ``examples`` of each kind are drawn by ``seed``: the same scans with the same seed give the same examples.
    """

    today: tuple[Policy, ...]
    draft: tuple[Policy, ...]
    unreadable: bool = False
    examples: int = EXAMPLES
    seed: int = 0

    @property
    def fields(self) -> frozenset[str]:
        """The fields and parts on which what is different between the two depends."""
        both = [one for one in self.today if one in self.draft]
        return frozenset(_affected(one for one in (*self.today, *self.draft) if one not in both))


class Kind(msgspec.Struct, frozen=True, order=True):
    """A change of side, and the reason that decides on the heavier one: it came, or it is gone or weighs less now."""

    before: Outcome
    after: Outcome
    reason: str

    @property
    def stricter(self) -> bool:
        return _OF[self.after] > _OF[self.before]


class Said(msgspec.Struct, frozen=True):
    """A verdict, as an example tells it. ``failed``: the rules that had no value."""

    outcome: Outcome
    reasons: tuple[str, ...]
    failed: tuple[str, ...] = ()


class Example(msgspec.Struct, frozen=True):
    """Somebody who changes side, and nobody in particular: ``evidence`` has every time cut to its hour."""

    checkpoint: str
    area: str
    hour: str
    before: Said
    after: Said
    evidence: dict[str, Any]


class Changes(msgspec.Struct):
    """How often, and some that were drawn, in the order of the draw: (its lot, the example)."""

    count: int = 0
    drawn: list[tuple[int, Example]] = []


class Report(msgspec.Struct, kw_only=True):
    """What came of it so far. ``looked`` = ``judged`` + ``idle`` (no measure was in force, no rule asked) + ``bare``
    (from before evidence was kept, or kept in a way that this program does not know).

    ``sides`` counts today's verdict against the draft's; ``since_then`` the one given at the scan against today's.
    ``reworded``: the same side, for other reasons. Of the draft's rules that had no value ``failed`` says how often,
    ``failed_today`` of today's. ``hours``: of the day, in Vietnam.
    """

    looked: int = 0
    judged: int = 0
    idle: int = 0
    bare: int = 0
    reworded: int = 0
    sides: list[int] = msgspec.field(default_factory=lambda: [0] * 16)
    since_then: list[int] = msgspec.field(default_factory=lambda: [0] * 16)
    kinds: list[tuple[Kind, Changes]] = []
    areas: dict[str, list[int]] = {}
    checkpoints: dict[str, list[int]] = {}
    hours: dict[int, list[int]] = {}
    failed: dict[str, int] = {}
    failed_today: dict[str, int] = {}

    @property
    def changed(self) -> int:
        return changed(self.sides)


def changed(table: Sequence[int]) -> int:
    """How many of a table of changes are on another side after than before."""
    return sum(table) - sum(table[::5])


class _Scan(msgspec.Struct, tag="scan.made"):
    """What is read of a :class:`motma.core.facts.Scanned`: not who scanned, nor with what."""

    outcome: Outcome
    reasons: tuple[str, ...]
    seen: list[Any] | None = None


_read_scan = msgspec.json.Decoder(_Scan).decode


class Rehearsal:
    """Takes scans one after the other, in any order, and counts. What it keeps does not grow with their number."""

    def __init__(self, script: Script) -> None:
        """Raises :class:`Conflict` ``policy.clash`` if the policies of one side share names."""
        self._today = Rulebook(map(_always, script.today), unreadable=script.unreadable)
        self._draft = Rulebook(map(_always, script.draft), unreadable=script.unreadable)
        self._read = reader((*_ALWAYS_READ, *_affected(script.today), *_affected(script.draft)))
        self._read_whole = reader()
        self._script = script
        self._report = Report()
        self._kinds: dict[Kind, Changes] = {}
        self._areas: dict[str, list[int]] = {}
        self._checkpoints: dict[str, list[int]] = {}
        self._hours: dict[int, list[int]] = {}
        self._failed: Counter[str] = Counter()
        self._failed_today: Counter[str] = Counter()

    @property
    def looked(self) -> int:
        return self._report.looked

    def look(self, number: int, body: str | bytes) -> None:
        """At the scan of this number, as the store has it."""
        report, scan = self._report, _read_scan(body)
        report.looked += 1
        document = self._read(scan.seen) if scan.seen else None
        if document is None:
            if scan.reasons == (_NO_MEASURE,):
                report.idle += 1
            else:
                report.bare += 1
            return
        report.judged += 1
        before, after = judge(document, self._today), judge(document, self._draft)
        place = 4 * _OF[before.outcome] + _OF[after.outcome]
        report.sides[place] += 1
        report.since_then[4 * _OF[scan.outcome] + _OF[before.outcome]] += 1
        here = document["checkpoint"] or {"id": "", "area": ""}
        _table(self._areas, here["area"])[place] += 1
        _table(self._checkpoints, here["id"])[place] += 1
        _table(self._hours, document["clock"]["minute"] // 60)[place] += 1
        if before.failed:
            self._failed_today.update(before.failed)
        if after.failed:
            self._failed.update(after.failed)
        if before.outcome is not after.outcome:
            self._change(number, scan.seen or [], before, after)
        elif before.reasons is not after.reasons and _codes(before) != _codes(after):
            report.reworded += 1

    def report(self) -> Report:
        """What came of what was looked at until now, the most frequent changes first."""
        return msgspec.structs.replace(
            self._report,
            kinds=sorted(self._kinds.items(), key=lambda one: (-one[1].count, one[0])),
            areas=dict(sorted(self._areas.items())),
            checkpoints=dict(sorted(self._checkpoints.items())),
            hours=dict(sorted(self._hours.items())),
            failed=dict(sorted(self._failed.items())),
            failed_today=dict(sorted(self._failed_today.items())),
        )

    def _change(self, number: int, kept: list[Any], before: Verdict, after: Verdict) -> None:
        kind = _kind(before, after)
        changes = self._kinds.get(kind)
        if changes is None:
            changes = self._kinds[kind] = Changes()
        changes.count += 1
        most = self._script.examples if len(self._kinds) <= MAX_KINDS else 0
        lot = self._lot(number)
        drawn = changes.drawn
        if len(drawn) >= most and (not most or lot >= drawn[-1][0]):
            return
        document = self._read_whole(kept)
        assert document is not None  # it was read before
        here, shown = document["checkpoint"] or {"id": "", "area": ""}, coarse(document)
        example = Example(here["id"], here["area"], shown["now"], _said(before), _said(after), shown)
        insort(drawn, (lot, example), key=lambda one: one[0])
        del drawn[most:]

    def _lot(self, number: int) -> int:
        """Who draws the smallest is shown: as fair as a reservoir, and the same in whatever order the scans come."""
        mixed = hashlib.blake2b(number.to_bytes(8, "big"), key=self._script.seed.to_bytes(8, "big"), digest_size=8)
        return int.from_bytes(mixed.digest(), "big")


def cast(
    today: Sequence[Policy],
    drafts: Iterable[Policy],
    *,
    replace: str | None = None,
    add: bool = False,
    without: Collection[str] = (),
) -> tuple[Policy, ...]:
    """The policies that would decide with ``drafts``, in order: each in the place of the one with its id, new ones at
    the end. ``replace``: the one draft takes the place of this policy instead; ``add``: none takes a place.

    Those ``without`` are left out. Raises :class:`Invalid` ``policy.unknown``, ``rehearsal.one_draft``;
    :class:`Conflict` ``policy.clash`` where names are shared.
    """
    drafts, shown = list(drafts), list(today)
    ids = [policy.id for policy in shown]
    for name in (*without, *([] if replace is None else [replace])):
        if name not in ids:
            raise Invalid("policy.unknown", Words(f"Không có chính sách {name}.", f"There is no policy {name}."))
    if replace is not None and (len(drafts) != 1 or add):
        raise Invalid(
            "rehearsal.one_draft",
            Words("Chỉ một bản nháp thay được cho một chính sách.", "Only one draft can take the place of a policy."),
        )
    for draft in drafts:
        taken = replace or draft.id
        if taken in ids and not add:
            shown[ids.index(taken)] = draft
        else:
            shown.append(draft)
    shown = [policy for policy in shown if policy.id not in without or policy in drafts]
    Rulebook(shown)  # says whether they clash
    return tuple(shown)


def words_of(script: Script) -> dict[str, Words]:
    """What each reason that can come up is called, the draft's words before today's."""
    sides = ({rule.reason: rule.words for one in side for rule in one.rules} for side in (script.today, script.draft))
    known = {code: reason.words for code, reason in REASONS.items()}
    for side in sides:
        known |= {code: words for code, words in side.items() if words}
    return known


def told(report: Report) -> dict[str, Any]:
    """``report`` as a document for other programs: tables by name, without what is nought."""
    document: dict[str, Any] = msgspec.to_builtins(report, str_keys=True)
    for name in ("sides", "since_then"):
        document[name] = _by_name(document[name])
    for name in ("areas", "checkpoints", "hours"):
        document[name] = {place: _by_name(table) for place, table in document[name].items()}
    document["changed"] = report.changed
    document["kinds"] = [
        {**kind, "count": changes["count"], "examples": [example for _, example in changes["drawn"]]}
        for kind, changes in document["kinds"]
    ]
    return document


def _by_name(table: Sequence[int]) -> dict[str, dict[str, int]]:
    rows = {before: table[4 * place : 4 * place + 4] for place, before in enumerate(OUTCOMES)}
    return {
        str(before): {str(after): n for after, n in zip(OUTCOMES, row, strict=True) if n}
        for before, row in rows.items()
        if any(row)
    }


def _affected(policies: Iterable[Policy]) -> set[str]:
    return {path for policy in policies for rule in policy.rules for path in rule.affected}


def _always(policy: Policy) -> Policy:
    return msgspec.structs.replace(policy, valid_from=_FIRST, valid_to=None)


def _table(tables: dict[Any, list[int]], name: Any) -> list[int]:
    table = tables.get(name)
    if table is None:
        table = tables[name] = [0] * 16
    return table


def _codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def _said(verdict: Verdict) -> Said:
    return Said(verdict.outcome, tuple(_codes(verdict)), verdict.failed)


def _kind(before: Verdict, after: Verdict) -> Kind:
    heavier = after if _OF[after.outcome] > _OF[before.outcome] else before
    return Kind(before.outcome, after.outcome, heavier.reasons[0].code)
