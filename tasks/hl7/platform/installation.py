"""The platform as a whole, installed on first use."""

from tasks.hl7.platform import contract, schema
from tasks.postgres.server import Server


def install(server: Server) -> None:
    """Install schema and contract views where they are missing; what is there stays."""
    schema.install(server)
    contract.install_views(server)
