import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { startLibvirt, untilAnswered } from "./libvirtd.ts";
import { comparePairs, type Pair } from "./pairs.ts";
import type { Ratio } from "./timings.ts";

/** Most that a volume of 1 GiB may take, over the quickest other tool. */
const VOLUME_AIM = 1.1;
/** Most that a list of the pool may take, over virsh. */
const LIST_AIM = 1;
const SIZE = "1G";
/** Volumes of the large pool. */
const VOLUMES = 10_000;
/** Folder in which guests' files lie, on the disk. */
const IMAGES = "/var/lib/libvirt/images";
const POOL = "svirt-bench";

/** Programs that are compared, and the folders that they work in. */
interface Bench {
  readonly svirt: string;
  readonly virsh: string;
  /** Folder of each tool's pool. */
  readonly folders: Readonly<Record<"svirt" | "virsh" | "large", string>>;
}

/**
 * Compares volumes of 1 GiB with qemu-img and virsh, and a pool of 10,000 volumes with virsh. libvirt's
 * daemon runs already, as on a node that has it. Returns undefined without root, libvirt or SELinux'
 * attributes.
 */
export async function measureStorage(
  tools: string,
  svirt: string,
  rounds: number,
): Promise<readonly Ratio[] | undefined> {
  if (process.getuid?.() !== 0 || Bun.which("libvirtd") === null) return undefined;
  mkdirSync(IMAGES, { recursive: true, mode: 0o711 });
  const work = mkdtempSync(`${IMAGES}/svirt-bench-`);
  const folders = { svirt: `${work}/svirt`, virsh: `${work}/virsh`, large: `${work}/large` };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  const bench = {
    svirt,
    virsh: `/usr/bin/virsh -q -c storage:///system?socket=${work}/libvirt-sock`,
    folders,
  };
  const daemon = startLibvirt(work);
  try {
    await untilAnswered(`${bench.virsh} pool-list`);
    fillPools(bench);
    definePools(bench);
    const volumes = await comparePairs(tools, rounds, volumePairs(bench));
    // Only now: before a volume is deleted, svirt reads the headers of all volumes of active pools.
    const lists = await comparePairs(tools, rounds, listPairs(bench));
    const last = await comparePairs(tools, rounds, [
      { ...deletion(bench), what: `delete beside ${VOLUMES} volumes / virsh` },
    ]);
    return [...volumes, ...lists, ...last];
  } finally {
    forgetPools(bench);
    daemon.kill();
    await daemon.exited;
    rmSync(work, { recursive: true });
  }
}

function definePools({ folders, svirt, virsh }: Bench): void {
  for (const [program, folder] of [
    [svirt, folders.svirt],
    [virsh, folders.virsh],
  ] as const)
    run(`${program} pool-create-as ${POOL} dir --target ${folder}`);
}

/**
 * Volumes that a round finds: one of 1 GiB to clone and download, one to resize, one to upload to, and one to
 * delete.
 */
function fillPools({ folders }: Bench): void {
  for (const folder of [folders.svirt, folders.virsh]) {
    run(`qemu-img create -q -f raw ${folder}/grown.raw ${SIZE}`);
    run(`qemu-img create -q -f raw ${folder}/copied.raw ${SIZE}`);
    run(`qemu-img create -q -f qcow2 ${folder}/old.qcow2 ${SIZE}`);
    run(`dd if=/dev/urandom of=${folder}/full.raw bs=1M count=1024 status=none`);
  }
  for (let at = 0; at < VOLUMES; at += 1) writeFileSync(`${folders.large}/volume-${at}.raw`, "");
}

function forgetPools({ svirt, virsh }: Bench): void {
  for (const program of [svirt, virsh])
    for (const pool of [POOL, `${POOL}-large`])
      Bun.spawnSync(`${program} pool-destroy ${pool}`.split(" "), { stderr: "ignore" });
}

function volumePairs(bench: Bench): readonly Pair[] {
  const remove = (program: string): string => `${program} vol-delete copy.raw --pool ${POOL}`;
  const shrink = (program: string): string =>
    `${program} vol-resize grown.raw ${SIZE} --shrink --pool ${POOL}`;
  const source = `${bench.folders.svirt}/full.raw`;
  const target = `${bench.folders.large}.copy`;
  return [
    ...creation(bench, "raw"),
    ...creation(bench, "qcow2"),
    deletion(bench),
    pairOf(bench, { what: "resize / virsh", words: `vol-resize grown.raw 2G --pool ${POOL}`, after: shrink }),
    pairOf(bench, {
      what: "clone 1 GiB / virsh",
      words: `vol-clone full.raw copy.raw --pool ${POOL}`,
      after: remove,
    }),
    pairOf(bench, {
      what: "upload 1 GiB / virsh",
      words: `vol-upload copied.raw ${source} --pool ${POOL}`,
      after: () => "/bin/true",
    }),
    pairOf(bench, {
      what: "download 1 GiB / virsh",
      words: `vol-download full.raw ${target} --pool ${POOL}`,
      after: () => `/bin/rm ${target}`,
    }),
  ];
}

function creation({ folders, svirt, virsh }: Bench, format: string): readonly Pair[] {
  const words = `vol-create-as ${POOL} new.${format} ${SIZE} --format ${format}`;
  const ours = `${svirt} ${words} => /bin/rm ${folders.svirt}/new.${format}`;
  const byHand = `${folders.virsh}/by-hand.${format}`;
  return [
    {
      what: `create ${format} / qemu-img`,
      ours,
      over: `/usr/bin/qemu-img create -q -f ${format} ${byHand} ${SIZE} => /bin/rm ${byHand}`,
      aim: VOLUME_AIM,
    },
    {
      what: `create ${format} / virsh`,
      ours,
      over: `${virsh} ${words} => ${virsh} vol-delete new.${format} --pool ${POOL}`,
      aim: VOLUME_AIM,
    },
  ];
}

function deletion(bench: Bench): Pair {
  const create = (program: string): string =>
    `${program} vol-create-as ${POOL} old.qcow2 ${SIZE} --format qcow2`;
  return pairOf(bench, {
    what: "delete / virsh",
    words: `vol-delete old.qcow2 --pool ${POOL}`,
    after: create,
  });
}

/** A command of both tools, and what restores the state of before. */
function pairOf(
  { svirt, virsh }: Bench,
  {
    after,
    what,
    words,
  }: { readonly what: string; readonly words: string; readonly after: (program: string) => string },
): Pair {
  const [ours, over] = [svirt, virsh].map((program) => `${program} ${words} => ${after(program)}`);
  return { what, ours: ours ?? "", over: over ?? "", aim: VOLUME_AIM };
}

function listPairs({ folders, svirt, virsh }: Bench): readonly Pair[] {
  const large = `${POOL}-large`;
  for (const program of [svirt, virsh])
    run(`${program} pool-create-as ${large} dir --target ${folders.large}`);
  return [`pool-refresh ${large}`, `vol-list ${large}`].map((words) => ({
    what: `${words.split(" ")[0]} of ${VOLUMES} volumes / virsh`,
    ours: `${svirt} ${words}`,
    over: `${virsh} ${words}`,
    aim: LIST_AIM,
  }));
}

/** Runs a command. Throws if it fails. */
function run(command: string): void {
  const { exitCode, stderr } = Bun.spawnSync(command.split(" "), { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Cannot measure: ${command} ended with ${exitCode}: ${stderr}`);
}
