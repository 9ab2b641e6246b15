import { assert } from '../../support/errors.js';
import { eraseKernel, STORAGE_BYTES, type Storage } from '../kernel.js';
import { borderKernel } from '../kernels/border.js';
import { type ImageInputParams, imageInput } from '../kernels/image-input.js';
import { type MapParams, mapKernel } from '../kernels/map.js';
import type { Ref } from '../lowering.js';
import { type Border, type Buffer, type Call, isRef, type Plan } from './plan.js';

/** How the pixels of an input become its tensor. */
export interface PixelInput {
  /** Name of the input. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly order: 'rgb' | 'bgr';
  readonly layout: 'nchw' | 'nhwc';
  readonly resize: 'bilinear' | 'none';
  /** The largest picture. */
  readonly largest: readonly [width: number, height: number];
  /** The element that each byte becomes, per channel. */
  readonly tables: readonly Float32Array[];
}

/** Where the kernel writes, and the calls that it replaces. */
interface Target {
  readonly storage: Storage;
  readonly ref: Ref;
  readonly strides: Pick<ImageInputParams, 'channelStride' | 'rowStride' | 'pixStride'>;
  /** The bytes of the tables, in the storage. */
  readonly tables: Uint8Array;
  readonly replaced: readonly Call[];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const joined = (tables: readonly Float32Array[]): Float32Array => Float32Array.from(tables.flatMap((t) => [...t]));

/** The strides of the tensor as the input has it, row-major. */
function tensorStrides(p: PixelInput): Target['strides'] {
  const { width, height, channels } = p;
  return p.layout === 'nchw'
    ? { channelStride: width * height, rowStride: width, pixStride: 1 }
    : { channelStride: 1, rowStride: width * channels, pixStride: channels };
}

/**
 * What a map makes of the tables: its own reference on 256 elements, so that quantization has one arithmetic. The
 * memory holds the table, then the result.
 */
function mapTables(call: Call, tables: Float32Array, to: Storage): Uint8Array {
  const memory = new ArrayBuffer(8 * tables.length);
  new Float32Array(memory, 0, tables.length).set(tables);
  const params = { ...call.params, dims: [tables.length], source: [1], target: [1] };
  call.kernel.reference(params, memory, [0, 4 * tables.length, ...(call.args.slice(2) as number[])]);
  return new Uint8Array(memory, 4 * tables.length, STORAGE_BYTES[to] * tables.length);
}

/** The quantize that is the only reader of the input: the kernel writes its codes at once. */
function quantizeTarget(p: PixelInput, reader: Call): Target | null {
  if (reader.kernel !== eraseKernel(mapKernel)) return null;
  const params = reader.params as MapParams;
  const [source, ref] = reader.args as [Ref, Ref];
  const own = tensorStrides(p);
  // dimensions come in the order of the target's memory: they are known by their strides in the source
  const along = (size: number, stride: number): number | undefined =>
    size === 1 ? 0 : params.target[params.dims.findIndex((d, i) => d === size && params.source[i] === stride)];
  const channelStride = along(p.channels, own.channelStride);
  const rowStride = along(p.height, own.rowStride);
  const pixStride = along(p.width, own.pixStride);
  const isWhole = params.dims.reduce((a, b) => a * b, 1) === p.channels * p.height * p.width;
  if (params.op.kind !== 'quantize' || source.offset !== 0 || !isWhole) return null;
  if (channelStride === undefined || rowStride === undefined || pixStride === undefined) return null;
  return {
    storage: params.to,
    ref,
    strides: { channelStride, rowStride, pixStride },
    tables: mapTables(reader, joined(p.tables), params.to),
    replaced: [reader],
  };
}

/** The place of the tensor itself: the input's buffer, or for integers the floats that stand for them. */
function tensorTarget(p: PixelInput, border: Border, readers: readonly Call[]): Target {
  const strides = tensorStrides(p);
  const tables = bytesOf(joined(p.tables));
  if (border.info.dtype === 'f32')
    return { storage: 'f32', ref: { buffer: border.buffer, offset: 0 }, strides, tables, replaced: [] };
  const [enter] = readers;
  assert(enter?.kernel === eraseKernel(borderKernel), 'integers enter through a kernel of their own');
  return { storage: 'f32', ref: enter.args[1] as Ref, strides, tables, replaced: [enter] };
}

/**
 * The plan whose input is RGBA bytes instead of a tensor. A kernel at the start resizes them and looks every byte up in
 * a table of what the input becomes: codes where a quantize is the only reader of the input, else its elements.
 */
export function withPixelInput(plan: Plan, p: PixelInput): Plan {
  const index = plan.inputs.findIndex((input) => input.info.name === p.name);
  const border = plan.inputs[index];
  assert(border, `there is no input "${p.name}"`);
  const readers = plan.calls.filter((call) => call.args.some((arg) => isRef(arg) && arg.buffer === border.buffer));
  const isOutput = plan.outputs.some((output) => output.buffer === border.buffer);
  const quantized = readers.length === 1 && !isOutput ? quantizeTarget(p, readers[0] as Call) : null;
  const target = quantized ?? tensorTarget(p, border, readers);
  const [maxWidth, maxHeight] = p.largest;
  const first = plan.buffers.length;
  const added: Buffer[] = [
    { kind: 'input', bytes: 4 * maxWidth * maxHeight + 4, label: `${p.name} as pixels` },
    { kind: 'input', bytes: 8, label: `size of ${p.name}` },
    { kind: 'data', bytes: target.tables.length, label: `tables of ${p.name}`, content: target.tables },
    { kind: 'arena', bytes: 8 * p.width, label: `columns of ${p.name}` },
  ];
  const at = (i: number): Ref => ({ buffer: first + i, offset: 0 });
  const params: ImageInputParams = {
    width: p.width,
    height: p.height,
    channels: p.channels,
    order: p.order,
    storage: target.storage,
    ...target.strides,
    largest: p.largest,
  };
  const call: Call = {
    kernel: eraseKernel(imageInput),
    params,
    args: [at(0), at(1), at(2), at(3), target.ref],
    node: quantized ? (readers[0] as Call).node : -1,
  };
  const info = {
    name: p.name,
    dtype: 'u8' as const,
    shape: [maxHeight, maxWidth, 4],
  };
  const image = { width: p.width, height: p.height, resize: p.resize, size: first + 1 };
  // the tensor is memory like any other now
  const buffers = plan.buffers.map((b, i) =>
    i === border.buffer && b.kind === 'input' ? { ...b, kind: 'arena' as const } : b,
  );
  const calls = plan.calls.flatMap((c) => (target.replaced.includes(c) ? [] : [c]));
  const place = quantized ? plan.calls.indexOf(readers[0] as Call) : 0;
  return {
    ...plan,
    buffers: [...buffers, ...added],
    calls: [...calls.slice(0, place), call, ...calls.slice(place)],
    inputs: plan.inputs.map((input, i) => (i === index ? { info, buffer: first, image } : input)),
  };
}
