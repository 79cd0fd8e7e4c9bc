import { SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import { isNestedDeeper } from "./nesting.ts";

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

/** How deep an answer of QEMU's may be nested: a disk has at most 200 images, each told of within the one above it. */
const MOST_LEVELS = 512;

/** The line that asks QEMU for `command`; its reply carries `id`. */
export function formatQmpCommand({ execute, arguments: args }: QmpCommand, id: number): string {
  return `${JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }), id })}\n`;
}

/**
 * A line of the monitor's stream; undefined for an empty one. Throws "failed" for anything but one JSON object, and for
 * one that is nested too deep.
 */
export function parseQmpLine(line: Uint8Array): QmpMessage | undefined {
  if (line.length === 0) return undefined;
  const text = new TextDecoder().decode(line).trim();
  if (text === "") return undefined;
  if (isNestedDeeper(line, MOST_LEVELS))
    throw notQmp(`a message is nested more than ${MOST_LEVELS} levels deep`);
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

/** The error for what QEMU may not say. */
export function notQmp(what: string): SvirtError {
  return new SvirtError(`Cannot understand QEMU's monitor: ${what}`, {
    kind: "failed",
    remedy: SEE_QEMU_LOG,
  });
}
