// The files of this folder run in the pages: tools/embed-client.ts makes text of them.

const contentOf = (row: HTMLTableRowElement, column: number): string => {
  const cell = row.cells[column];
  return cell?.dataset.sort ?? cell?.textContent?.trim() ?? '';
};

/** Numbers before texts; texts as a person expects them, with numbers inside by value. */
function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  const [isX, isY] = [a !== '' && !Number.isNaN(x), b !== '' && !Number.isNaN(y)];
  if (isX && isY) return x - y;
  if (isX !== isY) return isX ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Lets the headings of all tables of class `sortable` sort them: numbers first the greatest, texts from a to z. */
export function sortTables(root: ParentNode): void {
  for (const table of root.querySelectorAll<HTMLTableElement>('table.sortable')) {
    const body = table.tBodies[0];
    const headings = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
    if (!body || body.rows.length < 2) continue;
    for (const [column, heading] of headings.entries()) {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...heading.childNodes);
      heading.append(button);
      const numeric = heading.classList.contains('number');
      button.addEventListener('click', () => {
        const before = heading.getAttribute('aria-sort') ?? (numeric ? 'ascending' : 'descending');
        const up = before === 'descending';
        for (const other of headings) other.removeAttribute('aria-sort');
        heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const rows = [...body.rows].sort((a, b) => compare(contentOf(a, column), contentOf(b, column)) * (up ? 1 : -1));
        body.append(...rows);
      });
    }
  }
}
