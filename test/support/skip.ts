/**
 * Says whether a test can run here, and if not, tells the runner why: it lists all skips at the end.
 *
 *     if (skipUnless(hasDot, 'dumps are valid for Graphviz', 'no `dot` on the path')) test(...);
 */
export function skipUnless(condition: boolean, name: string, reason: string): boolean {
  if (!condition) console.log(`\nSKIP ${name}: ${reason}`);
  return condition;
}
