"""The project agreement (项目资助协议书) as paper."""

from __future__ import annotations

from grants.documents.contract_data import ContractData
from grants.documents.pdf import render_pdf
from grants.documents.signing.fields import EXECUTOR, GRANTEE, GRANTOR, Field
from grants.documents.writing import zh_number

TEMPLATE = "documents/contract.html"
DATA_FILE = "contract.json"


class Numbering:
    """Numbers of clauses and of their paragraphs, running through all parts of one document."""

    def __init__(self) -> None:
        self.clauses = 0
        self.points = 0

    def next_clause(self) -> str:
        """第十二条"""
        self.clauses += 1
        self.points = 0
        return f"第{zh_number(self.clauses)}条"

    def next_point(self) -> str:
        """12.3"""
        self.points += 1
        return f"{self.clauses}.{self.points}"


def contract_context(data: ContractData) -> dict[str, object]:
    """What the contract's template needs; a new one for each rendering, since it counts the clauses."""
    return {"c": data, "numbering": Numbering(), "digest": data.digest}


def signature_fields(data: ContractData) -> tuple[Field, ...]:
    """Who signs: 甲方 and 乙方， and 丙方 where there is one."""
    return (GRANTOR, GRANTEE, *((EXECUTOR,) if data.is_three_party else ()))


def render_contract(data: ContractData, *, identifier: str) -> bytes:
    """The agreement with signature page and annexes as PDF/A; its data is embedded as contract.json, every party has an empty
    signature field. About a second of CPU.

    identifier: permanent and unique, e.g. "contract:<uuid>:<version>". Dated `data.drawn_on`. The same data gives the same bytes.
    """
    return render_pdf(
        TEMPLATE,
        contract_context(data),
        identifier=identifier,
        issued_on=data.drawn_on,
        attachments={DATA_FILE: data.canonical()},
        signatures=signature_fields(data),
    )
