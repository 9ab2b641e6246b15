/** A number of bytes for people; kB and MB are powers of ten, as file managers and networks count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 999_500 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/** A duration for people. */
export function formatTime(milliseconds: number): string {
  if (milliseconds < 0.1) return `${(milliseconds * 1000).toPrecision(2)} µs`;
  return milliseconds < 1000
    ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A share for people: 0.123 is `12.3 %`. */
export const formatShare = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
