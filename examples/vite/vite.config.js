import { readFileSync } from 'node:fs';
import qc from 'qc-compiler/vite';

const labels = readFileSync(new URL('../shared/labels.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const imageInput = { name: 'image', mean: [0], std: [1] };

export default {
  plugins: [qc({ compile: { imageInput, labels, target: 'both' } })],
  build: { target: 'es2022' },
};
