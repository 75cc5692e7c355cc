"""How far searches are and how good their fronts have become."""

from layout import RED, Dashboard, Look, Panel, Query, Variable

SEARCHES = Dashboard(
    "paretofarm-searches",
    "Searches",
    variables=[Variable("search", "paretofarm_candidates", "search")],
    rows=[
        (
            "Where they are",
            [
                Panel(
                    "Complete",
                    [
                        Query(
                            'sum by (search) (paretofarm_candidates{search=~"$search", status="complete"})'
                            ' / sum by (search) (paretofarm_search_target_candidates{search=~"$search"})',
                            "{{search}}",
                        )
                    ],
                    "percentunit",
                    look=Look.BARS,
                    width=8,
                    highest=1,
                ),
                Panel(
                    "Members of the front",
                    [Query('paretofarm_search_front_size{search=~"$search"}', "{{search}}")],
                    "short",
                    look=Look.NUMBER,
                    width=8,
                ),
                Panel(
                    "Stopped for a reason to mend",
                    [Query('paretofarm_search_halted{search=~"$search"}', "{{search}}")],
                    "bool_yes_no",
                    look=Look.NUMBER,
                    steps=[(1, RED)],
                    width=8,
                ),
            ],
        ),
        (
            "How they get on",
            [
                Panel(
                    "Hypervolume",
                    [Query('paretofarm_search_hypervolume_ratio{search=~"$search"}', "{{search}}")],
                    "none",
                    says="As a multiple of that of the first eight complete candidates. It only grows.",
                    lowest=None,
                ),
                Panel(
                    "Best value of each objective",
                    [Query('paretofarm_search_best{search=~"$search"}', "{{search}} {{objective}} {{device}}")],
                    "none",
                    says="In the objective's own unit; milliseconds for latency_ms.",
                    lowest=None,
                ),
                Panel(
                    "Candidates",
                    [Query('sum by (status) (paretofarm_candidates{search=~"$search"})', "{{status}}")],
                    "short",
                    look=Look.AREAS,
                ),
                Panel(
                    "Completed per hour",
                    [
                        Query(
                            'sum by (search) (delta(paretofarm_candidates{search=~"$search", status="complete"}[1h]))',
                            "{{search}}",
                        )
                    ],
                    "short",
                ),
            ],
        ),
    ],
)
