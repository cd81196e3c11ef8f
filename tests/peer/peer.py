"""neural-tangents (JAX) on the cases of `ntkscope bench`. compare.py, which says what it needs, starts it as

    peer.py serve CASE                  one measurement for every line on stdin, as a line of json
    peer.py whole DATA.npz OUT.npz      the empirical NTK of a network of 3 x 512, f32, from file to file
    peer.py check DATA.npz P.npz EMPIRICAL.npz ANALYTIC.npz
                                        differences from ntkscope's kernels, as json

The network is ntkscope's: NTK parametrization, ReLU, every weight and the first layer's bias N(0,1),
z_1 = W_0 x + b_0, z_{l+1} = sqrt(2/m) W_l relu(z_l). stax.Dense divides W_std by sqrt(fan-in), so that the first
layer's W_std is sqrt(d) and every other's sqrt(2).

Kernels are compiled as a whole (jit) and take NtkImplementation.STRUCTURED_DERIVATIVES with vmap_axes=0, the fastest
that it has for these networks. Samples and parameters are arguments, never constants.
"""

import json
import os
import sys
import time

RATE = 1e-3
LEAST = 0.1  # seconds that a measurement lasts at least, as in ntkscope's


def status(key):
    """A size in bytes from Linux's account of this process; None elsewhere."""
    try:
        with open("/proc/self/status") as lines:
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))
    except OSError:
        return None


def start(dtype, one_thread=False):
    """Loads JAX; its flags must be set before."""
    os.environ.update(JAX_PLATFORMS="cpu", TF_CPP_MIN_LOG_LEVEL="3", JAX_ENABLE_X64="1" if dtype == "f64" else "0")
    if one_thread:
        # XLA's own flags leave it its pool of threads; it makes as many as it may use cores
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    global jax, jnp, np, nt, stax
    errors = os.dup(2)  # libraries that it loads talk; an exception is printed after them
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        import jax
        import jax.numpy as jnp
        import neural_tangents as nt
        import numpy as np
        from neural_tangents import stax
    finally:
        os.dup2(errors, 2)


def network(inputs, width, depth, outputs):
    layers = []
    for l in range(depth):
        scale = {"W_std": inputs**0.5, "b_std": 1.0} if l == 0 else {"W_std": 2**0.5}
        layers += [stax.Dense(width, **scale), stax.Relu()]
    return stax.serial(*layers, stax.Dense(outputs, W_std=2**0.5))


def empirical(apply, outputs):
    """K(x, params): (n, n) for one output, else (n, n, C, C); with other samples after them, between x and those."""
    kernel = nt.empirical_ntk_fn(
        apply,
        trace_axes=(-1,) if outputs == 1 else (),
        vmap_axes=0,
        implementation=nt.NtkImplementation.STRUCTURED_DERIVATIVES,
    )
    return jax.jit(lambda x, params, others=None: kernel(x, others, params))


def call_of(case):
    """A function without arguments that does the case's work once and waits for it."""
    shape = [case[key] for key in ("inputs", "width", "depth", "outputs")]
    init, apply, kernel = network(*shape)
    n, dtype = case["n"], {"f32": np.float32, "f64": np.float64}[case["dtype"]]
    x = np.random.default_rng(1).standard_normal((n, case["inputs"]))
    x = jnp.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype)
    if case["what"] == "analytic_ntk":
        analytic = jax.jit(lambda x: kernel(x, None, "ntk"))
        return lambda: analytic(x).block_until_ready()
    _, params = init(jax.random.PRNGKey(0), x.shape)
    if case["what"] == "empirical_ntk":
        ntk = empirical(apply, case["outputs"])
        return lambda: ntk(x, params).block_until_ready()
    y = jnp.asarray(np.arange(n)[:, None] % 2 * 2 - 1, dtype)
    loss = lambda params, x, y: 0.5 * jnp.mean(jnp.sum((apply(params, x) - y) ** 2, axis=1))
    descend = lambda theta, gradient: theta - RATE * gradient
    step = jax.jit(
        lambda params, x, y: jax.tree_util.tree_map(descend, params, jax.grad(loss)(params, x, y)), donate_argnums=0
    )
    state = [params]

    def advance():
        state[0] = jax.block_until_ready(step(state[0], x, y))

    return advance


def serve(case):
    start(case["dtype"], case["threads"] == 1)
    before = status("VmRSS:")
    call = call_of(case)
    call()
    print("ready", flush=True)
    for _ in sys.stdin:
        call()
        begin, calls = time.perf_counter(), 0
        while calls == 0 or time.perf_counter() - begin < LEAST:
            call()
            calls += 1
        seconds = (time.perf_counter() - begin) / calls
        peak = None if before is None else status("VmHWM:") - before
        print(json.dumps({"seconds": seconds, "peak_bytes": peak}), flush=True)


def whole(data, out):
    start("f32")
    x = jnp.asarray(np.load(data)["x"], np.float32)
    init, apply, _ = network(x.shape[1], 512, 3, 1)
    _, params = init(jax.random.PRNGKey(0), x.shape)
    np.savez(out, kernel=np.asarray(empirical(apply, 1)(x, params)))


def saved_network(parameters):
    """Parameters that ntkscope has stored, as the peer has them; depth and width."""
    saved = np.load(parameters)
    weights = [saved[f"W{l}"] for l in range(sum(name.startswith("W") for name in saved.files))]
    params = []
    for l, w in enumerate(weights):
        params += [(jnp.asarray(w.T), jnp.asarray(saved["b0"])[None, :] if l == 0 else None), ()]
    # nothing stands behind the last layer
    return params[:-1], len(weights) - 1, len(weights[0])


def check(data, parameters, of_network, of_limit):
    start("f64")
    x, (params, depth, width) = jnp.asarray(np.load(data)["x"]), saved_network(parameters)
    _, apply, kernel = network(x.shape[1], width, depth, 1)
    theirs = {"empirical": empirical(apply, 1)(x, params), "analytic": kernel(x, None, "ntk")}
    ours = {"empirical": np.load(of_network)["kernel"], "analytic": np.load(of_limit)["ntk"]}
    # the analytic kernel of a sample with itself is known: both diagonals against it
    exact = (depth + 1) * (np.sum(np.asarray(x) ** 2, axis=1) + 1)
    error = lambda kernel: float(np.max(np.abs(np.diag(kernel) / exact - 1)))
    found = {"diagonal, ntkscope": error(ours["analytic"]), "diagonal, peer": error(theirs["analytic"])}
    np.fill_diagonal(ours["analytic"], 0)
    theirs["analytic"] = np.where(np.eye(len(x)), 0, theirs["analytic"])
    for name, kernel in theirs.items():
        found[name] = float(np.max(np.abs(kernel - ours[name])) / np.max(np.abs(ours[name])))
    print(json.dumps(found))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "serve":
        serve(json.loads(rest[0]))
    else:
        {"whole": whole, "check": check}[command](*rest)
