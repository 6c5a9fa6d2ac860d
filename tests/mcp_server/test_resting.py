"""A server lets go of what it keeps once in each pause, and never while a tool runs."""

from types import SimpleNamespace

import anyio
import pytest

from mcp_server.resting import Calls, rest

CALL, PING = SimpleNamespace(method="tools/call"), SimpleNamespace(method="ping")
LONG = 3600.0

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def answer(_: object) -> str:
    return "answer"


async def test_a_call_passes_and_ends_a_pause() -> None:
    calls = Calls()
    calls._since -= LONG
    assert await calls(CALL, answer) == "answer"
    assert calls.idle_s() < LONG


async def test_a_ping_is_no_call() -> None:
    calls = Calls()
    calls._since -= LONG
    assert await calls(PING, answer) == "answer"
    assert calls.idle_s() >= LONG


async def test_a_running_call_is_no_pause() -> None:
    calls = Calls()

    async def look(_: object) -> float:
        calls._since -= LONG
        return calls.idle_s()

    assert await calls(CALL, look) == 0.0


async def test_a_call_that_fails_ends_too() -> None:
    calls = Calls()

    async def fail(_: object) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await calls(CALL, fail)
    calls._since -= LONG
    assert calls.idle_s() >= LONG


async def test_each_pause_lets_go_once() -> None:
    calls, over = Calls(), anyio.Event()
    let_go_in: list[int] = []
    looks = 0

    def idle_s() -> float:  # a pause, a call, a pause; two looks each, and one to end with
        nonlocal looks
        looks += 1
        if looks == 7:
            over.set()
        return 0.0 if looks in (3, 4) else LONG

    calls.idle_s = idle_s  # type: ignore[method-assign]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: rest(calls, lambda: let_go_in.append(looks), after_s=LONG, look_s=0.0))
            await over.wait()
            tasks.cancel_scope.cancel()
    assert let_go_in == [1, 5]
