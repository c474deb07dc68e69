"""密封投标: who can read a sealed bid, and when. Pure: no Django, no database, nothing on disk but what `folder` is told to write.

Suite `age-v1`: every sealed thing is an age v1 file (X25519, ChaCha20-Poly1305 in 64 KiB pieces; c2sp.org/age), so that the stock `age` command opens
it without this program. One key pair for each call; its secret exists only as *shares*, one for every group of M officers, each made by sealing to
one officer after the other: `age(age(secret → A) → B)`. M−1 officers, the database, its backups and the server's administrators read nothing.

    keys        officers' identities, protected by generated passphrases
    ceremony    making the call's key, its shares, and the rehearsal that proves every group can open
    envelope    what a bid seals, its public header and commitment, and opening
    kept        the bidder's copy as one ZIP
    answers     what a bidder writes away from the site
    sheet       sealing a bid away from the site: what is asked, what comes back
    folder      the same as files, for an offline machine

What this does not promise: M officers who conspire with somebody who can copy sealed files can open early; the machine that makes the call's key
has seen it once.
"""

SUITE = "age-v1"
