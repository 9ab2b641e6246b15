/** The longest name that a message shows in full. */
const MAX_NAME = 80;

const clip = (name: string): string => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}...` : name);

/** A name of the model in quotes: a file may hold any characters, and as many as it likes. */
export const quoted = (name: string): string => JSON.stringify(clip(name));

/** An operator type for messages: bare where it is printable. */
export const typeName = (type: string): string => (/^[\w.:-]{1,80}$/.test(type) ? type : quoted(type));
