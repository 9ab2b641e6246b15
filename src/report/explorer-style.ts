import { DARK, GRAPH_STYLE, LIGHT, variables } from './graph-style.js';

/** Colours of changes, at the corners of boxes and in lists. */
const STATUS_COLORS: Readonly<Record<string, string>> = {
  added: '#16915c',
  fused: '#8e4ec6',
  rewritten: '#d6409f',
  retyped: '#0e8aa8',
  rewired: '#6b7689',
  placed: '#b45f06',
  annotated: '#8b8d98',
};

/** Changes that boxes are framed for; what is only noted about a value is not. */
const FRAMED = Object.keys(STATUS_COLORS).filter((status) => status !== 'annotated');

const statusStyle = [
  ...Object.keys(STATUS_COLORS).map((s) => `.dot.s-${s}, .badge.s-${s} { background: var(--s-${s}); }`),
  ...FRAMED.map(
    (s) =>
      `.graph .s-${s} .card { stroke: var(--s-${s}); stroke-width: 2.2; } .graph .s-${s} .sign circle { fill: var(--s-${s}); }`,
  ),
].join('\n');

/** The layout of the explorer: a bar on top, a list to the left, the picture, a panel of details to the right. */
export const EXPLORER_STYLE = `
:root { ${variables(LIGHT)} --heat-low: #3b7dd8; --heat-high: #d0312d; ${variables(
  Object.fromEntries(Object.entries(STATUS_COLORS).map(([k, v]) => [`s-${k}`, v])),
)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} --heat-low: #5b96e8; --heat-high: #ef5b57; } }
${GRAPH_STYLE}
${statusStyle}
[hidden] { display: none !important; }
html, body { height: 100%; }
body { overflow: hidden; font-size: 14px; }
.explorer { display: grid; height: 100vh; grid-template: auto minmax(0, 1fr) / 270px minmax(0, 1fr) 340px; grid-template-areas: 'bar bar bar' 'list view details'; }
.bar { grid-area: bar; display: flex; align-items: center; gap: 1.4rem; padding: 0.6rem 1.1rem; background: var(--surface); border-bottom: 1px solid var(--line); }
.bar h1 { font-size: 1.05rem; margin: 0; white-space: nowrap; max-width: 22rem; overflow: hidden; text-overflow: ellipsis; }
.bar .kicker { color: var(--muted); font-size: 0.72rem; letter-spacing: 0.06em; text-transform: uppercase; }
.passes { flex: 1; display: flex; align-items: center; gap: 0.6rem; min-width: 0; }
.passes input { flex: 1; min-width: 120px; max-width: 480px; accent-color: var(--accent); }
.pass { min-width: 15rem; line-height: 1.25; }
.pass strong { font-weight: 640; }
.pass div { color: var(--muted); font-size: 0.8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 26rem; }
.pass .changes { color: var(--accent); margin-left: 0.5rem; font-size: 0.82rem; }
.explorer button { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 0.18rem 0.6rem; cursor: pointer; }
.explorer button:hover { border-color: var(--accent); }
.explorer :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.side { grid-area: list; display: flex; flex-direction: column; min-height: 0; background: var(--surface); border-right: 1px solid var(--line); }
.side .tools { padding: 0.8rem 0.9rem 0.5rem; display: grid; gap: 0.5rem; }
.side input[type='search'], .side select { width: 100%; font: inherit; color: inherit; padding: 0.34rem 0.6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); }
#kinds { display: flex; flex-wrap: wrap; gap: 0.2rem 0.7rem; font-size: 0.83rem; }
#kinds label, #regions label { display: flex; align-items: center; gap: 0.3rem; cursor: pointer; }
#found { color: var(--muted); font-size: 0.8rem; }
#regions { padding: 0.3rem 0.9rem 0.5rem; border-bottom: 1px solid var(--line); font-size: 0.83rem; max-height: 8.5rem; overflow-y: auto; }
#regions h3, #details h3 { margin: 0.9rem 0 0.3rem; font-size: 0.75rem; letter-spacing: 0.05em; text-transform: uppercase; color: var(--muted); font-weight: 600; }
#regions h3 { margin-top: 0.2rem; }
#list { list-style: none; margin: 0; padding: 0.2rem 0.5rem 1rem; overflow-y: auto; flex: 1; }
#list .row { display: flex; width: 100%; align-items: center; gap: 0.45rem; border: 0; background: none; padding: 0.2rem 0.4rem; text-align: left; border-radius: 6px; }
#list .row:hover { background: var(--raised); }
#list .row.selected { background: color-mix(in srgb, var(--accent) 16%, transparent); }
.row-title { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 0.86rem; }
.dot { width: 0.6rem; height: 0.6rem; border-radius: 3px; flex: none; background: var(--edge); }
.dot.k-int8 { background: var(--int8); } .dot.k-float { background: var(--float); } .dot.k-boundary { background: var(--boundary); } .dot.k-terminal { border-radius: 50%; background: var(--muted); }
.view { grid-area: view; position: relative; min-width: 0; background: var(--ground); }
#picture { width: 100%; height: 100%; max-width: none; touch-action: none; cursor: grab; user-select: none; }
#picture:active { cursor: grabbing; }
#picture .box { cursor: pointer; }
.graph .sign circle { stroke: var(--ground); stroke-width: 1.5; }
.graph .sign text { font: 700 10px system-ui, sans-serif; fill: #fff; text-anchor: middle; }
.graph .selected .card { stroke: var(--accent); stroke-width: 3; }
.graph .link.near { stroke-width: 3; }
#minimap { position: absolute; right: 12px; top: 12px; bottom: 12px; width: 92px; height: calc(100% - 24px); border: 1px solid var(--line); border-radius: 10px; background: color-mix(in srgb, var(--surface) 88%, transparent); cursor: pointer; }
.zoom { position: absolute; left: 12px; bottom: 12px; display: flex; gap: 0.35rem; }
.legend { position: absolute; left: 12px; top: 12px; padding: 0.5rem 0.75rem; border: 1px solid var(--line); border-radius: 10px; background: color-mix(in srgb, var(--surface) 92%, transparent); font-size: 0.78rem; display: grid; gap: 0.2rem; margin: 0; }
.legend summary { cursor: pointer; color: var(--muted); }
.legend div { display: flex; align-items: center; gap: 0.45rem; }
.legend .marks { flex-wrap: wrap; max-width: 13rem; gap: 0.25rem; margin-top: 0.3rem; }
.legend .line { width: 1.2rem; height: 0; border-top: 2px solid var(--real); } .legend .line.c { border-color: var(--int8); }
.legend .heat { width: 6rem; height: 0.6rem; border-radius: 4px; background: linear-gradient(90deg in oklab, var(--heat-low), var(--heat-high)); }
#details { grid-area: details; overflow-y: auto; padding: 1rem 1.1rem 2rem; background: var(--surface); border-left: 1px solid var(--line); }
#details h2 { font-size: 1.05rem; margin: 0.5rem 0 0.3rem; overflow-wrap: anywhere; }
#details ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.45rem; }
#details li { overflow-wrap: anywhere; }
#details .name { font-family: var(--mono); font-size: 0.82rem; }
#details .type { font-family: var(--mono); font-size: 0.76rem; color: var(--muted); }
#details .ends { font-size: 0.8rem; color: var(--muted); }
#details .link { border: 0; background: none; padding: 0; margin-right: 0.5rem; color: var(--accent); text-align: left; }
#details .link:hover { text-decoration: underline; }
#details dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 0.9rem; margin: 0; font-family: var(--mono); font-size: 0.78rem; }
#details dt { color: var(--muted); } #details dd { margin: 0; overflow-wrap: anywhere; }
#details .why { padding: 0.5rem 0.7rem; border-radius: 8px; background: var(--raised); border-left: 3px solid var(--float); }
#details .history { font-size: 0.82rem; } #details .history .now { font-weight: 640; }
#details .gone li { font-size: 0.84rem; } #details .gone .muted { font-size: 0.78rem; }
.id-row { display: flex; align-items: center; gap: 0.5rem; } .id-row code { font-size: 1rem; font-weight: 640; } .id-row .copy { font-size: 0.75rem; padding: 0.05rem 0.5rem; }
.badge { margin-right: 0.35rem; } .badge[class*='s-'] { color: #fff; border-color: transparent; }
.badge.k-int8 { border-color: var(--int8-edge); background: var(--int8-tint); } .badge.k-float { border-color: var(--float-edge); background: var(--float-tint); } .badge.k-boundary { border-color: var(--boundary-edge); background: var(--boundary-tint); }
#paper { display: none; }
@media (max-width: 900px) { .explorer { grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr); grid-template-areas: 'bar' 'view' 'details'; } .side { display: none; } #details { max-height: 38vh; border-left: 0; border-top: 1px solid var(--line); } .bar { flex-wrap: wrap; gap: 0.4rem 1rem; } .pass { min-width: 0; } }
@media print {
  :root { ${variables(LIGHT)} }
  html, body { height: auto; overflow: visible; }
  .explorer { display: none; }
  #paper { display: block; }
  #paper .sheet { break-after: page; } #paper .sheet:last-child { break-after: auto; }
  #paper svg { width: 100%; max-height: 245mm; }
}
`;
