const ORIENTATION = 0x0112;
const SHORT = 3;

/** The orientation in a TIFF block, which is what EXIF is; 1 where it says nothing readable. */
export function tiffOrientation(tiff: Uint8Array): number {
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const at = view.getUint32(4, little);
  if (at + 2 > tiff.length) return 1;
  const count = view.getUint16(at, little);
  for (let entry = at + 2; entry + 12 <= Math.min(tiff.length, at + 2 + 12 * count); entry += 12)
    if (view.getUint16(entry, little) === ORIENTATION && view.getUint16(entry + 2, little) === SHORT)
      return view.getUint16(entry + 8, little);
  return 1;
}

interface Segment {
  readonly marker: number;
  readonly content: Uint8Array;
}

/** The segments of a JPEG file before its pixels, as far as they are whole. */
function segments(bytes: Uint8Array): Segment[] {
  const found: Segment[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    if (marker === 0xda || length < 2) break;
    found.push({ marker, content: bytes.subarray(at + 4, at + 2 + length) });
    at += 2 + length;
  }
  return found;
}

/** The EXIF orientation (1 to 8) of a JPEG file: its segment APP1 that starts with "Exif". 1 is upright. */
export function jpegOrientation(bytes: Uint8Array): number {
  const isExif = ({ marker, content }: Segment): boolean =>
    marker === 0xe1 && String.fromCharCode(...content.subarray(0, 6)) === 'Exif\0\0';
  const exif = segments(bytes).find(isExif);
  return exif ? tiffOrientation(exif.content.subarray(6)) : 1;
}

/** The number of channels of a JPEG file: 1 is grey, 3 colour, 4 CMYK; 0 where it does not tell. */
export function jpegChannels(bytes: Uint8Array): number {
  // Frame headers are C0 to CF but for C4 (tables), C8 (reserved) and CC (tables).
  const isFrame = ({ marker }: Segment): boolean => (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker);
  return segments(bytes).find(isFrame)?.content[5] ?? 0;
}
