"""What is different between two versions of a policy, in words for those who approve it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from motma.core.policy import AS_READ, Policy, Rule, Trial, filled_in, named, named_in
from motma.core.rules.spoken import in_words
from motma.core.words import Words

Kind = Literal[
    "new", "off", "title", "dates", "values", "added", "removed", "moved",
    "verdict", "waives", "reason", "words", "cure", "logic", "fields", "tests",
]  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """One difference: what it is, in which ``rule`` ("" for the policy itself), how it was and how it will be."""

    kind: Kind
    rule: str
    words: Words
    before: Words | None = None
    after: Words | None = None


_VERDICTS = {
    "reject": Words("không cho qua", "stop"),
    "manual": Words("kiểm tra bằng tay", "check by hand"),
    "refer": Words("sang chốt kế tiếp", "go on to the next checkpoint"),
    "accept": Words("cho qua, chỉ ghi chú", "go, with a remark"),
}
_LOCAL = dt.timezone(dt.timedelta(hours=7))
_NEVER = Words("không có hạn", "no end")
_WRITTEN_OTHERWISE = Words(
    "Điều kiện được qua viết khác đi, nhưng vẫn là một.", "What has to hold is written otherwise, and is the same."
)
_AS_READ = Words("theo kết quả đọc mã", "as the reading of the code says")


def difference(old: Policy | None, new: Policy | None) -> list[Change]:
    """What changes when ``new`` takes the place of ``old``; None: no such policy, or it is switched off."""
    if old is None or new is None:
        return _whole(old, new)
    found = [*_head(old, new), *_which(old, new)]
    before = {rule.id: rule for rule in old.rules}
    were, are = named(old.values), named(new.values)
    for rule in new.rules:
        if (earlier := before.get(rule.id)) is not None:
            same = _is_same(filled_in(earlier.holds, were), filled_in(rule.holds, are))
            found += _rule(earlier, rule, asks_the_same=same)
    return found


def verdict_in_words(rule: Rule) -> Words:
    """What happens where ``rule`` does not hold."""
    if rule.verdict is None:
        return _AS_READ
    said = _VERDICTS[str(rule.verdict)]
    return said if rule.known else Words(f"{said.vi} (chưa rõ)", f"{said.en} (not known)")


def _whole(old: Policy | None, new: Policy | None) -> list[Change]:
    if new is not None:
        words = Words(
            f"Chính sách “{new.title.vi}” được bật; {len(new.rules)} luật.",
            f"The policy “{new.title.en}” is switched on; {_count(len(new.rules), 'rule')}.",
        )
        return [Change("new", "", words), *_values(None, new), *(_added(rule) for rule in new.rules)]
    if old is not None:
        words = Words(
            f"Chính sách “{old.title.vi}” bị tắt; {len(old.rules)} luật không còn được hỏi.",
            f"The policy “{old.title.en}” is switched off; {_count(len(old.rules), 'rule')} no longer asked.",
        )
        guards = [Change("off", "", _GUARDS[old.id])] if old.id in _GUARDS else []
        return [Change("off", "", words), *guards, *_values(old, None), *(_removed(rule) for rule in old.rules)]
    return []


_GUARDS = {
    "code": Words("Khi đó mã giả cũng được qua.", "Forged codes pass then."),
    "standing": Words(
        "Khi đó người lạ và người đã bị rút quyền đi lại cũng được qua.",
        "Whom nobody knows passes then, and whose right was withdrawn.",
    ),
    "health": Words("Khi đó người đã dương tính cũng được qua.", "Who tested positive passes then."),
}


def _head(old: Policy, new: Policy) -> list[Change]:
    found = []
    if old.title != new.title:
        found.append(Change("title", "", Words("Tên chính sách đổi.", "The title changes."), old.title, new.title))
    for words, was, will in (
        (Words("Ngày bắt đầu hiệu lực đổi.", "It is valid from another time."), old.valid_from, new.valid_from),
        (Words("Ngày hết hiệu lực đổi.", "It is valid until another time."), old.valid_to, new.valid_to),
    ):
        if was != will:
            found.append(Change("dates", "", words, _moment(was), _moment(will)))
    return [*found, *_values(old, new)]


def _values(old: Policy | None, new: Policy | None) -> Iterator[Change]:
    """The values that change, in the order of the document, each with the rules that read it."""
    were, are = old.values if old else {}, new.values if new else {}
    for name in [*are, *(name for name in were if name not in are)]:
        if name in were and name in are and _is_same(were[name], are[name]):
            continue
        if name not in were:
            words, of = Words(f"Giá trị mới: {name}", f"A new value: {name}"), new
        elif name not in are:
            words, of = Words(f"Bỏ giá trị {name}", f"The value {name} is taken away"), old
        else:
            words, of = Words(f"Giá trị {name} đổi", f"The value {name} changes"), new
        by = ", ".join(_readers(of, name)) if of else ""
        words = (
            Words(f"{words.vi}; dùng ở {by}.", f"{words.en}; read by {by}.")
            if by
            else Words(*(f"{one}." for one in words))
        )
        yield Change("values", "", words, *(in_words(held[name]) if name in held else None for held in (were, are)))


def _readers(policy: Policy, name: str) -> Iterator[str]:
    """The rules of ``policy`` that read a value, by themselves or by way of other values."""
    names = {name}
    for other, value in policy.values.items():  # each can read only those before it
        if isinstance(value, dict) and not names.isdisjoint(named_in(value)):
            names.add(other)
    return (rule.id for rule in policy.rules if not names.isdisjoint(named_in(rule.holds)))


def _is_same(one: Any, other: Any) -> bool:
    """As a device sees it: to Python 1 is true."""
    return bool(msgspec.json.encode(one) == msgspec.json.encode(other))


_NOTHING = Words("không có", "none")


def _which(old: Policy, new: Policy) -> list[Change]:
    """Rules that came, went, or stand in another order."""
    before, after = [rule.id for rule in old.rules], [rule.id for rule in new.rules]
    found = [_removed(rule) for rule in old.rules if rule.id not in after]
    found += [_added(rule) for rule in new.rules if rule.id not in before]
    here, there = [id for id in before if id in after], [id for id in after if id in before]
    stay = _longest_common(here, there)
    for id in there:
        if id not in stay:
            words = Words("Luật đổi chỗ: lý do đầu tiên có thể khác.", "It moves: another reason may come first.")
            found.append(Change("moved", id, words, _place(before, id), _place(after, id)))
    return found


def _rule(old: Rule, new: Rule, *, asks_the_same: bool) -> list[Change]:
    found: list[Change] = []

    def say(kind: Kind, vi: str, en: str, before: Words | None, after: Words | None) -> None:
        if before != after:
            found.append(Change(kind, new.id, Words(vi, en), before or _NOTHING, after or _NOTHING))

    say("verdict", "Kết luận đổi.", "The verdict changes.", verdict_in_words(old), verdict_in_words(new))
    say("reason", "Lý do đổi mã.", "The reason has another code.", _code(old), _code(new))
    if not _is_same(old.holds, new.holds):
        words = _WRITTEN_OTHERWISE if asks_the_same else Words("Điều kiện được qua đổi.", "What has to hold changes.")
        found.append(Change("logic", new.id, words, in_words(old.holds), in_words(new.holds)))
    say("words", "Câu nói với người dân đổi.", "The words change.", old.words, new.words)
    say("cure", "Câu hướng dẫn đổi.", "What to do about it changes.", old.cure, new.cure)
    say("fields", "Dữ liệu được đọc đổi.", "It reads other fields.", _list(old.affected), _list(new.affected))
    say("waives", "Bỏ qua các chính sách khác.", "It waives other policies.", _list(old.waives), _list(new.waives))
    return found + _trials(old, new)


def _trials(old: Rule, new: Rule) -> list[Change]:
    gone, came = ([t for t in one.tests if t not in other.tests] for one, other in ((old, new), (new, old)))
    if not gone and not came:
        return []
    words = Words(
        f"Bài thử: thêm {len(came)}, bỏ {len(gone)}; còn {len(new.tests)}.",
        f"Tests: {len(came)} added, {len(gone)} taken away; {len(new.tests)} now.",
    )
    return [Change("tests", new.id, words, _about(gone), _about(came))]


def _about(tests: list[Trial]) -> Words:
    said = "; ".join(test.about for test in tests)
    return Words(said, said) if tests else _NOTHING


def _added(rule: Rule) -> Change:
    return Change("added", rule.id, Words("Luật mới.", "A new rule."), None, _told(rule))


def _removed(rule: Rule) -> Change:
    return Change("removed", rule.id, Words("Bỏ luật này.", "The rule is taken away."), _told(rule), None)


def _told(rule: Rule) -> Words:
    verdict, logic, words = verdict_in_words(rule), in_words(rule.holds), rule.words or _AS_READ
    waives = ", ".join(rule.waives)
    return Words(
        f"Phải đúng: {logic.vi}. Nếu không: {verdict.vi}{f', bỏ qua {waives}' if waives else ''}. “{words.vi}”",
        f"Must hold: {logic.en}. If not: {verdict.en}{f', waives {waives}' if waives else ''}. “{words.en}”",
    )


def _code(rule: Rule) -> Words:
    return Words(rule.reason, rule.reason) if rule.reason != AS_READ else _AS_READ


def _list(names: tuple[str, ...]) -> Words | None:
    if not names:
        return None
    said = ", ".join(sorted(names))
    return Words(said, said)


def _place(ids: list[str], id: str) -> Words:
    place = ids.index(id) + 1
    return Words(f"thứ {place}", f"number {place}")


def _moment(moment: dt.datetime | None) -> Words:
    if moment is None:
        return _NEVER
    local = moment.astimezone(_LOCAL)
    clock = f"{local:%H:%M:%S}".removesuffix(":00")
    return Words(f"{clock} ngày {local:%d/%m/%Y}, giờ Việt Nam", f"{clock} on {local:%d/%m/%Y}, Vietnam time")


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _longest_common(one: list[str], other: list[str]) -> set[str]:
    """The most that can stay where they are: a longest common subsequence. Both hold the same names, at most 100."""
    best: list[list[int]] = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            best[i + 1][j + 1] = best[i][j] + 1 if a == b else max(best[i][j + 1], best[i + 1][j])
    stay, i, j = set[str](), len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            stay.add(one[i - 1])
            i, j = i - 1, j - 1
        elif best[i - 1][j] >= best[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return stay
