"""Plan of the account, quotas of end users, and an export of their bills.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import time

from cozekit import Coze
from cozekit.models import BenefitLimitationTerms


def main() -> None:
    day = 24 * 3600
    now = int(time.time())
    terms = BenefitLimitationTerms(
        benefit_type="resource_point",
        limit=1000,
        active_mode="absolute_time",
        started_at=now,
        ended_at=now + 30 * day,
        trigger_unit="day",
    )
    with Coze() as coze:
        print("plan:", coze.benefits.retrieve().basic_info)
        quota = coze.benefits.limitations.create(
            entity_type="single_device", entity_id="robot-1", benefit_info=terms
        )
        print("quota:", quota.benefit_id)
        if quota.benefit_id:
            coze.benefits.limitations.update(quota.benefit_id, limit=2000)
        for limit in coze.benefits.limitations.list(
            entity_type="single_device", entity_id="robot-1", benefit_type="resource_point"
        ):
            print("limit:", limit.limit)
        bills = coze.benefits.bill_tasks.create_and_poll(
            started_at=now - 2 * day, ended_at=now - day, poll_timeout=600
        )
        print("bills:", bills.file_urls)


if __name__ == "__main__":
    main()
