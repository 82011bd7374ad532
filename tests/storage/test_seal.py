"""Fields are sealed one by one: each opens alone, in its place only, and tells nobody how long it is."""

import json
import os
from itertools import pairwise

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.errors import Unavailable
from motma.core.ids import FactId
from motma.storage.seal import BLOCK, PREFIX_BYTES, Seal, SealKey, UnknownKey, number_of, prefix
from tests.storage.rings import TurningRing
from tests.storage.samples import KEY, an_id

ID = an_id()
PERSON = '{"name":"Nguyễn Thị Bí Mật","phone":"0900000000","contact":true,"trip":{"to":"79","via":[1,2]}}'.encode()


def whole_v1(plain: bytes, id: FactId) -> bytes:
    """A row as the first version of the house sealed it."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(KEY).encrypt(nonce, plain, id.encode())


def not_opened(seal: Seal, sealed: bytes, id: FactId = ID, only: tuple[str, ...] | None = None) -> bool:
    with pytest.raises(Unavailable) as error:
        seal.open(sealed, id, only)
    return error.value.code == "storage.sealed" and error.value.permanent


def parts(sealed: bytes) -> tuple[bytes, list[bytes]]:
    """What stands before the fields, and each field's bytes with their length before them."""
    at = NAMES_AT + 2 + int.from_bytes(sealed[NAMES_AT : NAMES_AT + 2], "big")
    head, fields = sealed[:at], []
    while at < len(sealed):
        size = 3 + int.from_bytes(sealed[at : at + 3], "big")
        fields.append(sealed[at : at + size])
        at += size
    return head, fields


NAMES_AT = PREFIX_BYTES + 16


def test_a_reader_opens_what_it_asks_for() -> None:
    seal = Seal(KEY)
    sealed = seal.close(PERSON, ID)
    assert seal.open(sealed, ID) == PERSON
    assert seal.open(sealed, ID, ("name",)) == '{"name":"Nguyễn Thị Bí Mật"}'.encode()
    assert (
        seal.open(sealed, ID, ("trip", "phone", "no such")) == b'{"phone":"0900000000","trip":{"to":"79","via":[1,2]}}'
    )
    assert seal.open(sealed, ID, ()) == b"{}"
    assert b"Nguy" not in sealed and b"0900" not in sealed and b"phone" in sealed


def test_the_other_fields_stay_closed() -> None:
    """What is not asked for may be broken: nobody looks at it."""
    seal = Seal(KEY)
    head, fields = parts(seal.close(PERSON, ID))
    broken = head + b"".join([fields[0], fields[1][:-1] + b"\x00", *fields[2:]])
    assert seal.open(broken, ID, ("name", "contact")) == '{"name":"Nguyễn Thị Bí Mật","contact":true}'.encode()
    assert not_opened(seal, broken, only=("phone",)) and not_opened(seal, broken)


def test_a_field_opens_in_its_place_only() -> None:
    seal, other = Seal(KEY), an_id()
    sealed, again = seal.close(PERSON, ID), seal.close(PERSON, ID)
    assert sealed != again
    head, fields = parts(sealed)
    head2, fields2 = parts(again)
    assert not_opened(seal, sealed, other)
    assert not_opened(seal, head + b"".join([fields[1], fields[0], *fields[2:]]), only=("name",))
    assert not_opened(seal, head + b"".join([fields2[0], *fields[1:]]), only=("name",))
    assert not_opened(seal, head2 + b"".join(fields), only=("name",))
    for name in (b"name", b"trip"):  # as it is called, and in the company it was sealed in
        assert not_opened(seal, sealed.replace(name, name[::-1]), only=("contact",))
    names = head[NAMES_AT + 2 : -5]  # without "trip"
    fewer = head[:NAMES_AT] + len(names).to_bytes(2, "big") + names + b"".join(fields[:3])
    assert not_opened(seal, fewer, only=("name",))


