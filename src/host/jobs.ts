import type { BatchResult } from '../tasks/evaluate/batch.js';
import { type EvaluateRequest, type EvaluateSetup, openEvaluateJob } from './evaluate-job.js';
import { openPreprocessJob, type PictureRequest, type PictureResult, type PreprocessSetup } from './preprocess-job.js';

/** What threads can be asked to do: how each job is set up, what it is asked, what it answers. All can be cloned. */
export interface Jobs {
  readonly evaluate: { readonly setup: EvaluateSetup; readonly request: EvaluateRequest; readonly result: BatchResult };
  readonly preprocess: {
    readonly setup: PreprocessSetup;
    readonly request: PictureRequest;
    readonly result: PictureResult;
  };
}

export type JobName = keyof Jobs;

/** A job that is set up. */
export type Job<N extends JobName> = (request: Jobs[N]['request']) => Promise<Jobs[N]['result']>;

const JOBS: { readonly [N in JobName]: (setup: Jobs[N]['setup']) => Promise<Job<N>> } = {
  evaluate: openEvaluateJob,
  preprocess: openPreprocessJob,
};

/** Sets a job up in this thread. */
export const openJob = <N extends JobName>(name: N, setup: Jobs[N]['setup']): Promise<Job<N>> =>
  (JOBS[name] as (setup: Jobs[N]['setup']) => Promise<Job<N>>)(setup);
