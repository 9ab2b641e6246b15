import { load } from '../digits/digits.onnx?qc';
import { seven } from '../shared/seven.mjs';

const net = await load();
const lines = net.classify(seven, { topK: 3 }).map(({ label, score }) => `${label} ${score.toFixed(2)}`);
document.getElementById('classes').textContent = lines.join('\n');
console.log(lines.join('\n'));
