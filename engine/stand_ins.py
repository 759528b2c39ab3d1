"""Stand-ins for packages that Rasa imports at the top of its modules and that Candour never calls.

Rasa imports every chat network, every database driver and its whole stock of neural components even
when a configuration names none of them. Leaving those packages out makes the environment a third as
large and the start-up seconds faster. The stand-in of a package imports without error and refuses,
by name, the moment something tries to use it; so a wrong guess is loud. It must never replace a
package which is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

# Chat networks we do not open, stores we do not use, reporting we do not want.
LEFT_OUT = frozenset(
    {
        "aiogram",
        "boto3",
        "botocore",
        "cachecontrol",
        "confluent_kafka",
        "fbmessenger",
        "google",
        "google.auth",
        "google.oauth2",
        "psycopg2",
        "pymongo",
        "rocketchat_API",
        "sentry_sdk",
        "slack_sdk",
        "tensorflow",
        "keras",
        "twilio",
        "webexteamssdk",
    }
)


class LeftOut(ImportError):
    """Something tried to use a package which this environment leaves out."""


class _Refusing(type):
    """Makes stand-in classes whose every use, other than being named or inherited, is refused."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if getattr(cls, "_left_out", None) == cls.__qualname__:
            raise LeftOut(f"{cls.__module__}.{cls.__qualname__} is left out of this environment")
        return super().__call__(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or getattr(cls, "_left_out", None) != cls.__qualname__:
            raise AttributeError(name)
        made = _refusing(name, cls.__module__)
        setattr(cls, name, made)
        return made


def _refusing(name: str, module: str) -> Any:
    return _Refusing(name, (), {"__module__": module, "_left_out": name})


class _StandIn(ModuleType):
    """A module of which every name is a class that refuses to be made."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _refusing(name, self.__name__)
        setattr(self, name, made)
        return made


class _Finder(MetaPathFinder, Loader):
    """Finds stand-ins; an installed package wins, and so do the parts it finds missing in itself."""

    def __init__(self) -> None:
        self._absent = {name for name in LEFT_OUT if PathFinder.find_spec(name) is None}

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not any(fullname == name or fullname.startswith(name + ".") for name in self._absent):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the names appear when they are asked for."""


def _model_names() -> ModuleType:
    """Stand-in for `randomname`, which has no wheel: Rasa decorates unnamed model files with it."""
    module = ModuleType("randomname")
    module.get_name = lambda *args, **kwargs: "model"  # type: ignore[attr-defined]
    return module


class _ReportsNothing:
    """Stand-in for the processor which would send Rasa's log lines to a reporting service."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, logger: Any, method: str, event: Any) -> Any:
        return event


def _no_reporting() -> ModuleType:
    module = ModuleType("structlog_sentry")
    module.SentryProcessor = _ReportsNothing  # type: ignore[attr-defined]
    return module


class _Components(ModuleType):
    """Rasa's stock of components, cut to the one policy we use; ours are named by module path."""

    def __getattr__(self, name: str) -> Any:
        if name != "DEFAULT_COMPONENTS":
            raise AttributeError(name)
        from rasa.core.policies.rule_policy import RulePolicy

        return [RulePolicy]


def plant() -> None:
    """Make Rasa importable here; harmless when repeated."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.append(_Finder())
    sys.modules.setdefault("randomname", _model_names())
    sys.modules.setdefault("structlog_sentry", _no_reporting())
    if PathFinder.find_spec("tensorflow") is None:
        stock = "rasa.engine.recipes.default_components"
        sys.modules.setdefault(stock, _Components(stock))
