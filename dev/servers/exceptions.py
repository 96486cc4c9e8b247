"""What can go wrong with a development server.

ServerError
├── MissingTool         something has to be installed first
├── PreparationFailed   npm, Maven or javac failed
└── StartFailed         the server ended or did not answer in time
    └── PortTaken       another process listens there
"""

from __future__ import annotations


class ServerError(Exception):
    """A development server is not to be had; the message says why."""


class MissingTool(ServerError):
    """Something has to be installed first; the message is one line that says what."""


class PreparationFailed(ServerError):
    """npm, Maven or javac failed, twice; the message ends with their output."""


class StartFailed(ServerError):
    """The server ended or did not answer in time; the message ends with its log."""


class PortTaken(StartFailed):
    """Another process listens on the port; the message is one line."""
