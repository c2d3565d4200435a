"""The plan of a recovery: what to do when something is lost, with the very commands and places."""

from collections.abc import Sequence
from shlex import quote

from reports.page import duration, page, table
from tasks.control.clock import readable
from tasks.recovery.bearings import Bearings, Source


NOT_MEASURED = "nothing is known before the first `hl7ops drill`"


def report(known: Bearings) -> str:
    """Return the page; the first line says whether every loss is covered."""
    return page(
        f"# {_verdict(known)}",
        f"As of {readable(known.now)}, {_drilled(known)}. The platform is down or damaged: find"
        " below what was lost, and do what stands there, from the top. Nothing here destroys"
        " anything: what a command replaces is moved aside.",
        f"```bash\nexport PATH={quote(str(known.commands))}:$PATH\n"
        f"export HL7OPS_HOME={quote(str(known.home))} HL7OPS_STANZA={known.stanza}\n```",
        _expected(known),
        _table_lost(known),
        _primary_lost(known),
        _region_lost(known),
        _repository_lost(known),
        _prefect_lost(known),
        _whereabouts(known),
    )


def gaps(known: Bearings) -> list[str]:
    """List the losses that nothing covers, the worst first."""
    found = []
    if not any(source.window for source in known.sources):
        found.append("nothing can be restored")
    if len(known.sources) == 1:
        found.append("no second repository")
    found += [f"repository {each.name}: {each.problem}" for each in known.sources if each.problem]
    if known.is_encrypted and known.identity is None:
        found.append("no identity here reads what is encrypted; know where it is")
    drills = known.standing.drills if known.standing else ()
    if not any(each.verdict == "passed" for each in drills):
        found.append("no drill has shown that this works")
    elif drills[-1].verdict != "passed":
        found.append("the last drill did not pass")
    return found


def _verdict(known: Bearings) -> str:
    found = gaps(known)
    if found:
        return f"RECOVERY PLAN WITH GAPS: stanza {known.stanza}: {'; '.join(found)}"
    return f"RECOVERY PLAN: stanza {known.stanza}, every loss is covered"


def _drilled(known: Bearings) -> str:
    drills = known.standing.drills if known.standing else ()
    passed = [each.started_at for each in drills if each.verdict == "passed"]
    return f"last rehearsed {readable(passed[-1])}" if passed else "never rehearsed"


def _expected(known: Bearings) -> str:
    score = known.standing.score if known.standing else None
    times = (score.p50_s, score.p95_s) if score else (None, None)
    lost = (score.exposed_p50_s, score.exposed_p95_s) if score else (None, None)
    rows = [
        ("the whole cluster", _measured(times), _measured(lost)),
        ("one database", "that, a dump and a load", "nothing of the others"),
        ("a roll back of it", "seconds", "nothing"),
    ]
    said = f"Measured by drills; {NOT_MEASURED}." if times[0] is None else "Measured by drills."
    return page("## How long, and how much", table(["what", "takes", "loses"], rows), said).strip()


def _measured(ends: tuple[float | None, float | None]) -> str:
    """Spell a median, and what 95 % keep to."""
    middle, most = ends
    if middle is None or most is None:
        return "not known"
    return f"{duration(middle)} (p95 {duration(most)})"


def _table_lost(known: Bearings) -> str:
    name = quote(known.database)
    moment = "'2026-11-24 03:00 Europe/Berlin'"
    snapshots = [each for each in known.sources if each.snapshot]
    where = _of(known, snapshots[0]) if snapshots else ""
    look = (
        f"hl7ops snapshot restore {snapshots[0].snapshot} --table {name}.SCHEMA.TABLE"
        f"{where} --to {quote(str(known.home / 'part'))}"
        if snapshots
        else None
    )
    return _section(
        "A table, or a database, is lost or spoiled",
        "The cluster runs, and its other databases go on.",
        [
            ("Stop what spoils it, and note the time just before, with its zone.", None),
            (
                "See what would change; nothing is swapped.",
                f"hl7ops database restore {name} {moment} --dry-run",
            ),
            (
                "Set the database back; it asks for its name.",
                f"hl7ops database restore {name} {moment}",
            ),
            ("Was it wrong? Back, in seconds.", f"hl7ops database rollback {name}"),
            ("Only to look at a table as it was, without touching the cluster:", look),
            (
                "Only to look at everything as it was:",
                f"hl7ops restore {moment} --to {quote(str(known.home / 'then'))}",
            ),
        ],
    )


