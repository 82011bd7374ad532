"""The code that a platform shows, as text and as a picture that can be read; and what it is worth."""

import io

import zxingcpp
from PIL import Image

from tests.world import World


async def test_text_and_pictures_hold_the_same_code(world: World) -> None:
    platform = await world.platform()
    sent = (await world.declare(world.person(0), platform)).json()
    where = f"/v1/declarations/{sent['declaration']}/code"
    text = await platform.get(where)
    assert (text.text, text.headers["content-type"].partition(";")[0]) == (sent["code"], "text/plain")
    for by_name, kind in (("png", "image/png"), ("svg", "image/svg+xml")):
        picture = await platform.get(where, params={"format": by_name})
        assert picture.headers["content-type"].partition(";")[0] == kind
        assert picture.headers["cache-control"] == "no-store" and picture.headers["etag"] != text.headers["etag"]
        by_accept = await platform.get(where, headers={"accept": f"{kind};q=0.9"})
        assert by_accept.content == picture.content
        unchanged = await platform.get(
            where, params={"format": by_name}, headers={"if-none-match": picture.headers["etag"]}
        )
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    png = Image.open(io.BytesIO((await platform.get(where, params={"format": "png"})).content))
    (read,) = zxingcpp.read_barcodes(png)
    assert read.text == sent["code"]
    svg = (await platform.get(where, params={"format": "svg"})).text
    assert svg.startswith("<svg xmlns=") and world.person(0).name in svg
    again = (await world.declare(world.person(0), platform, health__contact=True)).json()
    newer = await platform.get(where)
    assert newer.text == again["code"] != sent["code"] and newer.headers["etag"] != text.headers["etag"]


async def test_another_platforms_codes_are_not_there(world: World) -> None:
    sent = (await world.declare(world.person(0), await world.platform())).json()
    other = await world.platform("BLUEZONE")
    for id in (sent["declaration"], "dcl_01kf7yejc0k13emra4srge0byv", "x", sent["declaration"].replace("dcl", "cod")):
        answer = await other.get(f"/v1/declarations/{id}/code")
        assert (answer.status_code, answer.json()["code"]) == (404, "declaration.hidden")


async def test_a_code_is_verified_by_whoever_may(world: World) -> None:
    person, platform = world.person(0), await world.platform("BENXE")
    sent = (await world.declare(person)).json()
    told = (await platform.post("/v1/verifications", json={"code": sent["code"]})).json()
    assert (told["good"], told["state"], told["qid"], told["name"]) == (True, "good", sent["qid"], person.name)
    assert (told["birth_date"], told["reasons"], told["reading"]) == (person.birth_date.isoformat(), [], None)
    nothing = (await platform.post("/v1/verifications", json={"code": "HELLO"})).json()
    assert (nothing["good"], nothing["state"], nothing["qid"]) == (None, "not_ours", None)
    assert nothing["reasons"][0]["words"]["vi"]
