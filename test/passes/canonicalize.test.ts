import { test } from 'uvu';
import { canonicalize } from '../../src/passes/canonicalize.js';
import { goldenTests } from '../support/passes.js';

goldenTests('canonicalize', [canonicalize], 'exact');

test.run();
