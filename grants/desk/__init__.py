"""Read-only pages across stages, and the step view."""
