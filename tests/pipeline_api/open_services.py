"""Services that need no API key, because most tests are not about keys, and the application over services."""

from contextvars import ContextVar
from functools import cache
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from aws.api_keys import Scope as KeyScope
from aws.receipts import ReceiptTable
from aws.stream import Stream
from pipeline_api.app import Services, create_app
from pipeline_api.asgi import run_inline
from pipeline_api.queries.tables import Tables
from tests.recorded_metrics import RecordedMetrics


def authorize_all(text: str | None, scope: KeyScope | None) -> None:
    """Accept every key, and no key as well."""


def open_services(stream: Stream, tables: Tables, metrics: RecordedMetrics | None = None) -> Services:
    receipts = ReceiptTable(tables.client, "batches")
    return Services(stream, tables, receipts, authorize_all, metrics or RecordedMetrics())


def app_over(services: Services, *, open_docs: bool = True) -> ASGIApp:
    """The application over these services. FastAPI takes 25 ms to make one, so all tests of a process share one."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        _services.set(services)
        await _shared_app(open_docs)(scope, receive, send)

    return respond


_services: ContextVar[Services] = ContextVar("services")


class _Late:
    """Stands for one of the services of the request."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_services.get(), self._name), name)

    def __call__(self, *arguments: Any) -> Any:
        return getattr(_services.get(), self._name)(*arguments)


@cache
def _shared_app(open_docs: bool) -> ASGIApp:  # noqa: FBT001 - as of create_app
    late: Any = {name: _Late(name) for name in Services.__slots__}
    late["open_short_receipts"] = _short_receipts
    return create_app(Services(**late), run_inline, open_docs=open_docs)


def _short_receipts() -> ReceiptTable:
    services = _services.get()
    return services.open_short_receipts() if services.open_short_receipts else services.receipts
