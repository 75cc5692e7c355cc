"""How messages travel: Celery's settings, the same for everybody who sends or consumes.

A message is `[evaluation id, attempt]` and nothing else. Losing one loses no work, a second one finds nothing to do:
the database is the truth. What each setting is there for: docs/decisions.md.
"""

from typing import Any

from paretofarm.lifecycle import Stage

DAY_S = 24 * 3600
WORKER_STAGES = (Stage.BUILD, Stage.COMPILE, Stage.TRAIN)
"""What workers consume, cheap gates first: the broker serves the queues in this order."""


def celery_settings(broker_url: str) -> dict[str, Any]:
    """Celery settings for a Redis-protocol broker at `broker_url`."""
    return {
        "broker_url": broker_url,
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_acks_late": True,
        "task_create_missing_queues": True,
        "worker_disable_prefetch": True,
        # No limit but the free slots, by the line above: kombu's own counts a message whose acknowledgement was lost in
        # an outage as in progress for ever, and consumes nothing any more.
        "worker_prefetch_multiplier": 0,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": DAY_S,
            "queue_order_strategy": "priority",
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            # Sending happens inside the scheduler's tick: fail at once, the next tick tries again.
            "max_retries": 0,
        },
    }
