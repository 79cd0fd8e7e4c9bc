import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { medianOf, qemuCpuMs, spawnedCpuMs } from "./image-job.ts";

/** Most that an image job of QEMU's may cost, over svirt's own. */
export const JOB_AIM = 1.5;
/** Folders of svirt, over which empty ones are mounted. */
const FOLDERS = ["/etc/svirt", "/run/svirt", "/var/lib/svirt"];
const IMAGES = "/var/lib/libvirt/images";
const POOL = "image-jobs";
const SECRET = "5f1d2a04-7f5e-4f3c-9d6e-2b1f6f3f9c11";
const SIZE_BYTES = 2 ** 30;
/** Data of the image that is converted. */
const DATA_BYTES = 2 ** 28;

/**
 * Processor time of an image job in ms: medians of svirt with its own code, of svirt without the job, and of
 * the job's program.
 */
export interface JobCost {
  readonly what: string;
  readonly ownMs: number;
  /** The same command for a raw volume: it reads the pool, decides the label and makes a file. */
  readonly restMs: number;
  readonly qemuMs: number;
  readonly toolMs: number;
}

/** An image job: svirt's command, the same without the job, QEMU's commands, and those of qemu-img. */
interface Job {
  readonly what: string;
  /** Makes the images anew that the commands change. */
  prepare(): void;
  readonly own: readonly string[];
  readonly rest: readonly string[];
  /** Commands of QMP; the last one begins a job if `isJob`. */
  readonly qemu: readonly object[];
  readonly isJob: boolean;
  readonly tool: readonly string[];
}

/**
 * Compares the processor time of svirt's own image jobs with that of a QEMU without a machine, and of
 * qemu-img. Both run here without confinement, label, claims and record, so their cost is the least. The
 * process must have a mount namespace of its own. Returns undefined without root or QEMU.
 */
