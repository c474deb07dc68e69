"""The composition root: the only place that knows every stage. Nothing imports from here but the process that starts."""
