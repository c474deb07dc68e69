"""The whole 360Giving Data Standard, version 1.4, as rules of ours; and any official schema file that an operator has, run offline.

Nobody packages the official schema files, so the continuous checks know the standard by these rules: every object, every field's type, format
and codes, everything required, in our words, after its grant schema, package schema and code lists. `standard` is stricter in three points:
a name that the standard does not know is a fault, and so are an empty text and an empty list. What only we promise stands in `OURS`.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT202012

Rules = dict[str, Any]

CURRENCIES = """
ADP AED AFA AFN ALK ALL AMD ANG AOA AOK AON AOR ARA ARP ARS ARY ATS AUD AWG AYM AZM AZN BAD BAM BBD BDT BEC BEF BEL BGJ BGK BGL BGN BHD BIF BMD BND BOB
BOP BOV BRB BRC BRE BRL BRN BRR BSD BTN BUK BWP BYB BYN BYR BZD CAD CDF CHC CHE CHF CHW CLF CLP CNY COP COU CRC CSD CSJ CSK CUC CUP CVE CYP CZK DDM DEM
DJF DKK DOP DZD ECS ECV EEK EGP ERN ESA ESB ESP ETB EUR FIM FJD FKP FRF GBP GEK GEL GHC GHP GHS GIP GMD GNE GNF GNS GQE GRD GTQ GWE GWP GYD HKD HNL HRD
HRK HTG HUF IDR IEP ILP ILR ILS INR IQD IRR ISJ ISK ITL JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAJ LAK LBP LKR LRD LSL LSM LTL LTT LUC LUF LUL
LVL LVR LYD MAD MDL MGA MGF MKD MLF MMK MNT MOP MRO MRU MTL MTP MUR MVQ MVR MWK MXN MXP MXV MYR MZE MZM MZN NAD NGN NIC NIO NLG NOK NPR NZD OMR PAB PEH
PEI PEN PES PGK PHP PKR PLN PLZ PTE PYG QAR RHD ROK ROL RON RSD RUB RUR RWF SAR SBD SCR SDD SDG SDP SEK SGD SHP SIT SKK SLL SOS SRD SRG SSP STD STN SUR
SVC SYP SZL THB TJR TJS TMM TMT TND TOP TPE TRL TRY TTD TWD TZS UAH UAK UGS UGW UGX USD USN USS UYI UYN UYP UYU UZS VEB VEF VES VNC VND VUV WST XAF XAG
XAU XBA XBB XBC XBD XCD XDR XEU XFO XFU XOF XPD XPF XPT XRE XSU XTS XUA XXX YDD YER YUD YUM YUN ZAL ZAR ZMK ZMW ZRN ZRZ ZWC ZWD ZWL ZWN ZWR
""".split()  # noqa: SIM905 - four hundred quotation marks
COUNTRIES = """
AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ BA BW BV BR IO BN BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG
CD CK CR CI HR CU CW CY CZ DK DJ DM DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG GN GW GY HT HM VA HN HK HU IS
IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KP KR KW KG LA LV LB LS LR LY LI LT LU MO MK MG MW MY MV ML MT MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM
NA NR NP NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR QA RE RO RU RW BL SH KN LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB
SO ZA GS SS ES LK SD SR SJ SZ SE CH SY TW TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM ZW
""".split()  # noqa: SIM905 - as above
"""Codes of ISO 4217, past ones too, and of ISO 3166-1, as the standard's two outer code lists have them."""
REGRANTS = [f"FRG0{n}0" for n in range(1, 8)]
SCOPES = ["GLS010", "GLS020", "GLS030", "GLS040", "GLS050", "GLS060", "GLS099"]
PURPOSES = [f"GTIP{n:02}0" for n in range(1, 18)]
REASONS = [f"GTIR{n:02}0" for n in range(1, 13)]
"""The standard's own closed code lists."""

DAY, MONTH = "^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])$", "^[0-9]{4}(-(0[1-9]|1[012]))?$"
TEXT: Rules = {"type": "string", "minLength": 1}
LINK: Rules = {"type": "string", "format": "uri", "pattern": "^https?://"}
MOMENT: Rules = {"type": "string", "format": "date-time"}
DATE: Rules = {"type": "string", "anyOf": [{"format": "date-time"}, {"pattern": DAY}]}
ROUGHLY: Rules = {"type": "string", "anyOf": [{"format": "date-time"}, {"pattern": DAY}, {"pattern": MONTH}]}
NUMBER: Rules = {"type": "number"}


