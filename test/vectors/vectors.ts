import { readFileSync } from "node:fs";
import * as v from "valibot";

const attributes = v.record(v.string(), v.nullable(v.string()));
const files = v.record(v.string(), attributes);
type Files = v.InferOutput<typeof files>;

const recording = v.object({
  name: v.string(),
  domain_xml: v.string(),
  files_before: files,
  running: v.optional(v.object({ seclabel_xml: v.string(), process_label: v.string(), files })),
  files_after_destroy: v.optional(files),
  error: v.optional(v.object({ message: v.string() })),
  files_after_failure: v.optional(files),
});

const LABEL = "security.selinux";
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  [LABEL, ""],
  ["trusted.libvirt.security.selinux", " remembered"],
  ["trusted.libvirt.security.ref_selinux", " users"],
]);

/** Value of an observation that is absent. */
export const NOTHING = "-";

/**
 * Observations of one start and stop, by name: `error`, or `process`, `seclabel` (of the live XML) and the
 * observations of files. For each file they are `running FILE` (its label), `running FILE remembered`,
 * `running FILE users`; and `after FILE` in the same way.
 */
export type Seen = ReadonlyMap<string, string>;

/** One run of libvirt: its input and its observations. */
export interface Vector {
  readonly name: string;
  readonly xml: string;
  /** Files before the run, with their labels; undefined: no label. */
  readonly files: ReadonlyMap<string, string | undefined>;
  readonly recorded: Seen;
}

/**
 * Returns the recorded runs, with some words replaced by `words`. Returns none if SVIRT_TEST_DATA is not set.
 */
export function readVectors(words: (text: string) => string): readonly Vector[] {
  const testData = process.env["SVIRT_TEST_DATA"];
  if (testData === undefined) return [];
  const text = words(readFileSync(`${testData}/labels/vectors.json`, "utf8"));
  return v.parse(v.object({ vectors: v.array(recording) }), JSON.parse(text)).vectors.map(vectorOf);
}

function vectorOf(run: v.InferOutput<typeof recording>): Vector {
  const { error, files_before: before, running } = run;
  const seen = new Map<string, string>();
  if (error !== undefined) seen.set("error", error.message);
  if (running !== undefined) {
    seen.set("process", running.process_label);
    seen.set("seclabel", plainXml(running.seclabel_xml));
  }
  for (const [name, text] of seenOfFiles("running", running?.files ?? {})) seen.set(name, text);
  const after = run.files_after_destroy ?? run.files_after_failure ?? {};
  for (const [name, text] of seenOfFiles("after", after)) seen.set(name, text);
  return {
    name: run.name,
    xml: run.domain_xml,
    files: new Map(Object.entries(before).map(([name, has]) => [name, has[LABEL] ?? undefined])),
    recorded: seen,
  };
}

/** Returns the observations of files, from the attributes of each. */
export function seenOfFiles(when: "running" | "after", of: Files): [string, string][] {
  return Object.entries(of).flatMap(([file, has]) =>
    [...ATTRIBUTES].flatMap(([attribute, what]): [string, string][] => {
      const text = has[attribute];
      return typeof text === "string" ? [[`${when} ${file}${what}`, text]] : [];
    }),
  );
}

/** Returns the seclabel of selinux in a domain's XML, in the form of the recordings. */
export function seclabelIn(xml: string): string {
  const [found] = /<seclabel type='[^>]*model='selinux'.*?(?:\/>|<\/seclabel>)/s.exec(xml) ?? [NOTHING];
  return plainXml(found);
}

/** Replaces a range that was chosen for the guest by the placeholder of the recordings. */
export function withoutRange(seen: Seen): Seen {
  const isChosen = seen.get("seclabel")?.startsWith("<seclabel type='dynamic'") === true;
  const [range] = /s0:c\d+,c\d+$/.exec(seen.get("process") ?? "") ?? [];
  if (!isChosen || range === undefined) return seen;
  return new Map([...seen].map(([name, text]) => [name, text.replaceAll(range, "s0:cA,cB")]));
}

/** Returns values of libvirt and of svirt that differ. An error is equal if it has libvirt's reason. */
export function differences(recorded: Seen, seen: Seen): Record<string, readonly [string, string]> {
  const names = new Set([...recorded.keys(), ...seen.keys()]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const [theirs, ours] = [recorded.get(name) ?? NOTHING, seen.get(name) ?? NOTHING];
      const isSame = name === "error" ? saysReason(ours, theirs) : ours === theirs;
      return isSame ? [] : [[name, [theirs, ours] as const]];
    }),
  );
}

function saysReason(ours: string, theirs: string): boolean {
  // Leaves out the class of error that libvirt writes first.
  const reason = theirs.replace(/^(?:XML error|unsupported configuration): /, "");
  return theirs !== NOTHING && ours.includes(reason);
}

function plainXml(xml: string): string {
  return xml.replaceAll('"', "'").replaceAll(" />", "/>").replaceAll(/>\s+</g, "><");
}
