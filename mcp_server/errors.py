"""What can go wrong in the product itself.

ProductError
├── ConfigError       an unknown key or a bad value, with its place
├── OutsideRootError  a path that is not under an allowed root
├── ClientFileError   a client's own file that cannot be read or changed
└── RequestError      a caller's argument that cannot be served
    └── WithheldError     what it names is there, and not given out
"""

from __future__ import annotations

from embedding.errors import EmbeddingError
from indexer.errors import IndexerError
from storage.errors import StorageError


class ProductError(Exception):
    """Anything this package raises; the text names the thing, the cause and the next step."""


class ConfigError(ProductError):
    """A setting that is unknown or has a value that is not allowed."""


class OutsideRootError(ProductError):
    """A path that this server was not allowed to read."""


class ClientFileError(ProductError):
    """A client's configuration file that cannot be read or changed; it is left as it was."""


class RequestError(ProductError):
    """An argument of a tool call or a command that cannot be served."""


class WithheldError(RequestError):
    """What an argument names is there, and not given out: a file that is left out, lines behind the end of one."""


# What each package says with a sentence of its own; anything else is a bug and must look like one.
EXPECTED = (ProductError, IndexerError, EmbeddingError, StorageError)
