/**
 * How graphs look, as CSS: in the explorer, where the colours are those of all pages, and in a picture of its own, where
 * they are written out.
 */
export const GRAPH_STYLE = `
.graph text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif; fill: var(--ink); }
.graph .card { fill: var(--surface); stroke: var(--edge); stroke-width: 1.2; }
.graph .title { font-weight: 620; }
.graph .id { fill: var(--muted); font-weight: 500; }
.graph .extra { fill: var(--muted); font-weight: 450; }
.graph .note { font: 10px ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: var(--muted); }
.graph .k-int8 .card { fill: var(--int8-tint); stroke: var(--int8-edge); } .graph .k-int8 .stripe { fill: var(--int8); }
.graph .k-float .card { fill: var(--float-tint); stroke: var(--float-edge); } .graph .k-float .stripe { fill: var(--float); }
.graph .k-boundary .card { fill: var(--boundary-tint); stroke: var(--boundary-edge); } .graph .k-boundary .stripe { fill: var(--boundary); }
.graph .k-open .stripe { fill: var(--edge); }
.graph .k-terminal .card { fill: var(--raised); }
.graph .link { fill: none; stroke-width: 1.4; }
.graph .link.c { stroke: var(--int8); marker-end: url(#arrow-c); }
.graph .link.r { stroke: var(--real); marker-end: url(#arrow-r); }
.graph .arrow.c { fill: var(--int8); } .graph .arrow.r { fill: var(--real); }
.graph .halos { opacity: 0.12; } .graph .halos rect { fill: var(--int8); } .graph .halos path { fill: none; stroke: var(--int8); stroke-width: 30; }
`;

/** Colours of graphs on a light ground. */
export const LIGHT: Readonly<Record<string, string>> = {
  ink: '#1a2030',
  muted: '#5d6679',
  surface: '#ffffff',
  raised: '#eef1f6',
  edge: '#c3cad8',
  real: '#98a1b3',
  int8: '#2f6fe4',
  'int8-tint': '#eaf1fd',
  'int8-edge': '#9dbdf3',
  float: '#e08a2c',
  'float-tint': '#fdf2e4',
  'float-edge': '#eec08a',
  boundary: '#b59a00',
  'boundary-tint': '#fdf9de',
  'boundary-edge': '#dccb6a',
};

/** The same on a dark ground. */
export const DARK: Readonly<Record<string, string>> = {
  ink: '#e6e9f0',
  muted: '#a0a9bb',
  surface: '#1c212c',
  raised: '#262c39',
  edge: '#465066',
  real: '#6d778c',
  int8: '#6b9bff',
  'int8-tint': '#1b2740',
  'int8-edge': '#3d5f9f',
  float: '#f0a95a',
  'float-tint': '#33271a',
  'float-edge': '#8a6437',
  boundary: '#d8c04a',
  'boundary-tint': '#2f2c18',
  'boundary-edge': '#7d7133',
};

/** Colours as CSS variables. */
export const variables = (colors: Readonly<Record<string, string>>): string =>
  Object.entries(colors)
    .map(([name, color]) => `--${name}: ${color};`)
    .join(' ');

/** The style with the colours written out, for programs that know no variables. */
export const plainStyle = (colors: Readonly<Record<string, string>>): string =>
  GRAPH_STYLE.replace(/var\(--([\w-]+)\)/g, (_, name: string) => colors[name] ?? 'black');