def _primary_lost(known: Bearings) -> str:
    place = quote(str(known.home / "restored"))
    return _section(
        "The primary is lost",
        f"`{known.server}` is gone, or its data is; a repository is there.",
        [
            ("Make sure that it is really gone, and stays so: two primaries are worse.", None),
            ("See what would be done.", "hl7ops restore latest --plan"),
            ("Restore all that is archived.", f"hl7ops restore latest --to {place} --promote"),
            (
                "Refused, since bytes failed or WAL is missing? Restore what can be read.",
                f"hl7ops restore latest --to {place} --promote --accept-failed-proof",
            ),
            (
                "Say what was lost, with the moment of the incident; ask for these again.",
                f"hl7ops restored loss {place} --incident 2026-11-24T03:00:00+01:00",
            ),
            (
                "Stop the copy, start it your own way, let the interfaces in.",
                f"hl7ops restored stop {place}",
            ),
            ("Back it up at once: it is on a timeline of its own.", "hl7ops backup full"),
        ],
    )


def _region_lost(known: Bearings) -> str:
    title = "The region is lost: the server and all beside it"
    far = [each for each in known.sources if each.name != "local" and each.window]
    if not far:
        return _section(
            title,
            "**Not covered.** No repository lies elsewhere. Set `S3_BUCKET` to one in another"
            " region, and `hl7ops repository copy --to s3` after each backup.",
            [],
        )
    source = far[0]
    exports = [f"export {name}={quote(value)}" for name, value in source.settings]
    exports.append("export S3_ACCESS_KEY_ID=... S3_SECRET_ACCESS_KEY=...   # from your safe")
    if known.is_encrypted:
        exports.append("export AGE_IDENTITY_FILE=...   # from your safe")
    exports.append(f"export HL7OPS_STANZA={known.stanza}")
    return _section(
        title,
        f"A bare machine, the bucket and the key are enough; `{source.place}` holds"
        f" {source.window.told if source.window else 'nothing'}.",
        [
            ("Install this project on a machine that has PostgreSQL's version.", None),
            ("Tell it where the bucket is.", "\n".join(exports)),
            ("See that it is the right one.", "hl7ops backups"),
            ("Restore.", "hl7ops restore latest --promote"),
        ],
    )


def _repository_lost(known: Bearings) -> str:
    steps: list[tuple[str, str | None]] = [
        ("The platform runs, but nothing protects it: be quick.", None),
        ("Where its place is gone, give it another one.", "export BACKUP_DIR=/another/disk"),
        ("Take a full backup, and prove it.", "hl7ops backup full && hl7ops verify latest"),
    ]
    if len(known.sources) > 1:
        text = f"Bring back the history from {known.sources[1].name}."
        steps.append((text, f"hl7ops repository copy --to {known.sources[0].name} --all"))
    steps.append(("See that all of it is whole.", "hl7ops repository check"))
    places = ", ".join(f"`{each.place}`" for each in known.sources)
    return _section("A repository is lost", f"Repositories: {places}.", steps)


def _prefect_lost(known: Bearings) -> str:
    return _section(
        "Prefect is lost",
        f"`{known.prefect}` does not answer. Nothing that recovers needs it; backups stop until"
        " somebody takes them.",
        [
            ("Start it again; its data is in the control cluster.", "hl7ops up"),
            ("Until it runs, by hand or by cron:", "hl7ops backup incremental && hl7ops wal pull"),
            ("The scoreboard, and this page, without it:", "hl7ops recoverability"),
            (None, "hl7ops recovery-plan"),
        ],
    )


def _whereabouts(known: Bearings) -> str:
    identity = f"`{known.identity}`" if known.identity else "not on this machine"
    rows = [
        ("operated server", f"`{known.server}`"),
        *((f"repository {each.name}", _source(each)) for each in known.sources),
        ("keys that sign backups", f"`{known.keys}`: keep a copy elsewhere"),
        *([("identity that reads them", identity)] if known.is_encrypted else []),
        ("home", f"`{known.home}`"),
        ("PostgreSQL's programs", f"`{known.programs}`"),
        ("Prefect", f"`{known.prefect}`"),
    ]
    return page("## Where everything is", table(["what", "where"], rows)).strip()


def _source(source: Source) -> str:
    held = source.window.told if source.window else source.problem or "nothing"
    return f"`{source.place}`: {held}"


def _of(known: Bearings, source: Source) -> str:
    """Return how a repository is named in a command; the one that takes backups need not be."""
    return "" if source is known.sources[0] else f" --repository {source.name}"


def _section(title: str, said: str, steps: Sequence[tuple[str | None, str | None]]) -> str:
    """Return a part of the page: numbered steps, each with its command."""
    lines = [f"## {title}", said]
    number = 0
    for text, command in steps:
        if text is not None:
            if command is None and text.endswith(":"):
                continue
            number += 1
            lines.append(f"{number}. {text}")
        if command is not None:
            body = "\n".join(f"   {line}" for line in command.splitlines())
            lines.append(f"   ```bash\n{body}\n   ```")
    return "\n\n".join(lines)
