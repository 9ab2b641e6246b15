import type { EntryInfo } from '../abi.js';
import type { LoaderPart } from '../part.js';
import { profileNet } from '../profile.js';

/** Profile builds: the steps of a run, one by one, and their times. */
export const profile: LoaderPart = {
  extend(net, { name, info, exports }) {
    const { profile } = info.entries[0] as EntryInfo;
    if (!profile) return;
    const { steps } = profile;
    Object.assign(net, {
      steps,
      step(index: number) {
        if (!steps[index])
          throw new RangeError(`${name}: there is no step ${index}; the steps are 0 to ${steps.length - 1}`);
        exports()[profile.export]?.(index);
      },
      profile: (options?: object) => profileNet(net, options),
    });
  },
};
