"""How a package hands on the names of its modules without importing them before one is used."""

import importlib


def lazy(package, names):
    """The `__getattr__`, `__dir__` and `__all__` of a package's `__init__`.

    package: its `__name__`. names: a dict from each submodule to the names that the package hands on from it. No
    submodule may have the name of something that is handed on: importing it would put it in that one's place.
    """
    home = {
        name: module for module, handed_on in names.items() for name in handed_on
    }
    listed = sorted({*names, *home})

    def __getattr__(name):
        if name in home:
            return getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__, lambda: listed, listed
