import { type Sources, valueImportsOf, withoutComments } from "./source-rules.ts";

/**
 * Parts of src/ that read the host, and a folder of what use cases have in common: domains, records,
 * monitors.
 */
const READERS = /^(?:host|registry|run|report|state|resolve|labelling|vm\/guest)\//;
/** Names that read a domain from XML, and those of a Host in an expression. */
const READING = /\bparse(?:Document|Domain\w*)\b|\bcompleteGuest\b|\bHost\b|\.host\b|\bhost\b(?=\s*[,})=:])/;
const TEXT = /"(?:[^"\\\n]|\\.)*"/g;

/** Files of src/cli/ that do so themselves, and why. */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ["cli/arguments/input-file.ts", "a file that the command line names is an argument"],
  ["cli/commands/shell/shell.ts", "the client's command line is in the environment"],
  ["cli/crash-drill.ts", "the drill kills the program itself"],
  ["cli/output/progress.ts", "the time between two lines of progress is that of the output"],
]);

/**
 * Lists files of src/cli/ that use more than types of the parts that read the host, or read it or a domain's
 * XML themselves: the values that commands print are built by use cases, for other front-ends too.
 */
export function listReadsOfCommands(sources: Sources, exceptions = EXCEPTIONS): string[] {
  return [...sources]
    .filter(([file]) => file.startsWith("cli/") && !exceptions.has(file))
    .flatMap(([file, text]) => {
      const imports = valueImportsOf(file, text).filter((target) => READERS.test(target));
      const [name] = READING.exec(withoutComments(text).replace(TEXT, '""')) ?? [];
      return [...imports, ...(name === undefined ? [] : [name])].map((read) => `${file} -> ${read}`);
    });
}
