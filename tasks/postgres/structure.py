"""How a database is built, object by object, in a form that two clusters can be compared by."""

from collections.abc import Collection, Mapping

from tasks.postgres.server import Connection


_USER = "n.nspname <> 'information_schema' and n.nspname !~ '^pg_'"

AS_OF = ":as_of"
"""Where a query leaves out what servers before some version do not have."""

AS_IT_IS = 10**6
"""Later than any version: nothing is left out."""


def _acl(explicit: str, default: str | None = None, owner: str = "") -> str:
    """Return who may do what, in an order of its own; unset means the default of that kind."""
    acl = f"coalesce({explicit}, acldefault('{default}', {owner}))" if default else explicit
    return f"""(select string_agg(grants, ',' order by grants) from (
        select concat_ws('/', a.grantee::regrole, a.privilege_type, a.is_grantable,
          a.grantor::regrole) from aclexplode({acl}) a
        where a.privilege_type <> 'MAINTAIN' or {AS_OF} >= 170000) x (grants))"""


DATABASE_OBJECTS = {
    "columns of": f"""
        select n.nspname || '.' || c.relname,
               string_agg(concat_ws(' ', a.attname, a.attnotnull, a.attidentity,
                 format_type(a.atttypid, a.atttypmod), a.attgenerated, {_acl("a.attacl")},
                 pg_get_expr(d.adbin, d.adrelid)), ',' order by a.attnum)
        from pg_attribute a join pg_class c on c.oid = a.attrelid
          join pg_namespace n on n.oid = c.relnamespace
          left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where {_USER} and a.attnum > 0 and not a.attisdropped
          and c.relkind in ('r', 'p', 'v', 'm', 'f')
        group by 1""",
    "relation": f"""
        select n.nspname || '.' || c.relname,
               concat_ws(' ', c.relkind, c.relpersistence, r.rolname,
                 case c.relkind when 'S' then {_acl("c.relacl", "s", "c.relowner")}
                   else {_acl("c.relacl", "r", "c.relowner")} end,
                 c.relrowsecurity, c.relforcerowsecurity, c.reloptions::text,
                 pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
          join pg_roles r on r.oid = c.relowner
        where {_USER} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')""",
    "constraint": f"""
        select n.nspname || '.' || coalesce(c.relname, t.typname) || '.' || k.conname,
               concat(pg_get_constraintdef(k.oid), k.convalidated)
        from pg_constraint k join pg_namespace n on n.oid = k.connamespace
          left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
        where {_USER} and (k.contype <> 'n' or {AS_OF} >= 180000)""",
    "index": f"""
        select n.nspname || '.' || c.relname, concat(pg_get_indexdef(i.indexrelid), i.indisvalid)
        from pg_index i join pg_class c on c.oid = i.indexrelid
          join pg_namespace n on n.oid = c.relnamespace where {_USER}""",
    "view": f"""
        select n.nspname || '.' || c.relname, pg_get_viewdef(c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where {_USER} and c.relkind in ('v', 'm')""",
    "sequence": "select schemaname || '.' || sequencename, concat_ws(' ', data_type, start_value,"
    " min_value, max_value, increment_by, cycle, cache_size) from pg_sequences",
    "function": f"""
        select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
               concat_ws(' ', p.prosrc, p.provolatile, p.prosecdef,
                 {_acl("p.proacl", "f", "p.proowner")}, p.proowner::regrole,
                 p.proconfig::text)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {_USER}""",
    "trigger": f"""
        select n.nspname || '.' || c.relname || '.' || t.tgname,
               concat(pg_get_triggerdef(t.oid), t.tgenabled)
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
          join pg_namespace n on n.oid = c.relnamespace where {_USER} and not t.tgisinternal""",
    "policy": "select schemaname || '.' || tablename || '.' || policyname,"
    " concat_ws(' ', permissive, roles::text, cmd, qual, with_check) from pg_policies",
    "type": f"""
        select n.nspname || '.' || t.typname, concat_ws(' ', t.typtype, t.typowner::regrole,
                 {_acl("t.typacl", "T", "t.typowner")},
                 (select string_agg(e.enumlabel, ',' order by e.enumsortorder)
                  from pg_enum e where e.enumtypid = t.oid))
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where {_USER} and t.typtype in ('e', 'd', 'r')""",
    "schema": f"""
        select n.nspname, concat_ws(' ', r.rolname, {_acl("n.nspacl", "n", "n.nspowner")})
        from pg_namespace n join pg_roles r on r.oid = n.nspowner where {_USER}""",
    "extension": "select extname, extversion from pg_extension",
    "publication": "select pubname, concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete)"
    " from pg_publication",
    "subscription": "select subname, concat_ws(' ', subslotname, subpublications::text)"
    " from pg_subscription where subdbid ="
    " (select oid from pg_database where datname = current_database())",
    "foreign server": f"""select srvname, concat_ws(' ', srvowner::regrole, srvoptions::text,
        {_acl("srvacl", "S", "srvowner")}) from pg_foreign_server""",
    "user mapping": "select srvname || ' for ' || usename, umoptions::text from pg_user_mappings",
    "event trigger": "select evtname, concat_ws(' ', evtevent, evtenabled, evtfoid::regproc,"
    " evttags::text) from pg_event_trigger",
    "statistics": f"""
        select n.nspname || '.' || s.stxname, pg_get_statisticsobjdef(s.oid)
        from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where {_USER}""",
    "default privileges": f"""
        select concat_ws(' ', d.defaclrole::regrole, n.nspname, d.defaclobjtype),
               {_acl("d.defaclacl")}
        from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace""",
}

