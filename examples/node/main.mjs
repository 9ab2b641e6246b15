import { seven } from '../shared/seven.mjs';
import { load } from './out/digits.mjs';

const net = await load();
for (const { label, score } of net.classify(seven, { topK: 3 })) console.log(label, score.toFixed(2));
net.free();
