import cliProgress from 'cli-progress';
import picocolors from 'picocolors';

export { formatBytes, formatTime } from '../support/format.js';

const { Presets, SingleBar } = cliProgress;

const { env, stderr, stdout } = process;

/** NO_COLOR and FORCE_COLOR decide where they are set, else whether a person is looking. */
function wantsColor(stream: NodeJS.WriteStream): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Colours for text on stderr. */
export const colors = picocolors.createColors(wantsColor(stderr));
/** Colours for text on stdout. */
export const resultColors = picocolors.createColors(wantsColor(stdout));

const showsProgress = stderr.isTTY === true && !env.CI && env.TERM !== 'dumb';

/** Shows what is going on in one line that the next output replaces; only on a terminal. */
export function progress(text: string): void {
  if (showsProgress) stderr.write(`\r\x1b[K${colors.dim(text)}`);
}

/** A bar of what is done, on a terminal only. */
export interface ProgressBar {
  update(done: number, total: number): void;
  stop(): void;
}

/** Shows how far a task is, with the time that is left. */
export function progressBar(title: string): ProgressBar {
  if (!showsProgress) return { update: () => {}, stop: () => {} };
  const format = `${title} ${colors.cyan('{bar}')} {value}/{total}  {eta_formatted} left`;
  const bar = new SingleBar(
    { format, stream: stderr, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, done);
      else bar.update(done);
      started = true;
    },
    stop: () => bar.stop(),
  };
}

/** Writes lines for people to stderr. */
export function human(text: string): void {
  stderr.write(`${showsProgress ? '\r\x1b[K' : ''}${text}\n`);
}

/** Writes a result to stdout. */
export function result(text: string): void {
  stdout.write(`${text}\n`);
}

/** Writes a result as JSON to stdout. */
export const resultJson = (value: unknown): void => result(JSON.stringify(value, null, 2));

/** Rows as text with columns aligned; the last column is as long as it likes, columns in `right` are flush right. */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
}
