import type { BoxData, ExplorerData, PortData, StageData } from '../../explorer-data.js';
import { type Content, element } from './element.js';
import type { Picture } from './scene-view.js';

const KIND_NAMES: Readonly<Record<string, string>> = {
  int8: 'int8',
  float: 'float',
  boundary: 'boundary',
  open: 'not placed',
  terminal: 'border',
};

const section = (title: string, ...content: readonly Content[]): HTMLElement =>
  element('section', {}, element('h3', {}, title), ...content);

/** What the panel can ask of the page. */
export interface DetailsActions {
  select(key: string): void;
  toStage(index: number): void;
}

function ends(port: PortData, picture: Picture, way: string, select: (key: string) => void): Content {
  const known = port.ends.flatMap((key) => {
    const placed = picture.boxes.get(key);
    return placed ? [placed.box] : [];
  });
  if (known.length === 0) return null;
  return element(
    'div',
    { class: 'ends' },
    `${way} `,
    known.map((box) => element('button', { class: 'link', type: 'button', click: () => select(box.key) }, box.title)),
  );
}

function port(data: PortData, picture: Picture, way: string, select: (key: string) => void): HTMLElement {
  return element(
    'li',
    {},
    element('div', { class: 'name' }, data.name),
    element('div', { class: 'type' }, data.type),
    data.range !== undefined && element('div', { class: 'type' }, `codes ${data.range}`),
    data.constant !== undefined && element('div', { class: 'type' }, `constant ${data.constant}`),
    ends(data, picture, way, select),
  );
}

/** Copies text; the button says so. Works without the clipboard API as well, in files opened from disk. */
async function copy(text: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element('textarea', {}, text);
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  const before = button.textContent;
  button.textContent = 'copied';
  setTimeout(() => {
    button.textContent = before;
  }, 1200);
}

function idRow(box: BoxData): Content {
  if (box.id === null) return null;
  const id = String(box.id);
  const button = element('button', { type: 'button', class: 'copy', title: 'for --op-ids-to-skip' }, 'copy');
  button.addEventListener('click', () => void copy(id, button));
  return element('div', { class: 'id-row' }, 'id ', element('code', { id: 'node-id' }, id), button);
}

function overlayRows(data: ExplorerData, box: BoxData): Content {
  const rows = data.overlays.flatMap(({ title, values }) => {
    const found = box.id === null ? undefined : values[box.id];
    return found ? [element('li', {}, element('div', { class: 'name' }, title), element('div', {}, found.text))] : [];
  });
  return rows.length > 0 && section('Measured', element('ul', {}, rows));
}

/** The panel of one box: everything that is known of it. */
export function boxDetails(data: ExplorerData, picture: Picture, box: BoxData, actions: DetailsActions): Content {
  const { stage } = picture;
  const status = stage.status[box.key];
  const history = box.history.map((text) => {
    const step = Number.parseInt(text, 10);
    const at = data.stages.findIndex((s) => s.index === step);
    const to = (): void => actions.toStage(at);
    return element(
      'li',
      { class: step === stage.index ? 'now' : '' },
      at >= 0 ? element('button', { class: 'link', type: 'button', click: to }, text) : text,
    );
  });
  return [
    element('div', { class: `badge k-${box.kind}` }, KIND_NAMES[box.kind] ?? box.kind),
    status !== undefined && element('div', { class: `badge s-${status}` }, `${status} in this pass`),
    element('h2', { id: 'node-title' }, box.full),
    idRow(box),
    element('p', { class: 'muted' }, box.from),
    box.why !== undefined && element('p', { class: 'why', id: 'node-why' }, box.why),
    box.names.length > 0 &&
      section(
        'Names in the source',
        element(
          'ul',
          {},
          box.names.map((name) => element('li', { class: 'name' }, name)),
        ),
      ),
    overlayRows(data, box),
    box.ins.length > 0 &&
      section(
        'Inputs',
        element(
          'ul',
          {},
          box.ins.map((p) => port(p, picture, 'from', actions.select)),
        ),
      ),
    box.outs.length > 0 &&
      section(
        box.id === null ? 'Value' : 'Outputs',
        element(
          'ul',
          {},
          box.outs.map((p) => port(p, picture, 'to', actions.select)),
        ),
      ),
    box.attrs.length > 0 &&
      section(
        'Attributes',
        element(
          'dl',
          {},
          box.attrs.map(([key, value]) => [element('dt', {}, key), element('dd', {}, value)]),
        ),
      ),
    box.id !== null &&
      section(
        'Passes',
        history.length > 0
          ? element('ul', { class: 'history', id: 'node-history' }, history)
          : element('p', { class: 'muted' }, 'as in the file'),
      ),
  ];
}

/** The panel while nothing is selected: what the pass did. */
export function stageDetails(stage: StageData, before: Picture | null, actions: DetailsActions): Content {
  const counts = new Map<string, number>();
  for (const status of Object.values(stage.status)) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [
    element('h2', {}, `${stage.index} ${stage.name}`),
    element('p', { class: 'muted' }, stage.doc),
    counts.size + stage.removed.length === 0
      ? element('p', {}, stage.index === 0 ? 'The graph as the file has it.' : 'Nothing changed that the graph shows.')
      : null,
    counts.size > 0 &&
      section(
        'Changes',
        element(
          'ul',
          { class: 'counts' },
          [...counts].map(([status, n]) =>
            element('li', {}, element('span', { class: `badge s-${status}` }, status), ` ${n}`),
          ),
        ),
      ),
    stage.removed.length > 0 &&
      section(
        `Gone (${stage.removed.length})`,
        element(
          'ul',
          { class: 'gone' },
          stage.removed.map(({ key, title, how }) =>
            element(
              'li',
              {},
              before?.boxes.has(key)
                ? element('button', { class: 'link', type: 'button', click: () => actions.select(key) }, title)
                : title,
              element('div', { class: 'muted' }, how),
            ),
          ),
        ),
      ),
  ];
}
