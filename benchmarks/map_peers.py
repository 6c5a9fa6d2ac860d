"""Lays vectors out by another program, in an environment that has it: ``python map_peers.py tsne|umap IN.npy OUT.npy``.

Both as their manuals recommend for vectors of text: 50 components first, cosine for UMAP, scikit-learn's defaults else.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def tsne(vectors: Any) -> Any:
    from sklearn.decomposition import PCA  # type: ignore[import-not-found]  # the other environment has it
    from sklearn.manifold import TSNE  # type: ignore[import-not-found]

    components = PCA(min(50, *vectors.shape), random_state=0).fit_transform(vectors)
    return TSNE(random_state=0, init="pca").fit_transform(components)


def umap(vectors: Any) -> Any:
    from umap import UMAP  # type: ignore[import-not-found]

    return UMAP(metric="cosine", random_state=0).fit_transform(vectors)


if __name__ == "__main__":
    which, given, made = sys.argv[1:]
    np.save(made, {"tsne": tsne, "umap": umap}[which](np.load(given)).astype(np.float32))
