"""What goes wrong, and how much room is left."""

from layout import GREEN, RED, YELLOW, Dashboard, Look, Panel, Query

FAILURES = Dashboard(
    "paretofarm-failures",
    "Failures and storage",
    rows=[
        (
            "Now",
            [
                Panel(
                    "Alerts that fire",
                    [Query('ALERTS{alertstate="firing"}', "{{alertname}}")],
                    "short",
                    says="What each means and what to do: docs/operations.md.",
                    look=Look.TABLE,
                ),
                Panel(
                    "Servers",
                    [
                        Query("paretofarm_database_up", "database"),
                        Query("paretofarm_broker_up", "broker"),
                        Query("max(paretofarm_scheduler_leading)", "scheduler"),
                    ],
                    "bool_yes_no",
                    look=Look.NUMBER,
                    steps=[(0, RED), (1, GREEN)],
                ),
            ],
        ),
        (
            "Failures",
            [
                Panel(
                    "Failed attempts per hour, by error",
                    [Query("sum by (code) (increase(paretofarm_attempt_failures_total[1h]))", "{{code}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Failed for good, by stage and error",
                    [Query("sum by (stage, code) (paretofarm_evaluations_failed)", "{{stage}} {{code}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Errors by process, per hour",
                    [
                        Query(
                            "sum by (job, instance, code) (increase(paretofarm_evaluation_errors_total[1h]))",
                            "{{job}} {{instance}} {{code}}",
                        )
                    ],
                    "short",
                ),
                Panel(
                    "Leases expired per hour",
                    [Query("increase(paretofarm_leases_expired_total[1h])", "expired")],
                    "short",
                    steps=[(12, YELLOW)],
                ),
                Panel(
                    "Servers found gone, and heartbeats missed, per hour",
                    [
                        Query("sum by (job, server) (increase(paretofarm_outages_total[1h]))", "{{job}} {{server}}"),
                        Query("sum by (job) (increase(paretofarm_heartbeat_failures_total[1h]))", "{{job}} heartbeats"),
                    ],
                    "short",
                ),
                Panel(
                    "Events per minute",
                    [Query("60 * sum by (kind) (rate(paretofarm_events_total[$__rate_interval]))", "{{kind}}")],
                    "short",
                ),
            ],
        ),
        (
            "Storage",
            [
                Panel("Database", [Query("paretofarm_database_size_bytes", "size")], "bytes", width=8),
                Panel(
                    "Artifacts",
                    [Query("sum by (kind) (paretofarm_artifacts_size_bytes)", "{{kind}}")],
                    "bytes",
                    look=Look.AREAS,
                    width=8,
                ),
                Panel(
                    "Free space for artifacts",
                    [Query("paretofarm_artifact_store_free_bytes / paretofarm_artifact_store_size_bytes", "free")],
                    "percentunit",
                    says="Where they are in a folder that the exporter sees.",
                    width=8,
                    highest=1,
                ),
                Panel(
                    "What the exporter costs",
                    [Query("paretofarm_exporter_read_seconds", "one reading")],
                    "s",
                    width=8,
                ),
            ],
        ),
    ],
)
