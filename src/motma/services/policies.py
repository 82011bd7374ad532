"""Policies: operators write them, somebody else approves them, and what is in force decides at the checkpoints.

Everything that is done is done after exactly what was seen: each act claims its place in the order of all acts about
policies, and one that comes second is judged anew. So nobody approves what they wrote, nor what was changed a moment
ago, and no two policies come into force that clash, however many act at once.
"""

import asyncio
import datetime as dt
import functools
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from motma.core.decision import Rulebook
from motma.core.errors import Conflict, Hidden, Invalid
from motma.core.facts import (
    Fact,
    PolicyApproved,
    PolicyDrafted,
    PolicyRolledBack,
    PolicyScheduled,
    PolicyWithdrawn,
    What,
)
from motma.core.ids import FactId, new_fact_id
from motma.core.policy import Policy, parse_policy
from motma.core.policy.enacted import Enacted, InForce, Step, clashing, fold_policies, left_out, together
from motma.core.policy.text import Finding, Written, read_policy
from motma.core.policy.words import WORDS
from motma.core.reasons import Reason
from motma.core.words import Words
from motma.policies import DEFAULT, SHIPPED, known_reasons, load_policy
from motma.services.board import BoardReader
from motma.storage.store import PAGE_POLICIES, Act, Already, Store

_MAX_AGE = dt.timedelta(seconds=1)
_RACES = 8
_AHEAD = dt.timedelta(days=366)
_BOOKS_MAX = 64


