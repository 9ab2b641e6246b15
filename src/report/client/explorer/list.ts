import { element } from './element.js';
import type { Picture } from './scene-view.js';

const SHOWN = 400;

/** Which boxes a search text and the chosen kinds select: every word must be in the title, id, names or types. */
export function findBoxes({ boxes }: Picture, text: string, kinds: ReadonlySet<string>): string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...boxes.values()].flatMap(({ box }) => {
    if (kinds.size > 0 && !kinds.has(box.kind)) return [];
    const content = [
      box.full,
      box.note,
      box.kind === 'float' ? (box.why ?? '') : '',
      ...box.names,
      ...box.outs.map((o) => o.name),
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => content.includes(word)) ? [box.key] : [];
  });
}

/** Fills the list of found boxes. */
export function fillList(
  list: HTMLElement,
  picture: Picture,
  keys: readonly string[],
  selected: string | null,
  select: (key: string) => void,
): void {
  list.replaceChildren(
    ...keys.slice(0, SHOWN).flatMap((key) => {
      const placed = picture.boxes.get(key);
      if (!placed) return [];
      const { box } = placed;
      const status = picture.stage.status[key];
      return [
        element(
          'li',
          {},
          element(
            'button',
            {
              type: 'button',
              class: key === selected ? 'row selected' : 'row',
              'data-key': key,
              click: () => select(key),
            },
            element('span', { class: `dot k-${box.kind}` }),
            element('span', { class: 'row-title' }, box.title + box.extra),
            status !== undefined && element('span', { class: `dot s-${status}`, title: status }),
          ),
        ),
      ];
    }),
    ...(keys.length > SHOWN ? [element('li', { class: 'muted' }, `and ${keys.length - SHOWN} more`)] : []),
  );
}
