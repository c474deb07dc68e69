"""Electronic signatures of papers: PAdES by pyHanko, its certificates, its verdicts. The only importer of pyHanko.

    fields      where signatures stand on a paper, created before the first of them
    authority   the development CA: certificates of our own that prove nothing to anybody outside
    keys        whose certificate and key this installation holds (data folder, mode 0600), and whether they may be used
    external    the interface for licensed CAs and seal platforms: digest in, CMS out
    pades       one more signature on a PDF, B-B to B-LTA
    mark        the visible mark: a picture of words, never of a seal
    trust       which roots and revocation lists count
    verdict     what the signatures in a file are worth

What a signature of the development CA is not: 可靠的电子签名 (电子签名法 13) certified by a third party (16). It shows that the file is
whole and that whoever was signed in here as this body asked for it; no more. Every page and paper says so.
"""
