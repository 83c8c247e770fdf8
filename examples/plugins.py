"""Plugins of the store: lists categories, searches, shows the tools of one, and calls a tool.

Reads COZE_API_TOKEN, COZE_PLUGIN_ID, COZE_PLUGIN_TOOL (the name of one of its tools). Set
COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os
from itertools import islice

from cozekit import Coze


def main() -> None:
    plugin_id = os.environ["COZE_PLUGIN_ID"]
    with Coze() as coze:
        print(
            "categories:",
            [category.name for category in coze.plugins.categories.list(entity_type="plugin")],
        )
        for result in islice(coze.plugins.list(keyword="weather", sort_type="heat"), 10):
            print(result.metainfo and result.metainfo.name)
        plugin = coze.plugins.retrieve(plugin_id)
        print(plugin.name, [tool.name for tool in plugin.tools or []])
        print(
            coze.plugins.tools.call(
                plugin_id, tool_name=os.environ["COZE_PLUGIN_TOOL"], arguments={"city": "Hangzhou"}
            )
        )


if __name__ == "__main__":
    main()
