import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { formatNewImage } from "../../../../src/images/new-qcow2.ts";
import { planConclusion, planStartJob, planWritable } from "../../../../src/plan/actions/block.ts";
import type { BlockJob, ChainLink } from "../../../../src/plan/facts/block-job.ts";
import type { FileId } from "../../../../src/plan/facts/file.ts";
import { fileKey } from "../../../../src/plan/facts/file-key.ts";
import { compactSteps } from "../../../../src/plan/record/compact.ts";
import { isMonitorStep, planUndo } from "../../../../src/plan/steps/inverse.ts";
import type { Step } from "../../../../src/plan/steps/step.ts";
import {
  commitCommand,
  mirrorCommand,
  snapshotCommand,
  streamCommand,
} from "../../../../src/qemu/monitor/block-job-commands.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import { aboutJobs, concludeJob, readJobState } from "../../../../src/run/steps/block/block-job.ts";
import { runStep } from "../../../../src/run/steps/run-step.ts";
import { qemuProgram } from "../../../qemu/real-qemu.ts";
import { untilListening } from "../../until-listening.ts";

const MIB = 1024 * 1024;
const DEVICE = "virtio-disk0";
const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";

// Runs the plans on a real QEMU without a guest. Checks which files it has open, with which access, and the
// backing chain.
describe.skipIf(qemuProgram === null).each(["raw", "qcow2"] as const)(
  `a real QEMU with a disk of format %s${missing}`,
  (format) => {
    const host = makeLinuxHost();
    const folder = fs.mkdtempSync(join(tmpdir(), "svirt-block-"));
    const monitor = join(folder, "monitor.sock");
    // Outside the folder, because the files that QEMU has open in the folder are inspected.
    const log = `${folder}.log`;
    const facts = { monitor, direct: false, labels: { private: undefined, content: undefined } };
    const actor = { host, registry: new ClaimRegistry(host, folder), owner: "guest", uid: 0 };
    let qemu: Bun.Subprocess | undefined;
    let done: readonly Step[] = [];
    let chain: readonly ChainLink[] = [];
    let nextSet = 10;

    const tell = async (execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> =>
      await aboutJobs(host, monitor, (conversation) => conversation.execute(execute, args));
    const find = (path: string): FileId => {
      const found = host.inspectFile(path);
      if (found === undefined) throw new Error(`${path} is missing`);
      return found.id;
    };
    const carryOut = async (steps: readonly Step[]): Promise<void> => {
      for (const step of steps) if (isMonitorStep(step)) await runStep(actor, step);
    };

    /** Returns the steps that plug an image in its own set; the first image also gets a device. */
    const plug = (
      name: string,
      as: "raw" | "qcow2",
      backing: string | null,
    ): { steps: Step[]; link: ChainLink } => {
      const path = join(folder, name);
      const set = nextSet;
      nextSet += 1;
      const storage = `libvirt-${set}-storage`;
      const node = as === "raw" ? storage : `libvirt-${set}-format`;
      const common = { "read-only": false, cache: { direct: false, "no-flush": false } };
      const file = find(path);
      const commands = [
        {
          driver: "file",
          filename: `/dev/fdset/${set}`,
          locking: "off",
          "node-name": storage,
          ...common,
        },
        ...(as === "raw" ? [] : [{ driver: as, "node-name": node, file: storage, backing, ...common }]),
      ].map((args) => ({ execute: "blockdev-add", arguments: args }));
      const claim = { kind: "file", key: fileKey(file), sharing: "exclusive" } as const;
      const device = { driver: "virtio-blk-pci", id: DEVICE, drive: node };
      const added = chain.length === 0 ? [{ execute: "device_add", arguments: device }] : [];
      const lock = { as: "writer", isFirst: true } as const;
      const passed = {
        fd: set,
        file,
        access: "read-write",
        truncate: false,
        direct: false,
        lock,
      } as const;
      return {
        steps: [
          { do: "reserve", claim },
          { do: "plug", monitor, files: [passed], commands: [...commands, ...added] },
        ],
        link: { node, path, format: as, storage: "file" },
      };
    };
    const jobOf = (type: BlockJob["type"], becomes: readonly ChainLink[]): BlockJob => ({
      type,
      disk: "vda",
      device: DEVICE,
      ...(type === "snapshot" ? {} : { job: `${type}-vda` }),
      before: chain.map(({ node }) => node),
      chain: [...becomes],
    });
    /** Waits for the end of a job and runs the steps that follow. Returns whether the job succeeded. */
    const conclude = async (job: BlockJob): Promise<boolean> => {
      for (;;) {
        const state = await aboutJobs(host, monitor, async (conversation) => {
          const now = await readJobState(host, conversation, job);
          if (now.is !== "pending") return now;
          const isDone = await concludeJob(host, conversation, { job, expected: true });
          return { is: "ended", isDone } as const;
        });
        if (state.is === "ended") {
          const plan = planConclusion(done, { job, isDone: state.isDone }, facts);
          await carryOut(plan.after);
          done = compactSteps(done, plan);
          if (state.isDone) chain = job.chain;
          return state.isDone;
        }
        await Bun.sleep(10);
      }
    };
    const start = async (job: BlockJob, steps: readonly Step[]): Promise<void> => {
      await carryOut(steps);
      done = compactSteps(done, { steps, after: [] });
      for (let status = ""; status !== "ready" && status !== "pending"; await Bun.sleep(10)) {
        const found = (await tell("query-jobs")) as { id: string; status: string }[];
        status = found.find(({ id }) => id === job.job)?.status ?? "ready";
      }
    };
    const snapshot = async (name: string): Promise<void> => {
      const [top] = chain;
      const backing = { path: top?.path ?? "", format: top?.format ?? "" };
      const bytes = formatNewImage({ format: "qcow2", sizeBytes: MIB, backing });
      fs.writeFileSync(join(folder, name), bytes);
      const { link, steps } = plug(name, "qcow2", null);
      await carryOut(steps);
      done = [...done, ...steps];
      const { arguments: args, execute } = snapshotCommand([{ node: top?.node ?? "", overlay: link.node }]);
      await tell(execute, args);
      expect(await conclude(jobOf("snapshot", [link, ...chain]))).toBe(true);
    };
    const io = async (command: string): Promise<void> => {
      const place = `/machine/peripheral/${DEVICE}/virtio-backend`;
      const said = await tell("human-monitor-command", {
        "command-line": `qemu-io -d ${place} "${command}"`,
      });
      expect(String(said)).not.toMatch(/failed|rror/);
    };
    /** Returns `name access` for each file of the folder that QEMU has open. */
    const open = (): string[] => {
      const own = `/proc/${qemu?.pid}`;
      // find(1) leaves out a descriptor that QEMU closes meanwhile.
      const { stdout } = Bun.spawnSync(["find", `${own}/fd`, "-type", "l", "-printf", "%f %l\\n"]);
      const found = `${stdout}`.split("\n").flatMap((line) => {
        const [fd = "", path = ""] = line.split(" ");
        if (!path.startsWith(`${folder}/`)) return [];
        const flags = /^flags:\s+\d*(\d)$/m.exec(fs.readFileSync(`${own}/fdinfo/${fd}`, "utf8"))?.[1];
        return [`${path.slice(folder.length + 1)} ${flags === "2" ? "read-write" : "read-only"}`];
      });
      return [...new Set(found)].toSorted();
    };
    const nodes = async (): Promise<string[]> => {
      const found = (await tell("query-named-block-nodes")) as Readonly<Record<string, unknown>>[];
      return found.map((one) => `${one["node-name"]} ${one["ro"]} ${one["backing_file"] ?? ""}`).toSorted();
    };
    const img = (...words: readonly string[]): string => {
      const { exitCode, stdout } = Bun.spawnSync(["qemu-img", ...words], { cwd: folder });
      return `${exitCode} ${stdout}`;
    };

    beforeAll(async () => {
      const words = "-M pc,accel=tcg -m 32 -display none -nodefaults -S";
      qemu = Bun.spawn(
        // QEMU ends with the test's process. PR_SET_PDEATHSIG(2const)
        [
          "setpriv",
          "--pdeathsig",
          "KILL",
          qemuProgram ?? "",
          ...words.split(" "),
          "-qmp",
          `unix:${monitor},server=on,wait=off`,
        ],
        {
          stdio: ["ignore", Bun.file(log), "inherit"],
        },
      );
      await untilListening(monitor);
      const empty = formatNewImage({ format, sizeBytes: MIB });
      fs.writeFileSync(join(folder, "base"), format === "raw" ? new Uint8Array(MIB) : empty);
      const { link, steps } = plug("base", format, null);
      await carryOut(steps);
      [chain, done] = [[link], steps];
    });
    afterAll(async () => {
      // A QEMU with an unfinished job does not end at SIGTERM.
      qemu?.kill("SIGKILL");
      await qemu?.exited;
      fs.rmSync(folder, { recursive: true });
      fs.rmSync(log);
    });

    test("holds what is below an overlay for reading alone", async () => {
      await io("write -P 1 0 4k");
      for (const [at, name] of ["s1", "s2", "s3"].entries()) {
        await snapshot(name);
        await io(`write -P ${at + 2} ${(at + 1) * 64}k 4k`);
      }
      expect(open()).toEqual(["base read-only", "s1 read-only", "s2 read-only", "s3 read-write"]);
    });

    test("commits below, lets go of what is no longer there, and holds the base for reading again", async () => {
      const [top, middle, base, ...more] = chain;
      if (top === undefined || middle === undefined || base === undefined)
        throw new Error("the chain is short");
      const job = jobOf("commit", [top, base, ...more]);
      const command = commitCommand({
        job: "commit-vda",
        device: top.node,
        top: middle.node,
        base: base.node,
        backingFile: base.path,
        bytesPerSecond: undefined,
      });
      await start(job, [...planWritable(done, base.node, facts), planStartJob(job, command, monitor)]);
      expect(await conclude(job)).toBe(true);
      expect(open()).toEqual(["base read-only", "s1 read-only", "s3 read-write"]);
      expect(img("info", "-U", "s3")).toContain(`backing file: ${join(folder, "s1")}`);
    });

    test("pulls, and names the base with its format", async () => {
      const [top] = chain;
      const base = chain.at(-1);
      if (top === undefined || base === undefined) throw new Error("the chain is short");
      const job = jobOf("pull", [top, base]);
      const command = streamCommand({ job: "pull-vda", device: top.node, base, bytesPerSecond: undefined });
      await start(job, [planStartJob(job, command, monitor)]);
      expect(await conclude(job)).toBe(true);
      expect(open()).toEqual(["base read-only", "s3 read-write"]);
      expect(img("info", "-U", "s3")).toContain(`backing file format: ${format}`);
    });

    test("takes a start back, and a job that is given up", async () => {
      const [top, base] = chain;
      if (top === undefined || base === undefined) throw new Error("the chain is short");
      const before = [open(), await nodes(), await tell("query-jobs")];
      const job = jobOf("active-commit", [base]);
      const commit = (bytesPerSecond: number | undefined): Step[] => {
        const nodes = { device: top.node, top: top.node, base: base.node };
        const command = commitCommand({
          job: "active-commit-vda",
          ...nodes,
          backingFile: undefined,
          bytesPerSecond,
        });
        return [...planWritable(done, base.node, facts), planStartJob(job, command, monitor)];
      };
      const steps = commit(1);
      await carryOut(steps);
      expect(open()).toEqual(["base read-write", "s3 read-write"]);
      await carryOut(planUndo(steps));
      expect([open(), await nodes(), await tell("query-jobs")]).toEqual(before);
      await start(job, commit(undefined));
      await tell("block-job-cancel", { device: job.job, force: false });
      expect(await conclude(job)).toBe(false);
      expect([open(), await tell("query-jobs")]).toEqual([["base read-only", "s3 read-write"], []]);
    });

    test("goes over to a copy that stands on the same base, and then to the base", async () => {
      const [top, base] = chain;
      if (top === undefined || base === undefined) throw new Error("the chain is short");
      const bytes = formatNewImage({ format: "qcow2", sizeBytes: MIB, backing: base });
      fs.writeFileSync(join(folder, "copy"), bytes);
      const { link, steps } = plug("copy", "qcow2", base.node);
      const copy = jobOf("copy", [link, base]);
      const mirror = mirrorCommand({
        job: "copy-vda",
        device: top.node,
        target: link.node,
        isShallow: true,
        isSynchronous: false,
        bytesPerSecond: undefined,
        granularity: undefined,
        bufferBytes: undefined,
      });
      await start(copy, [...steps, planStartJob(copy, mirror, monitor)]);
      await tell("job-complete", { id: "copy-vda" });
      expect(await conclude(copy)).toBe(true);
      expect(open()).toEqual(["base read-only", "copy read-write"]);
      const commit = jobOf("active-commit", [base]);
      const command = commitCommand({
        job: "active-commit-vda",
        device: link.node,
        top: link.node,
        base: base.node,
        backingFile: undefined,
        bytesPerSecond: undefined,
      });
      await start(commit, [...planWritable(done, base.node, facts), planStartJob(commit, command, monitor)]);
      await tell("job-complete", { id: "active-commit-vda" });
      expect(await conclude(commit)).toBe(true);
      expect(open()).toEqual(["base read-write"]);
      for (const at of [0, 1, 2, 3]) await io(`read -P ${at + 1} ${at * 64}k 4k`);
      qemu?.kill();
      await qemu?.exited;
      const said = fs.readFileSync(log, "utf8").match(/^(?:wrote|read|Pattern)(?= )/gm);
      expect(said).toEqual(["wrote", "wrote", "wrote", "wrote", "read", "read", "read", "read"]);
      for (const name of ["s3", "copy"]) expect(img("check", "-U", "-f", "qcow2", name)).toStartWith("0 ");
      // The record keeps none of the steps of finished jobs.
      expect(done.map((step) => step.do)).toEqual(["reserve", "plug", "adopt-chain"]);
    });
  },
);
