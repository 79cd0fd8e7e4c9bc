/** Longest name of a file. NAME_MAX of linux/limits.h */
const MOST_BYTES = 255;
/** Start of the names of svirt's own files. */
const OWN = ".svirt-";

/** Returns the reason why a volume of a folder cannot have this name; undefined if it can. */
export function problemOfName(name: string): string | undefined {
  if (name.includes("/")) return `volume name '${name}' cannot contain '/'`;
  if (name === "" || name === "." || name === "..") return "the name must be a file name";
  if (!name.isWellFormed() || /\p{Cc}/u.test(name)) return "the name must not have control characters";
  if (new TextEncoder().encode(name).length > MOST_BYTES) return `the name has over ${MOST_BYTES} bytes`;
  return name.startsWith(OWN) ? `names that begin with ${OWN} are svirt's` : undefined;
}
