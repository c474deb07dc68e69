"""The rules of a call as one value, and everything that can be asked of it without a database.

`model` is the value, `toml` and `schema` its forms outside, `lint` its contradictions, `diff` two of it side by side, `form` and
`eligibility` what it says about one applicant's answers and facts, `expressions` the little language of its budget rules,
`presets` five calls to start from. Nothing here imports Django.
"""

from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.problems import Problem, RulesInvalid, Severity

__all__ = ["CallRules", "Problem", "RulesInvalid", "Severity"]