def test_every_byte_counts() -> None:
    ring = TurningRing()
    seal = Seal(ring)
    for plain in (PERSON, b"no object"):
        sealed = seal.close(plain, ID)
        for at in range(len(sealed)):
            assert not_opened(seal, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
        for cut in range(len(sealed)):
            assert not_opened(seal, sealed[:cut])
        assert not_opened(seal, sealed + b"\x00")


def test_length_tells_nothing() -> None:
    seal = Seal(KEY)

    def lengths(person: dict[str, object]) -> list[int]:
        return [len(field) for field in parts(seal.close(msgspec.json.encode(person), ID))[1]]

    assert lengths({"contact": True, "symptoms": []}) == lengths({"contact": False, "symptoms": ["fever", "cough"]})
    assert lengths({"name": "Lê An"}) == lengths({"name": "Công Tằng Tôn Nữ Huyền Trang"}) == [3 + BLOCK + 16]


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"secret",
        b"\x00\xff",
        b"[1,2]",
        b"null",
        b"{}",
        b'{"a": 1}',
        b'{"a":1} ',
        b'{"a":1,"a":2}',
        b'{"":1}',
        b'{"\\u0041":1}',
        b'{"a\\"b":1}',
        b'{"a":"\xff"}',
        b'{"' + b"n" * 256 + b'":1}',
        msgspec.json.encode({f"n{i}": i for i in range(256)}),
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)
def test_what_is_no_object_of_ours_comes_back_as_it_was(plain: bytes) -> None:
    seal = Seal(KEY)
    assert seal.open(seal.close(plain, ID), ID) == plain


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=9), st.none() | st.booleans() | st.text() | st.lists(st.text()), max_size=9))
def test_any_object_comes_back_byte_for_byte(person: dict[str, object]) -> None:
    seal = Seal(KEY)
    for plain in (msgspec.json.encode(person), json.dumps(person).encode(), json.dumps(person, indent=1).encode()):
        sealed = seal.close(plain, ID)
        assert seal.open(sealed, ID) == plain
        for name in list(person)[:2]:
            some = seal.open(sealed, ID, (name,))
            assert some is not None and json.loads(some) == {name: person[name]}


@given(st.binary())
def test_any_bytes_come_back(plain: bytes) -> None:
    seal = Seal(KEY)
    assert seal.open(seal.close(plain, ID), ID) == plain


@given(st.binary())
def test_rubbish_is_refused_as_such(sealed: bytes) -> None:
    assert not_opened(Seal(KEY), sealed)
    assert not_opened(Seal(KEY), b"\x02\x00\x00\x00\x01" + sealed)


def test_what_the_first_version_sealed_is_read() -> None:
    seal = Seal(KEY)
    old = whole_v1(PERSON, ID)
    assert number_of(old) == 1
    assert seal.open(old, ID) == PERSON
    assert seal.open(old, ID, ("contact",)) == b'{"contact":true}'
    assert seal.open(whole_v1(b"no object", ID), ID) == b"no object"
    assert seal.open(whole_v1(b"no object", ID), ID, ("name",)) is None
    assert not_opened(seal, old, an_id())


def test_the_newest_active_key_seals_and_all_open() -> None:
    ring = TurningRing()
    seal = Seal(ring)
    old, first = whole_v1(PERSON, ID), seal.close(PERSON, ID)
    two = ring.turn()
    assert number_of(seal.close(PERSON, ID)) == 1, "not looked yet"
    ring.look()
    second = seal.close(PERSON, ID)
    ring.set(*ring.look(), SealKey(3, os.urandom(32), "waiting"))
    ring.look()
    assert number_of(seal.close(PERSON, ID)) == 2
    for sealed in (old, first, second):
        assert seal.open(sealed, ID) == PERSON
        assert number_of(again := seal.again(sealed, ID)) == 2 and seal.open(again, ID) == PERSON
    ring.set(two)
    ring.look()
    for sealed in (old, first):
        with pytest.raises(UnknownKey) as error:
            seal.open(sealed, ID)
        assert error.value.code == "storage.sealed" and "key 1" in error.value.words.en
    assert not_opened(seal, second[:4] + b"\x07" + second[5:]), "another number"


def test_an_unknown_key_is_looked_for_at_once() -> None:
    ring, other = TurningRing(), TurningRing()
    other.set(*ring.held(), ring.turn())
    other.look()
    sealed = Seal(other).close(PERSON, ID)
    assert len(ring.held()) == 1
    assert Seal(ring).open(sealed, ID) == PERSON


def test_a_key_that_waits_seals_when_the_database_says_so() -> None:
    ring = TurningRing()
    seal = Seal(ring)
    with pytest.raises(UnknownKey):
        seal.at_least(2)
        seal.number()
    ring.set(*ring.held(), SealKey(2, os.urandom(32), "waiting"))
    assert seal.number() == 2 and number_of(seal.close(PERSON, ID)) == 2
    ring.set(*ring.held()[:1], SealKey(2, os.urandom(32)), SealKey(3, os.urandom(32), "waiting"))
    ring.look()
    assert seal.number() == 2


def test_prefixes_are_in_the_order_of_age() -> None:
    order = [
        whole_v1(PERSON, ID)[:PREFIX_BYTES],
        *(prefix(number) for number in (0, 1, 2, 255, 256, 65_536, 2**32 - 1)),
    ]
    assert all(a < b for a, b in pairwise(order))


def test_one_key_must_be_a_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")
