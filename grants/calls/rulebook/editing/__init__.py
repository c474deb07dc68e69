"""The second view of a call's rules: pages of boxes and lists, drawn from the types and read back into the same value.

`shapes` says what each key is, `parts` how a clerk finds it, `drawing` turns data into what a page shows, `reading` what was typed into
data, `moves` adds, removes and reorders. Data is what `CallRules.plain()` gives; what cannot be understood stays as it was typed.
"""
