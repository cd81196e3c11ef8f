"""The polynomials of core/src/angle.rs: minimax on m in [0, 1/2], by Remez' exchange, with mpmath.

arcsine   P(m) = (asin s - s)/(m s), s = sqrt(m); the error of m P(m), a share of asin s up to a factor 1.11, is least
moment    Q(m) = (sin t - t cos t)/(pi m s), t = 2 asin s; the relative error is least

python3 tests/golden/half_angle.py prints the errors and the coefficients, lowest degree first.
"""

from struct import pack, unpack

from mpmath import asin, cos, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt

mp.dps = 80
LOW, HIGH = mpf("1e-12"), mpf(1) / 2


def arcsine(m):
    s = sqrt(m)
    return (asin(s) - s) / (m * s)


def moment(m):
    s = sqrt(m)
    return (2 * s * sqrt(1 - m) - 2 * asin(s) * (1 - 2 * m)) / (pi * m * s)


def chebyshev_points(count):
    return [LOW + (HIGH - LOW) * (1 - cos(pi * (2 * k + 1) / (2 * count))) / 2 for k in range(count)]


def minimax(f, weight, degree):
    """Coefficients from the lowest degree on, and the largest weighted error."""
    points, grid = chebyshev_points(degree + 2), chebyshev_points(3000)
    for _ in range(8):
        rows = [[x**k for k in range(degree + 1)] + [(-1) ** i / weight(x)] for i, x in enumerate(points)]
        c = list(lu_solve(matrix(rows), matrix([f(x) for x in points])))[: degree + 1]
        errors = [weight(x) * (f(x) - polyval(c[::-1], x)) for x in grid]
        # the largest error between two changes of its sign
        points, best = [], 0
        for i in range(1, len(grid) + 1):
            if i == len(grid) or (errors[i] > 0) != (errors[best] > 0):
                points.append(grid[best])
                best = i
            elif abs(errors[i]) > abs(errors[best]):
                best = i
        assert len(points) == degree + 2
    return c, max(abs(e) for e in errors)


def single(x):
    return unpack("f", pack("f", float(x)))[0]


def shortest(x, degree):
    """The shortest decimal that is read as the same number, in single precision for the lower degree."""
    if degree > 10:
        return repr(float(x))
    x = mpf(single(x))
    return next(nstr(x, d) for d in range(5, 10) if single(nstr(x, d)) == x)


for name, f, weight in [("arcsine", arcsine, lambda m: m), ("moment", moment, lambda m: 1 / moment(m))]:
    for degree in {"arcsine": (7, 18), "moment": (6, 17)}[name]:
        c, error = minimax(f, weight, degree)
        print(name, "degree", degree, "error", nstr(error, 3))
        print("\n".join(f"    {shortest(x, degree)}," for x in c))
