"""The painter with its real worker process: real pictures, and every way the worker can go wrong."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import pytest
from PIL import Image

from bot.adapters.clock import SystemClock
from bot.adapters.pictures import painter as painting
from bot.adapters.pictures import worker as working
from bot.adapters.pictures.easel import HEIGHT, SCALE, WIDTH
from bot.adapters.pictures.painter import WAITING, WorkerPainter, open_painter
from bot.adapters.pictures.sheet import sheet
from bot.adapters.pictures.themes import DARK, LIGHT, THEMES, Theme
from bot.adapters.words import Languages
from bot.domain.errors import TemporaryError
from bot.domain.messages import Bar, Curve, Graph, StepMark
from bot.domain.phrases import Words, verbatim

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LANGUAGES = Languages(Path(__file__).parents[2] / "handlers" / "locales", SystemClock())
PATIENCE = 60.0


def words(locale: str = "en") -> Words:
    return LANGUAGES.words(locale, "Europe/Moscow")


def graph(title: str = "Error rate of api", count: int = 1, points: int = 61) -> Graph:
    curves = tuple(
        Curve(verbatim(f"pod {n}"), tuple((NOON + timedelta(minutes=at), (at * 7 + n) % 9.0) for at in range(points)))
        for n in range(count)
    )
    marks = ((NOON + timedelta(minutes=20), verbatim("release api 1.8.0")),)
    return Graph(verbatim(title), curves, "%", 5.0, marks)


def workers() -> set[int]:
    """Our own worker processes that are there, zombies included."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for file in children for pid in _text(file).split() if _is_worker(int(pid))}


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has just ended
        return ""


