/**
 * Gives property tests a fixed seed, so that a run can be repeated: QC_SEED=n takes another, QC_SEED=random a new one
 * each time (fast-check prints it when a property fails).
 */
import fc from 'fast-check';

const wanted = process.env.QC_SEED ?? '1';
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });
