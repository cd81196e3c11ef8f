"""Modules of PyTorch: against its own derivatives, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntkscope as ns
from reference import apart

torch: Any = pytest.importorskip("torch")
nn: Any = torch.nn

ACTIVATIONS = [nn.ReLU, lambda: nn.LeakyReLU(0.3), nn.GELU, nn.Tanh, nn.Sigmoid, nn.SiLU, nn.Softplus, nn.Identity]


def module(seed: int, dtype: Any) -> tuple[Any, Any]:
    """A Sequential of depth 1 to 5, nested at times, and samples."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    depth, inputs, outputs = int(rng.integers(1, 6)), int(rng.integers(1, 7)), int(rng.integers(1, 6))
    sizes = [inputs, *map(int, rng.choice(np.arange(2, 20), size=depth, replace=False)), outputs]
    layers: list[Any] = []
    for index, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:])):
        dense: list[Any] = [nn.Linear(fan_in, fan_out, bias=bool(rng.integers(0, 2)))]
        if index < depth:
            dense.append(ACTIVATIONS[(seed + index) % len(ACTIVATIONS)]())
        layers += dense if rng.integers(0, 2) else [nn.Sequential(*dense)]
    return nn.Sequential(*layers).to(dtype), torch.randn(int(rng.integers(1, 6)), inputs, dtype=dtype)


def jacobian_kernel(net: Any, x: Any) -> Any:
    """J J^T of all parameters that are trained, by PyTorch's automatic differentiation."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    rows = []
    for output in net(x).reshape(-1):
        gradients = torch.autograd.grad(output, parameters, retain_graph=True)
        rows.append(torch.cat([gradient.reshape(-1) for gradient in gradients]))
    jacobian = torch.stack(rows)
    return (jacobian @ jacobian.T).numpy()


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("double", [True, False], ids=["f64", "f32"])
def test_against_automatic_differentiation(seed: int, double: bool) -> None:
    net, x = module(seed, torch.float64 if double else torch.float32)
    ours = ns.from_torch(net, check=x)
    expected = jacobian_kernel(net, x)
    assert apart(ns.ntk(ours, x.numpy()), expected) < (1e-12 if double else 1e-5)
    if not double:
        # in the precision of what is compared: that of the derivatives in double
        exact = jacobian_kernel(net.double(), x.double())
        assert apart(ns.ntk(ours, x.numpy(), dtype="float64"), exact) < 1e-12


def test_frozen_parameters_have_no_share() -> None:
    net, x = module(3, torch.float64)
    for index, parameter in enumerate(net.parameters()):
        parameter.requires_grad_(index % 2 == 0)
    assert apart(ns.ntk(ns.from_torch(net), x.numpy()), jacobian_kernel(net, x)) < 1e-12


def test_a_layer_alone_and_a_state_dict() -> None:
    net, x = nn.Linear(3, 2).double(), torch.randn(4, 3, dtype=torch.float64)
    assert apart(ns.ntk(ns.from_torch(net), x.numpy()), jacobian_kernel(net, x)) < 1e-12
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    assert apart(ns.ntk(ns.from_state_dict(net.state_dict(), "tanh"), x.numpy()), jacobian_kernel(net, x)) < 1e-12


def test_what_changes_nothing_is_passed() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Dropout(0.5), nn.ReLU(), nn.Identity(), nn.Linear(4, 1)).eval()
    x = torch.randn(5, 2, 3)
    ours = ns.from_torch(net, check=x)
    assert apart(ours(x.reshape(5, 6).numpy()), net(x).detach().numpy()) < 1e-5
    assert [layer.name for layer in ours.layers] == ["1.weight", "5.weight"]


class Custom(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 2)


TIED = nn.Linear(3, 3)
HALF = nn.Linear(3, 2).bfloat16()

REFUSED: dict[str, tuple[Any, str]] = {
    "convolution": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3)), "layer 0 (Conv2d): only Linear"),
    "normalization": (lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), "layer 1 (BatchNorm1d)"),
    "dropout in training": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)), "layer 1 (Dropout): random in training mode"),
    "softmax": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Softmax(-1)), "layer 1 (Softmax)"),
    "a softplus of another beta": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Softplus(2)), "beta=2"),
    "an activation at the end": (lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU()), "ends with an activation (relu)"),
    "two activations": (lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Tanh(), nn.Linear(3, 1)), "a second activation"),
    "an activation in front": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(3, 1)), "in front of the first Linear"),
    "a module of one's own": (lambda: Custom(), "Custom: its forward is not seen from here; use from_state_dict"),
    "one inside": (lambda: nn.Sequential(nn.Linear(3, 3), Custom()), "layer 1 (Custom): its forward"),
    "tied weights": (lambda: nn.Sequential(TIED, nn.ReLU(), TIED), "0.weight and 2.weight are one tensor"),
    "nothing": (lambda: nn.Sequential(nn.Identity()), "no Linear in it"),
    "flatten after": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Flatten(), nn.Linear(3, 1)), "layer 1 (Flatten)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ns.UnsupportedLayer) as caught:
        ns.from_torch(make())
    assert message in str(caught.value)


def test_half_precision_is_refused() -> None:
    with pytest.raises(TypeError, match="weight: bfloat16; give float32 or float64, as model.float"):
        ns.from_torch(HALF)
    with pytest.raises(TypeError, match="float16"):
        ns.from_torch(nn.Linear(3, 2).half())


def test_a_module_that_computes_something_else() -> None:
    net = nn.Sequential(nn.Linear(3, 2))
    net.register_forward_hook(lambda module, inputs, output: 2 * output)
    with pytest.raises(ValueError, match="the module computes something else: outputs differ by"):
        ns.from_torch(net, check=np.ones((4, 3), np.float32))


def test_a_file_of_torch(tmp_path: Path) -> None:
    net, x = module(11, torch.float64)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    names = [layer.activation or "relu" for layer in ns.from_torch(net).layers[:-1]]
    ours = ns.load(tmp_path / "net.pt", names)
    assert apart(ns.ntk(ours, x.numpy()), jacobian_kernel(net, x)) < 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_precision_of_a_file_of_torch(dtype: torch.dtype, tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2).to(dtype).state_dict(), tmp_path / "net.pt")
    if dtype in (torch.float32, torch.float64):
        assert str(ns.load(tmp_path / "net.pt").dtype) == str(dtype).removeprefix("torch.")
        return
    with pytest.raises(ValueError, match=f"net.pt: {str(dtype).removeprefix('torch.')}; give dtype="):
        ns.load(tmp_path / "net.pt")


def train(recorder: Any) -> Any:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 32), nn.Dropout(0.0), nn.ReLU(), nn.Linear(32, 2))
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    for step in range(60):
        if recorder is not None:
            recorder(net, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    if recorder is not None:
        recorder(net, 60)
    return net


def test_recording_changes_nothing() -> None:
    probe = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    recorder = ns.Recorder(probe, np.arange(6) % 2, loss="cross-entropy", rate=0.3)
    with_it, without = train(recorder), train(None)
    state, other = with_it.state_dict(), without.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)
    assert with_it.training
    assert recorder.columns["drift_max"][0] == 0 and recorder.columns["drift_max"][-1] > 0
    kernel = ns.ntk(ns.from_torch(with_it), probe, outputs="trace")
    assert np.array_equal(recorder.kernels[-1], kernel) or recorder.kernel_steps[-1] != 60
