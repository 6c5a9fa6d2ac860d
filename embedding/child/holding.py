"""Standing still in the middle of a computation, and going on: the child's side of ``Child.hold``.

llama.cpp asks its abort callback after every operation of a graph whether to give up. Ours never says so, but does not
return while held: thread 0 stays in it, the others wait for thread 0. No signal is sent, so that nothing can stay
stopped: the thread that listens to the pipe goes on listening, and ends the process when the pipe closes. Measured, the
155 calls of a batch of MiniLM's cost less than the noise of 4 s of processor time (under 1 %).
"""

from __future__ import annotations

import threading
from typing import Any


class Hold:
    """Whether the work stands still. Set by the thread that listens, obeyed by the one that computes."""

    def __init__(self) -> None:
        self._held = False  # read some 3,000 times a second: cheaper than the event
        self._go = threading.Event()

    def set(self, held: bool) -> None:
        """Hold, or let go on; saying either twice is saying it once."""
        if held:
            self._go.clear()
        self._held = held
        if not held:
            self._go.set()

    def wait(self) -> None:
        """Return at once, or as soon as the work may go on."""
        while self._held:
            self._go.wait()

    def install(self, api: Any, context: Any) -> Any:
        """Make the computations of ``context`` obey. ``api`` is llama_cpp; keep what is returned as long as it."""

        @api.ggml_abort_callback  # type: ignore[untyped-decorator]
        def stand(_: object) -> bool:
            if self._held:
                self.wait()
            return False

        api.llama_set_abort_callback(context, stand, None)
        return stand
