"""Chroma's client for a server, held to a time limit from its first request on."""

from __future__ import annotations

import httpx
from chromadb.api import ServerAPI
from chromadb.api.client import Client
from chromadb.config import Settings, System

from axon.adapters._shared.translation import STATUS
from axon.core.adapter_options import ChromaOptions


class ServerClient(Client):  # type: ignore[misc]  # chromadb is not followed, so its classes are Any
    """Takes the place of ``chromadb.HttpClient``, which lacks three things.

    Its constructor sends requests before a limit can be set, and would wait for a hanging server for ever. It keeps a
    second client, and a list of all it ever made, so each opening would leak connections. And of an answer that is not
    Chroma's own, as a proxy before the server gives it, only the text is left.

    Parameters
    ----------
    options : of the adapter, with a host.
    settings : of Chroma.
    """

    def __init__(self, options: ChromaOptions, settings: Settings) -> None:
        settings.chroma_api_impl = "chromadb.api.fastapi.FastAPI"
        settings.chroma_server_host = options.host
        settings.chroma_server_http_port = options.port
        settings.chroma_server_ssl_enabled = options.ssl
        settings.chroma_server_headers = _headers(options)
        self.tenant = options.tenant
        self.database = options.database
        self._own_system = System(settings)
        self._server = self._own_system.instance(ServerAPI)
        # Private, because Chroma offers neither a time limit nor a look at the answers.
        self._http: httpx.Client = getattr(self._server, "_session")  # noqa: B009 - not in the annotations of ServerAPI
        self._http.timeout = httpx.Timeout(options.timeout)
        self._http.event_hooks = {"response": [_judge]}
        self._own_system.start()

    def check_database(self) -> None:
        """Ask for the tenant's database, so that a wrong name or another kind of server shows at once."""
        self._server.get_database(self.database, self.tenant)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._own_system.stop()


def _headers(options: ChromaOptions) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in options.headers.items()}


def _judge(response: httpx.Response) -> None:
    """Raise what the status of an answer says, before Chroma's client looks at the text alone.

    Raises
    ------
    httpx.HTTPStatusError
    """
    if response.status_code in STATUS:
        response.read()
        response.raise_for_status()
