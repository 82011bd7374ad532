"""A process of its own in which a rehearsal is played, so that nobody at a barrier waits for it.

It gets the script and then pages of scans on its standard input, and gives back after each how many it has seen; frames
of MessagePack, their length before them. It opens no store and no socket, is nice to others, and ends with its input:
it never outlives the server.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec

from motma.core.errors import Unavailable
from motma.core.rehearsal import Rehearsal, Report, Script
from motma.core.words import Words

if TYPE_CHECKING:  # it brings SQL along, which the process has no use for
    from motma.storage.store import ScanRow

_HEAD = 4
_NICE = 10
_ASK = b"\xc0"  # nil: a page would be an array
_encode = msgspec.msgpack.Encoder().encode
_page = msgspec.msgpack.Decoder(list[tuple[int, int, str]]).decode


class Aside:
    """A :class:`motma.services.rehearsal.Stage` elsewhere on this machine."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def open(cls, script: Script) -> Self:
        """Raises :class:`Unavailable` ``rehearsal.stopped`` if it does not begin."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise _stopped() from error
        aside = cls(process)
        try:
            await aside._ask(_encode(script))
        except BaseException:
            await aside.close()
            raise
        return aside

    async def look(self, page: "Sequence[ScanRow]") -> None:
        await self._ask(_encode(page))

    async def report(self) -> Report:
        return msgspec.msgpack.decode(await self._ask(_ASK), type=Report)

    async def close(self) -> None:
        """End it, wherever it is."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _ask(self, frame: bytes) -> bytes:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(len(frame).to_bytes(_HEAD, "big") + frame)
            await self._process.stdin.drain()
            length = int.from_bytes(await self._process.stdout.readexactly(_HEAD), "big")
            return await self._process.stdout.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise _stopped() from error


def _stopped() -> Unavailable:
    return Unavailable(
        "rehearsal.stopped",
        Words("Lần chạy thử dừng giữa chừng. Chạy lại.", "The rehearsal stopped half-way. Run it again."),
    )


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    """What the process does until its input ends."""
    rehearsal = Rehearsal(msgspec.msgpack.decode(_frame(source) or b"", type=Script))
    _answer(sink, _encode(0))
    while (frame := _frame(source)) is not None:
        if frame == _ASK:
            _answer(sink, _encode(rehearsal.report()))
            continue
        for _, number, body in _page(frame):
            rehearsal.look(number, body)
        _answer(sink, _encode(rehearsal.looked))


def _frame(source: BinaryIO) -> bytes | None:
    head = source.read(_HEAD)
    return source.read(int.from_bytes(head, "big")) if len(head) == _HEAD else None


def _answer(sink: BinaryIO, said: bytes) -> None:
    sink.write(len(said).to_bytes(_HEAD, "big") + said)
    sink.flush()


if __name__ == "__main__":
    os.nice(_NICE)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