export async function measureImageJobs(
  svirt: string,
  rounds: number,
): Promise<readonly JobCost[] | undefined> {
  if (process.getuid?.() !== 0 || Bun.which("qemu-system-x86_64") === null) return undefined;
  for (const folder of FOLDERS) {
    mkdirSync(folder, { recursive: true });
    run("mount", "-t", "tmpfs", "none", folder);
  }
  mkdirSync(IMAGES, { recursive: true, mode: 0o711 });
  const work = mkdtempSync(`${IMAGES}/image-jobs-`);
  const pool = `${work}/pool`;
  mkdirSync(pool);
  try {
    run(svirt, "pool-create-as", POOL, "dir", "--target", pool);
    defineSecret(svirt, work);
    const costs: JobCost[] = [];
    for (const job of listJobs(svirt, work, pool)) costs.push(await costOf(job, pool, rounds));
    return costs;
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function costOf(job: Job, pool: string, rounds: number): Promise<JobCost> {
  const found: { own: number; rest: number; qemu: number; tool: number }[] = [];
  const fresh = (): void => {
    rmSync(pool, { recursive: true });
    mkdirSync(pool);
    job.prepare();
  };
  for (let round = 0; round < rounds; round += 1) {
    fresh();
    const [own, rest] = [spawnedCpuMs(job.own), spawnedCpuMs(job.rest)];
    fresh();
    const qemu = await qemuCpuMs(job.qemu, job.isJob);
    fresh();
    found.push({ own, rest, qemu, tool: spawnedCpuMs(job.tool) });
  }
  const median = (of: keyof (typeof found)[number]): number => medianOf(found.map((one) => one[of]));
  const [ownMs, restMs] = [median("own"), median("rest")];
  return { what: job.what, ownMs, restMs, qemuMs: median("qemu"), toolMs: median("tool") };
}

function listJobs(svirt: string, work: string, pool: string): readonly Job[] {
  const create = [svirt, "vol-create-as", POOL];
  const node = (file: string, name = "file"): object => ({
    execute: "blockdev-add",
    arguments: { driver: "file", "node-name": name, filename: file },
  });
  const begin = (options: object): object => ({
    execute: "blockdev-create",
    arguments: { "job-id": "job", options },
  });
  const target = `${pool}/by-qemu`;
  const empty = (): void => writeFileSync(target, "");
  const source = `${work}/source`;
  // Data that no format compresses or skips.
  run("dd", "if=/dev/urandom", `of=${source}`, "bs=1M", `count=${DATA_BYTES / 2 ** 20}`, "status=none");
  const xml = `${work}/luks.xml`;
  writeFileSync(
    xml,
    `<volume><name>own</name><capacity>${SIZE_BYTES}</capacity><allocation>0</allocation><target><format type='raw'/>` +
      `<encryption format='luks'><secret type='passphrase' uuid='${SECRET}'/></encryption></target></volume>`,
  );
  const converted = `${work}/converted.xml`;
  writeFileSync(
    converted,
    `<volume><name>own</name><capacity>${DATA_BYTES}</capacity><target><format type='qcow2'/></target></volume>`,
  );
  const raw = [...create, "rest", "1G", "--format", "raw", "--allocation", "0"];
  return [
    {
      what: "create qcow2, 1 GiB",
      prepare: empty,
      own: [...create, "own", "1G", "--format", "qcow2"],
      rest: raw,
      qemu: [node(target), begin({ driver: "qcow2", file: "file", size: SIZE_BYTES })],
      isJob: true,
      tool: ["qemu-img", "create", "-q", "-f", "qcow2", target, "1G"],
    },
    {
      what: "resize qcow2, 1 to 2 GiB",
      prepare: () => {
        for (const name of ["own", "by-qemu"])
          run("qemu-img", "create", "-q", "-f", "qcow2", `${pool}/${name}`, "1G");
        run("qemu-img", "create", "-q", "-f", "raw", `${pool}/rest`, "1G");
      },
      own: [svirt, "vol-resize", "own", "2G", "--pool", POOL],
      rest: [svirt, "vol-resize", "rest", "2G", "--pool", POOL],
      qemu: [
        node(target),
        { execute: "blockdev-add", arguments: { driver: "qcow2", "node-name": "image", file: "file" } },
        { execute: "block_resize", arguments: { "node-name": "image", size: 2 * SIZE_BYTES } },
      ],
      isJob: false,
      tool: ["qemu-img", "resize", "-q", "-f", "qcow2", target, "2G"],
    },
    {
      what: "create raw with LUKS",
      prepare: empty,
      own: [svirt, "vol-create", POOL, xml],
      rest: raw,
      qemu: [
        {
          execute: "object-add",
          arguments: { "qom-type": "secret", id: "key", data: "a passphrase" },
        },
        node(target),
        begin({ driver: "luks", file: "file", size: SIZE_BYTES, "key-secret": "key" }),
      ],
      isJob: true,
      tool: [
        ...["qemu-img", "create", "-q", "-f", "luks", "--object", "secret,id=key,data=a passphrase"],
        ...["-o", "key-secret=key", target, "1G"],
      ],
    },
    {
      what: "convert 256 MiB raw to qcow2",
      prepare: () => {
        run("ln", source, `${pool}/source`);
        run("qemu-img", "create", "-q", "-f", "qcow2", target, String(DATA_BYTES));
      },
      own: [svirt, "vol-create-from", POOL, converted, "source", "--inputpool", POOL],
      rest: raw,
      qemu: [
        node(`${pool}/source`, "source"),
        node(target),
        { execute: "blockdev-add", arguments: { driver: "qcow2", "node-name": "image", file: "file" } },
        {
          execute: "blockdev-backup",
          arguments: {
            "job-id": "job",
            device: "source",
            target: "image",
            sync: "full",
            "auto-dismiss": false,
          },
        },
      ],
      isJob: true,
      tool: ["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", `${pool}/source`, target],
    },
  ];
}

function defineSecret(svirt: string, work: string): void {
  const [xml, value] = [`${work}/secret.xml`, `${work}/value`];
  writeFileSync(xml, `<secret ephemeral='no' private='no'><uuid>${SECRET}</uuid></secret>`);
  writeFileSync(value, "a passphrase");
  run(svirt, "secret-define", xml);
  run(svirt, "secret-set-value", SECRET, "--plain", "--file", value);
}

/** Runs a command to its end. Throws with its messages if it fails. */
function run(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(words, { stdout: "ignore" });
  if (exitCode !== 0) throw new Error(`${words.join(" ")} failed: ${stderr.toString()}`);
}
