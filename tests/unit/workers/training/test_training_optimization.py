import pytest
import torch
from small_training import small_network, small_settings

from workers.training.optimization import make_optimizer, set_learning_rate


def rate(progress: float, **settings: object) -> float:
    chosen = small_settings(learning_rate=1.0, **settings)
    optimizer = make_optimizer(small_network(), chosen)
    set_learning_rate(optimizer, chosen, progress)
    return float(optimizer.param_groups[0]["lr"])


def test_a_cosine_falls_from_the_learning_rate_to_nothing() -> None:
    assert [rate(progress, lr_schedule="cosine") for progress in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.5, 0.0])


def test_a_warm_up_rises_and_the_cosine_has_the_rest() -> None:
    settings = {"epochs": [10], "warmup_epochs": 2.0, "lr_schedule": "cosine"}
    rates = [rate(progress, **settings) for progress in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert rates == pytest.approx([0.05, 0.525, 1.0, 0.5, 0.0])


def test_a_short_training_warms_up_for_a_quarter_of_it() -> None:
    assert rate(0.25, epochs=[1], warmup_epochs=5.0) == 1.0
    assert rate(0.2, epochs=[1], warmup_epochs=5.0) < 1.0


def test_neither_normalisation_nor_biases_decay_where_only_kernels_do() -> None:
    network = small_network()
    settings = small_settings(optimizer="adamw", weight_decay=0.5, weight_decay_on="kernels", learning_rate=0.1)
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    optimizer = make_optimizer(network, settings)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    shrunk = {name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])}
    assert shrunk == {"stem.0.weight", "down.0.weight", "head.weight"}
