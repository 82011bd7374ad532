"""``motma paper``: the codes of many citizens in one PDF, for a ward office to print and hand out."""

import datetime as dt
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from motma.cli.terminal import with_house
from motma.core.errors import Hidden, MotmaError, Unavailable
from motma.core.facts import Holder
from motma.core.ids import Qid, parse_qid
from motma.core.words import Words
from motma.web.paper import Layout, PaperCode, Press
from motma.web.papers import refuse_spent
from motma.wiring import Built


@click.command("paper", short_help="Print many citizens' codes into one PDF.")
@click.argument("qids", nargs=-1, metavar="[QID]...")
@click.option("--file", "listing", type=click.File(encoding="utf-8-sig", errors="replace"), help="One number a line.")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The PDF to write.")
@click.option("--cards", is_flag=True, help="Ten wallet cards on a page, instead of a page for each person.")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="Which comes first.")
def paper(qids: tuple[str, ...], listing: TextIO | None, out: Path, cards: bool, lang: str) -> None:
    """Print the codes of the citizens with these numbers into one PDF, as A4 pages with a card to cut out.

    Numbers that are mistyped, unknown, expired or revoked are named and left out; then the exit code is 1. The file
    appears when it is complete, readable for its owner only.
    """
    numbers = [*qids, *_lines(listing)]
    if not numbers:
        raise click.UsageError("Give numbers, or a file of them with --file.")
    told = with_house(lambda built, now: _print(built, now, numbers, out, "cards" if cards else "sheet", lang))
    where = f": {out}" if told.printed else "; nothing was written"
    click.echo(f"{told.printed} printed, {told.left_out} left out{where}")
    sys.exit(1 if told.left_out else 0)


@dataclass
class _Told:
    """What became of the numbers."""

    printed: int = 0
    left_out: int = 0


async def _print(built: Built, now: dt.datetime, numbers: list[str], out: Path, layout: Layout, lang: str) -> _Told:
    """Write the PDF with every number that can be printed, each once."""
    press = Press(lang=lang, layout=layout)
    told = _Told()
    seen: set[Qid] = set()
    with _progress() as bar, _whole_or_nothing(out) as (file, keep):
        for number in bar.track(numbers):
            try:
                qid = parse_qid(number)
                if qid not in seen:
                    file.write(press.add(await _find(built, qid, now)))
                    told.printed += 1
                seen.add(qid)
            except Unavailable:
                raise  # the store is away: that is no fault of one number
            except MotmaError as error:
                told.left_out += 1
                line = f"left out: {ascii(number[:40])[1:-1]}: {error.words.en} [{error.code}]"
                bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        if told.printed:
            file.write(press.finish())
            keep()
    return told


async def _find(built: Built, qid: Qid, now: dt.datetime) -> PaperCode:
    """The code of a number, for paper. Raises the reason why it is not printed."""
    standing = await built.citizens.standing(qid)
    issued = await built.store.fact(standing.code) if standing and standing.code else None
    if standing is None or issued is None or issued.personal is None:
        raise Hidden("paper.unknown", Words("Số này chưa được cấp mã.", "No code was issued for this number."))
    refuse_spent(standing.revoked, standing.suspended, standing.valid_until, now)
    holder = msgspec.json.decode(issued.personal, type=Holder)
    text = await built.house.carriers.on_paper(issued.id, now)
    return PaperCode(text, holder.name, qid, standing.valid_from, standing.valid_until)


def _lines(listing: TextIO | None) -> Iterator[str]:
    """What stands on each line; empty ones and those that begin with # are passed over."""
    for line in listing or ():
        if (number := line.strip()) and not number.startswith("#"):
            yield number


def _progress() -> Progress:
    """A bar on the error stream; what was left out is said above it."""
    columns = (TextColumn("printing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


@contextmanager
def _whole_or_nothing(out: Path) -> Iterator[tuple[BinaryIO, Callable[[], None]]]:
    """A file that takes the place of ``out`` if it is kept, and is gone otherwise. Raises ``paper.unwritable``."""
    kept: list[bool] = []
    part: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        part = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file, lambda: kept.append(True)
            file.flush()
            os.fsync(file.fileno())
        if kept:
            part.replace(out)
            part = None
    except OSError as error:
        raise Unavailable(
            "paper.unwritable",
            Words(f"Không ghi được {out}: {error.strerror}.", f"{out} cannot be written: {error.strerror}."),
        ) from None
    finally:
        if part:
            part.unlink(missing_ok=True)
