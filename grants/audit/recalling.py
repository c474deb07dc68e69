"""The bids and ballots of an earlier round out of an audit package: `manage.py call rehearse FILE.toml --from PACKAGE`, without its database.

Every file of the package is held against its manifests first. Who made the manifests is not asked: a rehearsal decides nothing, and
`verify.py` with the package's number is for those who must know.
"""

from __future__ import annotations

import json
from pathlib import Path

from django.utils.translation import gettext as _

from grants.archives import UNREADABLE
from grants.audit import bag, checking, reading
from grants.calls.rulebook import trial_file
from grants.calls.rulebook.rehearsal import Earlier, NothingEarlier
from grants.desk.rehearsing import readers

TRIAL = "data/review/trial.json"


def recall(name: str) -> Earlier | None:
    """The round of the package under that path; None for what is no path but the code of a call. Raises NothingEarlier."""
    path = Path(name)
    if not _is_a_path(path):
        return None
    found = _trial(name, path)
    return Earlier(found.call, found.bids, found.agreement, readers(found.bids), _("申报和评分取自资料包 %(file)s。") % {"file": path.name})


def _is_a_path(path: Path) -> bool:
    """A file, a folder with a package in it, or what is written like one. A folder may happen to be called like a call."""
    if path.suffix.lower() == ".zip" or len(path.parts) > 1 or path.is_file():
        return True
    return path.is_dir() and any(path.glob(f"**/{bag.TAGS}"))


def _trial(name: str, path: Path) -> trial_file.TrialFile:
    if not path.exists():
        raise NothingEarlier(_("没有找到文件 %(file)s，请核对路径。") % {"file": name})
    try:
        with reading.held(path) as package:
            return _checked(package)
    except UNREADABLE as bad:
        sentence = _("%(file)s 不是审计资料包：须为 manage.py audit package 写成的 ZIP，或解压后的文件夹。")
        raise NothingEarlier(sentence % {"file": name}) from bad


def _checked(package: reading.Held) -> trial_file.TrialFile:
    """Raises NothingEarlier where a file was changed or what a rehearsal needs is not there; UNREADABLE for what is no package."""
    if wrong := checking.first_wrong(package, reading.everything_listed(package)):
        raise NothingEarlier(_("资料包有改动，不能使用。%(what)s") % {"what": wrong})
    if TRIAL not in package.names:
        raise NothingEarlier(_(
            "资料包里没有预演用的申报和评分（%(file)s）：出具时评审报告还没有签署，或是不含逐人评分的资料包，或由以前的版本出具。"
            "请在评审报告签署以后用审计账号重新出具：manage.py audit package 征集编号 --by 审计账号。"
        ) % {"file": TRIAL})  # fmt: skip
    try:
        return trial_file.read(json.loads(package.read(TRIAL)))
    except ValueError as bad:
        raise NothingEarlier(_("读不了资料包里的 %(file)s：%(why)s") % {"file": TRIAL, "why": str(bad)[: checking.LONGEST]}) from bad
