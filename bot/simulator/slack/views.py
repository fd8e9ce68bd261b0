"""views.*: modals and Home tabs."""

from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.args import Args
from bot.simulator.slack.department import APP, BOT_ID, TEAM
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.rules import check_view
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace

_HASH: Final = "0123456789abcdef"


def _standing(ws: Workspace, view: Json, id_: str) -> Json:
    """The view as Slack keeps it: with its ids, its hash and empty form values."""
    state: Json = {"state": {"values": {}}} if view["type"] == "modal" else {}
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **view,
        **state,
        "id": id_,
        "team_id": TEAM,
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT_ID,
        "hash": f"{int(ws.now().timestamp())}.{ws.token(_HASH, 8)}",
        "previous_view_id": None,
        "root_view_id": id_,
    }


def _same_hash(args: Args, view: Json) -> None:
    if args.maybe("hash") not in (None, view["hash"]):
        raise SlackError("hash_conflict")


def stack(ws: Workspace, user: str) -> list[Json]:
    """The open modals of *user*, the root first."""
    return [view for view in ws.modals.values() if view["user"] == user]


def put_modal(ws: Workspace, user: str, view: object, *, onto: list[Json]) -> Json:
    """Show a modal to *user* on top of *onto*. SlackError: invalid_arguments, push_limit_reached."""
    checked = check_view(view, "modal")
    if len(onto) >= limits.MODAL_STACK:
        raise SlackError("push_limit_reached")
    shown = _standing(ws, checked, ws.ident("V"))
    if onto:
        shown |= {"previous_view_id": onto[-1]["id"], "root_view_id": onto[0]["id"]}
    ws.modals[shown["id"]] = shown | {"user": user}
    return shown


def _view(args: Args) -> object:
    return args.structure("view", "invalid_arguments")


def open_(ws: Workspace, args: Args) -> Json:
    """A new modal replaces what the user had open."""
    view = check_view(_view(args), "modal")
    user = ws.tickets.exchange(args.text("trigger_id"))
    for old in stack(ws, user):
        del ws.modals[old["id"]]
    return {"ok": True, "view": put_modal(ws, user, view, onto=[])}


def push(ws: Workspace, args: Args) -> Json:
    view = check_view(_view(args), "modal")
    user = ws.tickets.exchange(args.text("trigger_id"))
    return {"ok": True, "view": put_modal(ws, user, view, onto=stack(ws, user))}


def update(ws: Workspace, args: Args) -> Json:
    found = _find(ws, args)
    _same_hash(args, found)
    return {"ok": True, "view": replace_modal(ws, found, _view(args))}


def replace_modal(ws: Workspace, found: Json, view: object) -> Json:
    """Put another view in the place of an open modal."""
    shown = _standing(ws, check_view(view, "modal"), found["id"])
    shown |= {key: found[key] for key in ("previous_view_id", "root_view_id")}
    ws.modals[found["id"]] = shown | {"user": found["user"]}
    return shown


def _find(ws: Workspace, args: Args) -> Json:
    view_id, external = args.text("view_id"), args.text("external_id")
    for view in ws.modals.values():
        if view_id == view["id"] or (external and external == view["external_id"]):
            return view
    raise SlackError("not_found")


def publish(ws: Workspace, args: Args) -> Json:
    """Home tab of one user."""
    user = args.text("user_id")
    if user not in ws.people:
        raise SlackError("user_not_found")
    old = ws.homes.get(user)
    view = check_view(_view(args), "home")
    if old is not None:
        _same_hash(args, old)
    ws.homes[user] = _standing(ws, view, old["id"] if old else ws.ident("V"))
    return {"ok": True, "view": ws.homes[user]}
