"""Names of a package that are imported when they are first asked for (PEP 562), so that importing it is quick."""

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    home: each public name and the module of `package` that defines it; a module that has no such name is meant itself.
    """

    def get(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(home))}")
        module = import_module(f"{package}.{home[name]}")
        return getattr(module, name, module)

    return get, lambda: sorted(home)
