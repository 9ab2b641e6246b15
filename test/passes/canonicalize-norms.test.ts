import { test } from 'uvu';
import { canonicalizeNorms } from '../../src/passes/canonicalize-norms.js';
import { goldenTests } from '../support/passes.js';

goldenTests('canonicalize-norms', [canonicalizeNorms], 'close');

test.run();
