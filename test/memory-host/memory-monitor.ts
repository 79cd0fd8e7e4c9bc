import { SEE_QEMU_LOG, SvirtError } from "../../src/errors.ts";
import type { GuestPipe } from "../../src/host/channels.ts";
import type { Monitor } from "../../src/host/monitor.ts";
import { passTime } from "./kernel-calls.ts";
import type { Machine } from "./machine.ts";
import { qmpError } from "./qmp-error.ts";
import type { Svirt } from "./svirt.ts";

const DELETED_POLL_MS = 5;
const MUTE_POLL_MS = 50;
const UNPLUG_MS = 20;

/** Commands that change nothing. */
const QUERY = /^query-|^qom-(?:list|get)$/;

/** Returns a conversation with a QEMU. Commands throw "timeout" after the deadline by the machine's clock. */
export function makeMonitor(
  machine: Machine,
  svirt: Svirt,
  talk: { readonly pid: number; readonly deadline: number },
): Monitor {
  const { pid } = talk;
  let { deadline } = talk;
  const tell = async (command: string, act: () => unknown): Promise<unknown> => {
    const isMute = (): boolean =>
      machine.qemu.mute?.get(machine.processes.get(pid)?.order?.uuid ?? "") === "after greeting";
    while (isMute() && machine.nowMs <= deadline) await passTime(machine, MUTE_POLL_MS);
    if (machine.nowMs > deadline)
      throw new SvirtError("Cannot talk to QEMU", { kind: "timeout", remedy: "Wait." });
    return svirt.call(`monitor ${command}`, !QUERY.test(command), act);
  };
  return {
    allow(timeoutMs) {
      deadline = machine.nowMs + timeoutMs;
    },
    execute: (command, args = {}) => tell(command, () => answer(machine, pid, { command, args })),
    async handOver(file) {
      machine.files.getSame(file.file);
      if (machine.qemu.refuses === "add-fd") throw qmpError("as the test wants it");
      await tell("add-fd", () => machine.processes.get(pid)?.devices?.addSet(file));
      machine.noteContent(machine.files.getSame(file.file));
    },
    async passTap(tap) {
      await tell("getfd", () => {
        machine.taps.hand(tap, pid);
        machine.processes.get(pid)?.devices?.addNames([...tap.queues, ...tap.vhosts]);
      });
    },
    async handPeer(peer) {
      machine.files.getSame(peer.socket);
      if (machine.qemu.refuses === "getfd") throw qmpError("as the test wants it");
      const guest = machine.processes.get(pid);
      if (peer.uid !== guest?.uid) machine.violations.push(`${peer.uid} is connected for ${guest?.uid}`);
      await tell("getfd", () => {
        guest?.devices?.addNames([peer.name]);
        guest?.devices?.connect(peer.name, peer.context);
      });
    },
    async handListener(name, display) {
      if (machine.qemu.refuses === "getfd") throw qmpError("as the test wants it");
      await tell("getfd", () => {
        machine.ports.hand(display, pid);
        machine.processes.get(pid)?.devices?.addNames([name]);
      });
    },
    async openPipe(options) {
      const guest = machine.processes.get(pid);
      if (machine.qemu.refuses === "getfd") throw qmpError("as the test wants it");
      const pipe = await tell("getfd", () => guest?.stream?.open(svirt, guest, options));
      if (pipe === undefined)
        throw new SvirtError("Cannot talk to QEMU: it has ended", { kind: "failed", remedy: SEE_QEMU_LOG });
      return pipe as GuestPipe;
    },
    async waitUntilDeleted(device, timeoutMs) {
      const until = Math.min(deadline, machine.nowMs + timeoutMs);
      const isThere = (): boolean => machine.processes.get(pid)?.devices?.has(device) ?? true;
      const isRejected = (): boolean => machine.qemu.rejectsUnplug?.has(device) ?? false;
      while (isThere() && !isRejected() && machine.nowMs < until) await passTime(machine, DELETED_POLL_MS);
      if (!isThere()) return "deleted";
      return isRejected() ? "rejected" : "kept";
    },
    close: () => undefined,
  };
}

interface Asked {
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function answer(machine: Machine, pid: number, { args, command }: Asked): unknown {
  const guest = machine.processes.get(pid);
  if (guest === undefined)
    throw new SvirtError("Cannot talk to QEMU: it has ended", { kind: "failed", remedy: SEE_QEMU_LOG });
  if (machine.qemu.refuses === command) throw qmpError("as the test wants it");
  const wanted = machine.qemu.answers?.get(command);
  if (wanted !== undefined) return wanted;
  const ofStream = guest.stream?.answer(guest, command, args);
  if (ofStream !== undefined) return ofStream;
  switch (command) {
    case "query-status":
      return { status: guest.status, running: guest.status === "running" };
    case "cont":
      guest.status = "running";
      return {};
    case "set-action":
      guest.panicAction = String(args["panic"]);
      return {};
    case "query-cpus-fast":
      return machine.groups.listVcpus(guest);
    case "query-iothreads":
      return [];
    case "query-chardev":
      return listChardevs(guest.order?.words ?? []);
    case "stop":
      guest.status = "paused";
      return {};
    case "system_powerdown":
      if (machine.qemu.ignoresPowerButton !== true) machine.after(50, () => machine.processes.end(pid, 0));
      return {};
    case "device_del":
      return guest.devices?.askToLetGo(args, (letGo) => {
        const { keepsDevices = false, rejectsUnplug } = machine.qemu;
        if (!keepsDevices && rejectsUnplug?.has(String(args["id"])) !== true) machine.after(UNPLUG_MS, letGo);
      });
    case "netdev_del":
    case "closefd": {
      const gone = guest.devices?.answer(command, args);
      if (machine.qemu.keepsTaps !== true) machine.taps.letGo(pid, String(args["id"] ?? args["fdname"]));
      return gone;
    }
    default:
      return guest.devices?.answer(command, args);
  }
}

/**
 * Lists the chardevs, each pty with its own terminal, in order. No guest has opened one. qemu.git
 * qapi/char.json
 */
function listChardevs(words: readonly string[]): object[] {
  const found = words.flatMap((word) => {
    const [, type, label] = /^(pty|socket|null),id=([^,]*)/.exec(word) ?? [];
    return label === undefined ? [] : [{ label, isPty: type === "pty" }];
  });
  let terminals = 0;
  return found.map(({ isPty, label }) => ({
    label,
    filename: isPty ? `pty:/dev/pts/${terminals++}` : "disconnected:unix:/a,server=on",
    "frontend-open": false,
  }));
}
