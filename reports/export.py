"""A page as one file: HTML that needs no network, reads well by day and by night, and prints."""

from html import escape

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import validateLink


_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --text: #1f2328 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #161b22; --text: #e6edf3 } body { background: #0d1117 }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.5rem; border-bottom: 1px solid var(--line); padding-bottom: .4rem }
h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto;
  font-size: .9rem }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: break-word }
th { background: var(--soft) }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; background: var(--soft) }
pre { padding: .7rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px }
pre code { background: none }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 4px solid #cf222e }
img { max-width: 100% }
@media print { body { margin: 0; max-width: none; font-size: 11pt } pre { white-space: pre-wrap }
  h2 { break-after: avoid } tr, pre { break-inside: avoid } }
"""


def _is_allowed(link: str) -> bool:
    """Tell whether a page may link there: its charts lie in it, and nothing in it is run."""
    return link.startswith("data:image/svg+xml;base64,") or validateLink(link)


def standalone(markdown: str) -> str:
    """Return a page as HTML that stands alone; its title is its verdict.

    Args:
        markdown: GitHub-flavoured, as pages are; HTML in it is taken as it is.

    """
    verdict = markdown.partition("\n")[0].lstrip("# ")
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    renderer.validateLink = _is_allowed  # type: ignore[assignment, method-assign]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(verdict)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{renderer.render(markdown)}</body></html>\n"
    )
