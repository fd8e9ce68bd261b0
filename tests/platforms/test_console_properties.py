"""Whatever a message holds: the console's renderers don't fail, don't leak, and stay within their limits."""

import orjson
from hypothesis import HealthCheck, given, settings

from bot.domain.messages import Message
from bot.domain.phrases import English
from bot.domain.texts import clean
from bot.platforms.console import limits
from bot.platforms.console.plain import plain
from bot.platforms.console.render import render
from tests.strategies import messages, outside

FORBIDDEN = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F))]
SLACK = 20_000
"""The tree's own keys and brackets when its texts are cut: blocks without any text, buttons, confirmations."""

any_message = given(messages())
patient = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@patient
@any_message
def test_the_tree_is_json_within_its_limit(message: Message) -> None:
    tree = render(message, English())
    assert len(orjson.dumps(tree)) <= limits.CARD + SLACK


@patient
@any_message
def test_every_text_is_clean_and_every_address_is_a_web_address(message: Message) -> None:
    def walk(node: object, key: str = "") -> None:
        match node:
            case dict():
                for name, value in node.items():
                    walk(value, name)
            case list():
                for item in node:
                    walk(item, key)
            case str():
                assert not any(mark in node for mark in FORBIDDEN)
                assert key != "url" or not node or node.startswith(("http://", "https://"))
                assert key == "at" or clean(node) == node
            case _:
                assert node is None or isinstance(node, bool | int | float)

    walk(render(message, English()))


@patient
@any_message
def test_plain_text_is_clean_and_bounded(message: Message) -> None:
    text = plain(message, English())
    assert len(text) <= limits.PLAIN
    assert not any(mark in text for mark in FORBIDDEN)
    text.encode()


@patient
@given(outside)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
