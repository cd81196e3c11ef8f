"""Writes singular.json: predictions under kernels of every rank at 50 digits, rounded to double.

Needs mpmath; run it as `python3 singular.py > singular.json`.
features  B (rank, 8) of whole numbers, so that K = B^T B is exact; 6 samples to train on, 2 to test. Twins: the second
          sample is the first.
f_0       outputs at the start, of all samples
y, q      targets of squared error, and probabilities of cross-entropy
limit     squared error at t = infinity: f_0 + K(x, X) K^+ (y - f_0(X)), all samples
at_3      the same at t = 3 of the mean loss
ridge     squared error with the penalty 0.01 |theta - theta_0|^2/2 on the mean loss
soft      cross-entropy at t = infinity: the least loss among f_0 + B^T a
penalized cross-entropy with that penalty
"""
import json
import random
from mpmath import mp, mpf, diag, eigsy, exp, eye, lu_solve, matrix, norm, zeros

mp.dps = 50
N, ALL, LAMBDA, TIME = 6, 8, mpf("0.01"), 3
rng = random.Random(7)


def drawn(rank, twins):
    """B of full row rank on the training samples."""
    while True:
        rows = [[rng.randint(-3, 3) for _ in range(ALL)] for _ in range(rank)]
        for row in rows:
            row[1] = row[0] if twins else row[1]
        if rank == 0:
            return rows
        train = matrix([row[:N] for row in rows])
        if min(eigsy(train * train.T, eigvals_only=True)) > mpf("0.1"):
            return rows


def least(b, f_0, q, penalty):
    """a at which the mean loss of f_0 + B^T a, and the penalty, are least, by Newton's method."""
    rank = b.rows
    a, size = zeros(rank, 1), 1
    while size > mpf(10) ** -45:
        f = f_0 + b.T * a
        p = [1 / (1 + exp(-x)) for x in f]
        slope = b * (matrix(p) - matrix(q)) / N + penalty * a
        curvature = b * diag([x * (1 - x) for x in p]) * b.T / N + penalty * eye(rank)
        step = lu_solve(curvature, slope)
        size = norm(step)
        a -= step / max(1, size)
    return a


def case(rank, twins, moved):
    rows = drawn(rank, twins)
    y = [mpf(rng.randint(-8, 8)) / 4 for _ in range(N)]
    q = [mpf(rng.randint(1, 15)) / 16 for _ in range(N)]
    f_0 = matrix([mpf(rng.randint(-8, 8)) / 4 if moved else mpf(0) for _ in range(ALL)])
    told = dict(rank=rank, twins=twins, features=rows, y=[float(v) for v in y], q=[float(v) for v in q], f_0=[float(v) for v in f_0])
    if rank == 0:
        return told | {key: told["f_0"] for key in ("limit", "at_3", "ridge", "soft", "penalized")}
    b = matrix(rows)
    train, start = b[:, :N], f_0[:N]
    left = matrix(y) - start
    gram = train * train.T
    limit = lu_solve(gram, train * left)
    ridge = lu_solve(gram + N * LAMBDA * eye(rank), train * left)
    # gram and K have the same eigenvalues: a(t) = (1 - e^(-t gram/n)) gram^-1 B (y - f_0)
    values, vectors = eigsy(gram)
    moving = vectors * diag([1 - exp(-TIME * w / N) for w in values]) * vectors.T * limit
    ends = dict(limit=limit, at_3=moving, ridge=ridge, soft=least(train, start, q, mpf(0)), penalized=least(train, start, q, LAMBDA))
    return told | {key: [float(v) for v in f_0 + b.T * a] for key, a in ends.items()}


cases = [case(rank, twins, moved) for rank in range(N + 1) for twins in (False, True) for moved in (False, True) if not (twins and rank == N)]
print("[" + ",\n".join(json.dumps(one) for one in cases) + "]")
