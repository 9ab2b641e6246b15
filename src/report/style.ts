/**
 * The style of all pages: light and dark by the reader's preference, paper without shadows or navigation. Colours are
 * variables; `int8`, `float` and `boundary` mean the same everywhere and differ in lightness too.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7fa; --surface: #ffffff; --raised: #f2f4f8; --ink: #1a2030; --muted: #5d6679; --line: #dfe3ec;
  --accent: #2f5fde; --good: #16794c; --bad: #b3261e;
  --int8: #2f6fe4; --float: #e08a2c; --boundary: #8a93a6; --other: #56a38c; --track: #e9ecf3;
  --shadow: 0 1px 2px rgb(20 30 60 / 6%), 0 4px 16px rgb(20 30 60 / 5%);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10131a; --surface: #181c25; --raised: #1f2430; --ink: #e6e9f0; --muted: #98a1b4; --line: #2b3140;
    --accent: #7ea2ff; --good: #5bd19a; --bad: #ff8a80;
    --int8: #6b9bff; --float: #f0a95a; --boundary: #7b8599; --other: #6cc5aa; --track: #262c39;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif;
}
a { color: var(--accent); }
code, .mono { font-family: var(--mono); font-size: 0.92em; overflow-wrap: anywhere; }
.page { max-width: 1120px; margin: 0 auto; padding: 0 1.5rem 4rem; }
.page.wide { max-width: none; }
header.top { padding: 2.4rem 0 1.4rem; }
header.top .kicker { color: var(--muted); font-size: 0.82rem; letter-spacing: 0.06em; text-transform: uppercase; }
h1 { margin: 0.15rem 0 0.3rem; font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin: 0 0 0.2rem; font-size: 1.22rem; font-weight: 640; letter-spacing: -0.01em; }
h3 { margin: 1.4rem 0 0.5rem; font-size: 1rem; font-weight: 620; }
p { margin: 0.3rem 0 0.8rem; }
.muted { color: var(--muted); }
.small { font-size: 0.85em; line-height: 1.35; }
.good { color: var(--good); }
.bad { color: var(--bad); }
nav.contents {
  position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0 -1.5rem 1.4rem; padding: 0.6rem 1.5rem;
  background: color-mix(in srgb, var(--ground) 88%, transparent); backdrop-filter: blur(8px);
  border-bottom: 1px solid var(--line); font-size: 0.9rem;
}
nav.contents a { color: var(--muted); text-decoration: none; }
nav.contents a:hover, nav.contents a:focus-visible { color: var(--accent); }
section.card {
  margin: 0 0 1.4rem; padding: 1.3rem 1.5rem 1.4rem; background: var(--surface);
  border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow);
}
section.card > .lead { color: var(--muted); max-width: 75ch; margin-bottom: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 0.8rem; margin: 0 0 1.4rem; }
.tile { padding: 0.9rem 1.1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); }
.tile .label { color: var(--muted); font-size: 0.82rem; }
.tile .value { font-size: 1.6rem; font-weight: 640; letter-spacing: -0.02em; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile .note { color: var(--muted); font-size: 0.82rem; }
.scroll { overflow-x: auto; margin: 0 -1.5rem; padding: 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.4rem; }
th, td { padding: 0.42rem 0.7rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th { color: var(--muted); font-weight: 560; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover > * { background: var(--raised); }
th.number, td.number { text-align: right; }
td.number { white-space: nowrap; }
td.bar { width: 18%; min-width: 80px; }
td.wrap { min-width: 14rem; }
th button { all: unset; cursor: pointer; }
th:not(.number) button::after, th.number button::before { content: ''; display: inline-block; width: 1em; text-align: center; }
th[aria-sort='ascending']:not(.number) button::after, th.number[aria-sort='ascending'] button::before { content: '\\2191'; }
th[aria-sort='descending']:not(.number) button::after, th.number[aria-sort='descending'] button::before { content: '\\2193'; }
th button:hover, th[aria-sort] button { color: var(--ink); }
th button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 1.4rem; margin: 0; font-size: 0.92rem; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.legend + .scroll, figure + .scroll, p + .scroll { margin-top: 1rem; }
figure { margin: 0.6rem 0 0; }
figcaption { color: var(--muted); font-size: 0.85rem; margin-top: 0.4rem; }
svg { display: block; max-width: 100%; }
svg text { fill: var(--muted); font: 11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif; }
svg .axis { stroke: var(--line); }
svg .mark { stroke: var(--ink); stroke-dasharray: 3 3; opacity: 0.55; }
svg.cell { width: 100%; height: 0.72rem; border-radius: 3px; background: var(--track); }
svg.strip { width: 100%; height: 46px; border-radius: 6px; background: var(--track); }
svg.strip rect { stroke: var(--surface); stroke-width: 1; vector-effect: non-scaling-stroke; }
svg.strip rect:hover { opacity: 0.7; }
.fill-int8 { fill: var(--int8); } .fill-float { fill: var(--float); } .fill-boundary { fill: var(--boundary); }
.fill-other { fill: var(--other); } .fill-accent { fill: var(--accent); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0.5rem 0 0; padding: 0; list-style: none; color: var(--muted); font-size: 0.85rem; }
.legend svg { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; vertical-align: -0.05em; border-radius: 2px; }
.badge { display: inline-block; padding: 0 0.5em; border-radius: 999px; background: var(--raised); border: 1px solid var(--line); font-size: 0.8rem; white-space: nowrap; }
footer { color: var(--muted); font-size: 0.85rem; }
@media (max-width: 640px) { .page { padding: 0 1rem 3rem; } section.card { padding: 1rem; } .scroll { margin: 0 -1rem; padding: 0 1rem; } }
@media print {
  :root { --ground: #fff; --surface: #fff; --raised: #fff; --ink: #000; --muted: #444; --line: #bbb; --track: #eee; --shadow: none; color-scheme: light; }
  @page { margin: 14mm; }
  body { font-size: 10.5pt; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  nav.contents, th button::after, th button::before { display: none !important; }
  section.card { border: 0; padding: 0; break-inside: auto; }
  .scroll { overflow: visible; margin: 0; padding: 0; }
  tr, figure, .tile { break-inside: avoid; }
  thead { display: table-header-group; }
  h2, h3 { break-after: avoid; }
}
`;
