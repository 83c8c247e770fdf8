"""Values that calls take and return besides models, for arguments and annotations."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_runtime._http.byte_stream import AsyncByteStream as AsyncByteStream
    from coze_runtime._http.byte_stream import ByteStream as ByteStream
    from coze_runtime.models import Empty as Empty
    from coze_runtime.models import Model as Model
    from coze_runtime.models import OpenIntEnum as OpenIntEnum
    from coze_runtime.models import OpenStrEnum as OpenStrEnum
    from coze_runtime.models import ResultBytes as ResultBytes
    from coze_runtime.models import ResultDict as ResultDict
    from coze_runtime.models import ResultList as ResultList
    from coze_runtime.models import ResultText as ResultText
    from coze_runtime.operation import CallOptions as CallOptions
    from coze_runtime.operation import Ended as Ended
    from coze_runtime.operation import Failure as Failure
    from coze_runtime.operation import Operation as Operation
    from coze_runtime.operation import PageData as PageData
    from coze_runtime.operation import Pager as Pager
    from coze_runtime.operation import Reasons as Reasons
    from coze_runtime.operation import Request as Request
    from coze_runtime.operation import Response as Response
    from coze_runtime.operation import Service as Service
    from coze_runtime.operation import Socket as Socket
    from coze_runtime.operation import Waiter as Waiter
    from coze_runtime.paging import AsyncPage as AsyncPage
    from coze_runtime.paging import AsyncPager as AsyncPager
    from coze_runtime.paging import Page as Page
    from coze_runtime.types import DEFAULT as DEFAULT
    from coze_runtime.types import NULL as NULL
    from coze_runtime.types import AsyncFile as AsyncFile
    from coze_runtime.types import Drift as Drift
    from coze_runtime.types import DriftHook as DriftHook
    from coze_runtime.types import FileContent as FileContent
    from coze_runtime.types import FileInput as FileInput
    from coze_runtime.types import Null as Null
    from coze_runtime.types import OnProgress as OnProgress
    from coze_runtime.types import Timeout as Timeout
    from coze_runtime.types import TimeoutInput as TimeoutInput
    from coze_runtime.types import UploadProgress as UploadProgress
    from coze_runtime.types import UseDefault as UseDefault

# Names by the module that holds them; a module is loaded when one of its names is first used.
_NAMES = {
    "coze_runtime._http.byte_stream": "AsyncByteStream ByteStream",
    "coze_runtime.models": (
        "Empty Model OpenIntEnum OpenStrEnum ResultBytes ResultDict ResultList ResultText"
    ),
    "coze_runtime.operation": (
        "CallOptions Ended Failure Operation PageData Pager Reasons Request Response Service "
        "Socket Waiter"
    ),
    "coze_runtime.paging": "AsyncPage AsyncPager Page",
    "coze_runtime.types": (
        "DEFAULT NULL AsyncFile Drift DriftHook FileContent FileInput Null OnProgress Timeout "
        "TimeoutInput UploadProgress UseDefault"
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_MODULES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULES)
