"""Pages as files: they stand alone, and what they quote stays text."""

import re

from reports.export import standalone
from reports.page import details, page, table


PAGE = page(
    "# VERDICT: <stanza> & all",
    table(["what", "n"], [("<b>bold</b>|pipe", 3)]),
    details("more", table(["a"], [("inside",)])),
    "```bash\nhl7ops drill\n```",
)


def test_a_page_stands_alone():
    """It asks nobody for anything, and its title is its verdict."""
    text = standalone(PAGE)
    assert "<title>VERDICT: &lt;stanza&gt; &amp; all</title>" in text
    assert not re.search(r"(?:src|href)=|https?:|@import|<script", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_tables_code_and_folded_parts_are_shown():
    """As in the UI."""
    text = standalone(PAGE)
    assert text.count("<table>") == 2
    assert "<td>&lt;b&gt;bold&lt;/b&gt;|pipe</td>" in text
    assert "<details><summary>more</summary>" in text
    assert '<code class="language-bash">hl7ops drill' in text
