"""What a candidate scored on device classes, put together from its evaluations and metrics."""

from db.scores import scores
from paretofarm.lifecycle import Stage, Step

COMPILE, SCORE = Step(Stage.COMPILE, "virtual", 1), Step(Stage.SCORE, "virtual", 1)
KEPT = {"phone": "virtual-1", "runtime": "onnxruntime", "simulated": True, "images": 200, "per_class": {"hat": None}}
METRICS = {"miou": 0.6, "device_miou@virtual": 0.48, "device_miou@other": 0.1, "latency_ms@virtual": 3.0}


def test_float_scores_come_from_the_compilation_of_the_very_network_that_was_scored() -> None:
    untrained = Step(Stage.COMPILE, "virtual")
    (score,) = scores({untrained: {}, COMPILE: {"float_scores": {"miou": 0.5}}, SCORE: KEPT}, METRICS)
    assert (score.device, score.phone, score.images, score.simulated) == ("virtual", "virtual-1", 200, True)
    assert (score.on_device, score.in_float) == ({"miou": 0.48}, {"miou": 0.5})


def test_who_was_never_scored_has_no_score() -> None:
    assert scores({COMPILE: {"float_scores": {"miou": 0.5}}}, METRICS) == ()


def test_a_score_without_its_float_twin_is_still_one() -> None:
    (score,) = scores({SCORE: KEPT}, METRICS)
    assert score.in_float == {}
