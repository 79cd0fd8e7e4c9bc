import { deleteCommands } from "../../qemu/monitor/plug-commands.ts";
import type { Step } from "./step.ts";

type UnplugStep = Extract<Step, { do: "unplug" }>;
type Turned = Extract<Step, { do: "set-medium" | "set-link" | "set-memlock" }>;

/** Returns the inverse of a step on a device, medium, link or memory limit of a running guest. */
export function inverseLive(done: Extract<Step, { do: "plug" }> | Turned): UnplugStep | Turned {
  switch (done.do) {
    case "plug":
      return {
        do: "unplug",
        monitor: done.monitor,
        ...deleteCommands(done.commands),
        sets: done.files.map(({ fd }) => fd),
        ...(done.peers === undefined ? {} : { peers: done.peers.map(({ name }) => name) }),
      };
    case "set-medium": {
      const { device, force, from, monitor, to } = done;
      return { do: "set-medium", monitor, device, ...present({ from: to, to: from }), force };
    }
    case "set-link":
      return { ...done, up: !done.up };
    case "set-memlock":
      return { ...done, from: done.to, to: done.from };
  }
}

function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
