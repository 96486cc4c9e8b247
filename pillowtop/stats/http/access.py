"""Who may read what: `PILLOWTOP_STATS["ACCESS"]`, and `public` of a plugin."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.http.problems import Problem
from pillowtop.stats.plugins import Plugin

NO_USERS = (
    "nobody can sign in here, as django.contrib.auth's AuthenticationMiddleware is not installed: "
    'install it, or set PILLOWTOP_STATS["ACCESS"] to "public"'
)


def refusal(request: HttpRequest) -> str:
    """Why somebody may not read what is not public; empty where he may."""
    access = stats_configuration().ACCESS
    if settings.DEBUG or access == "public":
        return ""
    user = getattr(request, "user", None)
    if user is None:
        return NO_USERS
    if not user.is_authenticated:
        return f"sign in first{_where()}"
    if access == "staff" and not (user.is_active and user.is_staff):
        return "only members of the staff may read this"
    return ""


def demand_access(request: HttpRequest, kind: type[Plugin] | None) -> None:
    """Raise `Problem` unless the statistic may be read; None is one that does not exist."""
    if kind is not None and kind.public:
        return
    if words := refusal(request):
        raise Problem(HTTPStatus.FORBIDDEN, words)


def _where() -> str:
    try:
        return f" at {resolve_url(settings.LOGIN_URL)}"
    except NoReverseMatch:
        return ""
