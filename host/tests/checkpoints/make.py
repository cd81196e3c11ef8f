"""Makes the files of this folder: state dicts as PyTorch saves them, the exact kernels of their networks on the samples of
x.npy, rows i C + c, from Jacobians by autograd in f64, and files that are to be refused. Made with PyTorch 1.13.1:

    python3 make.py
"""

import os

import numpy
import torch
from torch import nn

torch.manual_seed(5)


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def kernel(module, x):
    outputs, parameters = module(x), list(module.parameters())
    rows = [torch.autograd.grad(f, parameters, retain_graph=True) for f in outputs.reshape(-1)]
    jacobian = torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows])
    return (jacobian @ jacobian.T).detach().numpy()


layers = [nn.Linear(3, 4), nn.ReLU()]
for _ in range(10):
    layers += [nn.Linear(4, 4), nn.ReLU()]
networks = {
    "seq": nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 4, bias=False), nn.Tanh(), nn.Linear(4, 2)),
    "mixed": nn.Sequential(
        nn.Linear(3, 6), nn.LeakyReLU(0.2), nn.Linear(6, 6), nn.SiLU(), nn.Linear(6, 6), nn.Softplus(), nn.Linear(6, 1)
    ),
    # names that sort wrongly as text
    "deep": nn.Sequential(*layers, nn.Linear(4, 1)),
    "linear": nn.Sequential(nn.Linear(3, 2)),
    "sig": nn.Sequential(
        nn.Linear(3, 7), nn.Sigmoid(), nn.Linear(7, 7), Call(torch.sin), nn.Linear(7, 3), Call(torch.erf), nn.Linear(3, 10)
    ),
}
x = torch.randn(6, 3, dtype=torch.float64)
numpy.save("x.npy", x.numpy())
for name, module in networks.items():
    module.double()
    torch.save(module.state_dict(), f"{name}.pt")
    numpy.save(f"{name}_K.npy", kernel(module, x))

seq = networks["seq"]
torch.save(seq, "whole.pt")
torch.save({"state_dict": seq.state_dict(), "epoch": 3}, "lightning.pt")
torch.save(nn.Conv2d(1, 2, 3).state_dict(), "conv.pt")
torch.save(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1)).state_dict(), "norm.pt")
torch.save(nn.LSTM(3, 4).state_dict(), "lstm.pt")
torch.save(seq.state_dict(), "old.pt", _use_new_zipfile_serialization=False)
tied = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
tied[2].weight = tied[0].weight
torch.save(tied.state_dict(), "tied.pt")
torch.save(torch.ones(3, 3), "tensor.pt")


class Command:
    def __reduce__(self):
        return os.system, ("touch ran",)


torch.save({"a.weight": Command()}, "evil.pt")
