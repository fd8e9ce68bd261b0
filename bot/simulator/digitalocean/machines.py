"""Routes of machines and of the orders they get."""

from bot.simulator.digitalocean.ask import Ask, Reply
from bot.simulator.digitalocean.catalogue import region
from bot.simulator.digitalocean.droplets import Action, Droplet
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.state import stamp


def droplets(ask: Ask) -> Reply:
    return Reply({"droplets": [_droplet(each) for each in ask.cloud.droplets.listed()]}, listed="droplets")


def droplet(ask: Ask) -> Reply:
    return Reply({"droplet": _droplet(ask.cloud.droplets.find(ask.names["id"]))})


def act(ask: Ask) -> Reply:
    """201: accepted, not finished."""
    return Reply({"action": _action(ask.cloud.droplets.act(ask.names["id"], ask.text("type")))}, 201)


def action(ask: Ask) -> Reply:
    return Reply({"action": _action(ask.cloud.droplets.action(ask.names["id"]))})


def _droplet(found: Droplet) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "status": found.status,
        "locked": False,
        "region": region(found.region),
        "size_slug": "s-4vcpu-8gb",
        "created_at": stamp(found.created),
    }


def _action(found: Action) -> Json:
    return {
        "id": found.id,
        "status": "completed" if found.done else "in-progress",
        "type": found.kind,
        "started_at": stamp(found.started),
        "completed_at": stamp(found.ends) if found.done else None,
        "resource_id": found.droplet.id,
        "resource_type": "droplet",
        "region_slug": found.droplet.region,
    }