class Refused(Invalid):
    """A text that is no policy, or not one that can come into force. ``findings``: why, line by line."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("policy.refused", WORDS["policy.refused"])
        self.findings = tuple(findings)


class Policies:
    """The operator's third verb, and what checks ask for their rules. Belongs to one event loop."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        person: Callable[[str], Awaitable[Collection[str]]],
        random: Callable[[int], bytes],
    ) -> None:
        """``person`` gives every name of the operator of a name."""
        self._store = store
        self._board = board
        self._person = person
        self._random = random
        self._seq = 0
        self._enacted = Enacted()
        self._read_at: dt.datetime | None = None
        self._read: dict[str, Policy | None] = {}
        self._books: dict[tuple[tuple[str, FactId | None], ...], Rulebook] = {}
        self._spans_of = self._enacted
        self._spans: dict[tuple[str, ...], list[tuple[dt.datetime | None, dt.datetime | None, Rulebook]]] = {}
        self.reasons: dict[str, Reason] = dict(known_reasons())
        """Every reason that ships or was ever approved, by code; of one code the newest."""

    # -- asking ------------------------------------------------------------------------------------------------------

    async def enacted(self, now: dt.datetime) -> Enacted:
        """Every draft and what became of it, at most one second old; at once after an act in this process."""
        if self._read_at is None or not dt.timedelta(0) <= now - self._read_at < _MAX_AGE:
            await self._read_on()
            self._read_at = now
        return self._enacted

    async def rulebook(self, base: tuple[str, ...], now: dt.datetime) -> Rulebook:
        """What decides at ``now`` over the policies that a measure names (of none, what ships)."""
        return (await self.deciding(now))(base, now)

    async def deciding(self, now: dt.datetime) -> Callable[[tuple[str, ...], dt.datetime], Rulebook]:
        """The same at any moment, as far as it is known at ``now``."""
        return functools.partial(self._deciding, await self.enacted(now))

    def _deciding(self, enacted: Enacted, base: tuple[str, ...], at: dt.datetime) -> Rulebook:
        """Never raises for what stands in a policy: one that cannot be read makes everybody be looked at by hand.
        Between two changes it costs nothing to ask again."""
        if self._spans_of is not enacted:
            self._spans_of, self._spans = enacted, {}
        spans = self._spans.setdefault(base, [])
        for since, until, known in spans:
            if (since is None or since <= at) and (until is None or at < until):
                return known
        key = tuple((name, step.draft if step else None) for name, step in self.in_force(enacted, base, at))
        book = self._books.get(key)
        if book is None:
            book = together(self.among(enacted, base, at))
            if len(self._books) >= _BOOKS_MAX:
                self._books.clear()
            self._books[key] = book
        spans.append((*enacted.between(at), book))
        return book

    def in_force(
        self, enacted: Enacted, base: tuple[str, ...], now: dt.datetime
    ) -> tuple[tuple[str, Step | None], ...]:
        """(policy, its step) of all that decides at ``now`` over ``base``, in order; without a step, as it ships."""
        return enacted.in_force(_named(base), now, SHIPPED)

    def among(self, enacted: Enacted, base: tuple[str, ...], now: dt.datetime) -> InForce:
        """The policies in force at ``now`` over ``base``, in order."""
        policies, unread = [], []
        for name, step in self.in_force(enacted, base, now):
            policy = self.policy_of(step) if step else shipped(name)
            if policy is None:
                unread.append(name)
            else:
                policies.append(policy)
        return InForce(tuple(policies), tuple(unread))

    async def bases(self, now: dt.datetime) -> list[tuple[str, ...]]:
        """What the measures name that are or will be in force, each once; of none, what ships."""
        board = await self._board.current(now)
        named = dict.fromkeys(_named(one.policies) for one in board.measures.values() if now < one.ends_at)
        return list(named) or [DEFAULT]

    def policy_of(self, step: Step) -> Policy | None:
        """The policy that ``step`` puts in force; None if it switches one off, or this program cannot read it."""
        if step.is_off:
            return None
        if step.digest not in self._read:
            self._read[step.digest] = _readable(step.document)
        return self._read[step.digest]

    async def find(self, draft: str, now: dt.datetime) -> Step:
        """The step of this id. Raises :class:`Hidden` ``policy.unknown``."""
        return _find(await self.enacted(now), draft)

    async def now_of(self, policy: str, now: dt.datetime) -> Policy | None:
        """The version of ``policy`` that is in force; None if it is off, or cannot be read."""
        return await self._of((await self.enacted(now)).current(policy, now), policy, now)

    async def beneath(self, step: Step, now: dt.datetime) -> Policy | None:
        """What is in force of its policy when ``step`` begins, or now if it has, if it is left out; None: nothing."""
        enacted = await self.enacted(now)
        others = Enacted({id: one for id, one in enacted.steps.items() if id != step.draft}, enacted.version)
        return await self._of(others.current(step.policy, max(now, step.begins or now)), step.policy, now)

    async def objections(self, written: Written, now: dt.datetime) -> list[Finding]:
        """Why a text cannot be kept beside what there is: its version, and what is or will be in force."""
        return self._objections(await self.enacted(now), written, await self.bases(now), now)

    # -- writing -----------------------------------------------------------------------------------------------------

    async def draft(self, text: str, *, over: str, by: str, now: dt.datetime) -> Step:
        """Keep ``text`` as the draft of its policy. ``over`` is the draft of it that was there when it was opened.

        Raises :class:`Refused` with everything that is wrong, :class:`Conflict` ``policy.overtaken`` if somebody
        changed the draft meanwhile.
        """
        written = await asyncio.to_thread(read_policy, text)  # a tenth of a second, of the largest there may be
        if written.policy is None:
            raise Refused(written.findings)
        document = msgspec.json.encode(written.document).decode()
        digest = hashlib.sha256(document.encode()).hexdigest()
        policy = written.policy
        what = PolicyDrafted(policy.id, policy.version, digest, document, text)
        return await self._drafted(what, written, over, by, now)

    async def draft_off(self, policy: str, *, over: str = "", by: str, now: dt.datetime) -> Step:
        """Propose that a policy be switched off. Raises :class:`Conflict` ``policy.is_off``, ``policy.overtaken``."""
        enacted = await self._look(now)
        current = enacted.current(policy, now)
        based = any(policy in base for base in await self.bases(now))
        if (current is None and not based) or (current and current.is_off):
            raise Conflict("policy.is_off", Words("Chính sách này đang tắt.", "This policy is switched off already."))
        version = current.version if current else 1
        return await self._drafted(PolicyDrafted(policy, version, "", "", ""), None, over, by, now)

    async def approve(self, draft: str, begins: dt.datetime | None, *, by: str, now: dt.datetime) -> Step:
        """Put a draft in force at ``begins``, or at once. Raises :class:`Hidden` ``policy.unknown``,
        :class:`Conflict` ``policy.own``, ``policy.not_waiting``, ``policy.clash``, ``policy.not_read``,
        :class:`Invalid` ``policy.begins``."""
        names = frozenset(await self._person(by))

        def what(enacted: Enacted) -> What:
            step = _find(enacted, draft)
            if not step.is_open:
                raise _not_waiting()
            if names.intersection(step.authors):
                raise Conflict(
                    "policy.own",
                    Words(
                        "Bạn đã soạn hoặc sửa bản này. Người khác phải duyệt.",
                        "You wrote or changed this draft. Somebody else has to approve it.",
                    ),
                )
            self._check_begins(step, begins, now)
            return PolicyApproved(step.draft, step.policy, begins)

        return await self._do(draft, what, by, now, settles=True)

    async def schedule(self, draft: str, begins: dt.datetime | None, *, by: str, now: dt.datetime) -> Step:
        """Let what was approved and has not begun begin at another time. Raises as :meth:`approve` does."""

        def what(enacted: Enacted) -> What:
            step = _find(enacted, draft)
            if not step.stands or step.has_begun(now):
                raise _not_waiting()
            self._check_begins(step, begins, now)
            return PolicyScheduled(step.draft, step.policy, begins)

        return await self._do(draft, what, by, now, settles=True)

    async def withdraw(self, draft: str, *, by: str, now: dt.datetime) -> Step:
        """Let nothing come of a draft, or of what was approved and has not begun. Raises :class:`Hidden`
        ``policy.unknown``, :class:`Conflict` ``policy.not_waiting``, ``policy.clash`` if a later one counts on it."""

        def what(enacted: Enacted) -> What:
            step = _find(enacted, draft)
            if not step.is_open and (not step.stands or step.has_begun(now)):
                raise _not_waiting()
            return PolicyWithdrawn(step.draft, step.policy)

        return await self._do(draft, what, by, now, settles=True)

    async def roll_back(self, draft: str, *, by: str, now: dt.datetime) -> Step:
        """Take back what is in force: at once what was in force before it is again, at last what ships.

        Raises :class:`Hidden` ``policy.unknown``, :class:`Conflict` ``policy.not_in_force``, ``policy.clash``.
        """

        def what(enacted: Enacted) -> What:
            step = _find(enacted, draft)
            if enacted.current(step.policy, now) != step:
                raise Conflict(
                    "policy.not_in_force",
                    Words("Bản này không còn hiệu lực nữa.", "This version is not in force any more."),
                )
            return PolicyRolledBack(step.draft, step.policy)

        return await self._do(draft, what, by, now, settles=True)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _of(self, step: Step | None, policy: str, now: dt.datetime) -> Policy | None:
        if step:
            return self.policy_of(step)
        return shipped(policy) if any(policy in base for base in await self.bases(now)) else None

    async def _drafted(
        self, drafted: PolicyDrafted, written: Written | None, over: str, by: str, now: dt.datetime
    ) -> Step:
        bases = await self.bases(now)

        def what(enacted: Enacted) -> What:
            waiting = enacted.draft_of(drafted.policy)
            if (waiting.draft if waiting else "") != over:
                raise Conflict(
                    "policy.overtaken",
                    Words(
                        "Có người vừa đổi bản nháp này. Xem bản của họ rồi lưu lại nếu vẫn cần.",
                        "Somebody changed this draft meanwhile. Look at theirs, then save again if you still want to.",
                    ),
                )
            if written and (found := self._objections(enacted, written, bases, now)):
                raise Refused(found)
            return drafted

        return await self._do(None, what, by, now)

    async def _do(
        self,
        draft: str | None,
        what: Callable[[Enacted], What],
        by: str,
        now: dt.datetime,
        *,
        settles: bool = False,
    ) -> Step:
        """Do what ``what`` makes of all that is so, after exactly that. ``settles``: it changes what is in force."""
        id = new_fact_id("pol", now, self._random(10))
        for _ in range(_RACES):
            enacted = await self._look(now)
            if id in enacted.steps:  # our act, whose answer was lost on the way
                return enacted.steps[id]
            fact = Fact(id=id, at=now, actor=by, what=what(enacted))
            if settles:
                after = fold_policies([fact], enacted)
                for base in await self.bases(now):
                    self._check_together(enacted, after, base, now)
            claim = (b"policy:after:%d" % enacted.version, id)
            told = await self._store.append(Act(facts=(fact,), once=(claim,)))
            if not isinstance(told, Already) or id in told.facts:
                return _find(await self._look(now), draft or id)
        raise Conflict(
            "policy.busy",
            Words("Nhiều người đang sửa cùng lúc. Chưa làm gì; thử lại.", "Too many act at once. Nothing was done."),
        )

    def _check_begins(self, step: Step, begins: dt.datetime | None, now: dt.datetime) -> None:
        policy = self.policy_of(step)
        if policy is None and not step.is_off:
            raise Conflict(
                "policy.not_read",
                Words("Máy chủ không đọc được chính sách này.", "This server cannot read this policy."),
            )
        ends = policy.valid_to if policy else None
        if begins is not None and not now <= begins <= now + _AHEAD:
            raise Invalid(
                "policy.begins",
                Words(
                    "Giờ bắt đầu phải ở phía trước, trong vòng một năm. Để trống là ngay bây giờ.",
                    "It must begin later than now, within a year. Leave it empty for at once.",
                ),
            )
        if ends is not None and ends <= (begins or now):
            raise Invalid(
                "policy.begins_late",
                Words("Lúc đó chính sách đã hết hạn (valid_to).", "By then the policy has ended (valid_to)."),
            )

    def _check_together(self, before: Enacted, after: Enacted, base: tuple[str, ...], now: dt.datetime) -> None:
        """Raises :class:`Conflict` ``policy.clash`` for what clashes now or will, and would not without this act."""
        at: dt.datetime | None = now
        while at is not None:
            found = self.among(after, base, at).policies
            if (names := clashing(found)) and left_out(found) > left_out(self.among(before, base, at).policies):
                raise Conflict("policy.clash", _clash_words(*names))
            at = after.changes_at(at)

    def _objections(
        self, enacted: Enacted, written: Written, bases: Sequence[tuple[str, ...]], now: dt.datetime
    ) -> list[Finding]:
        """A version that was used, and what clashes with other policies that are or will be in force, with its line."""
        policy = written.policy
        assert policy
        others: dict[str, Policy] = {}
        for base in bases:
            at: dt.datetime | None = now
            while at is not None:
                others.update({one.id: one for one in self.among(enacted, base, at).policies})
                at = enacted.changes_at(at)
        others.pop(policy.id, None)
        found = _of_version(enacted, policy, written)
        for place, rule in enumerate(policy.rules):
            for name, value in (("id", rule.id), ("reason", rule.reason)):
                for other in others.values():
                    if any(value == (one.id if name == "id" else one.reason) for one in other.rules):
                        path = f"/rules/{place}/{name}"
                        words = _clash_words(value, other.id)
                        found.append(Finding("policy.clash", words, path, written.line_of(path)))
        return found

    async def _look(self, now: dt.datetime) -> Enacted:
        """What is so this moment, not what was a second ago."""
        self._read_at = None
        return await self.enacted(now)

    async def _read_on(self) -> None:
        while True:
            page = await self._store.policy_facts(self._seq)
            new = [(seq, fact) for seq, fact in page if seq > self._seq]  # two may read at once
            if new:
                self._seq = new[-1][0]
                self._enacted = fold_policies([fact for _, fact in new], self._enacted)
                for _, fact in new:
                    if isinstance(fact.what, PolicyApproved):
                        self._remember(self._enacted.steps.get(fact.what.draft))
            if len(page) < PAGE_POLICIES:
                return

    def _remember(self, step: Step | None) -> None:
        policy = self.policy_of(step) if step else None
        if policy:
            self.reasons.update(Rulebook([policy]).reasons)


