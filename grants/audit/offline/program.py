"""verify.py as it goes into a package: the ledger's offline verifier and the package's checks in one file.

Two sources, one text: what the ledger's export checks with is what the package checks with. The parts are cut at marked lines; a test
compiles the result for Python 3.8 and runs it with nothing of ours importable.
"""

from __future__ import annotations

from pathlib import Path

from grants.audit.offline import check
from grants.ledger.offline import verify

HEAD = '''#!/usr/bin/env python3
"""公创审计资料包离线核对 · Checks an unpacked audit package with nothing but Python 3.8+. 说明 / usage:

    python3 -S -E verify.py [文件夹] [--package 编号] [--key 公钥文件或公钥行]… [--pin 大小:根]… [--receipt 回执文件]…

No network, no database, no other package; memory grows with the tables, not with the files. Exit code 0: everything that was checked holds; 1: something does
not (the first file is named); 2: it could not be checked. The first part of this file is the ledger's own verifier, the second the package's.
The formats are described in docs/audit-package.md and docs/ledger-format.md of the project.
"""
'''
BEGIN, CUT = "from __future__ import annotations\n", "# --- words ---"
OWN = "# --- the package ---"


def text() -> str:
    """The whole program."""
    log, own = (Path(str(module.__file__)).read_text(encoding="utf-8") for module in (verify, check))
    return HEAD + "\n" + log[log.index(BEGIN) : log.index(CUT)] + own[own.index(OWN) :]
