"""What was planned, what the senders were told, and what the store holds: three columns that must be the same."""

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

_NOT_STORED = ("sent", "sent again", "mended", "mended: refused")


@dataclass(slots=True)
class Account:
    """Counts under the same names from three sides, and how long things took (seconds)."""

    planned: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    took_seconds: dict[str, list[float]] = field(default_factory=dict)
    elapsed_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        """Every name counted anywhere, in a reader's order."""
        order = (
            "sent",
            "recorded",
            "accepted",
            "repairable",
            "refused",
            "mended",
            "codes",
            "citizens",
            "scans",
            "verdict",
        )
        names = {*self.planned, *self.told, *self.stored}
        return sorted(names, key=lambda name: (next(i for i, o in enumerate((*order, "")) if name.startswith(o)), name))

    def differs(self, name: str) -> bool:
        """Whether the sides that count ``name`` disagree; what a side does not mention it has counted zero times.

        Senders are not told why the register refused somebody. The store does not keep what came again, nor that a
        declaration mends one that was refused, which belongs to nobody: there it counts as "recorded" and "accepted".
        """
        sides = [self.planned[name]]
        if not name.startswith("refused: "):
            sides.append(self.told[name])
        if self.stored and name not in _NOT_STORED:  # without any, nobody looked
            sides.append(self.stored[name])
        return len(set(sides)) > 1

    @property
    def adds_up(self) -> bool:
        """Something was sent, nothing failed, and every side agrees on every count."""
        return bool(self.rows) and not self.failures and not any(self.differs(name) for name in self.rows)


def account_table(account: Account) -> Table:
    """For a terminal."""
    table = Table("", "planned", "told", "stored", "", title="Reconciliation", title_justify="left")
    for column in table.columns[1:4]:
        column.justify = "right"
    for name in account.rows:
        sides = [f"{side[name]:,}" if name in side else "" for side in (account.planned, account.told, account.stored)]
        table.add_row(name, *sides, "[red]✕ differs[/]" if account.differs(name) else "[green]✓[/]")
    if any(side["refused"] + side["repairable"] for side in (account.planned, account.told)):
        table.add_row("repair rate", *map(_repair_rate, (account.planned, account.told)), "", "")
    table.add_section()
    for kind, took in sorted(account.took_seconds.items()):
        took.sort()
        half, most = took[len(took) // 2] * 1000, took[min(len(took) - 1, int(len(took) * 0.99))] * 1000
        table.add_row(f"{kind}: p50 / p99", "", f"{half:.1f} ms", f"{most:.1f} ms", "")
    requests = sum(len(took) for took in account.took_seconds.values())
    if account.elapsed_seconds:
        rate = requests / account.elapsed_seconds
        table.add_row("requests, per second", f"{requests:,}", f"{rate:,.0f}/s", f"{account.elapsed_seconds:.1f} s", "")
    for failure in account.failures[:10]:
        table.add_row("[red]failed[/]", "", "", "", failure)
    if len(account.failures) > 10:
        table.add_row("[red]failed[/]", "", "", "", f"and {len(account.failures) - 10:,} more")
    return table


def _repair_rate(side: Counter[str]) -> str:
    """The share of those who did not match at first and match now."""
    missed = side["refused"] + side["repairable"]
    return f"{side['mended'] / missed:.1%}" if missed else ""
