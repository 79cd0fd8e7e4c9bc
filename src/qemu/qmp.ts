import { SEE_QEMU_LOG, SvirtError } from "../errors.ts";

/** One command to QEMU's monitor. qemu.git docs/interop/qmp-spec.rst */
export interface QmpCommand {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** What QEMU's monitor says. Replies carry the number of their command; events may come at any time. */
export type QmpMessage =
  | { readonly is: "greeting"; readonly version: string }
  | { readonly is: "return"; readonly id: number | undefined; readonly value: unknown }
  | { readonly is: "error"; readonly id: number | undefined; readonly description: string }
  | {
      readonly is: "event";
      readonly name: string;
      readonly facts: ReadonlyMap<string, unknown>;
      readonly atMs: number;
    };

/** What has come of a message that is not complete yet. */
export interface QmpRest {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/** Before the first byte. */
export const EMPTY_REST: QmpRest = { parts: [], bytes: 0 };

/** The longest message that is taken: a guest that has broken out of QEMU shall not fill svirt's memory. */
export const LONGEST_MESSAGE_BYTES = 8 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The line that asks QEMU for `command`; its reply carries `id`. */
export function formatQmpCommand({ execute, arguments: args }: QmpCommand, id: number): string {
  return `${JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }), id })}\n`;
}

/**
 * Takes the next bytes of the monitor's stream: gives the messages that are complete by now, and the rest for the next
 * call. Throws "failed" for anything but one JSON object a line, and for a line beyond LONGEST_MESSAGE_BYTES.
 */
export function parseQmpChunk(
  rest: QmpRest,
  chunk: Uint8Array,
): { readonly messages: readonly QmpMessage[]; readonly rest: QmpRest } {
  const messages: QmpMessage[] = [];
  let { parts, bytes } = rest;
  let start = 0;
  for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
    const line = joinBytes([...parts, chunk.subarray(start, end)]);
    if (line.length > LONGEST_MESSAGE_BYTES) throw notQmp(`a message has ${line.length} bytes`);
    const message = parseLine(line);
    if (message !== undefined) messages.push(message);
    [parts, bytes, start] = [[], 0, end + 1];
  }
  // A copy: the caller may use its buffer again.
  const tail = chunk.slice(start);
  bytes += tail.length;
  if (bytes > LONGEST_MESSAGE_BYTES) throw notQmp(`a message has more than ${LONGEST_MESSAGE_BYTES} bytes`);
  return { messages, rest: tail.length === 0 ? { parts, bytes } : { parts: [...parts, tail], bytes } };
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function parseLine(line: Uint8Array): QmpMessage | undefined {
  const text = new TextDecoder().decode(line).trim();
  if (text === "") return undefined;
  const fields = fieldsOf(parseJson(text));
  if (fields.has("return")) return { is: "return", id: idOf(fields), value: fields.get("return") };
  if (fields.has("error")) {
    const description = fieldsOf(fields.get("error")).get("desc");
    return { is: "error", id: idOf(fields), description: textOf(description) ?? "no reason given" };
  }
  const event = fields.get("event");
  if (typeof event === "string") {
    return { is: "event", name: event, facts: fieldsOf(fields.get("data")), atMs: timeOf(fields) };
  }
  if (fields.has("QMP")) return { is: "greeting", version: versionOf(fields.get("QMP")) };
  throw notQmp("a message is neither greeting, reply nor event");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SvirtError("Cannot understand QEMU's monitor: a line is not JSON", {
      kind: "failed",
      remedy: SEE_QEMU_LOG,
      cause,
    });
  }
}

/** The fields of an object, as a map: a name from outside never meets a prototype. Anything else has none. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map();
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function idOf(fields: ReadonlyMap<string, unknown>): number | undefined {
  return numberOf(fields.get("id"));
}

function timeOf(fields: ReadonlyMap<string, unknown>): number {
  const stamp = fieldsOf(fields.get("timestamp"));
  const [seconds = 0, microseconds = 0] = [
    numberOf(stamp.get("seconds")),
    numberOf(stamp.get("microseconds")),
  ];
  return seconds * 1000 + Math.floor(microseconds / 1000);
}

function versionOf(greeting: unknown): string {
  const numbers = fieldsOf(fieldsOf(fieldsOf(greeting).get("version")).get("qemu"));
  return ["major", "minor", "micro"].map((name) => numberOf(numbers.get(name)) ?? 0).join(".");
}

function notQmp(what: string): SvirtError {
  return new SvirtError(`Cannot understand QEMU's monitor: ${what}`, {
    kind: "failed",
    remedy: SEE_QEMU_LOG,
  });
}
