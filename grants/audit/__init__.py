"""审计资料包 a call's whole record as one BagIt package that anybody checks offline, and the open data of what is published.

`parts` makes the files, `packing` the job and the bag, `offline` the program that goes into it; `opendata` is OCDS and 360Giving, built from
what the square shows and nothing else.
"""
