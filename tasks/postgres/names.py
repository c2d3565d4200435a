"""Names of database objects in one spelling: two objects never share one."""

import re


_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '""'}


def quoted(name: str) -> str:
    r"""Quote a name where SQL would need that; a control character is escaped, as in `"a\nb"`."""
    if _PLAIN.fullmatch(name):
        return name
    return '"' + "".join(_ESCAPES.get(sign, sign) for sign in name) + '"'


def joined(*parts: str) -> str:
    """Join names with dots; `"a.b".c` and `a."b.c"` stay two names."""
    return ".".join(map(quoted, parts))


def split(name: str) -> tuple[str, ...]:
    """Return the parts of what `joined` made."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^."]+', name)
    return tuple(_unquoted(part) for part in parts)


def _unquoted(part: str) -> str:
    if not part.startswith('"'):
        return part
    known = {escape: sign for sign, escape in _ESCAPES.items()}
    return re.sub(r'\\.|""', lambda match: known[match[0]], part[1:-1])
