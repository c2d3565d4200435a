"""The command line `hl7ops`."""


def main() -> None:
    """Run the verb that was asked for."""
