"""需求: what residents, committees and organisations say is missing, before anybody writes a call (domain §10, pitfalls 2 and 3).

    fields     the fields of service, one list for needs, calls and organisations
    places     streets, as they are named in addresses and names of offices
    machine    提出 → 已核实 → 已公开 → 已回应 / 已合并 / 不采纳
    models     the need and who else needs it
    services   propose, back, list in a call, erase contact data
"""