def _is_worker(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return stat == "Z" or b"bot.adapters.pictures" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just gone
        return False


def pixels(png: bytes) -> Image.Image:
    picture = Image.open(BytesIO(png))
    assert picture.format == "PNG"
    assert picture.size == (WIDTH * SCALE, HEIGHT * SCALE)
    return picture.convert("RGB")


def share_of(picture: Image.Image, colour: str) -> float:
    wanted = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    near = sum(
        n for n, c in picture.getcolors(1 << 20) or () if max(abs(a - b) for a, b in zip(c, wanted, strict=True)) < 12
    )  # type: ignore[arg-type]
    return near / (picture.width * picture.height)


@pytest.fixture
async def painter() -> AsyncIterator[WorkerPainter]:
    async with open_painter(SystemClock(), deadline=PATIENCE) as opened:
        yield opened
    assert workers() == set()


async def test_a_light_picture_for_those_who_want_it() -> None:
    async with open_painter(SystemClock(), "light", deadline=PATIENCE) as painter:
        picture = pixels(await painter.paint(graph(), words()))
    assert 0.5 < share_of(picture, LIGHT.ground) < 0.97
    assert share_of(picture, LIGHT.curves[0]) > 0.001
    assert share_of(picture, DARK.ground) < 0.02, "letters may be as dark"


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_parts_of_a_whole_fill_the_picture_in_their_colours(theme: str) -> None:
    """Each band is seen, in the order of the parts from the floor up, on either card."""
    parts = tuple(
        Curve(verbatim(name), tuple((NOON + timedelta(days=at), height) for at in range(30)))
        for name, height in (("api", 4.0), ("web", 3.0), ("idle", 3.0))
    )
    async with open_painter(SystemClock(), theme, deadline=PATIENCE) as painter:
        picture = pixels(await painter.paint(Graph(verbatim("Cost"), parts, "$", stacked=True), words())).convert("RGB")
    ink, middle = THEMES[theme], picture.width // 2
    bands = [_blend(colour, ink.ground) for colour in ink.curves[:3]]
    heights: dict[tuple[int, ...], list[int]] = {colour: [] for colour in (*bands, _blend(ink.ground, ink.ground))}
    for y in range(picture.height // 3, picture.height * 9 // 10):
        pixel: Any = picture.getpixel((middle, y))
        heights[min(heights, key=lambda colour: sum(abs(a - b) for a, b in zip(colour, pixel, strict=True)))].append(y)
    found = [heights[colour] for colour in bands]
    assert all(len(band) > 60 for band in found)
    assert [median(band) for band in found] == sorted((median(band) for band in found), reverse=True)


def _blend(colour: str, ground: str) -> tuple[int, ...]:
    """What a band of *colour* looks like on *ground*."""
    pairs = zip(*((int(each[at : at + 2], 16) for at in (1, 3, 5)) for each in (colour, ground)), strict=True)
    return tuple(round(0.45 * above + 0.55 * below) for above, below in pairs)


def contrast(one: str, other: str) -> float:
    """By WCAG 2.1, of two colours: 1 for the same one, 21 for black on white."""

    def brightness(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_letters_and_curves_stand_out_from_the_card(theme: Theme) -> None:
    assert [c for c in (theme.bright, theme.soft, theme.limit) if contrast(c, theme.ground) < 4.5] == []
    assert [c for c in theme.curves if contrast(c, theme.ground) < 3] == []
    assert len(set(theme.curves)) == 6


async def test_a_picture_is_a_small_png_with_something_on_it(painter: WorkerPainter) -> None:
    assert workers() == set()  # nothing is started before it is needed
    png = await painter.paint(graph(), words())
    picture = pixels(png)
    assert len(png) < 60_000
    assert 0.5 < share_of(picture, DARK.ground) < 0.97
    assert share_of(picture, "#56b4e9") > 0.004  # the curve
    assert share_of(picture, "#ff7a4d") > 0.0005  # the limit
    assert len(workers()) == 1


@pytest.mark.parametrize(
    "given",
    [
        graph(points=1),
        graph(points=1_000, count=12),
        graph("$\\frac{1$ <b>&amp; \x1b[0m 高い 🔥 " * 20),
        Graph(verbatim("Nothing"), ()),
        Graph(verbatim("Unknown"), (Curve(verbatim("a"), ((NOON, float("nan")),)),), "s", 0.5),
        Graph(verbatim("Level"), (Curve(verbatim("_hidden"), ((NOON, 5.0), (NOON + timedelta(hours=1), 5.0))),)),
    ],
    ids=["one point", "a thousand of twelve", "hostile title", "no curve", "no value", "level"],
)
async def test_every_graph_makes_a_picture(painter: WorkerPainter, given: Graph) -> None:
    picture = pixels(await painter.paint(given, words()))
    assert share_of(picture, "#f2f5f9") > 0.0002  # the title


async def test_each_language_has_its_own_picture(painter: WorkerPainter) -> None:
    assert await painter.paint(graph(), words("ru")) != await painter.paint(graph(), words("en"))


async def test_the_same_picture_is_drawn_once_a_minute(painter: WorkerPainter, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []
    draw = working.Worker.draw

    async def counted(self: working.Worker, sheet: bytes, seconds: float) -> bytes:
        drawn.append(sheet)
        return await draw(self, sheet, seconds)

    monkeypatch.setattr(working.Worker, "draw", counted)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(painter.paint(graph(), words())) for _ in range(20)]
    assert len({task.result() for task in asked}) == 1
    await painter.paint(graph(), words())
    assert len(drawn) == 1
    monkeypatch.setattr(painting, "KEPT_FOR", timedelta())
    await painter.paint(graph(), words())
    assert len(drawn) == 2


async def test_whoever_goes_without_has_it_the_next_time(painter: WorkerPainter) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):  # shorter than any start of a process
            await painter.paint(graph(), words())
    while not painter._kept:
        await asyncio.sleep(0.02)
    async with asyncio.timeout(0.5):
        pixels(await painter.paint(graph(), words()))


async def test_a_worker_killed_in_the_middle_is_replaced(painter: WorkerPainter) -> None:
    await painter.paint(graph(), words())
    (first,) = workers()
    os.kill(first, signal.SIGSTOP)
    asked = asyncio.create_task(painter.paint(graph("Second"), words()))
    await asyncio.sleep(0.05)
    assert not asked.done()
    os.kill(first, signal.SIGKILL)
    with pytest.raises(TemporaryError, match="died"):
        await asked
    pixels(await painter.paint(graph("Second"), words()))
    (second,) = workers()
    assert second != first


async def test_a_worker_killed_while_idle_costs_no_picture(painter: WorkerPainter) -> None:
    await painter.paint(graph(), words())
    (first,) = workers()
    os.kill(first, signal.SIGKILL)
    while painter._worker is not None and painter._worker.alive:
        await asyncio.sleep(0.01)
    pixels(await painter.paint(graph("Second"), words()))


async def test_a_hanging_worker_is_killed_at_the_deadline() -> None:
    async with open_painter(SystemClock(), deadline=5.0) as painter:
        await painter.paint(graph(), words())
        (first,) = workers()
        os.kill(first, signal.SIGSTOP)
        painter._deadline = 0.2
        with pytest.raises(TemporaryError, match=r"said nothing for 0\.2 s"):
            await painter.paint(graph("Second"), words())
        assert workers() == set()
        painter._deadline = PATIENCE
        pixels(await painter.paint(graph("Second"), words()))
    assert workers() == set()


async def test_an_idle_worker_ends_and_comes_back() -> None:
    async with open_painter(SystemClock(), idle=0.2, deadline=PATIENCE) as painter:
        await painter.paint(graph(), words())
        async with asyncio.timeout(10):
            while workers():
                await asyncio.sleep(0.02)
        pixels(await painter.paint(graph("Second"), words()))


async def test_too_many_at_once_are_refused_at_once(painter: WorkerPainter) -> None:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_tried(painter, f"Graph {at}")) for at in range(WAITING * 3)]
    refused = [task.result() for task in asked if isinstance(task.result(), TemporaryError)]
    assert len(refused) >= WAITING
    assert {str(error) for error in refused} == {"no picture: too many are waiting"}
    assert len(asked) - len(refused) >= WAITING


