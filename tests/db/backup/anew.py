"""A new repository for a server whose WAL went to another one."""

from tasks.postgres import slot
from tasks.repository.stanza import open_stanza


def begun_anew(stanza, **changes):
    """Open the stanza with other settings; its slot is dropped, as whoever does so on purpose."""
    with stanza.server().connect() as connection:
        connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
            " where slot_name = %s",
            [slot.name_for(stanza.name)],
        )
    return open_stanza(stanza.settings.model_copy(update=changes))
