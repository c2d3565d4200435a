"""Pages with one fault each, by what is wrong, with the check that has to fail."""

from reports.page import table
from tests.unit.analytics.gate.report import chart, markdown


NEEDLES = (
    "Featherstone",
    "featherstone",
    "078-05",
    "078 05",
    "0172",
    "00417",
    "4712",
    "19570312",
    "02139",
)
"""What no check, log or error may quote of them."""

FAULTS = {
    "a small count": (markdown(top=[("Gout", "-", 7)]), "no small count in Diagnoses, patients"),
    "a small count with its share": (
        markdown(top=[("Gout", "-", "10 (3.1 %)")]),
        "no small count in Diagnoses, patients",
    ),
    "a small count in bold": (
        markdown(sex=[("F", 120, "**3**")]),
        "no small count in Sex, active",
    ),
    "a small count in italics": (
        markdown(sex=[("F", 120, "_3_")]),
        "no small count in Sex, active",
    ),
    "a small count in a row without its last bar": (
        markdown().replace("| M | 80 | suppressed |", "| M | 80 | 7"),
        "no small count in Sex, active",
    ),
    "a small count in a row without bars at its ends": (
        markdown().replace("| M | 80 | suppressed |", "M | 80 | 7"),
        "no small count in Sex, active",
    ),
    "a count that was suppressed": (
        markdown(sex=[("F", 120, 100), ("M", 80, 67)]),
        "every count of people may be shown",
    ),
    "a suppressed total in the verdict": (
        markdown(verdict="# Good: 1,187 patients, all targets met"),
        "every count of people may be shown",
    ),
    "a suppressed total among headlines": (
        markdown(verdict="# Good\n\n**99.1 %** success · **413** visits, 30 days (+2.0 %)"),
        "every count of people may be shown",
    ),
    "a suppressed total among what was read": (
        markdown("## Where this comes from\n\n" + table(["", ""], [("rows, patients", 1187)])),
        "every count of people may be shown",
    ),
    "a suppressed total among headline figures": (
        markdown(verdict="# Good\n\n" + table(["figure", "now"], [("Visits, 30 days", 413)])),
        "every count of people may be shown",
    ),
    "a table of tags": (markdown("<table><tr><td>7</td></tr></table>"), "no table of tags"),
    "a birth date without its century": (
        markdown("Seen: 3/12/57."),
        "no day of a year without its century",
    ),
    "NaN": (markdown("Mean age: nan years."), "no NaN, None or inf"),
    "None in a table": (markdown(sex=[("F", 120, None)]), "no NaN, None or inf"),
    "infinite": (markdown("Growth: +inf %."), "no NaN, None or inf"),
    "an e-mail address": (markdown("Ask ann.featherstone@mail.org."), "no e-mail address"),
    "a social security number": (markdown("See 078-05-1120."), "no social security number"),
    "a social security number with spaces": (
        markdown("See 078 05 1120."),
        "no social security number",
    ),
    "a telephone number with a slash": (markdown("Call 617/555-0172."), "no telephone number"),
    "a telephone number": (markdown("Call (617) 555-0172."), "no telephone number"),
    "a record number": (markdown("MRN00417 was late."), "no number of a record"),
    "a short record number": (markdown("MRN: 4712 was late."), "no medical record number"),
    "digits in one run": (markdown("19570312 was late."), "no number of a record"),
    "a date before the window": (markdown("Seen on 2026-10-25."), "dates in the window"),
    "a birth date": (markdown("Seen: 12 March 1957."), "dates in the window"),
    "a birth date of another form": (markdown("Seen: 03/12/1957."), "dates in the window"),
    "a birth date of the year first": (markdown("Seen: 1957/03/12."), "dates in the window"),
    "a birth date with dashes": (markdown("Seen: 12-03-1957."), "dates in the window"),
    "a birth date in capitals": (markdown("Seen: 12-MAR-1957."), "dates in the window"),
    "a birth date with an ordinal": (markdown("Seen: March 12th, 1957."), "dates in the window"),
    "a date after the horizon": (markdown("Until Dec 26, 2026."), "dates in the window"),
    "a date that cannot be": (markdown("Until 2026-13-45."), "dates in the window"),
    "a name": (markdown("Mr Featherstonehaugh waited."), "no identifier of a patient"),
    "a name in a chart": (markdown(chart("Featherstonehaugh")), "no identifier of a patient"),
    "a postal code": (markdown("Most live in 02139."), "no identifier of a patient"),
    "a large page": (markdown("x " * 100_000), "size in bytes"),
    "an empty first line": ("\n" + markdown(), "the first line is the verdict"),
    "no verdict": (markdown(verdict="All is well."), "the first line is the verdict"),
    "no table": ("# Good\n\nNothing.\n", "tables"),
    "an external image": (markdown("![a](https://example.org/a.png)"), "pictures are embedded"),
    "an image by reference": (markdown("![a][b]\n\n[b]: //e.org/a.png"), "pictures are embedded"),
    "an image with brackets in its text": (
        markdown("![a [b] c](https://example.org/a.png)"),
        "pictures are embedded",
    ),
    "an image by reference in a quotation": (
        markdown("> ![a][b]\n>\n> [b]: https://example.org/a.png"),
        "pictures are embedded",
    ),
    "a drawing that fetches": (
        markdown("<svg><image href='https://example.org/a'/></svg>"),
        "nothing is fetched",
    ),
    "an image tag": (markdown("<img alt='' src='a.png'>"), "pictures are embedded"),
    "a script": (markdown("<script>alert(1)</script>"), "nothing that runs"),
    "a script in a chart": (markdown(chart(more="<script>1</script>")), "nothing that runs"),
    "a handler after a slash": (markdown("<svg/onload=x()>"), "nothing that runs"),
    "a style": (markdown("<style>b {}</style>"), "nothing that runs"),
    "a link that runs": (markdown("[a](java&#115;cript:x)"), "no link runs"),
    "a link to a page of its own": (markdown("[a](data:text/html;base64,AAAA)"), "no link runs"),
    "a handler": (markdown("<b onclick='x()'>a</b>"), "nothing that runs"),
    "a chart that fetches": (
        markdown(chart(more='<image href="https://e.org/a.png"/>')),
        "pictures fetch nothing",
    ),
    "a chart that is none": (
        markdown("![a](data:image/svg+xml;base64,////)"),
        "pictures can be read",
    ),
}

RIGHT = {
    "times": "At 06:00, from 06:00:00 to 2026-11-25 06:00 UTC, in 12 min 05 s, p95 505 ms.",
    "versions": "Version 0.1.0, HL7 2.5.1, PostgreSQL 18.6.3.",
    "codes of diagnoses": "N18.30, J45.909 and I48.91 with ORU^R01.",
    "codes that are known": "44054006 again.",
    "sums": "81,318 of 1,234,567 (99.20 %), -10.8 %, 0-17 and 80+ years, 2.7 x.",
    "a link": "See [the guide](https://example.org/guide).",
    "what is escaped": "A connection called &lt;script>.",
    "a large number": "| a |\n| --- |\n| 99,999,999,999,999,999,999,999 |",
}
"""What reports show rightly, though it looks like a fault."""
