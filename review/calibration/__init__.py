"""参考分析的算术: calibrated scores, rank intervals, reliability, alarms. Numpy and the standard library, no framework.

**The same bytes on any machine.** Published digits must not depend on whose processor, BLAS or libm counted them. So this package

* uses only what IEEE 754 defines to the last bit (+ − × ÷ √, comparisons) element by element, and integers; no BLAS, no LAPACK, no
  `numpy.log`/`exp` (vectorised versions differ between processors): logarithms are a series of our own (`numbers.ln`);
* adds in a fixed order (`numpy.bincount` and `cumsum` go from left to right) or exactly (`math.fsum`), over ballots sorted by bid, expert;
* draws from SHAKE-256 (FIPS 202) read as 52-bit fractions, never from a library generator, which may change between versions;
* rounds half up to the published places at the end, once.

Nothing here decides anything: the official score is `review.scoring`, unless the rules of the call chose otherwise before opening.
"""
