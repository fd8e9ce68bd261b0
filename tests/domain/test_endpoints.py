"""Addresses inside settings: found, replaced, and never quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.endpoints import address_in, same_address, with_address
from bot.domain.errors import UserError

NEW = "private-db-sfo3.db.example:25061"


@pytest.mark.parametrize(
    ("value", "address", "after"),
    [
        ("db.example:25060", "db.example:25060", NEW),
        ("db.example:25060\n", "db.example:25060", f"{NEW}\n"),
        ("db.example", "db.example", "private-db-sfo3.db.example"),
        ("10.0.0.7:5432", "10.0.0.7:5432", NEW),
        ("[fd00::7]:5432", "[fd00::7]:5432", NEW),
        (
            "postgresql://api:s%40cret@db.example:25060/api?sslmode=require",
            "db.example:25060", f"postgresql://api:s%40cret@{NEW}/api?sslmode=require",
        ),
        ("postgres://db.example/api", "db.example:5432", f"postgres://{NEW}/api"),
        ("postgresql+psycopg://u@db.example", "db.example:5432", f"postgresql+psycopg://u@{NEW}"),
        ("jdbc:postgresql://db.example:25060/api?user=u", "db.example:25060", f"jdbc:postgresql://{NEW}/api?user=u"),
        (
            "host=db.example port=25060 user=api password='s e'",
            "db.example:25060", "host=private-db-sfo3.db.example port=25061 user=api password='s e'",
        ),
        ("user=api host='db.example'", "db.example:5432", "user=api host=private-db-sfo3.db.example port=25061"),
    ],
)  # fmt: skip
def test_the_address_is_replaced_and_the_rest_kept(value: str, address: str, after: str) -> None:
    assert address_in(value) == address
    assert with_address(value, NEW) == after


@pytest.mark.parametrize(
    "value",
    [
        "", "s3cret with blanks", "postgresql://api:s3cret@one:1,two:2/api", "postgresql://api:s3@cret@db:1/api",
        "postgresql:///api?host=s3cret", "host=one host=s3cret", "hostaddr=10.0.0.7 host=db password=s3cret",
        "password='x host=s3cret y' host=db", '{"host": "s3cret"}', "host=one,two password=s3cret",
        "postgresql://api:s3cret@:5432/api",
    ],
)  # fmt: skip
def test_what_names_none_or_several_is_refused_and_not_quoted(value: str) -> None:
    for work in (address_in, lambda found: with_address(found, NEW)):
        with pytest.raises(UserError) as caught:
            work(value)
        assert "s3" not in str(caught.value)


@pytest.mark.parametrize("address", ["db.example", ":5432", "db.example:http", ""])
def test_only_a_host_and_a_port_are_put_there(address: str) -> None:
    with pytest.raises(UserError):
        with_address("db.example:1", address)


hosts = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
words = st.text("abcXYZ019%-_.~!$&'()*+,;=", min_size=1, max_size=20)


@given(words, words, hosts, st.integers(1, 65535), hosts, st.integers(1, 65535), words)
def test_a_connection_string_changes_in_its_address_alone(
    user: str, password: str, host: str, port: int, other: str, second: int, name: str
) -> None:
    value = f"postgresql://{user}:{password}@{host}:{port}/{name}?sslmode=require"
    assert address_in(value) == f"{host}:{port}"
    after = with_address(value, f"{other}:{second}")
    assert after == f"postgresql://{user}:{password}@{other}:{second}/{name}?sslmode=require"
    assert with_address(after, f"{host}:{port}") == value


def test_a_host_alone_is_compared_with_the_host() -> None:
    assert same_address("db:1", "db:1")
    assert same_address("db", "db:1")
    assert not same_address("db:1", "db:2")
    assert not same_address("db", "other:1")
    assert not same_address("", "")
