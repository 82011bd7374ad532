"""What a platform is told: by webhook, signed; and by the feed whatever the webhook did not bring."""

import base64
import datetime as dt

from motma.conformance.front import Asked
from motma.conformance.trial import Trial, case, must
from motma.wiring import utc_now

_HIGH = 1_000_000


async def _nobody(trial: Trial, qid: str, what: str) -> None:
    must(await trial.platform.citizen(qid) is None, f"{what} was believed")


async def _still(trial: Trial, qid: str, state: str, seen: str) -> None:
    """Whether what was told last left the citizen alone: looked at once a message about somebody else shows, which came
    after it, so that no patience decides."""
    another = trial.change(version=_HIGH)
    body = trial.message(another)
    await trial.front.deliver(body, trial.signed(another["id"], body))
    await trial.shows(another["citizen"]["qid"], "a message about somebody else", version=_HIGH)
    shown = await trial.platform.citizen(qid)
    must(shown is not None and shown.get("state") == state, seen)


@case("telling.webhook", "Tin có chữ ký đúng được nhận.", "A message that is signed is taken.")
async def webhook(trial: Trial) -> None:
    await trial.told()
    change = trial.change(version=_HIGH)
    body = trial.message(change)
    status = await trial.front.deliver(body, trial.signed(change["id"], body))
    must(200 <= status < 300, f"answered {status} to a message that is signed")
    await trial.shows(change["citizen"]["qid"], "what the message said", state="good", version=_HIGH)


@case("telling.forged", "Tin giả bị từ chối.", "A forged message is refused.")
async def forged(trial: Trial) -> None:
    await trial.told()
    secret = "whsec_" + base64.b64encode(trial.luck.randbytes(24)).decode()
    for other in ("another secret", "another body", "no signature", "a broken signature"):
        change = trial.change(version=_HIGH)
        body = trial.message(change)
        headers = trial.signed(change["id"], body, secret=secret if other == "another secret" else "")
        if other == "another body":
            body = body.replace(b'"good"', b'"expired"')
        elif other == "no signature":
            headers = {"content-type": "application/json"}
        elif other == "a broken signature":
            headers["webhook-signature"] = "v1"
        status = await trial.front.deliver(body, headers)
        must(400 <= status < 500, f"answered {status} to a message with {other}")
        await _nobody(trial, change["citizen"]["qid"], f"a message with {other}")


@case("telling.old", "Tin cũ phát lại bị từ chối.", "A message signed an hour ago is refused.")
async def old(trial: Trial) -> None:
    await trial.told()
    for at in (utc_now() - dt.timedelta(hours=1), utc_now() + dt.timedelta(hours=1)):
        change = trial.change(version=_HIGH)
        body = trial.message(change)
        status = await trial.front.deliver(body, trial.signed(change["id"], body, at=at))
        must(400 <= status < 500, f"answered {status} to a message an hour away from now")
        await _nobody(trial, change["citizen"]["qid"], "a message of another time")


@case(
    "telling.two_signatures",
    "Đổi khóa ký: một chữ ký đúng là đủ.",
    "While the secret changes, one true signature of two is enough.",
)
async def two_signatures(trial: Trial) -> None:
    await trial.told()
    change = trial.change(version=_HIGH)
    body = trial.message(change)
    other = "v1," + base64.b64encode(trial.luck.randbytes(32)).decode()
    status = await trial.front.deliver(body, trial.signed(change["id"], body, before=other))
    must(200 <= status < 300, f"answered {status} to a message with a true signature beside another")


@case(
    "telling.twice", "Tin đến hai lần: nhận, không tính hai.", "A message that comes twice is taken, and counts once."
)
async def twice(trial: Trial) -> None:
    await trial.told()
    change = trial.change(version=_HIGH)
    body = trial.message(change)
    for _ in range(2):
        status = await trial.front.deliver(body, trial.signed(change["id"], body))
        must(200 <= status < 300, f"answered {status} to a message that it had or should have")
    # What was told in between must not be undone by the first one coming a third time.
    newer = trial.change(version=_HIGH + 1, qid=change["citizen"]["qid"], state="suspended")
    body_newer = trial.message(newer)
    await trial.front.deliver(body_newer, trial.signed(newer["id"], body_newer))
    await trial.shows(change["citizen"]["qid"], "the newer of two messages", state="suspended")
    await trial.front.deliver(body, trial.signed(change["id"], body))
    await _still(trial, change["citizen"]["qid"], "suspended", "a message that came again undid a newer one")


