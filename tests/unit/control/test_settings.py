"""Settings: which source wins, and what becomes of a mistake."""

import pytest

from tasks.control import settings
from tasks.control.errors import Refused


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Stand in an empty directory, with nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def test_the_defaults_hold_where_nothing_is_set(place):
    """A newcomer needs to set nothing."""
    known = settings.load()
    assert known.stanza == "main"
    assert known.hl7ops_port == 4200
    assert known.database_url is None
    assert (known.retention_days, known.retention_minimum) == (30, 2)


def test_the_file_wins_over_a_default_the_environment_over_the_file_and_a_block_over_all(
    place, monkeypatch
):
    """Each source is nearer to the run than the one before."""
    (place / "hl7ops.yaml").write_text("retention_days: 10\n")
    assert settings.load().retention_days == 10
    monkeypatch.setenv("RETENTION_DAYS", "20")
    assert settings.load().retention_days == 20
    assert settings.load(retention_days=40).retention_days == 40


def test_the_file_may_lie_elsewhere(place, monkeypatch):
    """`HL7OPS_CONFIG` names it."""
    (place / "other.yaml").write_text("hl7ops_stanza: north\n")
    monkeypatch.setenv("HL7OPS_CONFIG", str(place / "other.yaml"))
    assert settings.load().stanza == "north"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RETENTION_DAYS", "soon", "retention_days: Input should be a valid integer"),
        ("RETENTION_DAYS", "0", "retention_days: Input should be greater than or equal to 1"),
        ("HL7OPS_PORT", "70000", "hl7ops_port: Input should be less than or equal to 65535"),
        ("HL7OPS_STANZA", "../other", "hl7ops_stanza: String should match pattern"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(place, monkeypatch, name, value, said):
    """The key and the type that was expected are told."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Refused, match="settings do not hold") as told:
        settings.load()
    assert said in str(told.value)


def test_a_refusal_never_quotes_the_value(place):
    """A password in the wrong place must not reach a log."""
    with pytest.raises(Refused) as told:
        settings.load(retention_days="open-sesame")
    assert "open-sesame" not in str(told.value)


def test_an_unknown_key_of_the_file_is_refused(place):
    """A misspelt key would silently leave the default in force."""
    (place / "hl7ops.yaml").write_text("retention_day: 10\n")
    with pytest.raises(Refused, match="retention_day: Extra inputs"):
        settings.load()


def test_an_unknown_name_of_ours_in_the_environment_is_refused(place, monkeypatch):
    """Likewise, with the names that there are."""
    monkeypatch.setenv("HL7OPS_HOEM", "/x")
    with pytest.raises(Refused, match="seen: HL7OPS_HOEM; expected: one of HL7OPS_CONFIG"):
        settings.load()


def test_an_address_is_not_shown(place):
    """It may hold a password; printing the settings does not show it."""
    known = settings.load(database_url="postgresql://u:open-sesame@localhost/hl7")
    assert "open-sesame" not in repr(known)
    assert known.database_url.get_secret_value().endswith("@localhost/hl7")


def test_every_setting_is_described():
    """The description is what the documentation and the verb show."""
    assert all(field.description for field in settings.Settings.model_fields.values())


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    """`BACKUP_DIR=` in a script does not make the current directory a repository."""
    monkeypatch.setenv("BACKUP_DIR", "")
    monkeypatch.setenv("HL7OPS_HOME", "")
    known = settings.load()
    assert (known.backup_dir, str(known.hl7ops_home)) == (None, ".hl7ops")
