/** `qc completion`, in the shells that are there. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { qc } from './qc.js';

/** What bash offers for a command line whose last word is being typed. */
function offered(script: string, ...words: string[]): string[] {
  const line = ['qc', ...words].map((w) => `'${w}'`).join(' ');
  const ask = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _qc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands, their flags and files', async () => {
  const { code, out } = await qc(['completion', 'bash'], '.');
  assert.is(code, 0);
  assert.equal(offered(out, 'be'), ['bench']);
  assert.ok(offered(out, '').includes('completion'));
  assert.equal(offered(out, 'bench', '--min-s'), ['--min-speedup']);
  assert.equal(offered(out, 'compile', 'package.js'), ['package.json']);
  assert.ok(!offered(out, 'run', '--').includes('--min-speedup'), 'flags of the command only');
});

test('zsh and fish have scripts, others are refused', async () => {
  assert.match((await qc(['completion', 'zsh'], '.')).out, /bashcompinit[\s\S]*complete -o filenames -F _qc qc/);
  const fish = (await qc(['completion', 'fish'], '.')).out;
  assert.match(fish, /complete -c qc -n '__fish_seen_subcommand_from compile' -l out -r -d 'Folder for /);
  const { code, err } = await qc(['completion', 'tcsh'], '.');
  assert.is(code, 2);
  assert.match(err, /unknown shell "tcsh"\n {2}Use bash, zsh, fish/);
});

test.run();
