"""The page that holds the terminal in a browser, as textual-serve makes it, with what that leaves out.

Its terminal takes keys from the first moment on, not from the first click; the tab has a name; and nothing is fetched from anywhere else,
so that a font service learns nothing of who writes prompts.
"""

from __future__ import annotations

import re

HEAD = """<title>PromptLens</title>
    <link rel="icon" href="data:," />
    <style>html, body { overflow: hidden }</style>
    <script>
      new MutationObserver((changes, observer) => {
        const keys = document.querySelector(".xterm-helper-textarea");
        if (keys && document.body.classList.contains("-first-byte")) {
          observer.disconnect();
          keys.focus();
        }
      }).observe(document, { attributes: true, childList: true, subtree: true });
    </script>
  </head>"""
_ELSEWHERE = re.compile(r"""<(link|script)\b[^>]*\b(?:href|src)=["'](?:https?:)?//[^>]*>(?:\s*</script>)?""")


def mended(html: str, own: str) -> str:
    """The page; links to other places than `own`, the address that serves it, are taken out.

    >>> mended('<head><link href="https://fonts.example/css" /></head>', "http://localhost:8000").count("fonts")
    0
    """

    def kept(found: re.Match[str]) -> str:
        return found[0] if f'"{own}/' in found[0] else ""

    return _ELSEWHERE.sub(kept, html).replace("</head>", HEAD, 1)
