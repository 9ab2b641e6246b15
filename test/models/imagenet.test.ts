/** Compiled MobileNets over the 500 sample images, against what the reference said of each. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/index.js';
import {
  argmax,
  checksum,
  decodeImage,
  hasImages,
  imageList,
  imageReferences,
  imageTensor,
  loadCompiled,
  modelBytes,
  resize,
  runNet,
} from '../support/models.js';

/** Top-1 may be this far from the reference's, and this part of the images must get the reference's class. */
const CASES = [
  { name: 'mobilenet_v2_qat_u8', points: 0.6, agreement: 0.98 },
  { name: 'mobilenet_v1_0.25_128_qat_u8', points: 0.6, agreement: 0.95 },
];

/** The pixels are checked against the reference's for every image of this step. */
const CHECKED = 25;

/** The decoded images, made once for all models. */
const decoded = new Map<string, Uint8Array>();
function pixelsOf(file: string): Uint8Array {
  const known = decoded.get(file) ?? decodeImage(file);
  decoded.set(file, known);
  return known;
}

if (hasImages('networks over the sample images')) {
  for (const { name, points, agreement } of CASES)
    test(`${name}: top-1 within ${points} points, agreement at least ${100 * agreement} %`, async () => {
      const net = await loadCompiled(await compile(modelBytes(name), { name }));
      const { images, size, summary } = imageReferences(name);
      const list = imageList();
      assert.is(list.length, 500);
      assert.is(images.length, list.length);
      let [correct, agreed, seconds] = [0, 0, 0];
      list.forEach(({ file, label }, i) => {
        const reference = images[i] as (typeof images)[number];
        assert.equal([reference.file, reference.label], [file, label]);
        const pixels = resize(pixelsOf(file), 224, size);
        if (i % CHECKED === 0) assert.is(checksum(pixels), reference.crc32, `pixels of ${file}`);
        const start = performance.now();
        const [output] = runNet(net, [imageTensor(pixels, size)]);
        seconds += (performance.now() - start) / 1000;
        const index = argmax(output as Float32Array);
        if (index - 1 === label) correct++;
        if (index === reference.argmax) agreed++;
      });
      const top1 = correct / list.length;
      const share = agreed / list.length;
      console.log(
        `  ${name}: top-1 ${(100 * top1).toFixed(1)} % (reference ${(100 * summary.top1).toFixed(1)} %), ` +
          `agreement ${(100 * share).toFixed(1)} %, ${((1000 * seconds) / list.length).toFixed(1)} ms per image`,
      );
      assert.ok(Math.abs(top1 - summary.top1) <= points / 100 + 1e-9, `top-1 is ${top1}, reference ${summary.top1}`);
      assert.ok(share >= agreement, `only ${100 * share} % of the images get the reference's class`);
    });
}

test.run();
