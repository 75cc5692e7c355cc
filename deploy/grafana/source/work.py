"""What waits, what is being worked on, and how busy workers, GPUs and the scheduler are."""

from layout import RED, YELLOW, Dashboard, Look, Panel, Query, quantile

WORK = Dashboard(
    "paretofarm-work",
    "Queues and workers",
    rows=[
        (
            "Queues",
            [
                Panel(
                    "Waiting",
                    [Query('sum by (queue) (paretofarm_evaluations{status="queued"})', "{{queue}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Oldest that waits",
                    [Query("paretofarm_queue_oldest_seconds", "{{queue}}")],
                    "s",
                    steps=[(900, YELLOW)],
                ),
                Panel(
                    "Being worked on",
                    [Query('sum by (queue) (paretofarm_evaluations{status="leased"})', "{{queue}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Ended per minute",
                    [
                        Query(
                            "60 * sum by (stage, outcome) "
                            "(rate(paretofarm_evaluations_performed_total[$__rate_interval]))",
                            "{{stage}} {{outcome}}",
                        )
                    ],
                    "short",
                ),
            ],
        ),
        (
            "Workers and agents",
            [
                Panel(
                    "Processes",
                    [Query("sum by (kind, state) (paretofarm_workers)", "{{kind}} {{state}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Utilisation",
                    [
                        Query(
                            "sum by (job, instance) (paretofarm_evaluations_in_progress)"
                            " / sum by (job, instance) (paretofarm_slots)",
                            "{{job}} {{instance}}",
                        )
                    ],
                    "percentunit",
                    highest=1,
                ),
                Panel(
                    "Duration, median and 90 %",
                    [
                        Query(quantile(0.5, "paretofarm_evaluation_duration_seconds", "stage"), "{{stage}} median"),
                        Query(quantile(0.9, "paretofarm_evaluation_duration_seconds", "stage"), "{{stage}} 90 %"),
                    ],
                    "s",
                ),
                Panel(
                    "Images trained on per second of training",
                    [
                        Query(
                            "sum by (instance) (rate(paretofarm_training_images_total[$__rate_interval]))"
                            " / sum by (instance) "
                            "(rate(paretofarm_training_epoch_duration_seconds_sum[$__rate_interval]))",
                            "{{instance}}",
                        )
                    ],
                    "short",
                    says="Per training; validation counts as time.",
                ),
                Panel(
                    "Checkpoints, mean size",
                    [
                        Query(
                            "sum(rate(paretofarm_checkpoint_size_bytes_sum[$__rate_interval]))"
                            " / sum(rate(paretofarm_checkpoint_size_bytes_count[$__rate_interval]))",
                            "size",
                        )
                    ],
                    "bytes",
                ),
            ],
        ),
        (
            "GPUs",
            [
                Panel(
                    "Busy",
                    [Query("paretofarm_gpu_utilisation_ratio", "{{instance}} GPU {{gpu}}")],
                    "percentunit",
                    width=8,
                    highest=1,
                ),
                Panel(
                    "Memory",
                    [
                        Query(
                            "paretofarm_gpu_memory_used_bytes / paretofarm_gpu_memory_size_bytes",
                            "{{instance}} GPU {{gpu}}",
                        )
                    ],
                    "percentunit",
                    steps=[(0.95, YELLOW)],
                    width=8,
                    highest=1,
                ),
                Panel(
                    "Temperature",
                    [Query("paretofarm_gpu_temperature_celsius", "{{instance}} GPU {{gpu}}")],
                    "celsius",
                    steps=[(85, RED)],
                    width=8,
                ),
            ],
        ),
        (
            "Scheduler",
            [
                Panel(
                    "Ticks, median and 99 %",
                    [
                        Query(quantile(0.5, "paretofarm_scheduler_tick_duration_seconds"), "median"),
                        Query(quantile(0.99, "paretofarm_scheduler_tick_duration_seconds"), "99 %"),
                    ],
                    "s",
                    steps=[(1, YELLOW)],
                    width=8,
                ),
                Panel(
                    "Proposing, 90 %",
                    [Query(quantile(0.9, "paretofarm_proposal_duration_seconds"), "90 %")],
                    "s",
                    width=8,
                ),
                Panel(
                    "Messages sent per minute",
                    [
                        Query(
                            "60 * sum by (queue) (rate(paretofarm_messages_sent_total[$__rate_interval]))", "{{queue}}"
                        )
                    ],
                    "short",
                    width=8,
                ),
            ],
        ),
    ],
)
