import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../src/cli/output/table.ts";
import { node } from "../node/harness/on-the-node.ts";
import { readPlan } from "./by-hand-order.ts";
import { measureClients } from "./measure-clients.ts";
import { measureDefaultLabel } from "./measure-default-label.ts";
import { measureHeld } from "./measure-held.ts";
import { JOB_AIM, measureImageJobs } from "./measure-image-jobs.ts";
import { measureLevelChoice } from "./measure-level.ts";
import { measureLookUp } from "./measure-lookup.ts";
import { measureMute } from "./measure-mute.ts";
import { measureNetwork } from "./measure-network.ts";
import { measureRelabelling } from "./measure-relabel.ts";
import { measureManyDisks } from "./measure-start.ts";
import { measureStorage } from "./measure-storage.ts";
import { measureTranslation, measureValidate } from "./measure-translation.ts";
import {
  interleaveHere,
  parseTimings,
  type Ratio,
  ratioRow,
  type Timing,
  timingAt,
  verdict,
} from "./timings.ts";

const TOOLS = Bun.env["BENCH_TOOLS"] ?? "";
const SVIRT = fileURLToPath(new URL("../../dist/svirt", import.meta.url));
const LIBRARY = fileURLToPath(new URL("on-the-node.sh", import.meta.url));
const FOLDER = "/srv/bench";
const READ_SCRIPT = 'f=$(mktemp); cat >"$f"; sh -e "$f" </dev/null; code=$?; rm -f "$f"; exit "$code"';
const LIST_AIM = 1.5;
/** Of list with guests, over list without. */
const GUESTS_AIM = 1.5;
/** Place of svirt list among the programs of measureListHere() and measureListThere(). */
const LIST_AT = 3;
const START_AIM = 2;
const MUTE_AIM = 1.2;
const HELD_AIM = 1.05;
const MOST_COMMANDS = 10;
const RESIDENT_AIM_KIB = 2048;
const TRANSLATION_AIM_MS = 5;
const LOOK_UP_AIM_MS = 0.5;
/** One connection of a client. */
const CONNECTION_AIM_KIB = 12 * 1024;
const HEADER = [
  "What",
  "svirt: median (least) ms",
  "over: median (least) ms",
  "Median",
  "Least",
  "CPU",
  "Aim",
];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "12" },
    guests: { type: "string", default: "10" },
    host: { type: "boolean", default: false },
    node: { type: "boolean", default: false },
    storage: { type: "boolean", default: false },
    clients: { type: "boolean", default: false },
    "image-jobs": { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const guests = Array.from({ length: Number(values.guests) }, (_, at) => `bench-m${at + 1}`);

if (values.storage) {
  await printStorage();
} else if (values["image-jobs"]) {
  await printImageJobs();
} else if (values.clients) {
  await printClients();
} else {
  if (!values.node) await measureHost();
  if (!values.host) await measureNode();
}

async function measureHost(): Promise<void> {
  printRatios("This machine, no guest", listRatios(await measureListHere(), LIST_AIM));
  const labels = await measureDefaultLabel(TOOLS, 5 * rounds);
  if (labels === undefined)
    say("The look-up of a default label is not measured: no policy is here, see image/build\n");
  else printRatios("This machine: the first look-up of a default label, by Debian's policy", labels);
  await printTranslations();
  await printLabelling();
  await printMute();
  await printHeld();
  await printLookUps();
}

async function measureNode(): Promise<void> {
  await node(["start"]);
  // A node that was already running may have an older svirt.
  await node(["refresh"]);
  await prepareNode();
  try {
    await measureStarts();
    const idle = await measureListThere();
    printRatios("The node, no guest of ours", listRatios(idle, LIST_AIM));
    await measureGuests(idle);
  } finally {
    await onNode("clean");
  }
}

async function prepareNode(): Promise<void> {
  const files = ["hello", "hello-stream", "interleave", "by-hand"].map((name) => `${TOOLS}/${name}`);
  await node(["put", ...files, LIBRARY, FOLDER]);
  await onNode(`clean; cd ${FOLDER}; as_svirt hello hello-stream by-hand`);
  say(`node: ${(await onNode("svirt version; uname -r")).trim().replaceAll("\n", ", ")}`);
}

/** Measures starts in turn: svirt's guest and one started by hand, with KVM and without. */
async function measureStarts(): Promise<void> {
  const pairs = [
    { type: "kvm", aim: START_AIM },
    { type: "qemu", aim: START_AIM },
  ] as const;
  const commands: number[] = [];
  for (const { type } of pairs) {
    await onNode(`define bench-${type} ${type}; define bench-hand-${type} ${type}`);
    const plan = readPlan(await onNode(`svirt plan bench-hand-${type} --json`));
    await node(["ssh", `cat >${FOLDER}/bench-${type}.order`], plan.order);
    await onNode(plan.prepare);
    commands.push(plan.monitorCommands);
  }
  const programs = pairs.flatMap(({ type }) => [
    `/usr/bin/svirt start bench-${type} => /usr/bin/svirt destroy bench-${type}`,
    `${FOLDER}/by-hand start ${FOLDER}/bench-${type}.order => ${FOLDER}/by-hand quit ${FOLDER}/bench-${type}.order`,
  ]);
  const timings = await interleaveThere(programs);
  printRatios(
    "The node: start until QMP answers and the vCPUs run, over the same command line by hand",
    pairs.map(({ aim, type }, at) => ({
      what: `start, ${type === "kvm" ? "kvm" : "tcg"}`,
      ours: timingAt(timings, 2 * at),
      over: timingAt(timings, 2 * at + 1),
      aim,
    })),
  );
  const most = Math.max(...commands);
  say(
    `Monitor commands that a start sends: ${commands.join(" (kvm), ")} (tcg): ${verdict(most, MOST_COMMANDS)} (${MOST_COMMANDS})\n`,
  );
}

/** List with guests, over list without, and what stays for each guest. */
async function measureGuests(idle: readonly Timing[]): Promise<void> {
  for (const name of guests) await onNode(`define ${name} kvm; svirt start ${name} >/dev/null`);
  const busy = await measureListThere();
  const [ours, over] = [timingAt(busy, LIST_AT), timingAt(idle, LIST_AT)];
  printRatios(`The node, ${guests.length} guests running`, [
    { what: "list / list without guests", ours, over, aim: GUESTS_AIM },
    ...listRatios(busy),
  ]);
  const lines = (await onNode(`residents ${guests.join(" ")}`)).trim().split("\n");
  const rows = lines.map((line) => line.split(" "));
  const [rss, pss] = [1, 2].map((at) => Math.max(...rows.map((row) => Number(row[at]))));
  say(
    `Resident for each guest: ${rows[0]?.[0]}, most RSS ${rss} KiB, most PSS ${pss} KiB: ` +
      `${verdict(rss ?? Number.NaN, RESIDENT_AIM_KIB)} (${RESIDENT_AIM_KIB})`,
  );
  say(
    `Other processes of svirt: ${(await onNode('ps -o args | grep -c "^[^ ]*svirt reap" || true')).trim()}`,
  );
}

async function measureListHere(): Promise<Timing[]> {
  const programs = ["/bin/true", `${TOOLS}/hello`, `${TOOLS}/hello-stream`, `${SVIRT} list`];
  return await interleaveHere(TOOLS, 5 * rounds, programs);
}

async function measureListThere(): Promise<Timing[]> {
  const programs = ["/bin/true", `${FOLDER}/hello`, `${FOLDER}/hello-stream`, "/usr/bin/svirt list"];
  return await interleaveThere(programs);
}

async function printTranslations(): Promise<void> {
  const rows = measureTranslation(10 * rounds).map(({ bytes, leastMs, medianMs, what }) => [
    what,
    String(bytes),
    `${medianMs.toFixed(2)} (${leastMs.toFixed(2)})`,
    ((1000 * leastMs) / (bytes / 1024)).toFixed(0),
  ]);
  say(
    `Reading a domain and translating it, inside one process that has done it often: aim ${TRANSLATION_AIM_MS} ms for the first\n` +
      formatTable(["What", "Bytes", "Median (least) ms", "Least us per KiB"], rows),
  );
  const validate = await measureValidate(TOOLS, SVIRT, 3 * rounds);
  if (validate === undefined)
    say("svirt validate is not measured: SVIRT_TEST_DATA does not lead to the schema\n");
  else printRatios("This machine: a whole call that checks a domain", validate);
}

/**
 * Prints the cost of labels: of 10,000 files, of starts with many disks, and of a level among many claimed
 * ones.
 */
async function printLabelling(): Promise<void> {
  const relabelled = await measureRelabelling(TOOLS, SVIRT, Math.ceil(rounds / 3));
  if (relabelled === undefined) return say("Labels are not measured: files here keep none\n");
  printRatios("This machine: 10,000 files relabelled, in one process each", relabelled);
  const starts = (await measureManyDisks(rounds)).map(({ back, disks, start }) => [
    String(disks),
    ...[start.ms, start.cpuMs, start.cpuMs / disks, back.ms, back.cpuMs].map((ms) => ms.toFixed(1)),
  ]);
  const header = ["Disks", "Start: ms", "CPU ms", "CPU ms a disk", "Back: ms", "CPU ms"];
  say(`This machine: a start with disks up to QEMU, and what takes it back\n${formatTable(header, starts)}`);
  const choices = (await measureLevelChoice(20 * rounds)).map(({ leastMs, medianMs, taken }) => [
    String(taken),
    `${medianMs.toFixed(2)} (${leastMs.toFixed(2)})`,
  ]);
  say(`This machine: the choice of a level\n${formatTable(["Pairs taken", "Median (least) ms"], choices)}`);
}

/** Prints the cost of guests that do not answer, and of the largest answer that svirt accepts from one. */
async function printMute(): Promise<void> {
  const timings = await measureMute(`${TOOLS}/on-false-guests`, Math.ceil(rounds / 3));
  const rows = timings.map(({ rssKiB, tookMs, what }) => [
    what,
    tookMs.toFixed(0),
    (rssKiB / 1024).toFixed(0),
  ]);
  const [one = Number.NaN, three = Number.NaN] = [1, 3].map((at) => timings[at]?.tookMs);
  say(
    `This machine: guests that do not answer, three over one ${(three / one).toFixed(2)}: ${verdict(three / one, MUTE_AIM)} (${MUTE_AIM})\n` +
      formatTable(["What", "Median ms", "MiB held"], rows),
  );
}

/** Prints the cost of volumes and pools beside qemu-img and libvirt. */
async function printStorage(): Promise<void> {
  const ratios = await measureStorage(TOOLS, SVIRT, rounds);
  if (ratios === undefined) return say("Storage is not measured: root and libvirt's daemon are required\n");
  printRatios("This machine: volumes of 1 GiB, and a pool of 10,000 volumes", ratios);
  const networks = await measureNetwork(TOOLS, SVIRT, rounds);
  if (networks !== undefined) printRatios("This machine: a network of mode open, with DNS", networks);
}

/**
 * Prints the processor time of image jobs: svirt's own, and those of a QEMU and of qemu-img beside the rest
 * of svirt's work.
 */
async function printImageJobs(): Promise<void> {
  const costs = await measureImageJobs(SVIRT, rounds);
  if (costs === undefined) return say("Image jobs are not measured: root and QEMU are required\n");
  const rows = costs.map(({ ownMs, qemuMs, restMs, toolMs, what }) => {
    const ratios = [qemuMs, toolMs].map((ms) => (restMs + ms) / ownMs);
    const times = [ownMs, restMs, qemuMs, toolMs].map((ms) => ms.toFixed(1));
    return [
      what,
      ...times,
      ...ratios.map((ratio) => `${ratio.toFixed(2)}: ${verdict(ratio, JOB_AIM)} (${JOB_AIM})`),
    ];
  });
  const header = ["Job: CPU ms", "svirt", "Without the job", "QEMU", "qemu-img", "By QEMU", "By qemu-img"];
  say(`This machine: image jobs, medians of ${rounds}\n${formatTable(header, rows)}`);
}

/** Prints the cost, at a start, of asking the kernel which other guest's process holds its disk. */
async function printHeld(): Promise<void> {
  const costs = await measureHeld(2 * rounds);
  if (costs === undefined)
    return say("The look at what others hold is not measured: there is no QEMU here\n");
  const rows = costs.map(({ guests: others, startMs, withoutMs }) => [
    String(others),
    startMs.toFixed(1),
    withoutMs.toFixed(1),
    `${(startMs / withoutMs).toFixed(3)}: ${verdict(startMs / withoutMs, HELD_AIM)} (${HELD_AIM})`,
  ]);
  const header = ["Others run", "Start: ms", "Without: ms", "Ratio"];
  say(`This machine: a start with one disk that asks what others hold\n${formatTable(header, rows)}`);
}

/** Prints the cost of finding a domain on a connection of libvirt's protocol, with the recovery before it. */
async function printLookUps(): Promise<void> {
  const rows = (await measureLookUp(20 * rounds)).map((found) => [
    String(found.definitions),
    String(found.guests),
    ...[found.firstMs, found.byUuidMs, found.byNameMs, found.ofNoneMs].map((ms) => ms.toFixed(2)),
    found.guests > 0 ? "-" : `${verdict(found.byUuidMs, LOOK_UP_AIM_MS)} (${LOOK_UP_AIM_MS})`,
  ]);
  const header = ["Defined", "Running", "First, ms", "By UUID", "By name", "Of none", "Aim"];
  say(`This machine: a look-up on a connection\n${formatTable(header, rows)}`);
}

/** Prints times and memory of libvirt's clients beside libvirtd. */
async function printClients(): Promise<void> {
  const { ours, ratios, residentKiB, theirs } = await measureClients(TOOLS, SVIRT, rounds);
  printRatios("This machine: stock virsh with svirt, over the same with libvirtd", ratios);
  const rows = ours.map(({ connections, pssKiB }, at) => [
    String(connections),
    pssKiB.toFixed(0),
    (theirs[at]?.pssKiB ?? Number.NaN).toFixed(0),
    connections === 1 ? `${verdict(pssKiB, CONNECTION_AIM_KIB)} (${CONNECTION_AIM_KIB})` : "-",
  ]);
  const header = ["Connections", "svirt: PSS KiB", "libvirtd and helpers", "Aim"];
  say(
    `Memory beyond the executables' files; without a connection 0, and ${residentKiB.toFixed(0)} of libvirtd\n` +
      formatTable(header, rows),
  );
}

function listRatios(timings: readonly Timing[], aim?: number): Ratio[] {
  const ours = timingAt(timings, LIST_AT);
  return [
    { what: "list / true", ours, over: timingAt(timings, 0) },
    {
      what: "list / hello (console.log)",
      ours,
      over: timingAt(timings, 1),
      ...(aim === undefined ? {} : { aim }),
    },
    { what: "list / hello (process.stdout)", ours, over: timingAt(timings, 2) },
  ];
}

async function interleaveThere(programs: readonly string[]): Promise<Timing[]> {
  const words = programs.map((program) => `'${program}'`).join(" ");
  return parseTimings(await onNode(`${FOLDER}/interleave ${rounds} ${words}`));
}

/** Runs a script on the node, with the functions of on-the-node.sh. */
async function onNode(script: string): Promise<string> {
  return await node(["ssh", READ_SCRIPT], `. ${FOLDER}/on-the-node.sh\n${script}\n`);
}

function printRatios(title: string, ratios: readonly Ratio[]): void {
  say(`${title}\n${formatTable(HEADER, ratios.map(ratioRow)).trimEnd()}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
