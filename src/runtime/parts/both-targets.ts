import { applyDelta } from '../delta.js';
import type { LoadOptions, Source } from '../net.js';
import type { LoaderPart } from '../part.js';
import { openSource } from '../source.js';
import { isBytes } from '../values.js';

/** `(module (func (result v128) (i16x8.relaxed_dot_i8x16_i7x16_s (i8x16.splat (i32.const 0)) (...))))`. */
const PROBE =
  '\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7b\x03\x02\x01\0\x0a\x0f\x01\x0d\0\x41\0\xfd\x0f\x41\0\xfd\x0f\xfd\x92\x02\x0b';

/** The bytes of a file. */
async function read(name: string, source: Source, options: LoadOptions): Promise<Uint8Array> {
  const opened = await openSource(name, source, options);
  if (ArrayBuffer.isView(opened)) return new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength);
  if (isBytes(opened)) return new Uint8Array(opened as ArrayBuffer);
  const response = opened as Response;
  if (!response.ok) throw new Error(`${name}: cannot fetch ${response.url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Packages for both targets: where the engine has relaxed SIMD, its module is put together of both files. */
export const bothTargets = (relaxed: () => Source): LoaderPart => ({
  async source(given, options, name, own) {
    if (!own || !WebAssembly.validate(Uint8Array.from(PROBE, (c) => c.charCodeAt(0)))) return given;
    const [base, delta] = await Promise.all([read(name, given, options), read(name, relaxed(), options)]);
    const module = applyDelta(base, delta);
    if (!module) throw new Error(`${name}: ${name}.wasm and ${name}.relaxed.bin are not of one compilation`);
    return module;
  },
});
