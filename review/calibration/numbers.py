"""Logarithm, normal quantile and random numbers that are the same to the last bit everywhere. Pure."""

from __future__ import annotations

import hashlib
import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LN2: Final = 0.6931471805599453
_HALF_ROOT: Final = 0.7071067811865476
DOMAIN: Final = b"GY-CALIBRATION-1\0"
_TERMS: Final = 23


def ln(values: Floats) -> Floats:
    """Natural logarithm of positive numbers, to about 1e-16: x = m·2ᵉ exactly, then 2·artanh((m−1)/(m+1)) by its series."""
    mantissa, exponent = np.frexp(values)
    small = mantissa < _HALF_ROOT
    mantissa = np.where(small, mantissa * 2, mantissa)
    exponent = exponent - small
    s = (mantissa - 1) / (mantissa + 1)
    square = s * s
    series = np.zeros_like(s)
    for odd in range(_TERMS, 0, -2):
        series = series * square + 1.0 / odd
    result: Floats = 2 * s * series + exponent * LN2
    return result


def ln1(value: float) -> float:
    """The same for one positive number, operation by operation."""
    mantissa, exponent = math.frexp(value)
    if mantissa < _HALF_ROOT:
        mantissa, exponent = mantissa * 2, exponent - 1
    s = (mantissa - 1) / (mantissa + 1)
    square, series = s * s, 0.0
    for odd in range(_TERMS, 0, -2):
        series = series * square + 1.0 / odd
    return 2 * s * series + exponent * LN2


def add(values: Floats) -> float:
    """The exactly rounded sum: no order of adding changes it."""
    return math.fsum(values.tolist())


def published(value: float, places: int = 2) -> Decimal:
    """A float as the decimal that is published: its exact value rounded half up, never "-0.00"."""
    shown = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(shown) if shown == 0 else shown


def _ratio(x: Floats, above: tuple[float, ...], below: tuple[float, ...]) -> Floats:
    return _polynomial(x, above) / _polynomial(x, below)


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    value = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


# Rational approximations of Wichura (1988), algorithm AS 241, PPND16: relative error about 1e-16.
_A = (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
      45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727)  # fmt: skip
_B = (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
      21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610)  # fmt: skip
_C = (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
      1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4)  # fmt: skip
_D = (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
      0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9)  # fmt: skip
_E = (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
      0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5, 2.01033439929228813265e-7)  # fmt: skip
_F = (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
      7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15)  # fmt: skip


def quantile(p: Floats) -> Floats:
    """The standard normal quantile of probabilities strictly between 0 and 1."""
    q = p - 0.5
    result: Floats = q * _ratio(0.180625 - q * q, _A, _B)
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if tail.size:
        r = np.sqrt(-ln(np.where(q[tail] < 0, p[tail], 1 - p[tail])))
        far = np.where(r <= 5, _ratio(r - 1.6, _C, _D), _ratio(r - 5, _E, _F))
        result[tail] = np.where(q[tail] < 0, -far, far)
    return result


def quantile1(p: float) -> float:
    """The same for one probability."""
    return float(quantile(np.array([p]))[0])


class Stream:
    """Random numbers from a published seed: block i is SHAKE-256("GY-CALIBRATION-1\\0" ‖ purpose ‖ 0 ‖ seed ‖ i as 8 bytes big-endian).

    Every 8 bytes, big-endian, give one number: (word >> 12) + ½, over 2⁵², strictly between 0 and 1. One call reads one block.
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._start = DOMAIN + purpose.encode() + b"\0" + seed
        self._block = 0

    def uniform(self, count: int) -> Floats:
        """`count` fractions of the next block."""
        block = hashlib.shake_256(self._start + self._block.to_bytes(8, "big")).digest(8 * count)
        self._block += 1
        words: Any = np.frombuffer(block, dtype=">u8").astype(np.uint64)
        fractions: Floats = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return fractions

    def normal(self, count: int) -> Floats:
        """`count` standard normal numbers of the next block."""
        return quantile(self.uniform(count))


class ChiSquare:
    """χ² numbers with few or many degrees of freedom: Marsaglia and Tsang (2000), from a stream of its own."""

    def __init__(self, stream: Stream, chunk: int = 4096) -> None:
        self._stream, self._chunk = stream, chunk
        self._normals: list[float] = []
        self._fractions: list[float] = []

    def draw(self, freedom: int) -> float:
        """One χ² number with `freedom` ≥ 1 degrees of freedom."""
        if freedom == 1:
            x = self._normal()
            return x * x
        d = freedom / 2 - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self._normal()
            v = 1 + c * x
            if v <= 0:
                continue
            v = v * v * v
            if ln1(self._fraction()) < 0.5 * x * x + d - d * v + d * ln1(v):
                return 2 * d * v

    def _normal(self) -> float:
        if not self._normals:
            self._normals = self._stream.normal(self._chunk).tolist()
        return self._normals.pop()

    def _fraction(self) -> float:
        if not self._fractions:
            self._fractions = self._stream.uniform(self._chunk).tolist()
        return self._fractions.pop()
