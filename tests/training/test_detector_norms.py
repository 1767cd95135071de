"""Batch normalisation that is computed in another order of memory: it says and learns the same."""

import copy

import pytest
import torch
from torch import nn

from training.detector.norms import FEW_CHANNELS, quicken


class Block(nn.Module):
    """A convolution with its normalisation, to which something is added in place, as ResNets do."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        made = self.norm(self.convolution(photos))
        made += photos[:, :1]
        return made.relu()


def learned(block: Block, photos: torch.Tensor, *, bf16: bool, turned: bool) -> dict[str, torch.Tensor]:
    """Return what a block says, its gradients and its statistics; turned: the gradient comes in planes."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        said = block(photos)
    assert said.is_contiguous(memory_format=torch.channels_last)
    (said.contiguous() if turned else said).float().square().mean().backward()
    gradients = {name: weight.grad for name, weight in block.named_parameters()}
    return {"said": said.detach(), **gradients, **dict(block.named_buffers())}  # type: ignore[dict-item]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("channels", [12, FEW_CHANNELS, FEW_CHANNELS + 16])
def test_it_says_and_learns_the_same(channels: int, bf16: bool, turned: bool):
    torch.manual_seed(0)
    plain = Block(channels).to(memory_format=torch.channels_last)
    photos = torch.rand(2, 3, 16, 16).to(memory_format=torch.channels_last)
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert quick.state_dict().keys() == plain.state_dict().keys()
    expected = learned(plain, photos, bf16=bf16, turned=turned)
    for name, found in learned(quick, photos, bf16=bf16, turned=turned).items():
        torch.testing.assert_close(found, expected[name], rtol=2e-2 if bf16 else 1e-4, atol=2e-3 if bf16 else 1e-5)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        torch.testing.assert_close(quick.eval()(photos), plain.eval()(photos), rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("channels", [12, FEW_CHANNELS + 16])
def test_numbers_and_gradients_have_one_order(channels: int):
    block = Block(channels).to(memory_format=torch.channels_last)
    quicken(block)
    inside = torch.contiguous_format if channels <= FEW_CHANNELS else torch.channels_last
    seen: list[bool] = []
    block.norm.register_forward_pre_hook(lambda _, given: seen.append(given[0].is_contiguous(memory_format=inside)))

    def listen(_norm, _given, made):
        made.grad_fn.register_prehook(lambda given: seen.append(given[0].is_contiguous(memory_format=inside)))

    block.norm.register_forward_hook(listen, prepend=True)
    photos = torch.rand(2, 3, 16, 16).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        said = block(photos)
    other = torch.channels_last if inside is torch.contiguous_format else torch.contiguous_format
    said.contiguous(memory_format=other).float().sum().backward()
    assert seen == [True, True]
