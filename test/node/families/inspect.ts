import { type Notes, outOf } from "../harness/notes.ts";
import { parseQtree, type QemuDevice } from "./qtree.ts";
import { type Element, readXml } from "./xml-tree.ts";

/** Running guest: its XML as written and as svirt shows it, and its state in QEMU and the kernel. */
export interface Inspected {
  readonly notes: Notes;
  readonly written: Element;
  readonly shown: Element;
  readonly devices: ReadonlyMap<string, QemuDevice>;
}

/** Script for the node that queries QEMU and the kernel about a running guest. */
export const LOOK = `
  ask() { note $1 svirt qemu-monitor-command $name "{\\"execute\\":\\"$1\\"}"; }
  for command in query-block query-fdsets query-pci query-cpus-fast query-hotpluggable-cpus query-iothreads \\
    query-memdev query-chardev query-vnc query-tpm query-status; do ask $command; done
  note qtree svirt qemu-monitor-command $name --hmp info qtree
  note numa svirt qemu-monitor-command $name --hmp info numa
  note network svirt qemu-monitor-command $name --hmp info network
  # get NAME PATH PROPERTY
  get() { note get-$1 svirt qemu-monitor-command $name "{\\"execute\\":\\"qom-get\\",\\"arguments\\":{\\"path\\":\\"$2\\",\\"property\\":\\"$3\\"}}"; }
  get type /machine type
  note shown svirt dumpxml $name
  note fds ls -l /proc/$(pid_of $name)/fd
  threads() { for task in /proc/$(pid_of $name)/task/*; do echo "\${task##*/} $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' $task/status)"; done; }
  note threads threads
  note pid pid_of $name
`;

/** Parses the notes of LOOK. */
export function inspected(notes: Notes, xml: string): Inspected {
  return {
    notes,
    written: readXml(xml),
    shown: readXml(outOf(notes, "shown")),
    devices: parseQtree(outOf(notes, "qtree")),
  };
}

/** Returns QEMU's answer to a command of LOOK. */
export function answerTo<Answer = readonly Readonly<Record<string, unknown>>[]>(
  notes: Notes,
  command: string,
): Answer {
  return JSON.parse(outOf(notes, command)).return as Answer;
}

/** Returns the host file behind a descriptor of QEMU. */
export function fileOfDescriptor(notes: Notes, fd: string | undefined): string {
  return new RegExp(` ${fd} -> (.*)$`, "m").exec(outOf(notes, "fds"))?.[1] ?? `nothing at descriptor ${fd}`;
}
