/** Allows relaxed SIMD in this process: Node 20 has it behind a flag. Import it before anything is compiled. */
import { setFlagsFromString } from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');
