"""The page: its parts from mcp_server/map/page, and the data, in one file that needs no other and asks for none."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from string import Template
from typing import Any

from mcp_server.map.payload import packed

# In the order in which they stand in the page's one script; each says at its top what belongs there.
SCRIPTS = (
    "text.js",
    "data.js",
    "state.js",
    "camera.js",
    "points.js",
    "raster.js",
    "painting.js",
    "opening.js",
    "card.js",
    "search.js",
    "legend.js",
    "pointer.js",
    "keyboard.js",
    "listing.js",
    "charts.js",
    "figures.js",
    "views.js",
    "main.js",
)


def page(content: dict[str, Any]) -> bytes:
    """The whole page for ``content`` (mcp_server/map/payload.py), in UTF-8.

    Its policy lets the browser run this script and this style, known by their hashes, and load nothing at all: not from
    the network, and nothing that a name or a piece of code might smuggle in.
    """
    style = _part("page.css")
    script = "".join(_part(name) for name in SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, "style": style, "script": script, "data": packed(content)}
    return Template(_part("page.html")).substitute(parts).encode()


def _part(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