async def test_a_sheet_that_breaks_costs_only_itself(painter: WorkerPainter, monkeypatch: pytest.MonkeyPatch) -> None:
    await painter.paint(graph(), words())
    (first,) = workers()
    with monkeypatch.context() as broken:
        broken.setattr(painting, "sheet", lambda *_: b'{"title": 1}')
        with pytest.raises(TemporaryError, match="KeyError"):
            await painter.paint(graph(), words())
    pixels(await painter.paint(graph("Second"), words()))
    assert workers() == {first}


async def test_a_worker_that_cannot_start_is_not_tried_for_each_picture(
    painter: WorkerPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(working.sys, "executable", "/nonexistent/python")  # type: ignore[attr-defined]
        with pytest.raises(TemporaryError, match="can't be started"):
            await painter.paint(graph(), words())
    with pytest.raises(TemporaryError, match="could not start") as later:
        await painter.paint(graph(), words())
    assert 0 < (later.value.delay or 0) <= painting.PAUSE
    painter._not_before = None
    pixels(await painter.paint(graph(), words()))


async def test_nobody_is_left_waiting_at_the_end() -> None:
    async with open_painter(SystemClock(), deadline=PATIENCE) as painter:
        asked = asyncio.create_task(_tried(painter, "Late"))
        await asyncio.sleep(0.05)
    assert str(await asked) == "no picture: pult stops"
    assert str(await _tried(painter, "Later")) == "no picture: pult stops"
    assert workers() == set()


async def test_a_stop_while_a_worker_starts_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(PATIENCE)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    starting = asyncio.create_task(working.Worker.start())
    await asyncio.sleep(0.05)
    assert list(tmp_path.iterdir())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not list(tmp_path.iterdir())


async def test_no_secret_of_the_environment_reaches_the_worker(
    painter: WorkerPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULT_SLACK__BOT_TOKEN", "xoxb-secret")
    await painter.paint(graph(), words())
    (pid,) = workers()
    assert b"PULT_" not in Path(f"/proc/{pid}/environ").read_bytes()


async def test_a_worker_ends_with_its_pult(tmp_path: Path) -> None:
    """kill -9 of the whole pult: the worker hears its input end, and takes its folder along."""
    program = (
        "import asyncio, uvloop\n"
        "from tests.adapters.test_pictures import graph, open_painter, words, workers, SystemClock\n"
        "async def main():\n"
        "    async with open_painter(SystemClock(), deadline=60) as painter:\n"
        "        await painter.paint(graph(), words())\n"
        "        print(*workers(), painter._worker._folder.name, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "uvloop.run(main())\n"
    )
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        working.sys.executable, "-c", program, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = await process.stdout.readline()
    process.kill()
    await process.communicate()
    pid, folder = told.decode().split()
    async with asyncio.timeout(10):
        while Path(f"/proc/{pid}").exists() or Path(folder).exists():
            await asyncio.sleep(0.02)


async def _tried(painter: WorkerPainter, title: str) -> bytes | TemporaryError:
    try:
        return await painter.paint(graph(title), words())
    except TemporaryError as error:
        return error


def bars() -> Graph:
    """People waited, a step, one that was stuck, one that failed at once."""
    at = [NOON + timedelta(seconds=each) for each in (0, 74, 90, 400, 400.2)]
    made = (
        Bar(verbatim("approval"), at[0], at[1], waits=True),
        Bar(verbatim("freeze"), at[1], at[2]),
        Bar(verbatim("capacity"), at[2], at[3], timedelta(seconds=200)),
        Bar(verbatim("fence"), at[3], at[4], mark=StepMark.FAILED),
    )
    return Graph(verbatim("Failover"), (), marks=((NOON + timedelta(seconds=300), verbatim("RTO goal")),), bars=made)


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_what_took_how_long_is_drawn_as_bars(theme: str) -> None:
    async with open_painter(SystemClock(), theme, deadline=PATIENCE) as painter:
        picture = pixels(await painter.paint(bars(), words()))
    ink = THEMES[theme]
    assert share_of(picture, ink.curves[0]) > 0.01, "work"
    assert share_of(picture, ink.limit) > 0.01, "what stood still, and the goal"
    assert share_of(picture, ink.soft) > 0.01, "people's time"


def test_the_sheet_of_bars_says_what_each_took_and_keeps_the_longest() -> None:
    drawn = orjson.loads(sheet(bars(), words()))
    assert drawn["bars"][2]["time"].replace("\u00a0", " ") == "5 min 10 s, stuck for 3 min 20 s"
    assert drawn["nothing"] == ""
    assert drawn["bars"][3]["name"].startswith("✖")
    assert drawn["x"]["ticks"], "times below"
    many = tuple(Bar(verbatim(str(n)), NOON, NOON + timedelta(seconds=n + 1)) for n in range(20))
    drawn = orjson.loads(sheet(Graph(verbatim("x"), (), bars=many), words()))
    assert [bar["name"] for bar in drawn["bars"]] == [str(n) for n in range(8, 20)]
    assert "8" in drawn["left_out"]
