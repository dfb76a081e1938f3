"""Hosts of other packages: entry points of the group `promptlens.hosts`, each the name of a `Host` (docs/plugins.md).

Reading what is installed takes 35 ms, so it is done when a name is asked for that is none of ours, or when hosts are listed. A plugin that
does not work never stops the others: it is one line, told where hosts are listed and where it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

from promptlens.errors import PluginError
from promptlens.hosts import Host

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "promptlens.hosts"


class Plugins:
    """The hosts that are installed beside ours: those that work by name, and a line for each that does not."""

    def __init__(self, taken: Collection[str]) -> None:
        from importlib.metadata import entry_points  # 30 ms

        self.hosts: dict[str, Host] = {}
        self.problems: dict[str, str] = {}
        for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
            whose = f"The host {point.name!r} of the package {_package(point)}"
            if point.name in taken:
                self.problems[f"{point.name} of {_package(point)}"] = f"{whose} is left out: PromptLens has a host of that name."
            elif point.name in self.hosts:
                self.problems[f"{point.name} of {_package(point)}"] = f"{whose} is left out: another package has a host of that name."
            else:
                try:
                    self.hosts[point.name] = _load(point)
                except PluginError as error:
                    self.problems[point.name] = f"{whose} cannot be used: {error}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.partition(".")[0]


def _load(point: EntryPoint) -> Host:
    """The host that an entry point names. Raises `PluginError` with the reason."""
    try:
        host = point.load()
    except Exception as error:  # whatever another package raises on import is its author's to mend, and no reason to stop
        raise PluginError(f"{type(error).__name__}: {error}. Update or uninstall it.") from error
    if not isinstance(host, Host):
        raise PluginError(f"{point.value} is no promptlens.hosts.Host, but of the type {type(host).__name__}.")
    if host.name != point.name:
        raise PluginError(f"its entry point says {point.name!r} and its Host {host.name!r}.")
    if not is_dataclass(host.options) or not callable(host.parse) or not callable(host.pack):
        raise PluginError("its options must be a dataclass, parse and pack functions.")
    return host
