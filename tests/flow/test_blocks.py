"""Blocks: what is edited in the UI is what a stanza is opened with, and secrets stay secret."""

import pyrage
import pytest
from pydantic import SecretStr

from blocks.cluster import PostgresCluster
from blocks.repository import BackupRepository
from blocks.stanza import load_stanza
from tasks.control.settings import Settings


SECRETS = {
    PostgresCluster: {"database_url", "standby_url"},
    BackupRepository: {"s3_access_key_id", "s3_secret_access_key", "age_identity"},
}


@pytest.fixture
def saved(home, prefect_api):
    """Return what saves the repository's block, which is deleted after the test."""

    def save(**fields):
        BackupRepository(**fields).save("main", overwrite=True)

    yield save
    BackupRepository.delete("main")


@pytest.mark.parametrize("kind", SECRETS)
def test_each_field_is_a_setting_with_a_title_and_a_description(kind):
    """A field that no setting bears would be refused, or worse, ignored."""
    for name, field in kind.model_fields.items():
        assert name in Settings.model_fields
        assert field.title
        assert field.description


@pytest.mark.parametrize("kind", SECRETS)
def test_what_is_secret_is_kept_as_a_secret(kind):
    """The UI hides it, and the server keeps it encrypted."""
    assert set(kind.model_json_schema()["secret_fields"]) == SECRETS[kind]


def test_a_bucket_and_recipients_of_the_block_are_used(home, saved, s3_settings):
    """Both repositories are there, and everything is encrypted."""
    identity = pyrage.x25519.Identity.generate()
    for name in ("s3_access_key_id", "s3_secret_access_key"):
        s3_settings[name] = SecretStr(s3_settings[name])
    saved(
        backup_dir=str(home / "kept"),
        age_recipients=[str(identity.to_public())],
        age_identity=SecretStr(str(identity)),
        **s3_settings,
    )
    stanza = load_stanza("main")
    assert set(stanza.repositories) == {"local", "s3"}
    for catalogue in stanza.repositories.values():
        assert catalogue.vault.cipher.recipients
    assert stanza.at("s3").catalogue.entries() == []


def test_an_empty_list_falls_back_to_the_environment(saved, monkeypatch):
    """As every other field that is left empty does."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    monkeypatch.setenv("AGE_RECIPIENTS", recipient)
    saved(age_recipients=[])
    assert load_stanza("main").settings.age_recipients == (recipient,)
