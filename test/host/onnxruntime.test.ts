import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OrtLevel, type OrtSession, openOrtSession } from '../../src/host/onnxruntime.js';

/** A stand-in whose optimizer or loader throws. */
function ort(failing: readonly OrtLevel[]): {
  tried: object[];
  InferenceSession: { create: () => Promise<OrtSession> };
} {
  const tried: object[] = [];
  const create = async (_model?: unknown, options?: object): Promise<OrtSession> => {
    tried.push(options as object);
    const level = (options as { graphOptimizationLevel: OrtLevel }).graphOptimizationLevel;
    if (failing.includes(level)) throw new Error(`Exception: a.cc:1\n[ONNXRuntimeError] : 1 : FAIL : level ${level}`);
    return { outputNames: [level] } as unknown as OrtSession;
  };
  return { tried, InferenceSession: { create } };
}

test('a model that the optimizer refuses runs without it, which is told', async () => {
  const good = ort([]);
  const { session, ...first } = await openOrtSession(good, 'net.onnx', { executionProviders: ['cpu'] });
  assert.equal([session.outputNames, first], [['all'], { level: 'all', wasted: 0 }]);
  assert.equal(good.tried, [
    {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      graphOptimizationLevel: 'all',
    },
  ]);
  const second = await openOrtSession(ort(['all']), 'net.onnx', {});
  assert.equal([second.session.outputNames, second.level, second.reason], [['disabled'], 'disabled', 'level all']);
  assert.ok(second.wasted >= 0);
});

test('a model that cannot be loaded at all is an error, and a level can be asked for', async () => {
  const bad = await openOrtSession(ort(['all', 'disabled']), '', {}).catch((e: Error) => e.message);
  assert.match(String(bad), /FAIL : level disabled/);
  const asked = ort(['all']);
  assert.is((await openOrtSession(asked, '', {}, 'disabled')).reason, undefined);
  assert.is(asked.tried.length, 1);
});

test.run();
