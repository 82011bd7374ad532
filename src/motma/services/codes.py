"""The desk that signs codes: one issuer, its newest key signs, all of its keys verify."""

import datetime as dt
from dataclasses import dataclass

from motma.core.code import Claims, Keyring, SigningKey, issue_code
from motma.core.ids import FactId, Qid, fact_id_bytes
from motma.core.measure import Measure


@dataclass(frozen=True, slots=True)
class CodeOffice:
    """Who signs here, and whom we believe."""

    issuer: str
    signing_key: SigningKey
    keyring: Keyring

    def issue(
        self,
        *,
        code_id: FactId,
        qid: Qid,
        name: str,
        birth_date: dt.date,
        last_four: str,
        measure: Measure,
        matched: bool,
        valid_from: dt.datetime,
        valid_until: dt.datetime,
        now: dt.datetime,
    ) -> str:
        """The text of a citizen's code, to the second."""
        claims = Claims(
            issuer=self.issuer,
            code_id=fact_id_bytes(code_id),
            qid=qid,
            name=name,
            birth_date=birth_date,
            last_four=last_four,
            measure=measure.id,
            areas=measure.areas,
            matched=matched,
            issued_at=now,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        return issue_code(claims, self.signing_key)
