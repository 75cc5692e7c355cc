import pytest
import torch
from small_training import SHAPE, small_network
from torch import nn

from workers.training.fake_quantization import fake_quantized


def test_kernels_and_inputs_take_few_values_only() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    images = torch.rand(1, 1, 64, 64)
    with fake_quantized(convolution):
        quantized = convolution(images)
    assert len(quantized[0, 0].unique()) <= 256
    assert len(convolution(images)[0, 0].unique()) > 1000
    torch.testing.assert_close(quantized, convolution(images), atol=0.01, rtol=0)


def test_each_output_channel_has_its_own_scale() -> None:
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    convolution.weight.data = torch.tensor([100.0, 0.01]).reshape(2, 1, 1, 1)
    with fake_quantized(convolution), torch.no_grad():
        outputs = convolution(torch.ones(1, 1, 1, 1)).flatten()
    torch.testing.assert_close(outputs, torch.tensor([100.0, 0.01]))


def test_gradients_pass_as_if_nothing_were_rounded() -> None:
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    with fake_quantized(convolution):
        convolution(torch.ones(1, 1, 1, 1)).backward()
    assert float(convolution.weight.grad) == pytest.approx(1.0)


def test_nothing_of_it_stays() -> None:
    network = small_network().eval()
    images = torch.rand(SHAPE)
    before, names = network(images), list(network.state_dict())
    with fake_quantized(network):
        assert not torch.equal(network(images), before)
        assert list(network.state_dict()) == names
    assert torch.equal(network(images), before)


def test_inputs_of_nothing_but_zeros_stay_zeros() -> None:
    convolution = nn.Conv2d(1, 1, 1)
    with fake_quantized(convolution):
        assert torch.equal(convolution(torch.zeros(1, 1, 2, 2)).flatten(), convolution.bias.detach().expand(4))


def test_a_compiled_network_is_quantized_and_back() -> None:
    """What is compiled must not remember how its convolutions were when it was."""
    network = small_network().eval()
    compiled = torch.compile(network, backend="eager")
    images = torch.rand(SHAPE)
    plain = compiled(images)
    with fake_quantized(network):
        inside, expected = compiled(images), network(images)
    torch.testing.assert_close(inside, expected)
    assert not torch.equal(inside, plain)
    torch.testing.assert_close(compiled(images), plain)
