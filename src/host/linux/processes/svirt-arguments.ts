import { textOfName } from "../calls/native-name.ts";

/** Bun's replacement for bytes that are not UTF-8; a name may also contain it. */
const REPLACEMENT = "\ufffd";

/**
 * Returns svirt's arguments, in which a file's name may contain any bytes: textOfName(). proc_pid_cmdline(5)
 */
export function exactArguments(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes(REPLACEMENT))) return words;
  // Loaded only here: loading node:fs takes half as long as svirt list.
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const all = readFileSync("/proc/self/cmdline").toString("latin1").split("\0").slice(0, -1);
  return all.slice(all.length - words.length).map((word) => textOfName(Buffer.from(word, "latin1")));
}