def shipped(name: str) -> Policy | None:
    """The policy of this name that comes with the house."""
    try:
        return load_policy(name)
    except Invalid:
        return None


def _named(base: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(base)) or DEFAULT


def _readable(document: str) -> Policy | None:
    try:
        return parse_policy(msgspec.json.decode(document))
    except (msgspec.DecodeError, Invalid, RecursionError):
        return None


def _find(enacted: Enacted, draft: str) -> Step:
    step = enacted.steps.get(FactId(draft))
    if step is None:
        raise Hidden("policy.unknown", Words("Không có chính sách này.", "There is no such policy."))
    return step


def _of_version(enacted: Enacted, policy: Policy, written: Written) -> list[Finding]:
    """A new text is a new version: numbers are never used twice for two things."""
    ships = shipped(policy.id)
    if enacted.may_be_next(policy, ships):
        return []
    least = enacted.next_version(policy.id, ships)
    words = Words(
        f"Phiên bản {policy.version} đã dùng rồi. Ghi {least} hoặc lớn hơn.",
        f"Version {policy.version} was used already. Write {least} or more.",
    )
    if ships and ships.version == policy.version and ships != policy:
        words = Words(
            f"Bản đi kèm phần mềm là phiên bản {policy.version}; đã sửa thì ghi {least} hoặc lớn hơn.",
            f"Version {policy.version} is the one that ships; if you change it, write {least} or more.",
        )
    return [Finding("policy.version_used", words, "/version", written.line_of("/version"))]


def _clash_words(name: str, other: str) -> Words:
    return Words(
        f"Tên “{name}” đã có trong chính sách “{other}” cùng hiệu lực.",
        f"The policy “{other}”, in force at the same time, has the name “{name}” already.",
    )


def _not_waiting() -> Conflict:
    return Conflict(
        "policy.not_waiting",
        Words(
            "Bản này không còn chờ nữa: đã được duyệt, thay, bỏ, hoặc đã bắt đầu.",
            "This no longer waits: it was approved, replaced or withdrawn, or has begun.",
        ),
    )
