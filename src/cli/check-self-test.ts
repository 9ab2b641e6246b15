import type { ModuleInfo } from '../runtime/abi.js';
import type { Net, TypedArray } from '../runtime/loader.js';
import { selfTestInput, selfTestOutput } from '../runtime/self-test.js';
import { modelError, QcError } from '../support/errors.js';
import { chosenEntry, chosenText } from '../tasks/entries.js';
import { colors, human } from './terminal.js';

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Runs the self-test of a module. Throws a check error where an output differs from what the compiler saw. */
export function checkSelfTest(path: string, info: ModuleInfo, net: Net): void {
  const { selfTest } = info;
  const entry = info.entries.find((e) => e.export === selfTest?.export);
  if (!selfTest || !entry) throw modelError('the module carries no self-test', { file: path });
  for (const input of entry.inputs) bytesOf(net.input(input.name)).set(selfTestInput(input, selfTest.seed));
  net.runInPlace();
  const wrong = selfTest.outputs.filter(
    ({ name, fnv1a }) => selfTestOutput(name, bytesOf(net.output(name))).fnv1a !== fnv1a,
  );
  if (wrong.length > 0)
    throw new QcError('check', `self-test failed: ${wrong.map((o) => `"${o.name}"`).join(', ')} differs`, {
      file: path,
      remedy: 'This engine computes something else than the one that compiled the module. Please report it.',
    });
  human(`${colors.green('passed')} self-test of ${path}: every output is what the compiler saw`);
  const chosen = chosenEntry(info.entries, info.entries.indexOf(entry));
  if (chosen) human(`  ${colors.dim('entry')} ${chosenText(chosen)}`);
}
