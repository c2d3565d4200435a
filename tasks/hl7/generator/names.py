"""Names of people and places that exist nowhere: made for this generator, and seen to be made."""

import unicodedata


FAMILY_STEMS = (
    "Probe", "Muster", "Sample", "Test", "Fiktiv", "Specimen", "Mock", "Dummy", "Blanko", "Etwas",
    "Exempel", "Phantom", "Proto", "Pseudo", "Schein", "Virtu", "Zéro", "Nemo", "Lorem", "Ipsum",
    "Dolor", "Amet", "Quasi", "Ficta", "Ersatz", "Übungs", "Modell", "Vorlag", "Simula", "Placebo",
)  # fmt: skip

FAMILY_ENDINGS = (
    "wald", "feld", "berg", "by", "son", "ton", "stein", "ford", "well", "mann", "lund", "quist",
    "hofer", "ström", "grove", "wick", "mere", "dottir", "field", "bäck",
)  # fmt: skip

GIVEN_FEMALE = (
    "Alwina", "Brisela", "Corvina", "Delphira", "Elowyna", "Fiorlisa", "Galvina", "Hestira",
    "Ilvany", "Jorunda", "Kelvira", "Lunella", "Mirabeth", "Nolwena", "Orsalie", "Pelagina",
    "Quilla", "Rosmera", "Silvira", "Tamsira", "Ursalie", "Velmira", "Wilmara", "Xanthira",
    "Yvelisa", "Zoëlla", "Amélira", "Brunhelda", "Cosmira", "Dorivelle",
)  # fmt: skip

GIVEN_MALE = (
    "Aldavin", "Brunor", "Corvan", "Delmaro", "Elgarth", "Fenwicus", "Galdric", "Hestor",
    "Ilvaro", "Jorvik", "Kelvaro", "Lunardo", "Mirvan", "Noldric", "Orsavin", "Peldran",
    "Quillon", "Rosmund", "Silvaro", "Tamsin", "Ulvaro", "Veldrin", "Wilmaro", "Xandric",
    "Yvaro", "Zorvan", "Amédric", "Björvald", "Cosmaro", "Dorvin",
)  # fmt: skip

STREETS = (
    "Example Lane", "Placeholder Road", "Specimen Street", "Sandbox Avenue", "Fixture Way",
    "Testbed Terrace", "Dry Run Drive", "Rehearsal Row", "Template Square", "Mockup Mews",
    "Lorem Alley", "Nowhere Close",
)  # fmt: skip

PLACES = (
    ("Port Nowhere", "NW", "00101"),
    ("Samplebury", "NW", "00112"),
    ("Testington", "NW", "00125"),
    ("Lake Fiction", "SE", "00210"),
    ("Mockham", "SE", "00223"),
    ("Fixtureville", "SE", "00237"),
    ("Exempla", "CE", "00301"),
    ("Dummingen", "CE", "00318"),
    ("Zerohaven", "CE", "00342"),
)
"""City, region, postal code; no postal service uses codes below 00500."""

DOCTORS = (
    "Prober^Hestor", "Muster^Velmira", "Simulant^Galdric", "Fixtor^Ilvany", "Exempla^Jorunda",
    "Phantom^Kelvaro", "Quasi^Orsalie", "Ersatz^Noldric", "Proto^Silvira", "Modell^Brunor",
    "Placebo^Cosmira", "Nemo^Tamsira",
)  # fmt: skip


def plain(text: str) -> str:
    """Return the text as a system writes it that knows no letter beyond ASCII."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
