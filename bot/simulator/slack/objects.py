"""Composition objects and interactive elements of Block Kit."""

from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.schema import (
    Check,
    Field,
    Json,
    Problems,
    anything,
    boolean,
    choice,
    integer,
    listing,
    may,
    need,
    only_one_of,
    shape,
    string,
    variant,
)

ident: Final = string(limits.ID)


def plain(most: int) -> Check:
    """A plain_text object."""
    return variant({"plain_text": shape({"text": need(string(most)), "emoji": may(boolean)})})


def text(most: int) -> Check:
    """A plain_text or mrkdwn object."""
    return variant(
        {
            "plain_text": shape({"text": need(string(most)), "emoji": may(boolean)}),
            "mrkdwn": shape({"text": need(string(most)), "verbatim": may(boolean)}),
        }
    )


confirm: Final = shape(
    {
        "title": need(plain(limits.CONFIRM_TITLE)),
        "text": need(text(limits.CONFIRM_TEXT)),
        "confirm": need(plain(limits.CONFIRM_BUTTON)),
        "deny": need(plain(limits.CONFIRM_BUTTON)),
        "style": may(choice("primary", "danger")),
    }
)

option: Final = shape(
    {
        "text": need(text(limits.OPTION_TEXT)),
        "value": need(string(limits.OPTION_VALUE)),
        "description": may(text(limits.OPTION_TEXT)),
        "url": may(string(limits.URL)),
    }
)

option_group: Final = shape(
    {"label": need(plain(limits.OPTION_TEXT)), "options": need(listing(option, limits.OPTIONS))}
)

_COMMON: Final[dict[str, Field]] = {"action_id": may(ident), "confirm": may(confirm), "focus_on_load": may(boolean)}
_PLACEHOLDER: Final[dict[str, Field]] = {"placeholder": may(plain(limits.PLACEHOLDER))}
_DISPATCH: Final[dict[str, Field]] = {"dispatch_action_config": may(anything), "focus_on_load": may(boolean)}

button: Final = shape(
    {
        "text": need(plain(limits.BUTTON_TEXT)),
        "action_id": may(ident),
        "value": may(string(limits.BUTTON_VALUE)),
        "url": may(string(limits.URL)),
        "style": may(choice("primary", "danger")),
        "confirm": may(confirm),
        "accessibility_label": may(string(limits.ACCESSIBILITY_LABEL)),
        "visible_to_user_ids": may(listing(ident, limits.OPTIONS)),
    }
)


def _picture(value: Json, pointer: str, problems: Problems) -> None:
    only_one_of("image_url", "slack_file")(value, pointer, problems)


slack_file: Final = shape({"id": may(ident), "url": may(string(limits.URL))}, only_one_of("id", "url"))

image: Final = shape(
    {
        "alt_text": need(string(limits.ALT_TEXT)),
        "image_url": may(string(limits.URL)),
        "slack_file": may(slack_file),
    },
    _picture,
)

_options: Final = listing(option, limits.OPTIONS)
_groups: Final = listing(option_group, limits.OPTION_GROUPS)
_amount: Final[dict[str, Field]] = {"max_selected_items": may(integer(1, limits.OPTIONS))}


def _selects() -> dict[str, Check]:
    base = _COMMON | _PLACEHOLDER
    either = only_one_of("options", "option_groups")
    static = base | {"options": may(_options), "option_groups": may(_groups)}
    found: dict[str, Check] = {
        "static_select": shape(static | {"initial_option": may(option)}, either),
        "multi_static_select": shape(static | _amount | {"initial_options": may(_options)}, either),
        "external_select": shape(base | {"min_query_length": may(integer(0, 100)), "initial_option": may(option)}),
    }
    for kind in ("user", "conversation", "channel"):
        extra = {"response_url_enabled": may(boolean), "filter": may(anything)} if kind != "user" else {}
        found[f"{kind}s_select"] = shape(base | extra | {f"initial_{kind}": may(ident)})
        found[f"multi_{kind}s_select"] = shape(
            base | extra | _amount | {f"initial_{kind}s": may(listing(ident, limits.OPTIONS))}
        )
    return found


def _pickers() -> dict[str, Check]:
    base = _COMMON | _PLACEHOLDER
    chosen = need(listing(option, limits.CHOICES))
    return {
        "overflow": shape(
            {
                "action_id": may(ident),
                "confirm": may(confirm),
                "options": need(listing(option, limits.OVERFLOW_OPTIONS)),
            }
        ),
        "datepicker": shape(base | {"initial_date": may(string(10))}),
        "timepicker": shape(base | {"initial_time": may(string(5)), "timezone": may(ident)}),
        "datetimepicker": shape(_COMMON | {"initial_date_time": may(integer(0, 2**33))}),
        "checkboxes": shape(_COMMON | {"options": chosen, "initial_options": may(_options)}),
        "radio_buttons": shape(_COMMON | {"options": chosen, "initial_option": may(option)}),
    }


def _inputs() -> dict[str, Check]:
    written = {"action_id": may(ident)} | _PLACEHOLDER | _DISPATCH
    return {
        "plain_text_input": shape(
            written
            | {
                "initial_value": may(string(limits.INPUT_VALUE, 0)),
                "multiline": may(boolean),
                "min_length": may(integer(0, limits.INPUT_VALUE)),
                "max_length": may(integer(1, limits.INPUT_VALUE)),
            }
        ),
        "number_input": shape(
            written
            | {
                "is_decimal_allowed": need(boolean),
                "initial_value": may(string(limits.INPUT_VALUE)),
                "min_value": may(string(limits.INPUT_VALUE)),
                "max_value": may(string(limits.INPUT_VALUE)),
            }
        ),
        "email_text_input": shape(written | {"initial_value": may(string(limits.INPUT_VALUE))}),
        "url_text_input": shape(written | {"initial_value": may(string(limits.INPUT_VALUE))}),
        "rich_text_input": shape(written | {"initial_value": may(anything)}),
    }


ACTIONS: Final[dict[str, Check]] = {"button": button} | _selects() | _pickers()
"""Elements an actions block may hold."""

ACCESSORIES: Final[dict[str, Check]] = ACTIONS | {"image": image}
"""Elements a section may carry."""

INPUTS: Final[dict[str, Check]] = _selects() | _inputs() | {k: v for k, v in _pickers().items() if k != "overflow"}
"""Elements an input block may hold."""

FEEDBACK: Final[dict[str, Check]] = {
    "feedback_buttons": shape(
        {"action_id": may(ident), "positive_button": need(anything), "negative_button": need(anything)}
    ),
    "icon_button": shape(
        {
            "action_id": may(ident),
            "icon": need(choice("trash")),
            "text": need(plain(limits.BUTTON_TEXT)),
            "value": may(string(limits.BUTTON_VALUE)),
            "confirm": may(confirm),
            "accessibility_label": may(string(limits.ACCESSIBILITY_LABEL)),
            "visible_to_user_ids": may(listing(ident, limits.OPTIONS)),
        }
    ),
}
