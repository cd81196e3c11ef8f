"""Writes extreme.json: values at 60 digits, rounded to double, where double precision is easily lost.

Needs mpmath (`pip install mpmath`); run it as `python3 extreme.py > extreme.json`.
kernels  ReLU NNGP and NTK of equal, nearly equal, collinear, antipodal and zero samples, straight from
         arccos of the correlation, which 60 digits can afford. The samples are the doubles printed.
logistic, softmax   loss, ln of the mismatch kappa = sum_c q_c (1 - p_c), residuals (p - q)/kappa.
hilbert  eigenvalues of the 8 x 8 Hilbert matrix.
"""
import json
import math
from mpmath import mp, mpf, acos, pi, sqrt, log, exp, matrix, eigsy

mp.dps = 60


def kappas(r):
    angle = acos(max(mpf(-1), min(mpf(1), r)))
    return (pi - angle) / pi, (r * (pi - angle) + sqrt(1 - r * r if abs(r) < 1 else mpf(0))) / pi


def kernels(x, y, depth, first, later):
    """first, later: variances of the biases of the first layer and of all others."""
    dot = lambda a, b: sum(mpf(s) * mpf(t) for s, t in zip(a, b))
    q, other, cov = dot(x, x) + first, dot(y, y) + first, dot(x, y) + first
    ntk = cov
    for _ in range(depth):
        root = sqrt(q * other)
        k0, k1 = kappas(cov / root) if root > 0 else (mpf(1) / 2, mpf(0))
        cov = root * k1 + later
        ntk = cov + k0 * ntk
        q, other = q + later, other + later
    return float(cov), float(ntk)


base = [0.6, -0.3, 0.7]
scaled = lambda c: [c * v for v in base]
samples = [
    base,
    list(base),
    [0.6 + 1e-9, -0.3 - 2e-9, 0.7 + 1e-9],
    [math.nextafter(0.6, 1.0), -0.3, 0.7],
    scaled(2.0),
    scaled(-1.0),
    [-1.8 + 1e-7, 0.9, -2.1],
    [0.0, 0.0, 0.0],
    scaled(1e-3),
    [0.6 + 1e-4, -0.3, 0.7],
    [0.6, -0.3 + 0.06, 0.7],
    [0.1, 0.9, -0.2],
    [300.0, -150.0, 350.0 + 1e-3],
]
kernel_cases = []
for name, first, later in (("lin0", 0, 0), ("bias1", 1, 0), ("ball1", 1, 1)):
    for depth in (1, 2, 4):
        pairs = [[kernels(x, y, depth, mpf(first), mpf(later)) for y in samples] for x in samples]
        kernel_cases.append(dict(
            network=name, depth=depth,
            nngp=[[p[0] for p in row] for row in pairs], ntk=[[p[1] for p in row] for row in pairs]))


def softmax_case(f, q):
    f, exact = [mpf(v) for v in f], [mpf(v) for v in q]
    top = max(f)
    parts = [exp(v - top) for v in f]
    total = sum(parts)
    p = [v / total for v in parts]
    not_p = [sum(w for k, w in enumerate(parts) if k != c) / total for c in range(len(f))]
    loss = -sum(t * (v - top - log(total)) for t, v in zip(exact, f) if t > 0)
    kappa = sum(t * n for t, n in zip(exact, not_p))
    return loss, log(kappa), [(a * (1 - t) - t * n) / kappa for a, n, t in zip(p, not_p, exact)]


logistic = []
for f in (0.0, 1e-9, 0.3, 2.0, 17.0, 40.0, 700.0, 750.0, 1e4):
    for sign in (1, -1):
        for q in (0.0, 1.0, 0.5, 0.95, 0.05, 1e-6):
            with_q0 = [mpf(1) - mpf(q), mpf(q)]
            loss, ln_mismatch, r = softmax_case([0.0, sign * f], with_q0)
            logistic.append(dict(f=[sign * f], q=[q], loss=float(loss), ln_mismatch=float(ln_mismatch), residuals=[float(r[1])]))
softmax = []
for f in ([0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [40.0, 0.0, -40.0], [1e4, 0.0, 1.0], [0.0, 1e4, 9999.5], [-1e4, -1e4, -9990.0], [1e-9, 0.0, 0.0], [5000.0, 5000.0, -5000.0]):
    for q in ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.25, 0.5, 0.25], [0.9375, 0.03125, 0.03125]):
        loss, ln_mismatch, r = softmax_case(f, q)
        softmax.append(dict(f=f, q=q, loss=float(loss), ln_mismatch=float(ln_mismatch), residuals=[float(v) for v in r]))

hilbert = sorted(float(v) for v in eigsy(matrix(8, 8) + matrix([[mpf(1) / (i + j + 1) for j in range(8)] for i in range(8)]), eigvals_only=True))
print(json.dumps(dict(samples=samples, kernels=kernel_cases, logistic=logistic, softmax=softmax, hilbert=hilbert)))
