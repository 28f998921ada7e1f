"""The style sheet of the page about the API: light and dark, wide and on a phone."""

import hashlib
from typing import Final

STYLE: Final = b"""\
:root {
  color-scheme: light dark;
  --ink: #1c2024;
  --faint: #5a646e;
  --paper: #ffffff;
  --panel: #f4f6f8;
  --line: #d8dee4;
  --get: #0b6e4f;
  --change: #9a4b00;
  --delete: #a3202b;
  --mono: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ea; --faint: #9aa5b0; --paper: #14171a; --panel: #1d2226;
    --line: #353c43; --get: #5fd0a5; --change: #f0b060; --delete: #ff8a8f; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
}
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.25rem; text-transform: capitalize; }
h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: inherit; }
code { font-family: var(--mono); font-size: .9em; overflow-wrap: anywhere; }
.faint, caption { color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0; }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--panel); }
summary { display: grid; grid-template-columns: 4.5rem 1fr; gap: 0 .5rem; padding: .6rem .8rem; cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
summary b { grid-row: span 2; font-family: var(--mono); font-size: .85rem; line-height: 1.6rem; }
summary .faint { grid-column: 2; }
.get { color: var(--get); }
.post, .put, .patch { color: var(--change); }
.delete { color: var(--delete); }
.more { padding: 0 .8rem .8rem; border-top: 1px solid var(--line); scroll-margin-top: 4rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; color: var(--faint); font-weight: normal; }
td:first-child { white-space: nowrap; }
@media (max-width: 36rem) {
  body { padding: 1rem .6rem 3rem; }
  summary { grid-template-columns: 1fr; }
  summary b { grid-row: auto; }
  summary .faint { grid-column: 1; }
  td:first-child { white-space: normal; }
}
"""

STYLE_NAME: Final = f"api-{hashlib.sha256(STYLE).hexdigest()[:10]}.css"
"""Its name among the assets: with a hash, so that it may be cached for ever."""
