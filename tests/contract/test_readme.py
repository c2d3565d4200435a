"""The README tells the truth about what there is."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from flows.__main__ import app
from tasks.control.settings import Settings


ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def verbs():
    """Return every verb of the command line, with the verbs below it."""
    found = []
    for name, command in get_command(app).commands.items():
        below = getattr(command, "commands", None)
        found += [f"{name} {inner}" for inner in below] if below else [name]
    return found


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_stands_in_the_readme(verb):
    """A verb that nobody can find is not there."""
    assert f"`{verb}`" in README or f"`{verb} " in README


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_explains_itself(verb):
    """`--help` begins with a sentence."""
    command = get_command(app)
    for name in verb.split():
        command = command.commands[name]
    assert command.help
    assert command.help.strip().endswith(".")


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "BACKUP_DIR", "HL7OPS_HOME", "HL7OPS_PROGRAMS", "RETENTION_DAYS"]
)
def test_the_settings_of_the_readme_exist(name):
    """What the README tells to set can be set."""
    assert name.lower() in Settings.model_fields
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_files_carry_no_address_of_an_index(name):
    """What is locked is a version and a hash, wherever it comes from."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--hash=sha256:" in text


@pytest.mark.parametrize("picture", re.findall(r"!\[.+?\]\((.+?)\)", README))
def test_the_pictures_of_the_readme_are_there(picture):
    """The README shows reports as they look."""
    assert (ROOT / picture).stat().st_size > 10_000


def test_the_readme_shows_reports():
    """Of a backup, of recoverability, and the plan of a recovery."""
    assert README.count("![") >= 3
