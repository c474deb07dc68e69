"""The public square: what anybody may see across all stages, without an account, without a name of a person.

    whitelist  which fields of which kind of record leave the house; everything shown here goes through it
    gaps       need beside supply, by field of service and street            (pure)
    flow       money from sources over calls and fields to organisations     (pure)
    drawing    where the boxes, ribbons and words of a picture go            (pure)
    reading    the rows behind all this, in a fixed number of queries
    passport   an organisation's record as a signed file
"""
