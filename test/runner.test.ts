import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Runs the runner on fixtures, gives its output lines and exit code. */
function run(...args: string[]): { code: number | null; lines: string[]; text: string; seconds: number } {
  const paths = args.map((arg) => (arg.endsWith('.ts') ? `test/fixtures/runner/${arg}` : arg));
  const start = performance.now();
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'test/run.ts', ...paths], {
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  return { code: status, lines: stdout.trimEnd().split('\n'), text: stdout, seconds };
}

test('passing files: one line each, then the totals', () => {
  const { code, lines } = run('passing.ts');
  assert.is(code, 0);
  assert.is(lines.length, 2);
  assert.match(lines[0], /^ok .* 2 passed {2}test\/fixtures\/runner\/passing\.ts$/);
  assert.is(lines[1], '2 passed, 0 failed');
});

test('a failing test is shown in full', () => {
  const { code, lines, text } = run('passing.ts', 'failing.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '3 passed, 1 failed');
  assert.match(text, 'one is not two');
  assert.match(text, /FAIL.*1 passed, 1 failed {2}test\/fixtures\/runner\/failing\.ts/);
});

test('a forgotten test.run() is a failure', () => {
  const { code, lines, text } = run('forgotten.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 1 failed');
  assert.match(text, 'is test.run() missing?');
});

test('a file without tests is a failure', () => {
  const { code, lines } = run('passing.ts', 'empty.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '2 passed, 1 failed');
});

test('a crash outside the tests is a failure', () => {
  const { code, lines, text } = run('crashing.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '1 passed, 1 failed');
  assert.match(text, 'thrown after the tests');
});

test('a failing before hook is a failure', () => {
  const { code, lines } = run('before-fails.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 1 failed');
});

test('a file that ends in the middle of a test is a failure', () => {
  const { code, lines } = run('stuck.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 1 failed');
});

test('a hanging file is killed with its children', () => {
  const { code, lines, text, seconds } = run('--timeout', '3', 'hanging.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 1 failed');
  assert.match(text, 'no end after 3 s');
  assert.ok(seconds < 30, `${seconds} s`);
});

test('skips are listed with their reason and counted', () => {
  const { code, lines } = run('passing.ts', 'skipping.ts');
  assert.is(code, 0);
  assert.equal(lines.slice(-2), [
    'skipped: the skipped one: this machine has no moon',
    '2 passed, 0 failed, 1 skipped',
  ]);
});

test('nothing but skips is not a success', () => {
  const { code, lines } = run('skipping.ts');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 0 failed, 1 skipped');
});

test('a pattern selects by path; one that matches nothing is a failure', () => {
  assert.match(run('onnx-proto').text, /^ok .* test\/frontends\/onnx-proto\.test\.ts\n\d+ passed, 0 failed\n$/);
  const { code, lines } = run('no-such-test');
  assert.is(code, 1);
  assert.equal(lines, ['no test file matches no-such-test', '0 passed, 1 failed']);
});

test.run();
