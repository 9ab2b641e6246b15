import { openPreprocessJob, type PictureRequest, type PictureResult, type PreprocessSetup } from './preprocess-job.js';

/** What threads can be asked to do: how each job is set up, what it is asked, what it answers. All can be cloned. */
export interface Jobs {
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
  preprocess: openPreprocessJob,
};

/** Sets a job up in this thread. */
export const openJob = <N extends JobName>(name: N, setup: Jobs[N]['setup']): Promise<Job<N>> =>
  (JOBS[name] as (setup: Jobs[N]['setup']) => Promise<Job<N>>)(setup);
