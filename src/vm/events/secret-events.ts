import type { SecretUsage } from "../../secret/document.ts";
import type { SeenFiles } from "./scan-folder.ts";

/** An event of a secret. */
export interface SecretEvent {
  readonly of: "secret";
  /** Its UUID, too: secrets have no names. */
  readonly name: string;
  readonly uuid: string;
  readonly usage: SecretUsage | undefined;
  readonly happened: "defined" | "undefined" | "value changed";
}

/** Facts about a secret in its events. */
export interface SecretFacts {
  readonly usage: SecretUsage | undefined;
}

/** Secrets at a moment, by UUIDs. Secrets in memory supersede secrets on disk. */
export interface SecretsSeen {
  readonly disk: SeenFiles<SecretFacts>;
  readonly memory: SeenFiles<SecretFacts>;
  /** Files with values, never read. */
  readonly diskValues: SeenFiles<true>;
  readonly memoryValues: SeenFiles<true>;
}

/** Reads a secret's definition; undefined if it is damaged. */
export function parseSecretFacts(text: string): SecretFacts | undefined {
  // Loads the forms of XML, needless on a host without secrets.
  const { parseSecret }: typeof import("../../secret/document.ts") = require("../../secret/document.ts");
  try {
    return { usage: parseSecret(new TextEncoder().encode(text)).usage };
  } catch {
    return undefined;
  }
}

/** Returns the events between two moments, in libvirt's order for a secret. */
export function compareSecrets(before: SecretsSeen, after: SecretsSeen): readonly SecretEvent[] {
  const [was, is] = [known(before), known(after)];
  const event = (uuid: string, { usage }: SecretFacts, happened: SecretEvent["happened"]): SecretEvent => ({
    of: "secret",
    name: uuid,
    uuid,
    usage,
    happened,
  });
  const gone = [...was]
    .filter(([uuid]) => !is.has(uuid))
    .map(([uuid, { value }]) => event(uuid, value, "undefined"));
  const now = [...is].flatMap(([uuid, { isInMemory, mark, value }]) => {
    const old = was.get(uuid);
    const made = old?.mark === mark ? [] : [event(uuid, value, "defined")];
    // A value moving with its definition stays the same value.
    const isMoved = old !== undefined && old.isInMemory !== isInMemory;
    const values = (seen: SecretsSeen) => (isInMemory ? seen.memoryValues : seen.diskValues).get(uuid)?.mark;
    const isSet = !isMoved && values(after) !== undefined && values(after) !== values(before);
    return isSet ? [...made, event(uuid, value, "value changed")] : made;
  });
  return [...gone, ...now];
}

/** A definition with its place. */
interface KnownSecret {
  readonly mark: string;
  readonly value: SecretFacts;
  readonly isInMemory: boolean;
}

function known({ disk, memory }: SecretsSeen): ReadonlyMap<string, KnownSecret> {
  return new Map<string, KnownSecret>([
    ...[...disk].map(([uuid, seen]) => [uuid, { ...seen, isInMemory: false }] as const),
    ...[...memory].map(([uuid, seen]) => [uuid, { ...seen, isInMemory: true }] as const),
  ]);
}
