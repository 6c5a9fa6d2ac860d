"""What a server imports of the SDK, each in a process of its own: what is imported stays."""

import subprocess
import sys

import pytest

REAL = "print(*(n for n in {names} if n in sys.modules and hasattr(sys.modules[n], '__file__')))"


def run(code: str) -> str:
    """What a fresh interpreter prints that runs ``code``."""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_server_brings_no_web_server_and_no_client_along() -> None:
    names = ("mcp.server", "starlette", "uvicorn", "httpx2", "cryptography", "mcp.client", "watchfiles", "rich")
    assert run(f"import sys, mcp_server.server\n{REAL.format(names=names)}") == "mcp.server"


def test_what_a_first_search_needs_brings_no_parser_and_no_model_along() -> None:
    names = ("lancedb", "tree_sitter", "tree_sitter_language_pack", "llama_cpp", "httpx2", "huggingface_hub", "rich")
    code = f"import sys, mcp_server.engine, storage.lance\nstorage.lance.preload()\n{REAL.format(names=names)}"
    assert run(code) == "lancedb"


def test_models_made_after_the_import_build_their_validators_at_once() -> None:
    code = "import mcp_server.sdk, pydantic\nprint(pydantic.create_model('M', x=int).__pydantic_complete__)"
    assert run(code) == "True"


def test_a_client_that_brings_state_is_refused() -> None:
    code = (
        "from mcp_server.sdk import stateless\n"
        "from mcp.server.request_state import InvalidRequestState\n"
        "try:\n    stateless().codec.unseal('v1.x')\n"
        "except InvalidRequestState:\n    print('refused')"
    )
    assert run(code) == "refused"


@pytest.mark.parametrize("name", ["starlette", "httpx2"])
def test_an_sdk_that_cannot_do_without_is_imported_as_it_comes(name: str) -> None:
    # What stands in is broken here as another version of the SDK might find it: nothing can be drawn from it.
    code = (
        "import sys, storage.stand_ins as s\n"
        "def absent(self, name):\n    raise AttributeError(name)\n"
        "s._StandIn.__getattr__ = absent\n"
        f"import mcp_server.server\n{REAL.format(names=(name, 'mcp.server'))}"
    )
    assert run(code) == f"{name} mcp.server"
