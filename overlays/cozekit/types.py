"""Types of arguments and results other than models, for calls and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_runtime._http.byte_stream import AsyncByteStream as AsyncByteStream
    from coze_runtime._http.byte_stream import ByteStream as ByteStream
    from coze_runtime.calls.hooks import RequestHook as RequestHook
    from coze_runtime.calls.hooks import ResponseHook as ResponseHook
    from coze_runtime.models import Empty as Empty
    from coze_runtime.models import Model as Model
    from coze_runtime.models import OpenIntEnum as OpenIntEnum
    from coze_runtime.models import OpenStrEnum as OpenStrEnum
    from coze_runtime.models import ResultBytes as ResultBytes
    from coze_runtime.models import ResultDict as ResultDict
    from coze_runtime.models import ResultList as ResultList
    from coze_runtime.models import ResultText as ResultText
    from coze_runtime.operation import CallOptions as CallOptions
    from coze_runtime.operation import Operation as Operation
    from coze_runtime.operation import PageData as PageData
    from coze_runtime.operation import Pager as Pager
    from coze_runtime.operation import Request as Request
    from coze_runtime.operation import Response as Response
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
    from coze_runtime.types import FormFile as FormFile
    from coze_runtime.types import Listener as Listener
    from coze_runtime.types import Null as Null
    from coze_runtime.types import OnProgress as OnProgress
    from coze_runtime.types import OnToolError as OnToolError
    from coze_runtime.types import Timeout as Timeout
    from coze_runtime.types import TimeoutInput as TimeoutInput
    from coze_runtime.types import Tools as Tools
    from coze_runtime.types import UploadProgress as UploadProgress
    from coze_runtime.types import UseDefault as UseDefault
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            "coze_runtime._http.byte_stream": "AsyncByteStream ByteStream",
            "coze_runtime.calls.hooks": "RequestHook ResponseHook",
            "coze_runtime.models": "Empty Model OpenIntEnum OpenStrEnum ResultBytes ResultDict "
            "ResultList ResultText",
            "coze_runtime.operation": ("CallOptions Operation PageData Pager Request Response"),
            "coze_runtime.paging": "AsyncPage AsyncPager Page",
            "coze_runtime.types": "DEFAULT NULL AsyncFile Drift DriftHook FileContent FileInput "
            "FormFile Listener Null OnProgress OnToolError Timeout TimeoutInput Tools "
            "UploadProgress UseDefault",
        },
    )
