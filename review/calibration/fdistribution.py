"""Quantiles of the F distribution, in decimal arithmetic: the same digits everywhere. Pure.

The tail is the regularised incomplete beta function, by its continued fraction (Lentz), with 34 digits.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import cache
from typing import Final

_PLACES: Final = Context(prec=34)
_TINY: Final = Decimal("1e-60")
_PI: Final = Decimal("3.141592653589793238462643383279502884")


@cache
def f_quantile(p: float, top: int, bottom: int) -> float:
    """The value that F with (top, bottom) degrees of freedom stays below with probability p, to about nine digits."""
    with localcontext(_PLACES):
        a, b = Decimal(top) / 2, Decimal(bottom) / 2
        log_beta, wanted = _log_gamma(top) + _log_gamma(bottom) - _log_gamma(top + bottom), Decimal(str(p))
        low, high = Decimal(0), Decimal(1)
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if _beta(middle, a, b, log_beta) < wanted else (low, middle)
        x = (low + high) / 2
        return float(b * x / (a * (1 - x)))


def _log_gamma(twice: int) -> Decimal:
    """ln Γ(twice/2), exactly by the recurrence for up to 200, by Stirling's series above."""
    if twice > 200:
        z = Decimal(twice) / 2
        series = 1 / (12 * z) - 1 / (360 * z**3) + 1 / (1260 * z**5) - 1 / (1680 * z**7)
        return (z - Decimal("0.5")) * z.ln() - z + (2 * _PI).ln() / 2 + series
    value, product = Decimal(twice) / 2, Decimal(1)
    while value > 1:
        value -= 1
        product *= value
    return product.ln() + (_PI.ln() / 2 if twice % 2 else 0)


def _beta(x: Decimal, a: Decimal, b: Decimal, log_beta: Decimal) -> Decimal:
    """The regularised incomplete beta function I_x(a, b), 0 < x < 1."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a, log_beta)
    front = (a * x.ln() + b * (1 - x).ln() - log_beta).exp() / a
    c, d = Decimal(1), 1 / _away(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            h *= (step := d * c)
        if abs(step - 1) < Decimal("1e-15"):
            break
    return front * h


def _away(value: Decimal) -> Decimal:
    return value if abs(value) > _TINY else _TINY
