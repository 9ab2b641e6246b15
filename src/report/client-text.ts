// Generated from client/ by tools/embed-client.ts; do not edit.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are programs with templates of their own

/** The scripts of pages as JavaScript: each declares the function whose name it stands under. */
export const CLIENT_TEXTS = {
  sortTables: [
    'const sortTables=(()=>{var l=(o,t)=>{let e=o.cells[t];return e?.dataset.sort??e?.textContent?.trim()??""};function m(o,t){let[e,s]=[Number(',
    'o),Number(t)],[r,n]=[o!==""&&!Number.isNaN(e),t!==""&&!Number.isNaN(s)];return r&&n?e-s:r!==n?r?-1:1:o.localeCompare(',
    't,"en",{numeric:!0})}function g(o){for(let t of o.querySelectorAll("table.sortable")){let e=t.tBodies[0],s=[...t.',
    'querySelectorAll("thead th")];if(!(!e||e.rows.length<2))for(let[r,n]of s.entries()){let c=document.createElement(',
    '"button");c.type="button",c.append(...n.childNodes),n.append(c);let u=n.classList.contains("number");c.addEventListener(',
    '"click",()=>{let a=(n.getAttribute("aria-sort")??(u?"ascending":"descending"))==="descending";for(let i of s)i.',
    'removeAttribute("aria-sort");n.setAttribute("aria-sort",a?"ascending":"descending");let d=[...e.rows].sort((i,b)=>m(',
    'l(i,r),l(b,r))*(a?1:-1));e.append(...d)})}}}',
    'return g})();',
  ].join('\n'),
};
