"""How the phones are, and how good their measurements."""

from layout import GREEN, RED, YELLOW, Dashboard, Look, Panel, Query, Variable, quantile

PHONES = Dashboard(
    "paretofarm-phones",
    "Phones",
    variables=[Variable("device", "paretofarm_phones", "device")],
    rows=[
        (
            "Health",
            [
                Panel(
                    "Phones",
                    [Query('sum by (device, state) (paretofarm_phones{device=~"$device"})', "{{device}} {{state}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Fit to be measured",
                    [
                        Query(
                            'paretofarm_phone_fit{device=~"$device"} * on (instance, device)'
                            " group_left (serial, model) paretofarm_phone_info",
                            "{{device}} {{model}} {{serial}}",
                        )
                    ],
                    "bool_yes_no",
                    look=Look.NUMBER,
                    steps=[(0, RED), (1, GREEN)],
                ),
                Panel(
                    "Temperatures",
                    [
                        Query(
                            'paretofarm_phone_temperature_celsius{device=~"$device"}',
                            "{{device}} {{instance}} {{sensor}}",
                        )
                    ],
                    "celsius",
                    steps=[(45, YELLOW)],
                ),
                Panel(
                    "Thermal status",
                    [Query('paretofarm_phone_thermal_status{device=~"$device"}', "{{device}} {{instance}}")],
                    "short",
                    says="Android's: 0 none, 1 light, 2 moderate, 3 severe and up. Above 0 nothing is measured.",
                    steps=[(1, RED)],
                ),
                Panel(
                    "Battery",
                    [Query('paretofarm_phone_battery_ratio{device=~"$device"}', "{{device}} {{instance}}")],
                    "percentunit",
                    width=8,
                    highest=1,
                ),
                Panel(
                    "Battery temperature",
                    [
                        Query(
                            'paretofarm_phone_battery_temperature_celsius{device=~"$device"}', "{{device}} {{instance}}"
                        )
                    ],
                    "celsius",
                    steps=[(42, RED)],
                    width=8,
                ),
                Panel(
                    "Free space",
                    [Query('paretofarm_phone_free_bytes{device=~"$device"}', "{{device}} {{instance}}")],
                    "bytes",
                    width=8,
                ),
            ],
        ),
        (
            "Measurements",
            [
                Panel(
                    "Reference network against its baseline",
                    [Query('paretofarm_phone_reference_ratio{device=~"$device"}', "{{device}} {{instance}}")],
                    "none",
                    says="1: the pace of the phone that was first measured in its class.",
                    steps=[(1.3, YELLOW)],
                    lowest=None,
                ),
                Panel(
                    "Half-width of the interval, median and 90 %",
                    [
                        Query(quantile(0.5, "paretofarm_measurement_noise_ratio", "device"), "{{device}} median"),
                        Query(quantile(0.9, "paretofarm_measurement_noise_ratio", "device"), "{{device}} 90 %"),
                    ],
                    "percentunit",
                ),
                Panel(
                    "Blocks discarded",
                    [
                        Query(
                            'sum by (device) (rate(paretofarm_measurement_blocks_total{verdict="discarded"}'
                            "[$__rate_interval]))"
                            " / sum by (device) (rate(paretofarm_measurement_blocks_total[$__rate_interval]))",
                            "{{device}}",
                        )
                    ],
                    "percentunit",
                    highest=1,
                ),
                Panel(
                    "Too noisy, per hour",
                    [Query("sum by (device) (increase(paretofarm_measurements_noisy_total[1h]))", "{{device}}")],
                    "short",
                ),
            ],
        ),
    ],
)
