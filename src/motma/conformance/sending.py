"""What a platform sends: once for each declaration, however the network and the exchange fail."""

import asyncio

from motma.conformance.front import Fault
from motma.conformance.trial import Trial, case, must

_HANDED_IN = "/v1/inbox", "/v1/declarations"
_PAUSE = 2


def _fail(trial: Trial, fault: Fault) -> None:
    trial.front.faults.update(dict.fromkeys(_HANDED_IN, fault))


@case(
    "sending.taken",
    "Tờ khai gửi được; người khai có số và mã.",
    "A declaration is sent; its holder gets a number and a code.",
)
async def taken(trial: Trial) -> None:
    found = await trial.somebody(new=True)
    sent = trial.front.sent()
    must(len(sent) == 1, f"sent {len(sent)} times, one was enough")
    await trial.shows(found.qid or "", "the citizen's own code being shown", code=found.code)


@case(
    "sending.answer_lost",
    "Mất câu trả lời: gửi lại đúng như cũ.",
    "When the answer is lost, the same is sent again under the same key.",
)
async def answer_lost(trial: Trial) -> None:
    _fail(trial, Fault(502, 1, after=True))
    await trial.declared(await trial.platform.declare(trial.person()))
    sent = trial.front.sent()
    must(len(sent) == 2, f"sent {len(sent)} times, not twice")
    must(bool(sent[0].key) and sent[0].key == sent[1].key, "sent again under another Idempotency-Key")
    must(sent[0].body == sent[1].body, "sent again with another content")


@case("sending.busy", "429: chờ đủ Retry-After rồi gửi lại.", "429: it waits as long as Retry-After says, then sends.")
async def busy(trial: Trial) -> None:
    await _held_off(trial, 429)


@case("sending.away", "503: chờ đủ Retry-After rồi gửi lại.", "503: it waits as long as Retry-After says, then sends.")
async def away(trial: Trial) -> None:
    await _held_off(trial, 503)


async def _held_off(trial: Trial, status: int) -> None:
    _fail(trial, Fault(status, 1, headers={"retry-after": str(_PAUSE)}))
    await trial.declared(await trial.platform.declare(trial.person()))
    first, *others = trial.front.sent()
    must(first.status == status and len(others) == 1, f"sent {1 + len(others)} times, not twice")
    pause = others[0].at - first.at
    must(pause >= _PAUSE * 0.95, f"sent again after {pause:.1f} s, though told to wait {_PAUSE} s")


@case("sending.cut", "Mất mạng: giữ lại, có mạng thì gửi.", "Without a network it is kept, and sent once there is one.")
async def cut(trial: Trial) -> None:
    trial.front.cut = True
    key = await trial.platform.declare(trial.person())
    await asyncio.sleep(1)
    must((await trial.platform.declared(key)).state == "waiting", "what could not be sent is not waiting")
    trial.front.cut = False
    await trial.declared(key)
    must(len({one.key for one in trial.front.sent()}) == 1, "sent under more than one key")


@case(
    "sending.refused",
    "422: báo cho người khai, không gửi lại mãi.",
    "422: its user is told, and it is not sent for ever.",
)
async def refused(trial: Trial) -> None:
    key = await trial.platform.declare(trial.person(phone="12"))
    found = await trial.declared(key, "refused")
    must(found.code is None, "a code for what the exchange refused")
    before = len(trial.front.sent())
    await asyncio.sleep(2)
    must(len(trial.front.sent()) == before == 1, f"sent {len(trial.front.sent())} times, though refused for good")


@case(
    "sending.token", "Thẻ truy cập bị từ chối: xin thẻ mới.", "When its access token is refused it asks for a new one."
)
async def token(trial: Trial) -> None:
    await trial.somebody()
    trial.front.asked.clear()
    _fail(trial, Fault(401, 1))
    await trial.declared(await trial.platform.declare(trial.person()))
    first, *others = trial.front.sent()
    must(first.bearer != others[-1].bearer, "sent again with the token that was refused")


@case(
    "sending.redirect",
    "Không chuyển thẻ truy cập sang nơi khác.",
    "It follows no redirect: its token goes nowhere else.",
)
async def redirect(trial: Trial) -> None:
    elsewhere = f"{trial.front.url.replace('127.0.0.1', 'localhost')}/elsewhere"
    _fail(trial, Fault(307, 1, headers={"location": elsewhere}))
    await trial.platform.declare(trial.person())

    async def sent() -> bool:
        return bool(trial.front.sent())

    await trial.until(sent, "the declaration being sent")
    await asyncio.sleep(1)
    followed = [one for one in trial.front.asked if one.path == "/elsewhere"]
    must(
        not followed,
        "it followed a redirect to another host" + (" with its token" if any(one.bearer for one in followed) else ""),
    )


@case(
    "sending.suspended",
    "Bị tạm dừng: giữ lại; được mở lại thì gửi.",
    "While it is suspended all is kept, and sent once it is let in again.",
)
async def suspended(trial: Trial) -> None:
    await trial.ours.suspend(trial.id)
    try:
        await asyncio.sleep(_PAUSE)  # it counts everywhere within a second
        trial.front.asked.clear()
        key = await trial.platform.declare(trial.person())

        async def turned_away() -> bool:
            return any(one.status in (400, 401, 403) for one in trial.front.asked)

        await trial.until(turned_away, "the platform coming and being turned away")
        must((await trial.platform.declared(key)).state == "waiting", "what was not taken is not waiting")
    finally:
        await trial.ours.resume(trial.id)
    await trial.declared(key)
