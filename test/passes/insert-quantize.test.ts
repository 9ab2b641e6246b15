import { test } from 'uvu';
import { insertQuantize } from '../../src/passes/insert-quantize.js';
import { goldenTests } from '../support/passes.js';

goldenTests('insert-quantize', [insertQuantize], 'quanta');

test.run();
