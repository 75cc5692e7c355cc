"""What is said of a measurement beside its latency."""

from cli.measured_words import measured_words

SUSTAINED = {"ran_s": 312.0, "stopped": None, "latency_ms": 5.5, "curve": [{"latency_ms": 4.0}, {"latency_ms": 5.5}]}


def test_only_what_is_known_is_said() -> None:
    assert dict(measured_words({})) == {}
    assert dict(measured_words({"load_ms": {"cold": 90.25}})) == {"load": "90.25 ms cold"}


def test_everything_has_its_unit() -> None:
    said = dict(
        measured_words(
            {
                "load_ms": {"cold": 90.0, "warm": 30.0},
                "peak_memory_bytes": 79_691_776,
                "layers_ms": {"rpc": 3.25, "accelerator": 2.5},
                "energy": {"millijoules_per_inference": 12.34, "watts": 3.1, "estimated": True},
            }
        )
    )
    assert said == {
        "load": "90 ms cold, 30 ms warm",
        "peak memory": "79.7 MB (of the runner)",
        "within it": "rpc 3.25 ms, accelerator 2.5 ms",
        "energy": "about 12.3 mJ per inference (estimated: the whole phone at 3.1 W)",
    }


def test_a_network_that_ran_in_its_second_form_says_so() -> None:
    assert dict(measured_words({"form": "arch"})) == {
        "ran as": "context for all chips of its architecture: the phone refused the one for its SoC"
    }


def test_a_sustained_run_says_where_it_ended_and_why() -> None:
    assert dict(measured_words({"sustained": SUSTAINED})) == {"sustained": "4 → 5.5 ms after 5:12 min"}
    hot = {**SUSTAINED, "stopped": "the battery is at 42.1 °C, limit 42 °C"}
    assert dict(measured_words({"sustained": hot}))["sustained"].endswith(
        "ended early: the battery is at 42.1 °C, limit 42 °C"
    )
