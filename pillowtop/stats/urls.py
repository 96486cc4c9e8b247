"""The addresses: `path("stats/", include("pillowtop.stats.urls"))`."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from pillowtop.stats import extra

if _words := extra.missing():
    raise ImproperlyConfigured(_words)

from pillowtop.stats.http.api import api
from pillowtop.stats.http.gate import guarded

_patterns, _app, _namespace = api.urls
for _pattern in _patterns:
    if isinstance(_pattern, URLPattern) and _pattern.callback is not None:
        _pattern.callback = guarded(_pattern.callback)

urlpatterns = [path("", (_patterns, _app, _namespace))]
