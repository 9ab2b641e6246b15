/** A seven, bright on dark, as a canvas or a decoder would give it: RGBA bytes, row by row. */
const SIDE = 140;

function brightness(x, y) {
  const bar = y > 30 && y < 44 && x > 36 && x < 102;
  const middle = 98 - ((y - 36) * 44) / 78;
  const stroke = y >= 36 && y < 114 && Math.abs(x - middle) < 8;
  return bar || stroke ? 255 : 0;
}

const data = new Uint8ClampedArray(4 * SIDE * SIDE);
for (let i = 0; i < SIDE * SIDE; i++) {
  data.fill(brightness(i % SIDE, Math.floor(i / SIDE)), 4 * i, 4 * i + 3);
  data[4 * i + 3] = 255;
}

export const seven = { data, width: SIDE, height: SIDE };
