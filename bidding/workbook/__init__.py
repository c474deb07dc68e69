"""离线工作簿: a bid as an Excel file, out and back in.

    layout   what stands where, for both directions           writing   a bid → bytes
    reading  bytes → what was typed, with the cell of each    (applying it: `bidding.services.offline`)
"""
