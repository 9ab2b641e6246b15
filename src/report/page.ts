import { VERSION } from '../version.js';
import { CLIENT_TEXTS } from './client-text.js';
import { type Html, html, jsonScript, type Part, raw } from './html.js';
import { STYLE } from './style.js';

/** A number worth a tile of its own. */
export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

/** A part of a page. Whoever has something to report makes sections; the page puts them in order. */
export interface Section {
  /** Unique in the page; links and tests find the section by it. */
  readonly id: string;
  readonly title: string;
  /** The title in the list of contents, where it is shorter there. */
  readonly short?: string;
  /** One or two sentences on what is shown. */
  readonly lead?: Part;
  readonly body: Html;
  /** Style and scripts that the section needs besides those of every page; equal ones stand in the page once. */
  readonly style?: string;
  readonly script?: string;
}

/** A page. */
export interface Page {
  readonly title: string;
  /** What kind of page it is, above the title. */
  readonly kicker?: string;
  readonly subtitle?: Part;
  readonly tiles?: readonly Tile[];
  readonly sections: readonly Section[];
  /** For programs that read the page: the JSON in the script element `report-data`. */
  readonly data?: unknown;
  /** Uses the whole width of the window. */
  readonly wide?: boolean;
}

/** Nothing is fetched: not by mistake, and not by what a model or a data set calls itself. */
export const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

const tile = ({ label, value, note }: Tile): Html =>
  html`<div class="tile"><div class="label">${label}</div><div class="value">${value}</div>${note ? html`<div class="note">${note}</div>` : null}</div>`;

const card = ({ id, title, lead, body }: Section): Html =>
  html`<section class="card" id="${id}">
<h2>${title}</h2>
${lead ? html`<p class="lead">${lead}</p>` : null}
${body}
</section>
`;

const distinct = (texts: readonly (string | undefined)[]): string[] => [
  ...new Set(texts.filter((text) => text !== undefined)),
];

/**
 * The text of one self-contained HTML page: style, scripts, data and pictures inside, nothing from the network. Light
 * or dark as the reader prefers, printable, readable without scripts.
 */
export function renderPage({ title, kicker, subtitle, tiles = [], sections, data, wide }: Page): string {
  const styles = [STYLE, ...distinct(sections.map((s) => s.style))].join('\n');
  const scripts = [`${CLIENT_TEXTS.sortTables}\nsortTables(document);`, ...distinct(sections.map((s) => s.script))];
  const contents = sections.map((s) => html`<a href="#${s.id}">${s.short ?? s.title}</a>`);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="generator" content="qc ${VERSION}">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(styles)}</style>
</head>
<body>
<div class="page${wide ? ' wide' : ''}">
<header class="top">
${kicker ? html`<div class="kicker">${kicker}</div>` : null}
<h1>${title}</h1>
${subtitle ? html`<div class="muted">${subtitle}</div>` : null}
</header>
${sections.length > 1 ? html`<nav class="contents" aria-label="Contents">${contents}</nav>` : null}
${tiles.length > 0 ? html`<div class="tiles">${tiles.map(tile)}</div>` : null}
<main>
${sections.map(card)}</main>
<footer>Made by qc ${VERSION}.</footer>
</div>
${data === undefined ? null : jsonScript('report-data', data)}
${scripts.map((text) => html`<script>${raw(text)}</script>\n`)}</body>
</html>
`;
  return page.text;
}
