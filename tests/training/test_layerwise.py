"""Steps made within the backward pass are the steps that AdamW makes after it."""

import copy

import torch

from training.layerwise import Layerwise


def test_it_learns_what_adamw_learns():
    torch.manual_seed(0)
    one = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    other = copy.deepcopy(one)
    usual = torch.optim.AdamW(one.parameters(), lr=1e-2, weight_decay=0.1)
    layered = Layerwise(other.parameters(), lambda w: torch.optim.AdamW(w, lr=0.0, weight_decay=0.1), 1e-2)
    for step in range(12):
        if step == 6:  # a checkpoint is written and read, and the schedule lowers the rate
            fresh = Layerwise(other.parameters(), lambda w: torch.optim.AdamW(w, lr=0.0, weight_decay=0.1), 1.0)
            fresh.load_state_dict(layered.state_dict())
            layered.close()
            layered = fresh
            usual.param_groups[0]["lr"] = layered.param_groups[0]["lr"] = 5e-3
        x = torch.randn(16, 4)
        for model, optimizer in ((one, usual), (other, layered)):
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
    assert all(weight.grad is None for weight in other.parameters()), "no gradient outlives the backward pass"
    for mine, theirs in zip(other.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
