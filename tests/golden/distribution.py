"""Writes distribution.json: laws of predictors at 40 digits, rounded to double.

Needs mpmath and numpy; run it as `python3 distribution.py > distribution.json`.
samples  19 points of the unit sphere from numpy's default_rng(0), the doubles printed: 12 to train on, 7 to test.
S, T     NNGP and NTK of bias1 with two hidden layers.
binary   labels 1 where the first coordinate is > 0; for lam, the penalty beside the SUM of the losses: f* of the test
         points from f_0 = 0, covariance over initializations by the delta method, with A = T(x,X) (T + lam W^-1)^-1,
         and that of the Laplace approximation, (1/lam) [T(x,x') - A T(X,x')].
softmax  labels i mod 3, the first two test points; rows and columns of the covariances are samples and classes.
"""
import json
import numpy
from mpmath import mp, mpf, acos, diag, exp, eye, lu_solve, matrix, pi, sqrt, zeros

mp.dps = 40
rng = numpy.random.default_rng(0)
unit = lambda z: z / numpy.linalg.norm(z, axis=1, keepdims=True)
train, test = unit(rng.standard_normal((12, 3))), unit(rng.standard_normal((7, 3)))
samples = numpy.vstack([train, test]).tolist()
n = 12


def kernels(x, y):
    dot = lambda a, b: sum(mpf(s) * mpf(t) for s, t in zip(a, b))
    q, other, cov = dot(x, x) + 1, dot(y, y) + 1, dot(x, y) + 1
    root = sqrt(q * other)
    ntk = cov
    for _ in range(2):
        r = mpf(1) if x is y else cov / root
        angle = acos(r)
        k0, k1 = (pi - angle) / pi, (r * (pi - angle) + sqrt(1 - r * r)) / pi
        cov = root * k1
        ntk = cov + k0 * ntk
    return cov, ntk


def both(points, classes):
    """S (x) I_C and T (x) I_C."""
    size = len(points) * classes
    nngp, ntk = zeros(size), zeros(size)
    for i, x in enumerate(points):
        for j, y in enumerate(points):
            s, t = kernels(x, y)
            for c in range(classes):
                nngp[i * classes + c, j * classes + c] = s
                ntk[i * classes + c, j * classes + c] = t
    return nngp, ntk


def probabilities(f, classes):
    if classes == 1:
        return [1 / (1 + exp(-x)) for x in f]
    rows = [[exp(x) for x in f[i:i + classes]] for i in range(0, len(f), classes)]
    return [e / sum(row) for row in rows for e in row]


def hessian(p, classes):
    if classes == 1:
        return diag([x * (1 - x) for x in p])
    h = zeros(len(p))
    for i in range(0, len(p), classes):
        for c in range(classes):
            for k in range(classes):
                h[i + c, i + k] = (p[i + c] if c == k else 0) - p[i + c] * p[i + k]
    return h


def law(points, classes, y, lam):
    nngp, ntk = both(points, classes)
    size, all_ = n * classes, len(points) * classes
    k, s = ntk[:size, :size], nngp[:size, :size]
    cross, s_cross = ntk[size:all_, :size], nngp[size:all_, :size]
    f = matrix([mpf(0)] * size)
    step = 1
    while abs(step) > mpf(10) ** -36:
        p = probabilities(f, classes)
        w = hessian(p, classes)
        residual = f + k * (matrix(p) - matrix(y)) / lam
        d = lu_solve(eye(size) + k * w / lam, residual)
        step = max(abs(x) for x in d)
        f -= d / max(1, step / 2)
    p = probabilities(f, classes)
    w = hessian(p, classes)
    outputs = -cross * (matrix(p) - matrix(y)) / lam
    a = (lu_solve_matrix((k * w + lam * eye(size)).T, (cross * w).T)).T
    delta = nngp[size:all_, size:all_] + a * s * a.T - a * s_cross.T - s_cross * a.T
    laplace = (ntk[size:all_, size:all_] - a * cross.T) / lam
    listed = lambda m: [[float(m[i, j]) for j in range(m.cols)] for i in range(m.rows)]
    return dict(lam=float(lam), outputs=[float(x) for x in outputs], delta=listed(delta), laplace=listed(laplace))


def lu_solve_matrix(a, b):
    out = zeros(b.rows, b.cols)
    for j in range(b.cols):
        out[:, j] = lu_solve(a, b[:, j])
    return out


labels = [1 if x[0] > 0 else 0 for x in samples[:n]]
one_hot = [1 if i % 3 == c else 0 for i in range(n) for c in range(3)]
print(json.dumps(dict(
    samples=samples,
    labels=labels,
    binary=[law(samples, 1, labels, lam) for lam in (mpf(3) / 10, mpf(3))],
    softmax=[law(samples[:n + 2], 3, one_hot, lam) for lam in (mpf(3) / 10, mpf(3))],
)))
