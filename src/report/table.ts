import { Html, html, type Part } from './html.js';

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** number: flush right, sorted by value. bar: a chart. wrap: long text. */
  readonly kind?: 'text' | 'number' | 'bar' | 'wrap';
  /** What the heading means, shown on hovering. */
  readonly hint?: string;
}

/** What a cell shows; `sort` is the value that it is sorted by, where that is not the text itself. */
export type Cell = Part | { readonly show: Part; readonly sort: number | string };

const isSorted = (cell: Cell): cell is { readonly show: Part; readonly sort: number | string } =>
  typeof cell === 'object' && cell !== null && 'sort' in cell && !(cell instanceof Html);

/** A number as a cell: shown with so many digits behind the point, sorted by its value. */
export const numberCell = (value: number, digits: number): Cell => ({ show: value.toFixed(digits), sort: value });

function tableCell(cell: Cell, { kind = 'text' }: Column): Html {
  const [show, sort] = isSorted(cell) ? [cell.show, cell.sort] : [cell, undefined];
  const style = kind === 'text' ? null : html` class="${kind}"`;
  return html`<td${style}${sort === undefined ? null : html` data-sort="${sort}"`}>${show}</td>`;
}

function heading({ title, kind, hint }: Column): Html {
  return html`<th scope="col"${kind === 'number' ? html` class="number"` : null}${hint ? html` title="${hint}"` : null}>${title}</th>`;
}

/** A table whose headings sort it. Rows must have as many cells as there are columns. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], caption?: string): Html {
  const lines = rows.map((row) => {
    if (row.length !== columns.length) throw new Error(`a row of ${row.length} cells in ${columns.length} columns`);
    return html`<tr>${row.map((cell, i) => tableCell(cell, columns[i] as Column))}</tr>\n`;
  });
  return html`<div class="scroll"><table class="sortable">${caption ? html`<caption>${caption}</caption>` : null}
<thead><tr>${columns.map(heading)}</tr></thead>
<tbody>
${lines}</tbody></table></div>`;
}

/** Names and values, one below the other. */
export const facts = (entries: readonly (readonly [name: string, value: Part])[]): Html =>
  html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
