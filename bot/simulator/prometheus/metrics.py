"""The metrics of one world: its history, the series over it, the rules that watch it."""

from datetime import datetime

from bot.simulator.prometheus.catalogue import Catalogue
from bot.simulator.prometheus.compiler import Compiler, parse
from bot.simulator.prometheus.functions import vector
from bot.simulator.prometheus.history import History
from bot.simulator.prometheus.rules import Rules
from bot.simulator.prometheus.values import Labels
from bot.simulator.world import World


class Metrics:
    def __init__(self, world: World) -> None:
        self._world = world
        self.history = History(world)
        self.catalogue = Catalogue(self.history, world.clock.now)
        self.rules = Rules(world, self.catalogue)

    def now(self) -> datetime:
        return self._world.clock.now()

    def look(self) -> None:
        """Note what changed in the world; call it before asking."""
        self.history.look()

    def read(self, query: str) -> dict[Labels, float]:
        """An instant vector now."""
        at = self.now().timestamp()
        plan = Compiler(self.catalogue, at, at).plan(parse(query))
        return {element.labels: element.value for element in vector(plan(at))}
