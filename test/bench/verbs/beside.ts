import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readPlan } from "../by-hand-order.ts";
import { QEMU_SETTINGS, startLibvirt, untilAnswered } from "../libvirtd.ts";
import { measureRelabelling } from "../measure-relabel.ts";
import { comparePairs, type Pair } from "../pairs.ts";
import type { Ratio } from "../timings.ts";
import { DOMAIN, disksOf, domainXml } from "./life.ts";
import { run } from "./own-folders.ts";

/** What is compared, and where. */
interface Bench {
  readonly tools: string;
  readonly svirt: string;
  /** It is emptied. */
  readonly folder: string;
  readonly rounds: number;
}

const VIRSH = "/usr/bin/virsh -q -c qemu:///system";
/** Most over virsh, over hello world, and over QEMU by hand: issue 25 of svirt's developers. */
const [VIRSH_AIM, HELLO_AIM, BY_HAND_AIM] = [1, 1.5, 1.5];
/** A command, and what it leaves is undone by another, if need be. */
type Words = string | readonly [words: string, undo: string];
const VERBS: readonly Words[] = [
  ...["list", "capabilities", "domcapabilities", "pool-list", "net-list", "dumpxml verbs", "dominfo verbs"],
  ["start verbs", "destroy verbs"],
];
const STORAGE: readonly Words[] = [
  ...["vol-list verbs-pool", "vol-info verbs.qcow2 --pool verbs-pool"],
  ["vol-create-as verbs-pool new.qcow2 64M --format qcow2", "vol-delete new.qcow2 --pool verbs-pool"],
];
/** Of a running guest; the last one ends it. */
const RUNNING: readonly Words[] = [
  ...["list", "dumpxml verbs", "dominfo verbs", "domstats verbs"],
  ["suspend verbs", "resume verbs"],
  ["save verbs FOLDER/saved", "restore FOLDER/saved"],
  ["destroy verbs", "start verbs"],
];

/**
 * Times svirt's commands beside hello world, chcon, QEMU started by hand and, where libvirt's daemon is
 * installed, virsh. The folders of both must be those of mountOwnFolders().
 */
export async function compareVerbs(bench: Bench): Promise<readonly Ratio[]> {
  const { folder, rounds, svirt, tools } = bench;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const list = { what: "list / hello world", ours: `${svirt} list`, over: `${tools}/hello`, aim: HELLO_AIM };
  return [
    ...(await comparePairs(tools, rounds, [list])),
    ...((await measureRelabelling(tools, svirt, rounds)) ?? []),
    ...(await compareWithVirsh(bench)),
    ...(await comparePairs(tools, rounds, [startByHand(bench)])),
  ];
}

async function compareWithVirsh(bench: Bench): Promise<readonly Ratio[]> {
  const { folder, rounds, svirt, tools } = bench;
  if (Bun.which("libvirtd") === null) return [];
  writeFileSync("/etc/libvirt/qemu.conf", `${QEMU_SETTINGS.join("\n")}\n`);
  const daemon = startLibvirt("/run/libvirt");
  try {
    await untilAnswered(`${VIRSH} list`);
    const ours = prepare(svirt, `${folder}/ours`);
    const theirs = prepare(VIRSH, `${folder}/theirs`);
    const compare = async (verbs: readonly Words[]): Promise<readonly Ratio[]> =>
      await comparePairs(
        tools,
        rounds,
        verbs.map((words) => ({
          what: `${typeof words === "string" ? words : words[0]} / virsh`.replaceAll("FOLDER/", ""),
          ours: commandOf(svirt, words, ours),
          over: commandOf(VIRSH, words, theirs),
          aim: VIRSH_AIM,
        })),
      );
    const idle = [...(await compare(VERBS)), ...(await compare(STORAGE))];
    for (const program of [svirt, VIRSH]) run(`${program} start verbs`.split(" "));
    const running = await compare(RUNNING);
    for (const program of [svirt, VIRSH]) run(`${program} destroy verbs`.split(" "));
    return [...idle, ...running];
  } finally {
    daemon.kill();
    await daemon.exited;
  }
}

/** Defines the domain, and a pool with one volume. Returns the folder of their files. */
function prepare(program: string, folder: string): string {
  const pool = `${folder}/pool`;
  for (const made of [folder, pool]) mkdirSync(made);
  for (const disk of disksOf(folder)) run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"]);
  writeFileSync(`${folder}/domain.xml`, domainXml(folder));
  for (const words of [
    `define ${folder}/domain.xml`,
    `pool-create-as verbs-pool dir --target ${pool}`,
    "vol-create-as verbs-pool verbs.qcow2 64M --format qcow2",
  ])
    run(`${program} ${words}`.split(" "));
  return folder;
}

function commandOf(program: string, words: Words, folder: string): string {
  const all = typeof words === "string" ? [words] : words;
  return all.map((each) => `${program} ${each.replaceAll("FOLDER", folder)}`).join(" => ");
}

/** The start of the domain, over that of another one's QEMU by test/bench/by-hand.c. */
function startByHand({ folder, svirt, tools }: Bench): Pair {
  const [name, own] = ["by-hand", `${folder}/by-hand`];
  mkdirSync(own);
  for (const disk of disksOf(own)) run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"]);
  writeFileSync(`${own}/domain.xml`, domainXml(own, name));
  run([svirt, "define", `${own}/domain.xml`]);
  const { order, prepare: script } = readPlan(run([svirt, "plan", name, "--json"]).stdout);
  run(["sh", "-ec", script]);
  writeFileSync(`${own}/order`, order);
  return {
    what: "start / QEMU by hand",
    ours: `${svirt} start ${DOMAIN} => ${svirt} destroy ${DOMAIN}`,
    over: `${tools}/by-hand start ${own}/order => ${tools}/by-hand quit ${own}/order`,
    aim: BY_HAND_AIM,
  };
}
