/** Result of a command on the node. */
export interface Note {
  readonly code: number;
  /** Standard output without its last newline. */
  readonly out: string;
  /** Standard error without `progress`. */
  readonly err: string;
  /** Progress that the command printed; usually none if it takes less than two seconds. */
  readonly progress?: string;
}

/** Pattern of src/cli/output/progress.ts. */
const PROGRESS = /(?:\r[A-Z][\w ]*: \[ *[\d.]+ %\])+\n?/g;

/** Notes of a script, by their names. */
export type Notes = ReadonlyMap<string, Note>;

/** Parses the output of `note` of lib.sh. Throws if a name is used twice. */
export function parseNotes(text: string): Notes {
  const notes = new Map<string, Note>();
  for (const part of text.split(/^@/m).slice(1)) {
    const [head = "", ...lines] = part.split("\n");
    const [name = "", code] = head.split(" ");
    if (notes.has(name)) throw new Error(`two notes are called ${name}`);
    const said = linesOf("e:", lines);
    const progress = said.match(PROGRESS)?.join("");
    notes.set(name, {
      code: Number(code),
      out: linesOf("o:", lines),
      err: said.replace(PROGRESS, ""),
      ...(progress === undefined ? {} : { progress }),
    });
  }
  return notes;
}

/** Returns a note. Throws if it is missing. */
export function noteOf(notes: Notes, name: string): Note {
  const note = notes.get(name);
  if (note === undefined) throw new Error(`nothing was noted as ${name}`);
  return note;
}

/** Returns the output of a command. Throws if the command failed or printed on standard error. */
export function outOf(notes: Notes, name: string): string {
  const { code, err, out } = noteOf(notes, name);
  if (code !== 0 || err !== "") throw new Error(`${name} ended with ${code}: ${err} ${out}`);
  return out.trimEnd();
}

/** Returns the attributes of each file, as `labels` of lib.sh prints them; values without quotes and NUL. */
export function parseLabels(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const files = text.split(/^# file: /m).slice(1);
  return new Map(
    files.map((part) => {
      const [path = "", ...lines] = part.split("\n");
      const attributes = lines.flatMap((line) => {
        const match = /^([^=]+)="?([^"]*?)(?:\\000)?"?$/.exec(line);
        return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
      });
      return [path, new Map(attributes)];
    }),
  );
}

function linesOf(mark: string, lines: readonly string[]): string {
  return lines.flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : [])).join("\n");
}
