/** The sections of a WebAssembly module. */

/** A module without its custom sections: code and data, as bytes in base64 by section id. */
export function programOf(wasm: Uint8Array): string[] {
  const sections: string[] = [];
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at++] as number;
    let [size, shift] = [0, 0];
    for (let more = true; more; shift += 7) {
      const byte = wasm[at++] as number;
      size |= (byte & 127) << shift;
      more = byte > 127;
    }
    if (id !== 0) sections.push(`${id} ${Buffer.from(wasm.subarray(at, at + size)).toString('base64')}`);
    at += size;
  }
  return sections;
}
