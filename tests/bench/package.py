"""`make bench-package`: a package of 2 GB made and taken: the memory that costs, and how long a bare Python checks it.

Synthetic: the parts are one generator of random bytes cut into files of 20 MB, kept by their hash as attachments are. What is measured is the path
that a package takes (keep, seal, stream, unpack, verify), not the world around it. Runs on a throw-away data folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
PIECE = 1 << 20


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """Megabytes of resident memory at most, so far."""
    return resource.getrusage(who).ru_maxrss / 1024


def noise(size: int) -> Iterator[bytes]:
    """Bytes that no compression makes smaller."""
    for _piece in range(0, size, PIECE):
        yield os.urandom(min(PIECE, size))


def timed(label: str, begun: tuple[float, float]) -> None:
    print(f"  {label:<44} {time.perf_counter() - begun[0]:8.1f} s wall  {time.process_time() - begun[1]:7.1f} s CPU   peak {peak():6.0f} MB")


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Keep the files, make the tag files, stream the ZIP into a file, unpack it, check the bag in a process of its own."""
    asked = argparse.ArgumentParser(prog="bench-package")
    asked.add_argument("--megabytes", type=int, default=2048)
    options = asked.parse_args()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(f"{options.megabytes} MB in files of 20 MB; before: peak {peak():.0f} MB")
    home = Path(os.environ["GONGCHUANG_HOME"])
    files = kept(options.megabytes)
    begun = now()
    out = streamed(files, home / "package.zip")
    timed("sealed and streamed as ZIP", begun)
    checked(out, home / "unpacked")


def kept(megabytes: int) -> list[Any]:
    from grants.documents.files import keep
    from grants.documents.package import Packed

    begun, size = now(), 20 * PIECE
    count = megabytes * PIECE // size
    made = [Packed(f"data/bids/{n:04d}/attachment.bin", keep(noise(size), media_type="application/octet-stream")) for n in range(count)]
    timed(f"{count} files made and kept", begun)
    return made


def streamed(files: list[Any], out: Path) -> Path:
    from grants import clock
    from grants.audit import bag
    from grants.documents.files import keep
    from grants.documents.package import Packed, stream_files

    payload = [bag.Item(p.path, p.file.sha256, p.file.size) for p in files]
    own = {"verify.py": program()}
    tags = {**own, **bag.tag_files(payload, own, {"Source-Organization": "bench"}, clock.today())}
    beside = [Packed(name, keep([content], media_type="text/plain")) for name, content in tags.items()]
    with out.open("wb") as target:
        for piece in stream_files([*beside, *files], at=clock.now()):
            target.write(piece)
    return out


def program() -> bytes:
    from grants.audit.offline import program as composed

    return composed.text().encode()


def checked(package: Path, folder: Path) -> None:
    """`verify.py` up to the end of the bag; there is no log in a synthetic package, so the whole would stop there."""
    with zipfile.ZipFile(package) as opened:
        opened.extractall(folder)
    script = (
        "import sys; sys.path.insert(0, '.'); sys.dont_write_bytecode = True; import verify, pathlib;"
        "n = len(verify.check_bag(pathlib.Path('.'), ''));"
        "print('  bag checked by a bare Python:', n, 'files,', *[x.strip() for x in open('/proc/self/status') if x.startswith('VmHWM')])"
    )
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-E", "-c", script], cwd=folder, check=True)
    print(f"  … in {time.perf_counter() - begun:.1f} s wall")


if __name__ == "__main__":
    main()
