"""One value of a YAML file, by its path: its bytes change and no others."""

import pytest

from bot.domain.errors import UserError
from bot.domain.manifests_values import value_at, with_value

TEXT = """# a file that a person wrote
apiVersion: v1
kind: ConfigMap
data:
  host: db.one:1   # with a word on it
  "quoted" : 'db.two:2'
  app.properties: db.three:3
  shared: &here db.four:4
  again: *here
  long: |
    db.five:5
env:
- {name: DB, value: "db.six:6"}
---
kind: Other
empty:
list: []
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.host", "db.one:1"), ("data.quoted", "db.two:2"), ("data.app.properties", "db.three:3"),
        ("env.0.value", "db.six:6"),
    ],
)  # fmt: skip
def test_the_value_is_found_and_replaced(key: str, value: str) -> None:
    assert value_at(TEXT, key) == value
    assert with_value(TEXT, key, "new:99") == TEXT.replace(value, "new:99")
    assert with_value(TEXT.replace("\n", "\r\n"), key, "new:99") == TEXT.replace(value, "new:99").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("data.nobody", "nothing at"), ("env.7.value", "nothing at"), ("kind", "several documents"),
        ("data", "no text at"), ("empty", "no text at"), ("list", "no text at"), ("data.shared", "anchor"),
        ("data.again", "anchor"),
    ],
)  # fmt: skip
def test_what_can_t_be_changed_says_why(key: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        with_value(TEXT, key, "new:99")


def test_what_is_no_yaml_says_so() -> None:
    with pytest.raises(UserError, match="no YAML"):
        value_at("a: [", "a")


def test_a_value_over_several_lines_is_not_quoted_in_the_refusal() -> None:
    text = 'url: "postgresql://api:s3cret@\\\n  db:1/api"\n'
    with pytest.raises(UserError) as caught:
        with_value(text, "url", "new")
    assert "s3cret" not in str(caught.value)
