/** SVG text as nodes of the page. It is read as XML, apart from the page: whatever it holds, no script of it runs. */
export function svgNodes(text: string): Node[] {
  const source = `<svg xmlns="http://www.w3.org/2000/svg">${text}</svg>`;
  const { documentElement } = new DOMParser().parseFromString(source, 'image/svg+xml');
  return [...documentElement.childNodes].map((node) => document.importNode(node, true));
}
