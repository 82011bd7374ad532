"""An officer's door opens three fields of a code's personal part: the others may be broken, and nobody notices."""

import contextlib
import sqlite3

import pytest

from motma.core.errors import Unavailable
from motma.services.faces import face_of
from tests.storage.test_seal import parts
from tests.world import World


def break_field(world: World, code: str, place: int) -> None:
    """Past the house: one field of a sealed row is no longer what it was."""
    path = world.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TRIGGER IF EXISTS facts_only_reseal")
        ((sealed,),) = database.execute("SELECT sealed FROM facts WHERE id = ?", (code,))
        head, fields = parts(sealed)
        fields[place] = fields[place][:-1] + bytes([fields[place][-1] ^ 1])
        database.execute("UPDATE facts SET sealed = ? WHERE id = ?", (head + b"".join(fields), code))


async def test_only_what_is_compared_is_opened(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person)).json()
    standing = await world.built.store.standing(sent["qid"])
    assert standing is not None and standing.code is not None
    break_field(world, standing.code, 0)  # the text of the code
    checked = (await world.check(qid=sent["qid"])).json()
    assert (checked["outcome"], checked["citizen"]["name"]) == ("accept", person.name)
    found = await world.officers["g07-vinh-binh"].post("/scan/plates", json={"plate": "59C112345"})
    assert [one["name"] for one in found.json()["people"]] == [person.name]
    with pytest.raises(Unavailable, match=r"storage\.sealed"):
        await world.built.store.fact(standing.code)
    break_field(world, standing.code, 1)
    with pytest.raises(Unavailable, match=r"storage\.sealed"):
        await face_of(world.built.store, standing.code)
    assert await face_of(world.built.store, None) is None
