"""The values of messages in a field, and the options of those who look at one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.plugins import Message, Plugin

MANY = 1_000_000
"""What nobody means to hold in memory for each window."""


def values(messages: Sequence[Message], field: str) -> list[Any]:
    """What messages have in a field, None where they lack it.

    `user.name` is the field `name` of the object in the field `user`.
    """
    first, *rest = field.split(".")
    found = [message.get(first) for message in messages]
    for name in rest:
        found = [one.get(name) if isinstance(one, dict) else None for one in found]
    return found


class OptionsPlugin(Plugin):
    """A plugin whose class attributes are options, looked at when the class is made."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.demand_options()

    @classmethod
    def demand_options(cls) -> None:
        """Raise `ConfigurationError` where an option cannot be what it is."""

    @classmethod
    def demand(cls, option: str, what: str, fits: bool) -> None:
        if not fits:
            value = getattr(cls, option)
            raise ConfigurationError(f"{cls.__name__}: {option} must be {what}, not {value!r}")

    @classmethod
    def demand_field(cls, option: str = "field") -> None:
        field = getattr(cls, option)
        fits = isinstance(field, str) and all(field.split("."))
        cls.demand(option, "the name of a field, such as level or user.name", fits)

    @classmethod
    def demand_number(cls, option: str, least: int, most: int) -> None:
        value = getattr(cls, option)
        fits = type(value) is int and least <= value <= most
        cls.demand(option, f"a whole number from {least} to {most}", fits)


class FieldPlugin(OptionsPlugin):
    """A plugin that looks at a field. Its name and its summary tell which, so that several have
    idents and titles of their own, unless its class has some."""

    field: ClassVar[str] = "value"
    name_by_field: ClassVar[str] = ""
    summary_by_field: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = cls.__dict__
        for one in ("name", "summary"):
            if one not in own and ("field" in own or f"{one}_by_field" in own):
                words = getattr(cls, f"{one}_by_field").format(field=_words(cls.field))
                setattr(cls, one, words or getattr(cls, one))
        super().__init_subclass__(**kwargs)

    @classmethod
    def demand_options(cls) -> None:
        cls.demand_field()


def _words(field: Any) -> str:
    return str(field).replace(".", " ")
