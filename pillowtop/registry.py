"""The pillows named in `settings.PILLOWTOPS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string

from pillowtop.conf import suggestion
from pillowtop.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pillowtop.listener import BasicPillow

UNGROUPED = ""
MAX_NAME = 191
"""As long as the columns for it, but for what tells the builds of a pillow's indices apart."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of PILLOWTOPS. `options` are set as attributes of the pillow."""

    group: str
    path: str
    name: str
    options: dict[str, Any]

    def pillow(self) -> BasicPillow:
        """Import the class and make the pillow. Raises `ConfigurationError`."""
        pillow = self.load_class()()
        for option, value in self.options.items():
            self._set(pillow, option, value)
        pillow.name = self.name
        return pillow

    def _set(self, pillow: BasicPillow, option: str, value: Any) -> None:
        known = [name for name in dir(pillow) if not name.startswith("_")]
        if option not in known:
            raise ConfigurationError(
                f"{self.path} has no option {option!r}{suggestion(option, known)}"
            )
        if callable(getattr(type(pillow), option, None)):
            raise ConfigurationError(
                f"{option!r} is a method of {self.path} and no option: override it in a subclass"
            )
        try:
            setattr(pillow, option, value)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{self.path} does not take {value!r} as {option}: {error}"
            ) from error

    def load_class(self) -> type[BasicPillow]:
        """Import the class. Raises `ConfigurationError`."""
        # It imports who looks at settings.
        from pillowtop.listener import BasicPillow, PythonPillow  # noqa: PLC0415

        try:
            kind = import_string(self.path)
        except ImportError as error:
            raise ConfigurationError(
                f"PILLOWTOPS names {self.path!r}, which cannot be imported: {error}"
            ) from error
        if not (isinstance(kind, type) and issubclass(kind, BasicPillow)):
            advice = (
                ": PythonPillow is a mixin now, as in class P(PythonPillow, AliasedElasticPillow)"
                if isinstance(kind, type) and issubclass(kind, PythonPillow)
                else ""
            )
            raise ConfigurationError(
                f"PILLOWTOPS names {self.path!r}, which is no pillow class{advice}"
            )
        return kind


def entries() -> list[Entry]:
    """All entries, in order. Raises `ConfigurationError` where the setting has no such form."""
    found = parse(getattr(settings, "PILLOWTOPS", []))
    demand_distinct_names(found)
    return found


def parse(setting: Any) -> list[Entry]:
    """The entries of a list, or of a dict of groups. Raises `ConfigurationError`."""
    groups = setting if isinstance(setting, dict) else {UNGROUPED: setting}
    found = []
    for group, members in groups.items():
        if not (isinstance(group, str) and group.isprintable()):
            raise ConfigurationError(f"PILLOWTOPS: the name of a group is text, not {group!r}")
        if not isinstance(members, (list, tuple)):
            what = f"the group {group!r} of PILLOWTOPS" if group else "PILLOWTOPS"
            raise ConfigurationError(
                f"{what} must be a list of pillows, not {type(members).__name__}"
            )
        found += [_entry(group, member) for member in members]
    return found


def demand_distinct_names(found: list[Entry]) -> None:
    """Raise `ConfigurationError` where two pillows have one name, and so one checkpoint."""
    names = [entry.name for entry in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"two pillows are called {name!r}: give one of them another name by "
                '{"class": "…", "name": "…"} in PILLOWTOPS'
            )


def select(key: str | None) -> list[Entry]:
    """Those of a group or of a name; all for None. Raises `ConfigurationError` for unknown ones."""
    found = entries()
    if not found:
        raise ConfigurationError(
            "PILLOWTOPS is empty: list your pillow classes in it, for example "
            '["shop.pillows.OrderPillow"]'
        )
    if key is None:
        return found
    # No key is the name of those without a group: a variable that is not set must not run all.
    chosen = [entry for entry in found if key and key in (entry.group, entry.name)]
    if not chosen:
        known = [entry.name for entry in found] + [entry.group for entry in found if entry.group]
        raise ConfigurationError(
            f"no pillow and no group is called {key!r}{suggestion(key, known)}; "
            "run_ptop --list names them all"
        )
    return chosen


def writers_of(alias: str) -> list[str]:
    """The names of the pillows whose index stands under an alias."""
    pillows = [entry.pillow() for entry in entries()]
    return [one.name for one in pillows if alias and getattr(one, "es_alias", "") == alias]


def get_pillow(name: str) -> BasicPillow:
    """The pillow of a name. Raises `ConfigurationError`."""
    chosen = select(name)
    for entry in chosen:
        if entry.name == name:
            return entry.pillow()
    members = ", ".join(entry.name for entry in chosen)
    raise ConfigurationError(f"{name!r} is a group of pillows: name one of {members}")


def _entry(group: str, member: Any) -> Entry:
    if isinstance(member, str):
        member = {"class": member}
    if not isinstance(member, dict) or not isinstance(member.get("class"), str):
        raise ConfigurationError(
            f"PILLOWTOPS holds {_shown(member)}: an entry is a dotted path, or "
            '{"class": "dotted.path", "name": "…", "options": {…}}'
        )
    for key in member:
        if key not in ("class", "name", "options"):
            known = ["class", "name", "options"]
            raise ConfigurationError(
                f"an entry of PILLOWTOPS has no key {key!r}{suggestion(key, known)}"
            )
    path = member["class"]
    if not all(part and part.isprintable() for part in path.split(".")):
        raise ConfigurationError(f"PILLOWTOPS names {path!r}, which is no dotted path of a class")
    name, options = member.get("name", _own_name(path)), member.get("options", {})
    if not (isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable()):
        raise ConfigurationError(
            f"PILLOWTOPS: a name must be text of at most {MAX_NAME} characters, not {name!r}"
        )
    if not (isinstance(options, dict) and all(isinstance(option, str) for option in options)):
        raise ConfigurationError(
            f"PILLOWTOPS: the options must be a dict of attributes, not {_shown(options)}"
        )
    return Entry(group, path, name, options)


def _shown(member: object) -> str:
    """What was given, without the options that may be in it: they may hold passwords."""
    if isinstance(member, dict):
        return f"a dict with the keys {', '.join(map(repr, member))}"
    return repr(member) if isinstance(member, (int, float)) else type(member).__name__


def _own_name(path: str) -> str:
    """What a class calls its pillow: its `name`, or what it is called itself."""
    last = path.rpartition(".")[2]
    try:
        return str(getattr(import_string(path), "name", "") or last)
    except Exception:  # noqa: BLE001  (said by whoever makes the pillow)
        return last
