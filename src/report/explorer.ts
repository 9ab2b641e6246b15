import type { Stage } from '../stages.js';
import { VERSION } from '../version.js';
import { MARKS } from './client/explorer/draw.js';
import { CLIENT_TEXTS } from './client-text.js';
import { explorerData, type Overlay } from './explorer-data.js';
import { EXPLORER_STYLE } from './explorer-style.js';
import { type Html, html, jsonScript, raw } from './html.js';
import type { Layouts } from './layout.js';
import { POLICY } from './page.js';
import { STYLE } from './style.js';

const KINDS = [
  ['int8', 'int8'],
  ['float', 'float'],
  ['boundary', 'boundary'],
  ['open', 'not placed'],
] as const;

const legend = (): Html => html`<details class="legend" open>
<summary>Legend</summary>
${KINDS.map(([kind, text]) => html`<div><span class="dot k-${kind}"></span>${kind === 'boundary' ? 'quantize, dequantize, requantize' : text}</div>\n`)}
<div><span class="line c"></span>codes <span class="line"></span>reals</div>
<div id="scale" hidden><span id="scale-low"></span><span class="heat"></span><span id="scale-high"></span></div>
<div class="marks">${Object.entries(MARKS).map(([status, mark]) => html`<span class="badge s-${status}">${mark} ${status}</span>`)}</div>
</details>`;

const bar = (name: string, last: number): Html => html`<header class="bar">
<div><div class="kicker">qc ${VERSION}: graph</div><h1>${name}</h1></div>
<div class="passes">
<button type="button" id="previous" aria-label="previous pass">&#8592;</button>
<input type="range" id="slider" min="0" max="${last}" step="1" aria-label="pass">
<button type="button" id="next" aria-label="next pass">&#8594;</button>
<div class="pass"><strong id="pass-name"></strong><span class="changes" id="pass-changes"></span><div id="pass-doc"></div></div>
</div>
</header>`;

const side = (): Html => html`<aside class="side">
<div class="tools">
<input type="search" id="search" placeholder="Search: op, id, name, type  (press /)" aria-label="search">
<div id="kinds">${KINDS.map(([kind, text]) => html`<label><input type="checkbox" value="${kind}"><span class="dot k-${kind}"></span>${text}</label>`)}</div>
<label id="overlay-field" hidden>Colour by <select id="overlay"></select></label>
<div id="found"></div>
</div>
<div id="regions" hidden><h3>int8 regions</h3><div id="region-list"></div></div>
<ul id="list"></ul>
</aside>`;

/**
 * The explorer of a compilation as one self-contained HTML page: a slider over the stages, the graph with what each pass
 * changed, search, and everything that is known of a node. Overlays colour the nodes by numbers. The title is the name of the
 * graph where none is given; that of a Paddle program says nothing.
 */
export function explorerPage(
  stages: readonly Stage[],
  layouts: Layouts,
  { overlays = [], title }: { readonly overlays?: readonly Overlay[]; readonly title?: string } = {},
): string {
  const found = explorerData(stages, layouts, overlays);
  const data = { ...found, name: title ?? found.name };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="generator" content="qc ${VERSION}">
<title>${data.name}: graph</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE + EXPLORER_STYLE)}</style>
</head>
<body>
<div class="explorer">
${bar(data.name, data.stages.length - 1)}
${side()}
<main class="view">
<svg id="picture" class="graph" role="img" aria-label="graph"></svg>
${legend()}
<div class="zoom"><button type="button" id="zoom-in" aria-label="larger">+</button><button type="button" id="zoom-out" aria-label="smaller">&#8722;</button><button type="button" id="fit">all</button></div>
<canvas id="minimap" aria-hidden="true"></canvas>
</main>
<aside id="details" aria-live="polite"></aside>
</div>
<div id="paper"></div>
<noscript>This page needs scripts. The .dot and .svg files beside it show the same graphs.</noscript>
${jsonScript('report-data', data)}
<script>${raw(`${CLIENT_TEXTS.explorer}\nexplorer();`)}</script>
</body>
</html>
`.text;
}
