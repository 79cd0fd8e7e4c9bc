import type { Command } from "./command.ts";

type Load = () => Promise<{ readonly command: Command }>;

/** Every command by its name, in the order of the help. Each is read only when it is called. */
export const COMMANDS: ReadonlyMap<string, Load> = new Map<string, Load>([
  ["define", () => import("./commands/define.ts")],
  ["undefine", () => import("./commands/undefine.ts")],
  ["create", () => import("./commands/create.ts")],
  ["start", () => import("./commands/start.ts")],
  ["shutdown", () => import("./commands/shutdown.ts")],
  ["reboot", () => import("./commands/reboot.ts")],
  ["destroy", () => import("./commands/destroy.ts")],
  ["suspend", () => import("./commands/suspend.ts")],
  ["resume", () => import("./commands/resume.ts")],
  ["list", () => import("./commands/list.ts")],
  ["dominfo", () => import("./commands/dominfo.ts")],
  ["domstate", () => import("./commands/domstate.ts")],
  ["domid", () => import("./commands/domid.ts")],
  ["domuuid", () => import("./commands/domuuid.ts")],
  ["domname", () => import("./commands/domname.ts")],
  ["dumpxml", () => import("./commands/dumpxml.ts")],
  ["domblklist", () => import("./commands/domblklist.ts")],
  ["autostart", () => import("./commands/autostart.ts")],
  ["qemu-monitor-command", () => import("./commands/qemu-monitor-command.ts")],
  ["capabilities", () => import("./commands/capabilities.ts")],
  ["version", () => import("./commands/version.ts")],
  ["validate", () => import("./commands/validate.ts")],
  ["domxml-to-native", () => import("./commands/domxml-to-native.ts")],
  ["label show", () => import("./commands/label-show.ts")],
  ["label set", () => import("./commands/label-set.ts")],
  ["label restore", () => import("./commands/label-restore.ts")],
  ["plan", () => import("./commands/plan.ts")],
  ["reap", () => import("./commands/reap.ts")],
  ["recover", () => import("./commands/recover.ts")],
  ["audit", () => import("./commands/audit.ts")],
  ["doctor", () => import("./commands/doctor.ts")],
]);