CLUSTER_OBJECTS = {
    "role": "select rolname, concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb,"
    " rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil, rolconfig::text)"
    " from pg_roles where rolname !~ '^pg_'",
    "membership": "select r.rolname || ' in ' || g.rolname, m.admin_option::text"
    " from pg_auth_members m join pg_roles r on r.oid = m.member"
    " join pg_roles g on g.oid = m.roleid",
    "database": f"""
        select datname, concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype,
          pg_database_collation_actual_version(oid), datconnlimit, datdba::regrole,
          {_acl("datacl", "d", "datdba")})
        from pg_database where not datistemplate""",
    "tablespace": "select spcname, spcoptions::text from pg_tablespace",
    "setting": "select coalesce(d.datname, '*') || '/' || coalesce(r.rolname, '*'),"
    " s.setconfig::text"
    " from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase"
    " left join pg_roles r on r.oid = s.setrole",
}


MEMBERS = f"""
    with m as (select classid, objid from pg_depend where deptype = 'e')
    select n.nspname || '.' || c.relname
    from m join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass
      join pg_namespace n on n.oid = c.relnamespace where {_USER}
    union all
    select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    from m join pg_proc p on p.oid = m.objid and m.classid = 'pg_proc'::regclass
      join pg_namespace n on n.oid = p.pronamespace where {_USER}
    union all
    select n.nspname || '.' || t.typname
    from m join pg_type t on t.oid = m.objid and m.classid = 'pg_type'::regclass
      join pg_namespace n on n.oid = t.typnamespace where {_USER}
    order by 1"""
"""What belongs to an extension, and is as its version has it."""

RESPELLED = ("view", "policy", "extension")
"""Kinds whose definition another major version spells, or has, in its own way."""


def of_database(connection: Connection, database: str, as_of: int = AS_IT_IS) -> dict[str, str]:
    """Return a digest of each object of a database, by `database: kind name`.

    Args:
        connection: to it.
        database: what it is called.
        as_of: the version of the server that it is to be compared with, as `server_version_num`;
            what only newer ones have is left out.

    """
    return _digests(connection, DATABASE_OBJECTS, f"{database}: ", as_of)


def of_cluster(connection: Connection, as_of: int = AS_IT_IS) -> dict[str, str]:
    """Return a digest of each object that all databases share: roles, settings, databases.

    A database's line holds the version of the collation library that is in use, since an index
    that was built under another one may be out of order.
    """
    return _digests(connection, CLUSTER_OBJECTS, "", as_of)


def members(connection: Connection, database: str) -> list[str]:
    """List what belongs to extensions in a database, by `database: name`."""
    return [f"{database}: {name}" for (name,) in connection.execute(MEMBERS.encode())]


def portable(digests: Mapping[str, str], foreign: Collection[str]) -> dict[str, str]:
    """Return digests that two major versions can be compared by.

    Args:
        digests: of each object, by `database: kind name`.
        foreign: what belongs to extensions on either side; it is left out.

    Returns:
        The others; of kinds that each version spells in its own way only that they are there.

    """
    found = {}
    for key, digest in digests.items():
        database, colon, rest = key.partition(": ")
        kind = next((each for each in DATABASE_OBJECTS if rest.startswith(f"{each} ")), "")
        name = rest.removeprefix(f"{kind} ")
        if colon and kind and _is_among(f"{database}: {name}", foreign):
            continue
        found[key] = "there" if kind in RESPELLED else digest
    return found


def _is_among(name: str, owners: Collection[str]) -> bool:
    """Tell whether something is, or belongs to, one of some objects; names join with dots."""
    parts = name.split(".")
    return any(".".join(parts[:number]) in owners for number in range(1, len(parts) + 1))


def _digests(
    connection: Connection, kinds: dict[str, str], prefix: str, as_of: int
) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, query in kinds.items():
        text = f"select name, md5(coalesce(definition, '')) from ({query}) x (name, definition)"
        rows = connection.execute(text.replace(AS_OF, str(as_of)).encode())
        found |= {f"{prefix}{kind} {name}": digest for name, digest in rows}
    return found