def _codes(known: list[str]) -> Rules:
    return {"type": "string", "enum": known}


def _or_null(rules: Rules) -> Rules:
    """A few fields may be said to be empty; most may only be left out."""
    return {"anyOf": [rules, {"type": "null"}]}


def _object(required: str = "", **fields: Rules) -> Rules:
    return {"type": "object", "required": required.split(), "properties": fields, "additionalProperties": False}


def _several(item: Rules) -> Rules:
    return {"type": "array", "minItems": 1, "items": item}


MONEY = {"currency": _codes(CURRENCIES)}
TITLED = {"title": _or_null(TEXT), "description": _or_null(TEXT), "url": _or_null(LINK), "dateModified": MOMENT}
TRANSACTION = _object(
    id=TEXT, transactionDate=DATE, value=NUMBER, valueDate=_or_null(DATE), description=_or_null(TEXT), provider=_or_null(TEXT), recipient=_or_null(TEXT),
    dateModified=MOMENT, **MONEY,
)  # fmt: skip
DOCUMENT = _object(id=TEXT, documentType=_or_null(TEXT), **TITLED)
LOCATION = _object(
    id=TEXT, name=_or_null(TEXT), countryCode=_or_null(_codes(COUNTRIES)), latitude=_or_null(NUMBER), longitude=_or_null(NUMBER),
    description=_or_null(TEXT), geoCode=_or_null(TEXT), geoCodeType=_or_null(TEXT), dateModified=MOMENT,
)  # fmt: skip
CLASSIFICATION = _object(vocabulary=TEXT, code=TEXT, **TITLED)
PROGRAMME = _object(code=TEXT, **TITLED)
PERSON = _object("id name", id=TEXT, name=TEXT)
ORGANISATION = _object(
    "id name", id=TEXT, name=TEXT, department=TEXT, contactName=TEXT, charityNumber=TEXT, companyNumber=TEXT, streetAddress=TEXT, addressLocality=TEXT,
    addressRegion=TEXT, addressCountry=TEXT, postalCode=TEXT, telephone=TEXT, alternateName=TEXT, email=TEXT, description=TEXT,
    organisationType=_or_null(TEXT), url=LINK, location=_several(LOCATION), dateModified=MOMENT,
)  # fmt: skip
EVENT = _object(
    title=TEXT,
    startDate=ROUGHLY,
    endDate=ROUGHLY,
    duration={"type": "number", "minimum": 0},
    description=TEXT,
    dateModified=MOMENT,
)
INDIVIDUALS = _object(
    primaryGrantReason=_codes(REASONS), secondaryGrantReason=_codes(REASONS), grantPurpose=_several(_codes(PURPOSES))
)
GRANT: Rules = {
    **_object(
        "id title description currency amountAwarded awardDate fundingOrganization",
        id=TEXT, title=TEXT, description=TEXT, amountAppliedFor=NUMBER, amountAwarded=NUMBER, amountDisbursed=NUMBER, awardDate=DATE, url=LINK,
        plannedDates=_several(EVENT), actualDates=_several(EVENT), recipientIndividual=PERSON, toIndividualsDetails=INDIVIDUALS,
        recipientOrganization=_several(ORGANISATION), beneficiaryLocation=_several(LOCATION), fundingOrganization=_several(ORGANISATION),
        grantProgramme=_several(PROGRAMME), fromOpenCall=_codes(["Yes", "No"]), fundingType=_several(CLASSIFICATION),
        classifications=_several(CLASSIFICATION), relatedDocument=_several(DOCUMENT), applicationTransaction=_several(TRANSACTION),
        commitmentTransaction=_several(TRANSACTION), disbursementTransaction=_several(TRANSACTION), relatedActivity=_several(TEXT), dateModified=MOMENT,
        dataSource=_or_null(LINK), regrantType=_codes(REGRANTS), locationScope=_codes(SCOPES), **MONEY,
    ),
    "oneOf": [{"required": ["recipientOrganization"]}, {"required": ["recipientIndividual"]}],
}  # fmt: skip
PUBLISHER = _object("name", identifier=TEXT, name=TEXT, website=LINK, logo=LINK)
PACKAGE = _object(
    "grants", grants={**_several(GRANT), "uniqueItems": True}, version={"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"},
    extensions={**_several(TEXT), "uniqueItems": True}, title=TEXT, description=TEXT, issued=DATE, modified=DATE, identifier=TEXT, publisher=PUBLISHER,
    downloadURL=LINK, accessURL=LINK, license=LINK,
)  # fmt: skip

