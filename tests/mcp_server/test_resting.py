"""A server lets go of what it keeps once in each pause, and never while a tool runs."""

from types import SimpleNamespace

import anyio
import pytest

from mcp_server.resting import LOOK_S, STEPS, Calls, Step, rest

CALL, PING = SimpleNamespace(method="tools/call"), SimpleNamespace(method="ping")
LONG = 3600.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def answer(_: object) -> str:
    return "answer"


@pytest.mark.anyio
async def test_a_call_passes_and_ends_a_pause() -> None:
    calls = Calls()
    calls._since -= LONG
    assert await calls(CALL, answer) == "answer"
    assert calls.idle_s() < LONG


@pytest.mark.anyio
async def test_a_ping_is_no_call() -> None:
    calls = Calls()
    calls._since -= LONG
    assert await calls(PING, answer) == "answer"
    assert calls.idle_s() >= LONG


@pytest.mark.anyio
async def test_a_running_call_is_no_pause() -> None:
    calls = Calls()

    async def look(_: object) -> float:
        calls._since -= LONG
        return calls.idle_s()

    assert await calls(CALL, look) == 0.0


@pytest.mark.anyio
async def test_a_call_that_fails_ends_too() -> None:
    calls = Calls()

    async def fail(_: object) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await calls(CALL, fail)
    calls._since -= LONG
    assert calls.idle_s() >= LONG


@pytest.mark.anyio
async def test_each_pause_takes_each_step_once_when_it_is_due() -> None:
    calls, over = Calls(), anyio.Event()
    pauses = [1.0, 2.0, 2.0, 3.0, 3.0, 0.0, 1.0, 3.0, 3.0]  # seconds without a call, as each look finds them
    taken: list[tuple[str, int]] = []
    looks = 0

    def idle_s() -> float:
        nonlocal looks
        looks += 1
        if looks == len(pauses):
            over.set()
        return pauses[min(looks, len(pauses)) - 1]

    calls.idle_s = idle_s  # type: ignore[method-assign]
    steps = [Step(2.0, lambda: taken.append(("little", looks))), Step(3.0, lambda: taken.append(("all", looks)))]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rest, calls, steps, 0.0)
            await over.wait()
            tasks.cancel_scope.cancel()
    assert taken == [("little", 2), ("all", 4), ("little", 8), ("all", 8)]


def test_every_step_waits_longer_than_the_one_before_and_than_a_look() -> None:
    pauses = [step.after_s for step in STEPS]
    assert pauses == sorted(pauses)
    assert pauses[0] > LOOK_S
