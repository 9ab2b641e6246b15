import { test } from 'uvu';
import { stripFakeQuant } from '../../src/passes/strip-fake-quant.js';
import { goldenTests } from '../support/passes.js';

goldenTests('strip-fake-quant', [stripFakeQuant], 'exact');

test.run();