BODY: Rules = {"properties": {"id": {"pattern": "^(CN-USCC-[0-9A-Z]{18}|360G-[A-Za-z0-9]+-.+)$"}}}
OURS: Rules = {
    "required": ["version", "title", "issued", "modified", "identifier", "publisher", "downloadURL", "accessURL", "license"],
    "properties": {
        "version": {"enum": ["1.4"]}, "identifier": {"pattern": "^360G-[A-Za-z0-9]+-.+$"},
        "grants": {"items": {
            "required": ["amountAppliedFor", "amountDisbursed", "recipientOrganization", "grantProgramme", "fromOpenCall", "dateModified", "dataSource"],
            "properties": {
                "id": {"pattern": "^360G-[A-Za-z0-9]+-[^/\\\\\\s]+$"}, "title": {"maxLength": 140}, "currency": {"enum": ["CNY"]},
                "amountAppliedFor": {"minimum": 0}, "amountAwarded": {"minimum": 0}, "amountDisbursed": {"minimum": 0}, "awardDate": {"pattern": DAY},
                "recipientOrganization": {"items": BODY}, "fundingOrganization": {"items": BODY},
            },
        }},
    },
}  # fmt: skip
"""What the standard only advises and we keep: its prefix in every identifier, also of bodies that no register lists, short titles, the metadata of the file."""


def standard(package: Any) -> list[str]:
    """What the standard says against a package: place and sentence."""
    return said(Draft4Validator(PACKAGE, format_checker=FormatChecker()), package)


def ours(package: Any) -> list[str]:
    """The standard, and what we promise beyond it."""
    return standard(package) + said(Draft4Validator(OURS, format_checker=FormatChecker()), package)


def said(validator: Any, value: Any) -> list[str]:
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]


# --- the official files, when somebody has them ----------------------------------------------------------------------------------------

WANTED = (
    "Give the published file 360-giving-schema.json of the 360Giving Data Standard (repository ThreeSixtyGiving/standard, folder schema, "
    "the tag of its version), with 360-giving-package-schema.json beside it if you have that too."
)


def official(package: Any, path: Path) -> list[str]:
    """What the official grant schema at `path` says against a package, and the package schema that lies beside it. Nothing is fetched.

    Raises ValueError, saying what is wanted, for a path that is not such a file.
    """
    grant, whole = read_schema(path, "grant"), path.with_name("360-giving-package-schema.json")
    schema = (
        read_schema(whole, "package")
        if whole.is_file()
        else {"type": "object", "required": ["grants"], "properties": {"grants": {"items": {}}}}
    )
    schema["properties"]["grants"]["items"] = {"$ref": "urn:360giving:grant"}  # it names an address, which would be fetched
    draft, kind = (Draft202012Validator, DRAFT202012) if "2020-12" in str(grant.get("$schema")) else (Draft4Validator, DRAFT4)
    schema.pop("$schema", None)
    grant.pop("$schema", None)  # the newest spells its dialect in a way that readers do not know
    known = Registry().with_resource("urn:360giving:grant", Resource(contents=grant, specification=kind))
    return said(draft(schema, registry=known, format_checker=FormatChecker()), package)


def read_schema(path: Path, kind: str) -> Rules:
    """A schema file as a value of one's own. Raises ValueError."""
    try:
        found = json.loads(path.read_text("utf-8"))
        fields = found["properties"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as a schema ({type(error).__name__}). {WANTED}") from None
    if ("grants" if kind == "package" else "fundingOrganization") not in fields:
        raise ValueError(f"{path} is not the schema of a 360Giving {kind}. {WANTED}")
    return copy.deepcopy(found)  # type: ignore[no-any-return]


def main(words: list[str]) -> int:
    """`make open-data-check`: whether the file can be used, before the demonstration is loaded for it."""
    if not words or not words[0]:
        print(f"SCHEMA=FILE is missing. {WANTED}", file=sys.stderr)
        return 2
    try:
        read_schema(Path(words[0]), "grant")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
