"""The desk that signs codes: one issuer, its newest key signs, all of its keys verify."""

import datetime as dt
from dataclasses import dataclass

import msgspec

from motma.core.code import Claims, Keyring, issue_code
from motma.core.cose import Signer
from motma.core.facts import Fact, Holder, Issued
from motma.core.form import Declaration
from motma.core.ids import FactId, Qid, fact_id_bytes, same_moment_id
from motma.core.measure import Measure


@dataclass(frozen=True, slots=True)
class Due:
    """A code that is to be issued: on which declaration, for how long, by whom. ``born_with`` gives it its id."""

    declaration: FactId
    born_with: FactId
    qid: Qid
    measure: Measure
    matched: bool
    valid_from: dt.datetime
    valid_until: dt.datetime
    reissue: bool
    actor: str


@dataclass(frozen=True, slots=True)
class CodeOffice:
    """Who signs here, and whom we believe."""

    issuer: str
    signing_key: Signer
    keyring: Keyring

    def issue(self, declared: Declaration, due: Due, now: dt.datetime) -> tuple[str, Fact]:
        """(the text of the code, the fact that it was issued). Times in the code are to the second."""
        code_id = same_moment_id("cod", due.born_with)
        text = issue_code(
            Claims(
                issuer=self.issuer,
                code_id=fact_id_bytes(code_id),
                qid=due.qid,
                name=declared.name,
                birth_date=declared.birth_date,
                last_four=declared.document.last_four,
                measure=due.measure.id,
                areas=due.measure.areas,
                matched=due.matched,
                issued_at=now,
                valid_from=due.valid_from,
                valid_until=due.valid_until,
            ),
            self.signing_key,
        )
        holder = Holder(text, declared.name, declared.birth_date, declared.sex, declared.document.last_four)
        fact = Fact(
            id=code_id,
            at=now,
            actor=due.actor,
            qid=due.qid,
            personal=msgspec.json.encode(holder),
            what=Issued(due.declaration, due.valid_until, due.reissue),
        )
        return text, fact
