/** How a command went on the node. */
export interface Note {
  readonly code: number;
  /** Without the newline at the end. */
  readonly out: string;
  /** Without `progress`. */
  readonly err: string;
  /** How far it had come: nothing, as a rule, of what takes less than two seconds. */
  readonly progress?: string;
}

/** As src/cli/output/progress.ts has it. */
const PROGRESS = /(?:\r[A-Z][\w ]*: \[ *[\d.]+ %\])+\n?/g;

/** Every command that a script has noted, by the name that it gave it. */
export type Notes = ReadonlyMap<string, Note>;

/** Reads what `note` of lib.sh writes. Throws on a name that is used twice. */
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

/** A note that must be there. */
export function noteOf(notes: Notes, name: string): Note {
  const note = notes.get(name);
  if (note === undefined) throw new Error(`nothing was noted as ${name}`);
  return note;
}

/** What a command printed; it must have succeeded and said nothing on standard error. */
export function outOf(notes: Notes, name: string): string {
  const { code, err, out } = noteOf(notes, name);
  if (code !== 0 || err !== "") throw new Error(`${name} ended with ${code}: ${err} ${out}`);
  return out.trimEnd();
}

/** The attributes of each file, as `labels` of lib.sh prints them; values without quotes and NUL. */
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
