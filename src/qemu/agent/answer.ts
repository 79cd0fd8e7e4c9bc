import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { joinBytes, joinLine, type Line } from "../monitor/line-buffer.ts";
import { isNestedDeeper } from "../monitor/nesting.ts";
import { MOST_MESSAGE_BYTES } from "../monitor/qmp-size-limits.ts";

/** Maximum nesting depth of an answer, greater than that of any agent's answer. */
const MOST_LEVELS = 512;
/** ASCII codes. */
const [QUOTE, BACKSLASH, LETTER_U] = [0x22, 0x5c, 0x75];
const [FIRST_PRINTABLE, LAST_PRINTABLE] = [0x20, 0x7e];
/** Bytes after an escape's backslash: five in \u0041, else a single byte. */
const FIRST_OF_ESCAPE = 5;
/**
 * Minimum length of a part of a long text. LineBuffer makes parts of 64 KiB, except the first and the last of
 * a line.
 */
const LONG_PART_BYTES = 1024;
/** Maximum number of attempts to find a mark absent from the answer. */
const MOST_TRIES = 100;

const success = v.looseObject({ return: v.unknown() });
const failure = v.object({
  error: v.object({ class: v.exactOptional(v.string()), desc: v.string() }),
});

/** Refusal of a command by the agent itself. */
export class AgentRefusal extends SvirtError {}

/** Refusal of a command unknown to the agent, or disabled by the guest's administrator. */
export class UnknownAgentCommand extends AgentRefusal {}

/**
 * Returns the agent's answer, of 1 MiB at most, unchanged. Throws "failed" with virsh's message and the
 * agent's reason.
 */
export function parseAgentAnswer(line: Line, command: string): unknown {
  const most = MOST_MESSAGE_BYTES;
  if (line.bytes > most) throw refusal(command, `its answer has more than ${most} bytes`);
  return readAnswer(joinLine(line), command);
}

/**
 * Returns the agent's answer as a JSON document, in pieces. Long texts, such as a file of 64 MiB in base64,
 * are checked and passed on in parts. The rest of the answer is limited to 1 MiB. Throws as
 * parseAgentAnswer() does.
 */
export function formatAgentAnswer(
  line: Line,
  command: string,
  indent: number | undefined,
): Iterable<Uint8Array> {
  const { runs, skeleton } = takeTexts(line, command);
  for (let at = 0; at < MOST_TRIES; at += 1) {
    const mark = `long-text-${at}-`;
    const marked = skeleton.flatMap((bytes, run) =>
      run === 0 ? [bytes] : [new TextEncoder().encode(`${mark}${run - 1}.`), bytes],
    );
    const text = JSON.stringify(readAnswer(joinBytes(marked), command), undefined, indent);
    const pieces = text.split(new RegExp(`${mark}(\\d+)\\.`));
    const numbers = new Set(pieces.filter((_, place) => place % 2 === 1));
    // Each mark must occur exactly once; otherwise the guest wrote another.
    if (pieces.length === 2 * runs.length + 1 && numbers.size === runs.length)
      return insertRuns(pieces, runs);
  }
  throw refusal(command, "its answer has a duplicate key, or a text that looks like a mark of svirt");
}

/** Returns the error of an answer to another command. Kind "failed". */
export function malformed(command: string, place: string): SvirtError {
  return new SvirtError(`Cannot read the agent's answer to ${command}: ${place} is malformed`, {
    kind: "failed",
    remedy: `See the whole answer: svirt qemu-agent-command DOMAIN '{"execute":"${command}"}'`,
  });
}

/** Answer without its long texts (runs): run 0 belongs between pieces 0 and 1, and so on. */
interface Taken {
  readonly skeleton: readonly Uint8Array[];
  readonly runs: readonly (readonly Uint8Array[])[];
}

/** Splits off the long texts. A text is long if a whole part of the line lies within it. */
function takeTexts({ parts }: Line, command: string): Taken {
  const skeleton: Uint8Array[][] = [[]];
  const runs: Uint8Array[][] = [];
  let place: Place = { isInText: false, escaped: 0 };
  let [isInRun, bytes] = [false, 0];
  for (const part of parts) {
    const mayBeLong = part.length >= LONG_PART_BYTES && place.isInText && place.escaped === 0;
    const isLong = mayBeLong && isPlain(part);
    if (isLong && !isInRun) {
      runs.push([]);
      skeleton.push([]);
    }
    isInRun = isLong;
    if (isLong) {
      runs.at(-1)?.push(part);
      continue;
    }
    bytes += part.length;
    if (bytes > MOST_MESSAGE_BYTES)
      throw refusal(command, `its answer has more than ${MOST_MESSAGE_BYTES} bytes, not counting long texts`);
    skeleton.at(-1)?.push(part);
    place = placeAfter(part, place);
  }
  return { skeleton: skeleton.map(joinBytes), runs };
}

/** Position in the JSON at the end of a part. */
interface Place {
  readonly isInText: boolean;
  /** Number of bytes missing from the current escape. */
  readonly escaped: number;
}

function placeAfter(part: Uint8Array, { escaped: left, isInText: within }: Place): Place {
  let [isInText, escaped] = [within, left];
  for (const byte of part) {
    if (escaped > 0) escaped = escaped === FIRST_OF_ESCAPE && byte !== LETTER_U ? 0 : escaped - 1;
    else if (byte === QUOTE) isInText = !isInText;
    else if (isInText && byte === BACKSLASH) escaped = FIRST_OF_ESCAPE;
  }
  return { isInText, escaped };
}

/** Whether the part needs no escape in a JSON text: printable ASCII without quotation mark and backslash. */
function isPlain(part: Uint8Array): boolean {
  // Decodes no string: JavaScript would keep its memory for a long time.
  for (let at = 0; at < part.length; at += 1) {
    const byte = part[at] ?? 0;
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

function* insertRuns(pieces: readonly string[], runs: Taken["runs"]): Generator<Uint8Array> {
  for (const [place, piece] of pieces.entries()) {
    if (place % 2 === 0) yield new TextEncoder().encode(piece);
    else yield* runs[Number(piece)] ?? [];
  }
}

function readAnswer(json: Uint8Array, command: string): unknown {
  if (isNestedDeeper(json, MOST_LEVELS))
    throw refusal(command, `its answer is nested more than ${MOST_LEVELS} levels deep`);
  const answer = parseJson(json);
  if (v.is(success, answer)) return answer;
  const failed = v.safeParse(failure, answer);
  if (!failed.success) throw refusal(command, "its answer is neither a return nor an error");
  const { class: name = "", desc } = failed.output.error;
  // qemuAgentCheckError() of libvirt
  const { kind, message, remedy } = refusal(command, desc);
  const Refusal = /^Command(?:NotFound|Disabled)$/.test(name) ? UnknownAgentCommand : AgentRefusal;
  throw new Refusal(message, { kind, remedy });
}

function refusal(command: string, why: string): SvirtError {
  return new SvirtError(`internal error: unable to execute QEMU agent command '${command}': ${why}`, {
    kind: "failed",
    remedy: `List the agent's commands: svirt qemu-agent-command DOMAIN '{"execute":"guest-info"}'`,
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
