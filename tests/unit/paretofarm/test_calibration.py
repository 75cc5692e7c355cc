"""Which calibration is kept, and what is written down of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from paretofarm.activation_histogram import ActivationHistogram
from paretofarm.calibration import (
    METHODS,
    CalibrationResult,
    LayerNoise,
    best_method,
    clipping_range,
    methods,
)
from paretofarm.task import Task

RESULT = CalibrationResult(
    kept="mse",
    images=24,
    fp32=0.61,
    int8={"minmax": 0.55, "percentile": 0.59, "mse": 0.6},
    layers=(LayerNoise("stem.0", "Conv", 12.5, 0.25),),
)


def test_best_tries_all_and_a_named_one_is_tried_alone() -> None:
    assert methods("best") == METHODS == ("minmax", "percentile", "mse")
    assert methods("percentile") == ("percentile",)


@pytest.mark.parametrize(
    ("miou", "kept"),
    [
        ({"minmax": 0.5, "percentile": 0.6, "mse": 0.55}, "percentile"),
        ({"minmax": 0.5, "percentile": 0.6, "mse": 0.6}, "percentile"),
        ({"minmax": 0.6, "percentile": 0.6, "mse": 0.6}, "minmax"),
        ({"mse": 0.0}, "mse"),
    ],
)
def test_the_best_is_kept_and_of_equal_ones_the_plainest(miou: dict[str, float], kept: str) -> None:
    assert best_method(miou) == kept


def test_each_method_has_its_range_and_no_other_name_has() -> None:
    histogram = ActivationHistogram.empty(-1.0, 3.0)
    histogram.add(np.linspace(-1, 3, 1000, dtype=np.float32))
    assert clipping_range("minmax", histogram, 256) == histogram.extremes()
    assert clipping_range("percentile", histogram, 256) == histogram.percentile()
    assert clipping_range("mse", histogram, 256) == histogram.least_error(256)
    with pytest.raises(ValueError, match="no calibration 'entropy'"):
        clipping_range("entropy", histogram, 256)


def test_the_gap_is_in_points_of_the_kept_one() -> None:
    assert RESULT.gap_points == pytest.approx(1.0)
    assert RESULT.gap_points_of("minmax") == pytest.approx(6.0)


def test_a_result_survives_the_database() -> None:
    document = json.loads(json.dumps(RESULT.to_dict()))
    assert document["int8_miou"] == {"minmax": 0.55, "percentile": 0.59, "mse": 0.6}
    assert document["worst_layers"] == [{"layer": "stem.0", "op": "Conv", "sqnr_db": 12.5, "changed": 0.25}]
    document["int8_miou"] = dict(sorted(document["int8_miou"].items(), reverse=True))
    restored = CalibrationResult.from_dict(document)
    assert restored == RESULT
    assert tuple(restored.int8) == METHODS, "the database keeps no order"


def test_of_a_classifier_it_is_about_accuracy() -> None:
    result = replace(RESULT, task=Task.CLASSIFICATION)
    document = json.loads(json.dumps(result.to_dict()))
    assert (document["fp32_accuracy"], document["int8_accuracy"]["mse"], "fp32_miou" in document) == (0.61, 0.6, False)
    assert CalibrationResult.from_dict(document) == result


def test_what_was_stored_before_there_were_tasks_is_read() -> None:
    document = RESULT.to_dict()
    del document["task"]
    assert CalibrationResult.from_dict(document) == RESULT
