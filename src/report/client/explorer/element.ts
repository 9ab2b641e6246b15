/** What can stand inside an element. */
export type Content = Node | string | null | false | readonly Content[];

/** An element with attributes and content; texts stay texts, whatever they hold. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | ((event: Event) => void)>> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === 'string') made.setAttribute(name, value);
    else made.addEventListener(name, value);
  const add = (part: Content): void => {
    if (part === null || part === false) return;
    if (typeof part === 'string' || part instanceof Node) made.append(part);
    else for (const item of part) add(item);
  };
  add(content);
  return made;
}
