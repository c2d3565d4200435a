"""The chart of what took how long: an image inside the markdown that holds its own words."""

import base64
import re
from xml.etree import ElementTree as ET

import pytest

from reports.chart import INK, Bar, timeline


BARS = [
    Bar("reserve WAL", "backup", 0.0, 0.3),
    Bar("copy", "backup", 0.3, 4.3),
    Bar("boot", "proof", 4.3, 6.8),
]

TOLD = "reserve WAL 0.3 s, copy 4.0 s, boot 2.5 s"


@pytest.fixture(scope="module")
def drawn():
    """Draw the chart once."""
    return timeline(BARS, TOLD)


@pytest.fixture(scope="module")
def svg(drawn):
    """Decode the image of it."""
    found = re.fullmatch(r"!\[(.*)\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", drawn)
    assert found
    assert found[1] == TOLD
    return base64.b64decode(found[2], validate=True).decode()


def words(svg):
    """Return the texts of an image."""
    return [
        "".join(each.itertext())
        for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314
    ]


def test_the_image_is_whole_and_fetches_nothing(svg):
    """It parses as SVG, and names no address but those of the format."""
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert set(re.findall(r"https?://[^\"' )]+", svg)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_every_bar_is_named_and_says_how_long_it_took(svg):
    """The names stand at the rows, the seconds at the ends of the bars."""
    said = words(svg)
    for name in ("reserve WAL", "copy", "boot", "0.3 s", "4.0 s", "2.5 s"):
        assert name in said


def test_bars_stand_in_the_order_in_which_things_happened(svg):
    """Rows are not sorted by name."""
    said = [word for word in words(svg) if word in {"reserve WAL", "copy", "boot"}]
    assert said == ["reserve WAL", "copy", "boot"]


def test_the_groups_have_a_colour_and_a_legend_each(svg):
    """Backup and proof are told apart by colour, and the colours are explained."""
    assert {"backup", "proof"} <= set(words(svg))
    assert "#2f81f7" in svg
    assert "#3fb950" in svg


def test_no_ground_is_painted_and_no_text_is_black(svg):
    """So it can be read on a light page and on a dark one."""
    fills = re.findall(r'<text[^>]*fill="([^"]+)"', svg)
    assert set(fills) == {INK}
    assert 'fill="white"' not in svg
