import type { LayerReport } from './layers.js';

/** A timeline of one run, from the layers' times. */
export interface Timeline {
  /** What ran, such as `net.onnx: int8 relaxed`. */
  readonly name: string;
  readonly report: LayerReport;
}

/**
 * Layers as Chrome trace events (chrome://tracing, Perfetto): one process per timeline, one complete event (`ph` X) per
 * layer, times in microseconds. Source: Trace Event Format, Google, 2016.
 */
export function chromeTrace(timelines: readonly Timeline[]): object {
  const traceEvents = timelines.flatMap(({ name, report }, i) => {
    const pid = i + 1;
    let at = 0;
    const meta = (what: string, text: string): object => ({ name: what, ph: 'M', pid, tid: 1, args: { name: text } });
    const events = report.layers.map((layer) => {
      const ts = at;
      const dur = 1000 * layer.milliseconds;
      at += dur;
      const { ops, kernels, macs, bytes, gmacs, gbytes, peakShare, share, kind } = layer;
      return {
        name: ops.length > 0 ? `${layer.type} (${ops[0]})` : layer.type,
        cat: kind,
        ph: 'X',
        pid,
        tid: 1,
        ts,
        dur,
        args: { ops, node: layer.name, kernels, macs, bytes, gmacs, gbytes, peakShare, share },
      };
    });
    return [meta('process_name', name), meta('thread_name', 'one run, median times'), ...events];
  });
  return { traceEvents, displayTimeUnit: 'ms' };
}
