import { mkdirSync, writeFileSync } from "node:fs";
import { readRealContexts } from "../selinux/file-contexts/real-contexts.ts";
import { interleaveHere, type Ratio, type Timing, timingAt } from "./timings.ts";

const PATH = "/var/lib/libvirt/images/vm1.qcow2";
/** Target for a first look-up in ms, not counting the start of the runtime. */
const AIM_MS = 50;

/**
 * Measures one look-up in a process of its own. The programs are svirt, libselinux's tool with the same text
 * and with the compiled form that it prefers, and the bare runtime. Returns undefined without a policy.
 */
export async function measureDefaultLabel(
  tools: string,
  rounds: number,
): Promise<readonly Ratio[] | undefined> {
  const texts = readRealContexts();
  if (texts === undefined) return undefined;
  const [text, compiled] = ["text", "compiled"].map((name) => `${tools}/contexts-${name}`);
  for (const folder of [text, compiled]) {
    mkdirSync(folder ?? "", { recursive: true });
    writeFileSync(`${folder}/file_contexts`, texts.base.text);
    writeFileSync(`${folder}/file_contexts.homedirs`, texts.homedirs?.text ?? "");
    writeFileSync(`${folder}/file_contexts.subs_dist`, texts.subsDist ?? "");
  }
  for (const file of ["file_contexts", "file_contexts.homedirs"])
    Bun.spawnSync(["sefcontext_compile", `${compiled}/${file}`]);
  const timings = await interleaveHere(tools, rounds, [
    `${tools}/default-label ${text} ${PATH}`,
    `/usr/sbin/matchpathcon -n -m f -f ${text}/file_contexts ${PATH}`,
    `/usr/sbin/matchpathcon -n -m f -f ${compiled}/file_contexts ${PATH}`,
    `${tools}/hello`,
  ]);
  return rowsOf(timings);
}

function rowsOf(timings: readonly Timing[]): readonly Ratio[] {
  const ours = timingAt(timings, 0);
  const start = timingAt(timings, 3);
  return [
    { what: "look-up / matchpathcon by text", ours, over: timingAt(timings, 1) },
    { what: "look-up / matchpathcon by .bin", ours, over: timingAt(timings, 2) },
    { what: "look-up / hello", ours, over: start, aim: (start.medianMs + AIM_MS) / start.medianMs },
  ];
}
