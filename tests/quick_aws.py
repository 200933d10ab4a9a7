"""botocore and moto, but what they compute anew for each client or call is computed once for a process.

None of it depends on a test: the handlers of URLs, the rules that find an endpoint, the names of events, and the names
under which moto looks for a field of a response.
"""

from collections.abc import Callable, Hashable
from typing import Any

import botocore.regions
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.hooks import EventAliaser
from moto.core.base_backend import BaseBackend
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker

Function = Callable[..., Any]


def compute_once(patch: pytest.MonkeyPatch) -> None:
    """The URLs of S3 cost the most: moto loads the module that lists them twice for each call."""
    find_urls: Function = vars(BaseBackend)["urls"].fget
    patch.setattr(BaseBackend, "urls", property(_once(find_urls, type)))
    patch.setattr(XFormedAttributePicker, "get_possible_keys", _once(_names, _field))
    patch.setattr(EventAliaser, "_alias_event_name", _once(_alias_event_name, lambda _, name: name))
    patch.setattr(botocore.regions, "EndpointProvider", _endpoint_provider)


def _once(function: Function, key: Callable[..., Hashable]) -> Function:
    """`function`, called once for all arguments with the same `key`."""
    results: dict[Hashable, Any] = {}

    def remembered(*arguments: Any) -> Any:
        known = key(*arguments)
        if known not in results:
            results[known] = function(*arguments)
        return results[known]

    return remembered


_alias_event_name: Function = vars(EventAliaser)["_alias_event_name"]
_possible_keys: Function = vars(XFormedAttributePicker)["get_possible_keys"]


def _names(picker: XFormedAttributePicker, context: AttributePickerContext) -> tuple[str, ...]:
    """A tuple, because what moto returns can be read only once."""
    return tuple(dict.fromkeys(_possible_keys(picker, context)))


def _field(picker: XFormedAttributePicker, context: AttributePickerContext) -> Hashable:
    """The shape is part of it, and stays the same object for good."""
    return (*picker.alias_providers, type(context.obj), context.key, context.shape)


def _endpoint_provider(**given: Any) -> EndpointProvider:
    """One for each description of a service that a session has loaded."""
    known = id(given["ruleset_data"]), id(given["partition_data"])
    if known not in _providers:
        _providers[known] = EndpointProvider(**given), given
    return _providers[known][0]


_providers: dict[Hashable, tuple[EndpointProvider, dict[str, Any]]] = {}
"""With the descriptions, because the id of an object that is gone may become another's."""
