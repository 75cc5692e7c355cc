import pytest
import torch
from small_training import small_network
from torch import nn

from workers.training.averaging import AveragedWeights


def of(value: float) -> nn.Module:
    network = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def test_an_average_follows_slowly() -> None:
    average = AveragedWeights(of(0.0), decay=0.75)
    average.update(of(1.0), step=1000)
    assert float(average.network.weight) == pytest.approx(0.25)
    average.update(of(1.0), step=1001)
    assert float(average.network.weight) == pytest.approx(0.4375)


def test_the_beginning_is_soon_forgotten() -> None:
    average = AveragedWeights(of(0.0), decay=0.999)
    average.update(of(1.0), step=0)
    assert float(average.network.weight) == pytest.approx(0.9)


def test_the_network_itself_is_left_alone() -> None:
    network = small_network()
    average = AveragedWeights(network, decay=0.9)
    for parameter in network.parameters():
        parameter.data.add_(1.0)
    average.update(network, step=3)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert not torch.equal(average.network.head.weight, network.head.weight)
