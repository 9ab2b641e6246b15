import { jpegChannels, jpegOrientation } from '../data/image/exif.js';
import { orient, type Pixels } from '../data/image/pixels.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { findPackage } from './find-package.js';
import type { Sharp } from './sharp-types.js';

/** Which decoder reads pictures: sharp where it is installed, or the one in plain JavaScript. */
export type DecoderChoice = 'auto' | 'sharp' | 'js';

/** Turns files into pictures. Decoders differ by a level or two in JPEGs, so reports name theirs. */
export interface Decoder {
  /** Name and version. */
  readonly name: string;
  /** The picture in a file's bytes. Throws model errors without a file name. */
  decode(bytes: Uint8Array): Promise<Pixels>;
}

export interface DecoderOptions {
  readonly decoder?: DecoderChoice;
  /** Leaves pictures as they are stored, whatever EXIF says of their orientation. */
  readonly ignoreOrientation?: boolean;
}

/** Larger pictures are refused: a few bytes can claim any size. */
const MAX_PIXELS = 100_000_000;

type Kind = 'jpeg' | 'png' | 'webp' | 'gif' | 'bmp' | 'tiff' | 'avif or heic' | 'unknown';

const MAGIC: readonly (readonly [Kind, number, string])[] = [
  ['jpeg', 0, '\xff\xd8\xff'],
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['webp', 8, 'WEBP'],
  ['gif', 0, 'GIF8'],
  ['bmp', 0, 'BM'],
  ['tiff', 0, 'II*\0'],
  ['tiff', 0, 'MM\0*'],
  ['avif or heic', 4, 'ftyp'],
];

/** What kind of picture a file holds, whatever its name. */
export function pictureKind(bytes: Uint8Array): Kind {
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  return MAGIC.find(([, at, text]) => head.startsWith(text, at))?.[0] ?? 'unknown';
}

/** Every fourth byte of RGBA is left out. Transparent pixels keep their colour, as Pillow's convert('RGB') does it. */
function withoutAlpha(rgba: Uint8Array, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = rgba[from] as number;
    data[to++] = rgba[from + 1] as number;
    data[to++] = rgba[from + 2] as number;
  }
  return { width, height, data };
}

function checkSize(width: number, height: number): void {
  if (width < 1 || height < 1) throw modelError('the picture is empty');
  if (width * height > MAX_PIXELS)
    throw modelError(`the picture has ${width} x ${height} pixels; the limit is ${MAX_PIXELS / 1e6} million`);
}

async function decodeJpeg(bytes: Uint8Array, upright: boolean): Promise<Pixels> {
  const jpeg = (await import('jpeg-js')).default;
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  checkSize(width, height);
  return orient({ width, height, data }, upright ? jpegOrientation(bytes) : 1);
}

async function decodePng(bytes: Uint8Array): Promise<Pixels> {
  const { PNG } = (await import('pngjs')).default;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) throw modelError('the picture is truncated');
  checkSize(view.getUint32(16), view.getUint32(20));
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  return withoutAlpha(data, width, height);
}

/** The decoder in JavaScript: JPEG and PNG. */
function jsDecoder(ignoreOrientation: boolean): Decoder {
  return {
    name: 'jpeg-js 0.4, pngjs 7',
    async decode(bytes) {
      const kind = pictureKind(bytes);
      if (kind === 'jpeg') return decodeJpeg(bytes, !ignoreOrientation);
      if (kind === 'png') return decodePng(bytes);
      if (kind === 'unknown')
        throw modelError(bytes.length === 0 ? 'the file is empty' : 'not a picture that is known');
      if (kind === 'bmp') throw modelError('pictures of type bmp are not read', { remedy: 'Convert them to PNG.' });
      throw modelError(`pictures of type ${kind} need the decoder sharp`, {
        remedy: 'Install it with: npm install sharp. Or convert the pictures to PNG or JPEG.',
      });
    },
  };
}

/** The decoder by sharp: everything that libvips reads. */
function sharpDecoder(sharp: Sharp, ignoreOrientation: boolean): Decoder {
  return {
    name: `sharp ${sharp.versions.sharp ?? ''} (libvips ${sharp.versions.vips})`,
    async decode(bytes) {
      const kind = pictureKind(bytes);
      if (kind === 'bmp') throw modelError('pictures of type bmp are not read', { remedy: 'Convert them to PNG.' });
      // sharp converts CMYK by a colour profile, which no other reader of data sets does.
      if (kind === 'jpeg' && jpegChannels(bytes) === 4) return decodeJpeg(bytes, !ignoreOrientation);
      const image = sharp(bytes, { failOn: 'truncated', limitInputPixels: MAX_PIXELS });
      const upright = ignoreOrientation ? image : image.rotate();
      const { data, info } = await upright
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      if (info.channels !== 3) throw modelError(`the picture has ${info.channels} channels`);
      return { width: info.width, height: info.height, data: new Uint8Array(data) };
    },
  };
}

/** An error of a decoder as one of ours. */
function pictureError(cause: unknown): QcError {
  if (cause instanceof QcError) return cause;
  // Libraries say the same of every part that is missing; the first line is enough.
  const [message] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return modelError(`the picture is damaged or of a form that is not supported: ${message}`, { cause });
}

/** Opens a decoder. Throws a usage error where sharp was asked for and is not installed. */
export async function openDecoder({
  decoder = 'auto',
  ignoreOrientation = false,
}: DecoderOptions = {}): Promise<Decoder> {
  const sharp = decoder === 'js' ? undefined : await findPackage<Sharp>('sharp');
  if (decoder === 'sharp' && !sharp)
    throw usageError('the decoder sharp is not installed', { remedy: 'npm install sharp, or use --decoder js.' });
  const chosen = sharp ? sharpDecoder(sharp, ignoreOrientation) : jsDecoder(ignoreOrientation);
  return {
    name: chosen.name,
    async decode(bytes) {
      try {
        if (bytes.length === 0) throw modelError('the file is empty');
        if (pictureKind(bytes) === 'unknown') throw modelError('not a picture of a type that is known');
        return await chosen.decode(bytes);
      } catch (error) {
        throw pictureError(error);
      }
    },
  };
}
