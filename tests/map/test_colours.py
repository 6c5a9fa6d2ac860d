"""The groups' colours can be told apart, also by those who see few of them, and stand out from both grounds."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files

import numpy as np
import pytest

from mcp_server.map.groups import MOST

STYLE = (files("mcp_server.map") / "page" / "page.css").read_text(encoding="utf-8")
# Linear RGB as people see it without one of the three kinds of cones (Machado and others 2009, severity 1).
SIGHTS = {
    "all cones": np.eye(3),
    "no long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no medium": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Linear RGB to Oklab, whose distances are as large as differences look.
CONES = [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]
LAB = [[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.4285922, 0.4505937], [0.02590404, 0.78277177, -0.80867577]]
LEAST_APART = 0.06  # two greys of 50 and 57 % are so far apart
LEAST_CONTRAST = 2.5


def colours(name: str, theme: int) -> np.ndarray:
    """Linear RGB of a colour of the style sheet in the light (0) or the dark (1) theme."""
    found = re.search(rf"--{name}: light-dark\(#(\w{{6}})\w*, #(\w{{6}})\w*\)", STYLE)
    assert found, name
    values = np.array([int(found[theme + 1][at : at + 2], 16) for at in (0, 2, 4)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def groups(theme: int) -> list[np.ndarray]:
    return [colours(f"group-{group}", theme) for group in range(MOST + 1)]


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_no_two_groups_look_alike(theme: int, sight: str) -> None:
    seen = [np.clip(np.asarray(SIGHTS[sight]) @ colour, 0, 1) for colour in groups(theme)]
    lab = [np.asarray(LAB) @ np.cbrt(np.asarray(CONES) @ colour) for colour in seen]
    apart = [np.linalg.norm(one - other) for one, other in itertools.combinations(lab, 2)]
    assert min(apart) > LEAST_APART


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_group_stands_out_from_the_ground(theme: int) -> None:
    for colour in groups(theme):
        assert contrast(colour, colours("ground", theme)) > LEAST_CONTRAST


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "ground"), ("muted", "panel"), ("muted", "ground"), ("accent", "ground"), ("on-accent", "accent")],
)
def test_texts_are_legible(theme: int, text: str, ground: str) -> None:
    assert contrast(colours(text, theme), colours(ground, theme)) >= 4.5


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """As WCAG 2 has it, 1 to 21."""
    light, dark = sorted((float(np.dot((0.2126, 0.7152, 0.0722), colour)) for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
