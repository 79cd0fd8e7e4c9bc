import { writeFileSync } from "node:fs";
import { MISSING, RealFolder } from "../real-host/folder.ts";
import { interleaveHere, type Ratio, timingAt } from "./timings.ts";

const FILES = 10_000;
const [BEFORE, GUESTS] = [
  "system_u:object_r:images_t:s0",
  "system_u:object_r:svirt_image_t:s0:c1,c2",
] as const;
/** Passes all files to one process: a command line may have 2 MB. execve(2) */
const XARGS = "/usr/bin/xargs -s 2000000 -a";

/**
 * Compares relabelling of 10,000 files with chcon(1), each in one process. Returns undefined if files keep no
 * labels.
 */
export async function measureRelabelling(
  tools: string,
  svirt: string,
  rounds: number,
): Promise<readonly Ratio[] | undefined> {
  if (MISSING !== undefined) return undefined;
  // In memory: on a disk, the journal that every attribute waits for would be measured.
  using folder = new RealFolder("/dev/shm");
  const files = Array.from({ length: FILES }, (_, at) => folder.file(`${at}.img`));
  const list = folder.file("list", files.join("\n"));
  const chcon = (label: string): string => `${XARGS} ${list} /usr/bin/chcon ${label}`;
  const script = (name: string, ...lines: readonly string[]): string => {
    writeFileSync(`${folder.path}/${name}`, lines.join("\n"));
    return `/bin/sh -e ${folder.path}/${name}`;
  };
  const twice = script("twice", chcon(GUESTS), chcon(BEFORE));
  const remember = script(
    "remember",
    chcon(GUESTS),
    `${XARGS} ${list} /usr/bin/setfattr -n trusted.libvirt.security.selinux -v ${BEFORE}`,
  );
  Bun.spawnSync(chcon(BEFORE).split(" "));
  const timings = await interleaveHere(tools, rounds, [
    `${tools}/relabel set ${folder.path} ${list} ${GUESTS} => ${chcon(BEFORE)}`,
    `${tools}/relabel use ${folder.path} ${list} ${GUESTS}`,
    `${chcon(GUESTS)} => ${chcon(BEFORE)}`,
    `${twice} => ${remember}`,
    `${XARGS} ${list} ${svirt} label restore`,
  ]);
  const [once, both] = [timingAt(timings, 2), timingAt(timings, 3)];
  return [
    { what: "label set, one process / chcon", ours: timingAt(timings, 0), over: once },
    { what: "start and end of guests / chcon twice", ours: timingAt(timings, 1), over: both },
    { what: "svirt label restore, whole / chcon", ours: timingAt(timings, 4), over: once },
  ];
}
