"""The design system: base layout, form and record partials, filters, error pages, and the browser's content policy.

Every stage's templates use it; it imports no stage. `/style/` shows every part with live examples.
"""
