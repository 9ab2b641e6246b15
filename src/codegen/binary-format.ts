/**
 * The little of the WebAssembly binary format that we write ourselves: the data section and custom sections,
 * appended to a module that Binaryen has encoded. Source: WebAssembly Core Specification, "Binary Format".
 */

const DATA_SECTION = 11;
const CUSTOM_SECTION = 0;
const I32_CONST = 0x41;
const END = 0x0b;

/** Bytes that the engine copies to an address when the module is instantiated. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return out;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) return [...out, low];
    out.push(low | 128);
  }
}

function concatenate(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const section = (id: number, body: Uint8Array): Uint8Array => concatenate([[id], unsigned(body.length), body]);

/** Joins segments that lie within a few bytes of each other: fewer segments, and the gaps cost less than headers. */
export function joined(segments: readonly Segment[]): Segment[] {
  const sorted = segments.filter((s) => s.bytes.length > 0).sort((a, b) => a.address - b.address);
  const groups: Segment[][] = [];
  for (const s of sorted) {
    const last = groups.at(-1)?.at(-1);
    if (last && s.address - (last.address + last.bytes.length) < 64) groups.at(-1)?.push(s);
    else groups.push([s]);
  }
  return groups.map((group) => {
    const start = (group[0] as Segment).address;
    const end = (group.at(-1) as Segment).address + (group.at(-1) as Segment).bytes.length;
    const bytes = new Uint8Array(end - start);
    for (const s of group) bytes.set(s.bytes, s.address - start);
    return { address: start, bytes };
  });
}

/** A data section of segments in memory 0 that were joined: active ones, or passive ones, which code copies to their addresses. */
export function dataSection(segments: readonly Segment[], kind: 'active' | 'passive' = 'active'): Uint8Array {
  const parts: (Uint8Array | readonly number[])[] = [unsigned(segments.length)];
  const place = (address: number): number[] => (kind === 'active' ? [0, I32_CONST, ...signed(address), END] : [1]);
  for (const { address, bytes } of segments) parts.push([...place(address), ...unsigned(bytes.length)], bytes);
  return segments.length === 0 ? new Uint8Array(0) : section(DATA_SECTION, concatenate(parts));
}

/** A custom section. */
export function customSection(name: string, content: Uint8Array): Uint8Array {
  const label = new TextEncoder().encode(name);
  return section(CUSTOM_SECTION, concatenate([unsigned(label.length), label, content]));
}

/** The number at `at`, and where it ends. */
function readUnsigned(bytes: Uint8Array, at: number): [value: number, end: number] {
  let [value, scale, end] = [0, 1, at];
  for (;;) {
    const byte = bytes[end++] as number;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return [value, end];
  }
}

/** A module without its data section, if it has one. */
export function withoutData(module: Uint8Array): Uint8Array {
  for (let at = 8; at < module.length; ) {
    const [size, body] = readUnsigned(module, at + 1);
    if (module[at] === DATA_SECTION) return concatenate([module.subarray(0, at), module.subarray(body + size)]);
    at = body + size;
  }
  return module;
}

/** A module with sections appended. The module must have no data section of its own. */
export const withSections = (module: Uint8Array, sections: readonly Uint8Array[]): Uint8Array =>
  concatenate([module, ...sections]);
