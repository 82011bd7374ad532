"""Codes that a platform's scanner must judge rightly, also while nothing can be asked."""

import datetime as dt

from motma.conformance.trial import Trial, case, must
from motma.wiring import utc_now

_TOO_LONG = "NCFLA0+00FFWTWGSLKC" * 300


async def _good(trial: Trial, code: str) -> None:
    async def look() -> bool:
        return (await trial.platform.verify(code)).valid is True

    await trial.until(look, "a good code being called valid")


@case("codes.good", "Mã tốt được nhận.", "A good code is taken.")
async def good(trial: Trial) -> None:
    await _good(trial, (await trial.somebody()).code or "")


@case("codes.altered", "Mã bị sửa bị từ chối.", "A code that was altered is refused.")
async def altered(trial: Trial) -> None:
    # A good envelope under the right name, with a signature that is not of it.
    code = await trial.ours.code_of_another((await trial.somebody()).code or "", same_kid=True)
    said = await trial.platform.verify(code)
    must(said.valid is False, f"valid: {said.valid} for a code whose signature does not hold")


@case("codes.stranger", "Mã do khóa lạ ký: chưa rõ, không phải sai.", "A code by an unknown key: not known, not wrong.")
async def stranger(trial: Trial) -> None:
    code = await trial.ours.code_of_another((await trial.somebody()).code or "", same_kid=False)
    said = await trial.platform.verify(code)
    must(said.valid is None, f"valid: {said.valid} for the code of somebody who is not known")


@case("codes.other_issuer", "Khóa không được ký thay nơi khác.", "A key cannot sign in another's name.")
async def other_issuer(trial: Trial) -> None:
    code = await trial.ours.code_like((await trial.somebody()).code or "", issuer="motma.other")
    said = await trial.platform.verify(code)
    must(said.valid is not True, "a code in the name of an issuer whose key did not sign it was called valid")


@case("codes.expired", "Mã hết hạn bị từ chối.", "A code that has expired is refused.")
async def expired(trial: Trial) -> None:
    ended = int((utc_now() - dt.timedelta(hours=1)).timestamp())
    code = await trial.ours.code_like((await trial.somebody()).code or "", begins=ended - 3600, expires=ended)
    said = await trial.platform.verify(code)
    must(said.valid is False, f"valid: {said.valid} an hour after the code expired")


@case(
    "codes.expires_later",
    "Mã còn hạn hôm nay, hết hạn khi đến giờ.",
    "A code good now is refused once its time is over.",
)
async def expires_later(trial: Trial) -> None:
    said = await trial.platform.verify((await trial.somebody()).code or "", utc_now() + dt.timedelta(days=400))
    must(said.valid is False, f"valid: {said.valid} for a moment long after the code's time")


@case("codes.not_yet", "Mã chưa đến giờ chưa dùng được.", "A code whose time has not come is not taken.")
async def not_yet(trial: Trial) -> None:
    begins = int((utc_now() + dt.timedelta(hours=2)).timestamp())
    code = await trial.ours.code_like((await trial.somebody()).code or "", begins=begins, expires=begins + 3600)
    said = await trial.platform.verify(code)
    must(said.valid is not True, "a code was called valid two hours before its time")


@case(
    "codes.unreadable",
    "Chữ không phải mã: không nhận, không hỏng.",
    "What is no code is not taken, and breaks nothing.",
)
async def unreadable(trial: Trial) -> None:
    for text in ("xin chào", "", "https://example.invalid/", _TOO_LONG, "NCF" + "0" * 64):
        said = await trial.platform.verify(text)
        must(said.valid is not True, "a text that is no code was called valid")
    await _good(trial, (await trial.somebody()).code or "")


@case("codes.offline", "Không có mạng vẫn kiểm tra được.", "Codes are judged without a network.")
async def offline(trial: Trial) -> None:
    code = (await trial.somebody()).code or ""
    forged = await trial.ours.code_of_another(code, same_kid=True)
    await _good(trial, code)
    trial.front.cut = True
    said = [await trial.platform.verify(text) for text in (code, forged)]
    must(said[0].valid is True, f"valid: {said[0].valid} for a good code while the exchange is away")
    must(said[1].valid is False, f"valid: {said[1].valid} for a forged code while the exchange is away")


@case(
    "codes.suspended",
    "Mã tạm dừng không được nhận; cho lại thì nhận.",
    "A suspended code is not taken, and is again once restored.",
)
async def suspended(trial: Trial) -> None:
    held = await trial.somebody(new=True)
    await _good(trial, held.code or "")
    await trial.ours.hold_back(held.qid or "")

    async def refused() -> bool:
        return (await trial.platform.verify(held.code or "")).valid is not True

    await trial.until(refused, "a suspended code no longer being called valid")
    await trial.ours.give_back(held.qid or "")
    await _good(trial, held.code or "")


@case("codes.withdrawn", "Mã bị thu hồi bị từ chối.", "A code that was withdrawn is refused.")
async def withdrawn(trial: Trial) -> None:
    held = await trial.somebody(new=True)
    await _good(trial, held.code or "")
    await trial.ours.withdraw(held.qid or "")

    async def refused() -> bool:
        return (await trial.platform.verify(held.code or "")).valid is False

    await trial.until(refused, "a withdrawn code being refused")
