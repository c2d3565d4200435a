"""The chronic conditions that are counted: a versioned list by ICD-10 and SNOMED CT.

Our selection, after the conditions of the CMS Chronic Conditions Warehouse and of Elixhauser
(coded by Quan et al., Medical Care 2005;43:1130). Left out on purpose: what passes or is cured
(anaemia, cataract, infections, fractures, pregnancy), what only threatens (prediabetes, suspected
or in-situ neoplasms, smoking) and what troubles without danger (sinusitis, rhinitis, eczema).
Whoever changes a row changes `VERSION`.
"""

from dataclasses import dataclass

from tasks.analytics.risk import coding


VERSION = "chronic-2026.1"


@dataclass(frozen=True)
class Group:
    """One condition; its codes count once together, so E11.9 and E11.65 are one diabetes."""

    name: str
    icd10: tuple[str, ...]
    snomed: tuple[str, ...] = ()


def _group(name: str, icd10: str, snomed: str = "") -> Group:
    return Group(name, coding.expanded(icd10), tuple(snomed.split()))


GROUPS = (
    _group("hypertension", "I10-I13 I15", "38341003 59621000"),
    _group("ischaemic heart disease", "I20-I25", "53741008 414545008 22298006 399211009"),
    _group("heart failure", "I42-I43 I50", "88805009 42343007 84114007"),
    _group("atrial fibrillation", "I48", "49436004"),
    _group("valvular heart disease", "I05-I08 I34-I37"),
    _group("pulmonary hypertension", "I27"),
    _group("peripheral vascular disease", "I70-I71 I73", "399957001"),
    _group("cerebrovascular disease", "I60-I69", "230690007 422504002"),
    _group("hyperlipidaemia", "E78", "55822004 302870006"),
    _group(
        "diabetes",
        "E08-E14",
        "44054006 46635009 73211009 127013003 368581000119106 422034002 1551000119108"
        " 1501000119109 97331000119101 90781000119102",
    ),
    _group("obesity", "E66", "162864005 408512008 414916001"),
    _group("hypothyroidism", "E01-E03 E89.0", "40930008 83664006"),
    _group("gout", "M10 M1A", "90560007"),
    _group("cystic fibrosis", "E84", "190905008"),
    _group("asthma", "J45-J46", "195967001 233678006"),
    _group("chronic obstructive pulmonary disease", "J41-J44 J47", "13645005 87433001 185086009"),
    _group("interstitial or occupational lung disease", "J60-J67 J84"),
    _group("sleep apnoea", "G47.3", "73430006 78275009"),
    _group(
        "chronic kidney disease",
        "N18-N19 Z99.2",
        "709044004 431855005 431856006 433144002 431857002 433146000 46177005",
    ),
    _group("transplanted organ", "Z94"),
    _group(
        "chronic liver disease",
        "K70 K72.1 K72.9 K73-K74 K75.4 K75.8 K76.0 K76.6",
        "19943007 235856003",
    ),
    _group("chronic viral hepatitis", "B18", "61977001 128302006"),
    _group("inflammatory bowel disease", "K50-K51", "34000006 64766004"),
    _group("dementia", "F00-F03 G30 G31.0 G31.1 G31.83", "26929004 230265002 52448006"),
    _group("Parkinson's disease", "G20", "49049000"),
    _group("multiple sclerosis", "G35", "24700007"),
    _group("epilepsy", "G40", "84757009 128613002"),
    _group("migraine", "G43", "37796009 124171000119105"),
    _group("paralysis", "G04.1 G11.4 G80-G83", "698754002"),
    _group("depression", "F32-F33 F34.1", "35489007 36923009 370143000"),
    _group("bipolar disorder", "F30-F31", "13746004"),
    _group("schizophrenia", "F20-F25", "58214004"),
    _group("anxiety disorder", "F40-F41 F43.1", "47505003"),
    _group("substance use disorder", "F10-F16 F18-F19", "7200002 5602001"),
    _group("developmental disorder", "F70-F79 F84 F90", "192127007"),
    _group(
        "cancer",
        "C00-C43 C45-C96 C4A C7A C7B",
        "109838007 363406005 93761005 94260004 254637007 424132000 425048006 422968005 423121009"
        " 254632001 67811000119102 67821000119109 67831000119107 67841000119103 314994000"
        " 254837009",
    ),
    _group("human immunodeficiency virus disease", "B20-B22 B24 Z21", "62479008 86406008"),
    _group("sickle-cell disease", "D57.0 D57.1 D57.2 D57.4 D57.8"),
    _group("coagulation disorder", "D66-D68"),
    _group(
        "rheumatoid arthritis or connective tissue disease",
        "M05-M06 M08 M30-M35 M45",
        "69896004 55464009 200936003",
    ),
    _group("osteoarthritis", "M15-M19", "396275006 201834006 239872002 239873007"),
    _group("osteoporosis", "M80-M81", "64859006 443165006"),
    _group("psoriasis", "L40", "9014002"),
    _group("chronic pain", "G89.2 G89.4 M79.7", "82423001 278860009 1121000119107"),
    _group("benign prostatic hyperplasia", "N40", "266569009"),
    _group("glaucoma", "H40-H42", "23986001"),
)
"""At most 62, since each is one bit of a number in the database."""


def group(coding_system: str, code: str) -> str | None:
    """Return the condition that a code means; None: it is not counted.

    A code of ICD-10 belongs by how it begins, with or without its point; one of SNOMED CT must
    stand in the list itself. See `coding.kind` for codes without a system.
    """
    known = coding.kind(coding_system, code)
    text = coding.plain(code)
    for each in GROUPS:
        if known == "icd10" and text.startswith(each.icd10):
            return each.name
        if known == "snomed" and text in each.snomed:
            return each.name
    return None