@case("telling.order", "Tin cũ đến sau không thắng tin mới.", "An older message that comes later does not win.")
async def order(trial: Trial) -> None:
    await trial.told()
    newer = trial.change(version=_HIGH + 5, state="withdrawn")
    older = trial.change(version=_HIGH + 4, qid=newer["citizen"]["qid"], state="good")
    for change in (newer, older):
        body = trial.message(change)
        status = await trial.front.deliver(body, trial.signed(change["id"], body))
        must(200 <= status < 300, f"answered {status} to a message that is signed")
        if change is newer:
            await trial.shows(newer["citizen"]["qid"], "a message", state="withdrawn", version=_HIGH + 5)
    await _still(trial, newer["citizen"]["qid"], "withdrawn", "an older message that came later won")


@case(
    "telling.unknown",
    "Loại tin và mục mới không làm hỏng gì.",
    "Types and members that it does not know break nothing.",
)
async def unknown(trial: Trial) -> None:
    await trial.told()
    odd = {**trial.change(version=_HIGH), "type": "weather.changed"}
    body = trial.message(odd)
    status = await trial.front.deliver(body, trial.signed(odd["id"], body))
    must(200 <= status < 300, f"answered {status} to a type that may be added one day")
    change = trial.change(version=_HIGH, mood="calm")
    body = trial.message({**change, "weather": {"rain": True}}, sender="trial")
    status = await trial.front.deliver(body, trial.signed(change["id"], body))
    must(200 <= status < 300, f"answered {status} to members that may be added one day")
    await trial.shows(change["citizen"]["qid"], "a change with a member that is new", version=_HIGH)


@case("telling.standing", "Thông báo y tế hiện trên nền tảng.", "What health staff report shows on the platform.")
async def standing(trial: Trial) -> None:
    held = await trial.somebody(new=True)
    await trial.shows(held.qid or "", "the citizen", health="clear")
    await trial.ours.report(held.qid or "", "case")
    await trial.shows(held.qid or "", "a confirmed case", health="positive")
    await trial.ours.report(held.qid or "", "ended")
    await trial.shows(held.qid or "", "the end of isolation", health="clear")


@case("telling.lost", "Tin bị mất: đọc bù từ luồng thay đổi.", "When messages are lost, the feed makes up for them.")
async def lost(trial: Trial) -> None:
    held = await trial.somebody(new=True)
    await trial.shows(held.qid or "", "the citizen", health="clear")
    trial.front.losing = True
    await trial.ours.report(held.qid or "", "contact")
    await trial.shows(held.qid or "", "a contact that no message told of", health="contact")


@case(
    "telling.caught_up",
    "Vắng mặt rồi trở lại: bắt kịp, không nhảy cóc.",
    "After being away it catches up from where it was.",
)
async def caught_up(trial: Trial) -> None:
    several = [await trial.somebody(new=True) for _ in range(3)]
    for one in several:
        await trial.shows(one.qid or "", "the citizen", health="clear")
    trial.front.losing = trial.front.cut = True
    for one in several:
        await trial.ours.report(one.qid or "", "case")
    await trial.ours.report(several[0].qid or "", "ended")
    trial.front.asked.clear()
    trial.front.cut = False
    await trial.shows(several[0].qid or "", "the newest of two changes", health="clear")
    for one in several[1:]:
        await trial.shows(one.qid or "", "a change while it was away", health="positive")

    async def read() -> Asked | None:
        return next((one for one in trial.front.asked if one.path == "/v1/changes" and one.status == 200), None)

    await trial.until(read, "the feed being read")
