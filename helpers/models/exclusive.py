"""One model does one thing at a time: a lock for each loaded network, shared by all who use it.

    with model.exclusive():
        ...                       # nobody else edits, changes or asks this model now

Editing attention and changing weights alter the network itself, so a second thread (a panel, the studio, a fit) that
asks meanwhile would be answered by the altered one. It waits instead. A thread never waits for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

LOOK_UP = 0.2  # seconds between two looks at Ctrl-C while waiting; Windows does not wake a waiting thread for it
_locks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_making = threading.Lock()
F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def exclusive(network: Any) -> Iterator[None]:
    """Nobody else uses `network` inside the with-block; whoever comes second waits. May be nested in one thread."""
    lock = lock_of(network)
    while not lock.acquire(timeout=LOOK_UP):
        pass
    try:
        yield
    finally:
        lock.release()


def lock_of(network: Any) -> Any:
    """The lock of a network, one for it and its compiled form; it lives as long as the network."""
    network = getattr(network, "_orig_mod", network)  # what torch.compile wrapped
    with _making:
        return _locks.setdefault(network, threading.RLock())


def one_at_a_time(method: F) -> F:
    """A model's method that waits until nobody else uses the model."""

    @wraps(method)
    def waiting(self: Any, *args: Any, **kwargs: Any) -> Any:
        with self.exclusive():
            return method(self, *args, **kwargs)

    return waiting  # type: ignore[return-value]
